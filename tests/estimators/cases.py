"""The list of estimators: every quantized class as a quick instance, with data that suits it.

`classes` and `quick` give all of them. `SAMPLE` is one of each family, on small real tables, for
tests that fit many times.
"""

import inspect
from functools import cache

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, make_classification, make_regression

import skq
from skq.estimators.base import QuantizedEstimator

MODULES = ("linear_model", "svm", "tree", "ensemble", "neural_network")

#: Parameters that make a class quick enough, or its model non-trivial on the data below.
_PARAMETERS = {
    "AdaBoostClassifier": {"n_estimators": 8},
    "AdaBoostRegressor": {"n_estimators": 8},
    "BaggingClassifier": {"n_estimators": 4},
    "BaggingRegressor": {"n_estimators": 4},
    "ElasticNet": {"alpha": 0.01},
    "ExtraTreesClassifier": {"n_estimators": 8},
    "GammaRegressor": {"alpha": 1e-3},
    "GradientBoostingClassifier": {"n_estimators": 8},
    "GradientBoostingRegressor": {"n_estimators": 8},
    "HistGradientBoostingClassifier": {"max_iter": 8},
    "HistGradientBoostingRegressor": {"max_iter": 8},
    "IsolationForest": {"n_estimators": 16, "contamination": 0.2},
    "Lasso": {"alpha": 0.01},
    "LassoLars": {"alpha": 0.01},
    "LinearSVR": {"C": 10.0, "max_iter": 10_000},
    "LogisticRegression": {"max_iter": 1000},
    "LogisticRegressionCV": {"Cs": 3, "cv": 3},
    "MLPClassifier": {"hidden_layer_sizes": (12, 8), "max_iter": 200, "solver": "lbfgs"},
    "MLPRegressor": {"hidden_layer_sizes": (30,), "max_iter": 300},
    "MultiTaskElasticNet": {"alpha": 0.01},
    "MultiTaskLasso": {"alpha": 0.01},
    "OrthogonalMatchingPursuit": {"n_nonzero_coefs": 4},
    "PoissonRegressor": {"alpha": 1e-3},
    "QuantileRegressor": {"alpha": 1e-4},
    "RandomForestClassifier": {"n_estimators": 8},
    "RandomForestRegressor": {"n_estimators": 8},
    "TweedieRegressor": {"power": 1.5, "alpha": 1e-3},
}

#: Regressors whose targets must be positive.
_POSITIVE = {"GammaRegressor", "PoissonRegressor", "TweedieRegressor"}


def classes():
    """All quantized classes of the modules."""
    found = []
    for module in MODULES:
        for _, cls in inspect.getmembers(getattr(skq, module), inspect.isclass):
            if issubclass(cls, QuantizedEstimator) and cls.__module__ == f"skq.{module}":
                found.append(cls)
    return sorted(found, key=lambda cls: cls.__name__)


def quick(cls, **parameters):
    """A quick instance of a class."""
    estimator = cls(**_PARAMETERS.get(cls.__name__, {}) | parameters)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator


def answers_labels(cls):
    return hasattr(cls, "decision_function") or hasattr(cls, "predict_proba")


@cache
def _classification():
    return make_classification(
        900, 10, n_informative=6, n_classes=3, class_sep=2.0, flip_y=0.0, random_state=0
    )


@cache
def _regression():
    X, y = make_regression(900, 10, n_informative=6, noise=10.0, random_state=0)
    return X, y / y.std()


def data_for(cls):
    """Training and held-out X and y; held-out rows lie in the range of the training rows."""
    if answers_labels(cls):
        X, y = _classification()
    else:
        X, y = _regression()
        if cls.__name__ in _POSITIVE:
            y = np.exp(y / 2)
        if cls.__name__.startswith("MultiTask"):
            y = np.stack([y, X[:, 0] - y], axis=1)
    train, test = slice(0, None, 2), slice(1, None, 2)
    held_out = np.all((X[test] >= X[train].min(axis=0)) & (X[test] <= X[train].max(axis=0)), axis=1)
    return X[train], X[test][held_out], y[train], y[test][held_out]


#: One of each family.
_SAMPLED = (
    "LogisticRegression",
    "LinearSVC",
    "DecisionTreeClassifier",
    "RandomForestClassifier",
    "GradientBoostingClassifier",
    "MLPClassifier",
    "LinearRegression",
    "Ridge",
    "Lasso",
    "ElasticNet",
    "LinearSVR",
    "DecisionTreeRegressor",
    "RandomForestRegressor",
    "GradientBoostingRegressor",
    "MLPRegressor",
)

SAMPLE = [quick(cls) for name in _SAMPLED for cls in classes() if cls.__name__ == name]
CLASSIFIERS = [estimator for estimator in SAMPLE if answers_labels(type(estimator))]
REGRESSORS = [estimator for estimator in SAMPLE if not answers_labels(type(estimator))]


def name_of(estimator):
    return type(estimator).__name__


def has_trees(estimator):
    return hasattr(estimator, "max_depth")


def parent_params(estimator):
    """The estimator's parameters that its scikit-learn parent has too."""
    added = {parameter.name for parameter in estimator._added_parameters}
    return {k: v for k, v in estimator.get_params().items() if k not in added}


@cache
def small_classification(kind="multiclass"):
    """X, y: three flowers, or two classes with features of very different scale."""
    if kind == "multiclass":
        return load_iris(return_X_y=True)
    X, y = make_classification(200, 6, n_informative=4, random_state=0)
    return X * 10.0 ** np.arange(-3, 3), y


@cache
def small_regression():
    X, y = load_diabetes(return_X_y=True)
    return X[:200], (y[:200] - y.mean()) / y.std()


def small_data_for(estimator):
    return small_classification() if estimator in CLASSIFIERS else small_regression()
