"""Every class at 16 and 8 bits against its float parent, on held-out rows.

Run with ``-s`` to see the table: class × bits → agreement of labels, or error in standard
deviations of the target.
"""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import train_test_split

from skq.neural_network import MLPRegressor
from tests.estimators.cases import answers_labels, classes, data_for, quick

#: Share of labels that agree, and root mean square error over the target's standard deviation.
WANTED = {16: (0.999, 1e-3), 8: (0.99, 2e-2)}


def in_float(estimator, X):
    with estimator._answering_in_float():
        return estimator.predict(X)


def measure(estimator, X, y):
    """Agreement of labels, or the relative error of a regressor."""
    got, expected = estimator.predict(X), in_float(estimator, X)
    assert got.shape == expected.shape
    if answers_labels(type(estimator)):
        return float(np.mean(got == expected))
    return float(np.sqrt(np.mean((got - expected) ** 2)) / np.std(y))


@pytest.mark.parametrize("n_bits", [16, 8])
@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_agrees_with_the_parent_on_generated_data(cls, n_bits):
    X, X_test, y, y_test = data_for(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = quick(cls, n_bits=n_bits).fit(X, y)
    result = measure(estimator, X_test, y_test)
    labels, error = WANTED[n_bits]
    print(f"\n{cls.__name__:32} {n_bits:2} bits  {result:.5f}", end="")
    assert result >= labels if answers_labels(cls) else result <= error


DEEP = [(30, 20), (30, 30), (50, 50), (50, 30, 20), (20, 20, 20, 20)]


@pytest.mark.parametrize(
    ("layers", "activation"),
    [*((layers, "relu") for layers in DEEP), ((50, 30, 20), "tanh"), ((30, 20), "identity")],
    ids=str,
)
@pytest.mark.parametrize("n_bits", [16, 8])
def test_deep_networks_agree_with_their_parent(layers, activation, n_bits):
    X, X_test, y, y_test = data_for(MLPRegressor)
    parameters = {"hidden_layer_sizes": layers, "activation": activation}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = quick(MLPRegressor, n_bits=n_bits, **parameters).fit(X, y)
    result = measure(estimator, X_test, y_test)
    print(f"\nMLPRegressor {layers!s:19} {activation:8} {n_bits:2} bits  {result:.5f}", end="")
    assert result <= WANTED[n_bits][1]


BUNDLED = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer}


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_agrees_with_the_parent_on_bundled_data(cls):
    if cls.__name__.startswith("MultiTask"):
        X, y = load_diabetes(return_X_y=True)
        sets = [(X, np.stack([y, X[:, 0] * 100], axis=1))]
    elif answers_labels(cls):
        sets = [load(return_X_y=True) for load in BUNDLED.values()]
    else:
        sets = [load_diabetes(return_X_y=True)]
    agree, errors = [], []
    for X, y in sets:
        scaled = (X - X.mean(axis=0)) / X.std(axis=0)
        X_train, X_test, y_train, y_test = train_test_split(scaled, y, random_state=0)
        inside = np.clip(X_test, X_train.min(axis=0), X_train.max(axis=0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = quick(cls, n_bits=16).fit(X_train, y_train)
        if answers_labels(cls):
            agree.append(estimator.predict(inside) == in_float(estimator, inside))
        else:
            errors.append(measure(estimator, inside, y_test))
    if agree:
        assert np.mean(np.concatenate(agree)) >= WANTED[16][0]
    else:
        assert max(errors) <= WANTED[16][1]
