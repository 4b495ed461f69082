"""One list of estimators, small and quick, with data for each; shared by the main job's tests."""

from functools import cache

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, make_classification

from skq.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from skq.neural_network import MLPClassifier, MLPRegressor
from skq.svm import LinearSVC, LinearSVR
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor

CLASSIFIERS = [
    LogisticRegression(max_iter=1000),
    LinearSVC(random_state=0),
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(8, random_state=0),
    GradientBoostingClassifier(n_estimators=8, random_state=0),
    MLPClassifier(hidden_layer_sizes=(12,), max_iter=300, random_state=0, solver="lbfgs"),
]

REGRESSORS = [
    LinearRegression(),
    Ridge(),
    Lasso(alpha=0.1),
    ElasticNet(alpha=0.01),
    LinearSVR(C=10.0, max_iter=5000, random_state=0),
    DecisionTreeRegressor(random_state=0, max_depth=6),
    RandomForestRegressor(8, random_state=0),
    GradientBoostingRegressor(n_estimators=8, random_state=0),
    MLPRegressor(
        hidden_layer_sizes=(12,),
        alpha=0.1,  # without it the few rows are fitted steeply, and no width is fair
        max_iter=300,
        random_state=0,
        solver="lbfgs",
        activation="tanh",
    ),
]

ESTIMATORS = CLASSIFIERS + REGRESSORS


def parent_params(estimator):
    """The estimator's parameters that its scikit-learn parent has too."""
    added = {parameter.name for parameter in estimator._added_parameters}
    return {k: v for k, v in estimator.get_params().items() if k not in added}


def name_of(estimator):
    return type(estimator).__name__


@cache
def classification_data(kind="multiclass"):
    """X, y: three flowers, or two classes with features of very different scale."""
    if kind == "multiclass":
        return load_iris(return_X_y=True)
    X, y = make_classification(200, 6, n_informative=4, random_state=0)
    return X * 10.0 ** np.arange(-3, 3), y


@cache
def regression_data():
    X, y = load_diabetes(return_X_y=True)
    return X[:200], (y[:200] - y.mean()) / y.std()


def data_for(estimator):
    return classification_data() if estimator in CLASSIFIERS else regression_data()
