"""The models of `accuracy.py`, their splits and their score; needs scikit-learn alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model, neural_network, svm, tree
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

#: Larger tables are cut to this many rows, drawn at random.
MAX_ROWS = 5000
#: Boosting grows a tree a class and stage: on wide tables with many classes fewer rows do.
MAX_CELLS_BOOSTING = 1_000_000

Split = dict[str, np.ndarray]


def models(family: str, is_classification: bool) -> Iterator[tuple[str, type, dict[str, Any]]]:
    """Name, scikit-learn class and parameters of a family's models."""
    if family == "linear":
        if is_classification:
            yield "LogisticRegression", linear_model.LogisticRegression, {"max_iter": 200}
            yield "LinearSVC", svm.LinearSVC, {}
        else:
            yield "Ridge", linear_model.Ridge, {}
        return
    kind = "Classifier" if is_classification else "Regressor"
    if family == "trees":
        yield f"DecisionTree{kind}", getattr(tree, f"DecisionTree{kind}"), {}
        parameters = {"n_estimators": 50} | ({} if is_classification else {"max_features": 0.5})
        yield f"RandomForest{kind}", getattr(ensemble, f"RandomForest{kind}"), parameters
    elif family == "boosting":
        parameters = {"n_estimators": 50, "max_features": "sqrt"}
        yield f"GradientBoosting{kind}", getattr(ensemble, f"GradientBoosting{kind}"), parameters
        name = f"HistGradientBoosting{kind}"
        yield name, getattr(ensemble, name), {"max_iter": 30}
    else:
        parameters = {"hidden_layer_sizes": (50,), "max_iter": 100, "learning_rate_init": 0.005}
        yield f"MLP{kind}", getattr(neural_network, f"MLP{kind}"), parameters


def make_model(cls: type, parameters: dict[str, Any], seed: int) -> Any:
    """An unfitted scikit-learn model, behind a scaler if gradients train it."""
    if cls is not linear_model.Ridge:
        parameters = {**parameters, "random_state": seed}
    model = cls(**parameters)
    is_scaled = cls.__name__.startswith(("MLP", "SGD"))
    return make_pipeline(StandardScaler(), model) if is_scaled else model


def split_rows(X: np.ndarray, y: np.ndarray, is_classification: bool, seed: int) -> Split:
    """Train and test rows."""
    parts = train_test_split(
        X, y, test_size=0.3, random_state=seed, stratify=y if is_classification else None
    )
    return dict(zip(("X_train", "X_test", "y_train", "y_test"), parts, strict=True))


def cut_rows(X: np.ndarray, y: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """At most `MAX_ROWS` rows."""
    most = MAX_ROWS
    if family == "boosting":
        most = min(most, max(1500, MAX_CELLS_BOOSTING // X.shape[1]))
    rows = np.random.RandomState(0).permutation(len(X))[:most]
    return X[np.sort(rows)], y[np.sort(rows)]


def score(y: np.ndarray, predicted: np.ndarray, is_classification: bool) -> float:
    """Accuracy, or R² but at least 0, in points."""
    if is_classification:
        return 100 * float(accuracy_score(y, predicted))
    return 100 * max(0.0, float(r2_score(y, predicted)))
