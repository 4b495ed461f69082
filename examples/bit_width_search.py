"""Find the cheapest widths, for codes and for weights, that keep the float model's accuracy."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.model_selection import BitWidthSearchCV

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

forest = RandomForestClassifier(30, random_state=0)
search = BitWidthSearchCV(forest, max_loss=0.005, cost="bytes", cv=3).fit(X_train, y_train)

print(f"float {search.float_score_:.3f}, chosen {search.best_score_:.3f} with")
for role, bits in search.best_params_["n_bits"].items():
    print(f"  {role:<14}{bits} bits")
print(f"bytes {search.best_estimator_.quantized_module_.nbytes}")
print(f"on new rows {search.score(X_test, y_test):.3f}")
