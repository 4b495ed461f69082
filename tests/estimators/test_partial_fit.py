"""`partial_fit` quantizes once, when a prediction is asked for."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError

import skq
from skq.estimators import base, pending
from skq.linear_model import Perceptron, SGDClassifier, SGDOneClassSVM, SGDRegressor
from skq.neural_network import MLPClassifier, MLPRegressor

X, Y = make_classification(400, 6, n_informative=4, random_state=0)


@pytest.fixture
def quantizations(monkeypatch):
    """Grows by one for each quantization."""
    found = []
    build = base.quantize_fitted.build_module

    def counted(*args, **kwargs):
        found.append(args)
        return build(*args, **kwargs)

    monkeypatch.setattr(base.quantize_fitted, "build_module", counted)
    return found


MODELS = [
    SGDClassifier(random_state=0),
    Perceptron(random_state=0),
    MLPClassifier(hidden_layer_sizes=(5,), random_state=0),
    SGDRegressor(random_state=0),
    MLPRegressor(hidden_layer_sizes=(5,), random_state=0),
    SGDOneClassSVM(random_state=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_one_quantization_for_many_batches(model, quantizations):
    model = clone(model).set_params(n_bits=16)
    options = {"classes": [0, 1]} if type(model).__name__ in CLASSIFIERS else {}
    for start in range(0, 400, 10):
        model.partial_fit(X[start : start + 10], Y[start : start + 10], **options)
    assert quantizations == []
    got = model.predict(X)
    assert len(quantizations) == 1
    model.predict(X)
    assert len(quantizations) == 1
    expected = model._as_parent().predict(X)
    if type(model).__name__ in CLASSIFIERS or hasattr(model, "score_samples"):
        assert np.mean(got == expected) > 0.99
    else:
        np.testing.assert_allclose(got, expected, atol=1e-2 * np.std(expected))
    model.partial_fit(X[:10], Y[:10])
    assert len(quantizations) == 1
    model.predict(X)
    assert len(quantizations) == 2


CLASSIFIERS = ("SGDClassifier", "Perceptron", "MLPClassifier")


def test_the_grid_reaches_over_all_batches():
    model = SGDRegressor(random_state=0, n_bits=16)
    model.partial_fit(10 * X[:200], Y[:200])
    rows = X[200:300].copy()
    model.partial_fit(rows, Y[200:300])
    rows[:] = 0.0  # a caller may use its buffer again
    data = model._pending.collected()
    both = np.concatenate([10 * X[:200], X[200:300]])
    np.testing.assert_array_equal(data.ranges.lo, both.min(axis=0))
    np.testing.assert_array_equal(data.ranges.hi, both.max(axis=0))
    assert len(data.rows) == 300
    np.testing.assert_array_equal(np.sort(data.rows[:, 0]), np.sort(both[:, 0]))
    np.testing.assert_allclose(data.weight.sum(), 300)


def test_many_batches_take_bounded_memory(monkeypatch):
    monkeypatch.setattr(pending, "MOST_ROWS", 100)
    model = SGDClassifier(random_state=0)
    for _ in range(30):
        model.partial_fit(X[:40], Y[:40], classes=[0, 1])
        assert sum(len(batch.rows) for batch in model._pending._batches) <= 100
    np.testing.assert_allclose(model._pending.collected().weight.sum(), 30 * 40)


def test_sparse_batches_and_weights():
    model = SGDClassifier(random_state=0, n_bits=16)
    for start in range(0, 400, 100):
        rows = slice(start, start + 100)
        model.partial_fit(
            sparse.csr_matrix(X[rows]), Y[rows], classes=[0, 1], sample_weight=np.ones(100)
        )
    assert np.mean(model.predict(X) == model._as_parent().predict(X)) > 0.99


def test_copies_and_pickles_before_the_first_prediction():
    model = SGDClassifier(random_state=0).partial_fit(X, Y, classes=[0, 1])
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    expected = model.decision_function(X)
    for other in copies:
        np.testing.assert_array_equal(other.decision_function(X), expected)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_attributes_and_files_quantize(tmp_path):
    model = SGDClassifier(random_state=0).partial_fit(X, Y, classes=[0, 1])
    skq.save(model, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(X), model.predict(X))
    model.partial_fit(X, Y)
    assert model.n_bits_["op_weights"] == 8
    assert not hasattr(SGDClassifier(), "quantized_module_")


@pytest.mark.parametrize("name", ["GradientBoostingClassifier", "RandomForestRegressor"])
def test_warm_starts_on_the_same_data_end_as_one_fit(name):
    cls = getattr(skq.ensemble, name)
    options = {"random_state": 0, "max_depth": 3, "n_bits": 4}
    model = cls(n_estimators=3, warm_start=True, **options).fit(X, Y)
    model.set_params(n_estimators=6).fit(X, Y)
    whole = cls(n_estimators=6, **options).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))
    assert str(model.quantized_module_.program) == str(whole.quantized_module_.program)


def test_warm_starts_are_quantized_at_the_next_prediction():
    X, y = load_iris(return_X_y=True)
    model = skq.linear_model.LogisticRegression(warm_start=True, n_bits=2, max_iter=500)
    for C in (1e-3, 1e-2, 1e-1, 1.0):
        model.set_params(C=C).fit(X, y)
        assert "quantized_module_" not in vars(model)
    model.set_params(n_bits=8)  # a parameter counts when fit is called
    rows = model.predict(X)
    assert model.n_bits_["op_weights"] == 2
    wanted = skq.linear_model.LogisticRegression(n_bits=2, max_iter=500).fit(X, y)
    assert np.mean(rows == wanted.predict(X)) > 0.95
    assert model.fit(X, y).n_bits_["op_weights"] == 8


def test_warm_starts_are_pickled_before_they_are_quantized():
    X, y = load_iris(return_X_y=True)
    model = skq.linear_model.LogisticRegression(warm_start=True, max_iter=500).fit(X, y)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict_proba(X), model.predict_proba(X))
