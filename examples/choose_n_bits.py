"""`n_bits` is one more hyperparameter: search it together with the others.

Run it with ``python examples/choose_n_bits.py``.
"""

from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skq.linear_model import LogisticRegression

X_train, X_test, y_train, y_test = train_test_split(*load_wine(return_X_y=True), random_state=0)

pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
search = GridSearchCV(
    pipeline, {"model__C": [0.1, 1.0], "model__n_bits": [8, 4, 2]}, cv=3, n_jobs=2
)
search.fit(X_train, y_train)

print("C     n_bits  accuracy (3 folds)")
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"{params['model__C']:<6}{params['model__n_bits']:<8}{score:.3f}")
print(f"best: {search.best_params_}; on held-out rows {search.score(X_test, y_test):.3f}")
