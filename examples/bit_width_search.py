"""
Mixed precision: search for the widths
======================================

``BitWidthSearchCV`` finds the cheapest widths, for codes and for weights, whose score is close to
that of the float model. It trains the float model once per fold and quantizes it once for each
candidate.
"""

# %%
# The cheapest widths within half a point
# ---------------------------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.inspection import BitWidthDisplay
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

# %%
# All candidates
# --------------
# The score and the cost of each candidate are in ``cv_results_``. The distance between the lines is
# the allowed loss.

results = search.cv_results_
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.scatter(results["mean_cost"], results["mean_test_score"], s=18, label="candidates")
axis.scatter(
    results["mean_cost"][search.best_index_],
    results["mean_test_score"][search.best_index_],
    s=90,
    facecolors="none",
    edgecolors="C3",
    linewidths=2,
    label="chosen",
)
axis.axhline(search.float_score_, color="black", linewidth=1, label="float")
axis.axhline(search.float_score_ - 0.005, color="black", linewidth=1, linestyle=":")
axis.set(xlabel="bytes", ylabel="mean score of 3 folds")
axis.margins(y=0.1)
axis.legend(loc="lower right")
plt.show()

# %%
# Score against one width
# -----------------------

BitWidthDisplay.from_estimator(forest, X_train, y_train, n_bits=[2, 3, 4, 6, 8], cv=3)
plt.show()
