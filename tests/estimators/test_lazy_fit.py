"""With the setting `lazy_fit` the first prediction quantizes."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import skq
from skq.ensemble import IsolationForest, RandomForestClassifier
from skq.linear_model import Lasso, SGDClassifier
from skq.neural_network import MLPClassifier
from skq.tree import DecisionTreeClassifier

X, Y = load_iris(return_X_y=True)

MODELS = [
    Lasso(alpha=0.1),
    DecisionTreeClassifier(max_depth=3, random_state=0),
    RandomForestClassifier(5, random_state=0, n_bits=3),
    SGDClassifier(random_state=0),
]


def quantized(model):
    return "quantized_module_" in vars(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_predictions_are_those_of_an_eager_fit(model):
    weight = np.linspace(0.5, 1.5, len(X))
    eager = clone(model).fit(X, Y, sample_weight=weight)
    assert quantized(eager)
    with skq.config_context(lazy_fit=True):
        lazy = clone(model).fit(X, Y, sample_weight=weight)
        assert not quantized(lazy)
        for name in vars(lazy):
            assert name.startswith("_") or name in vars(eager)
    assert not quantized(lazy)
    np.testing.assert_array_equal(lazy.predict(X), eager.predict(X))
    assert quantized(lazy)
    assert str(lazy.quantized_module_.program) == str(eager.quantized_module_.program)
    assert "_pending" not in vars(lazy) or hasattr(lazy, "partial_fit")


def test_changes_of_the_data_and_of_parameters_after_fit_have_no_effect():
    eager = DecisionTreeClassifier(max_depth=3, random_state=0, n_bits=3).fit(X, Y)
    data = X.copy()
    with skq.config_context(lazy_fit=True):
        lazy = clone(eager).fit(data, Y)
    data[:] = 0
    lazy.set_params(n_bits=8)
    np.testing.assert_array_equal(lazy.predict(X), eager.predict(X))
    assert str(lazy.quantized_module_.program) == str(eager.quantized_module_.program)


def test_pickles_and_copies_hold_integers_and_no_rows():
    with skq.config_context(lazy_fit=True):
        lazy = Lasso(alpha=0.1).fit(X, Y)
        assert not quantized(lazy)
        for copied in (pickle.loads(pickle.dumps(lazy)), copy.deepcopy(lazy)):
            assert quantized(copied)
            assert "_pending" not in vars(copied)
            np.testing.assert_array_equal(copied.predict(X), lazy.predict(X))


def test_fit_quantizes_where_its_data_are_needed():
    with skq.config_context(lazy_fit=True):
        assert quantized(IsolationForest(n_estimators=5, contamination=0.1, random_state=0).fit(X))
        trained = MLPClassifier((3,), max_iter=5, qat_epochs=1, random_state=0, n_bits=3)
        assert quantized(trained.fit(X, Y))
        assert quantized(skq.QuantizedRegressor(Lasso._parent(alpha=0.1)).fit(X, Y))


def test_a_fit_that_fails_leaves_nothing_to_quantize():
    with skq.config_context(lazy_fit=True):
        model = Lasso(alpha=0.1).fit(X, Y)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(X, Y[:10])
        with pytest.raises((NotFittedError, AttributeError)):
            model.predict(X)
        eager = Lasso(alpha=0.1)
    model.fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), eager.fit(X, Y).predict(X))


def test_the_setting_is_checked():
    with pytest.raises(ValueError, match="lazy_fit must be True or False"):
        skq.set_config(lazy_fit=1)
    assert skq.get_config()["lazy_fit"] is False
