"""Pickles are small and carry scikit-learn's version; missing methods say why; ``-OO`` works."""

import copy
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from sklearn import ensemble as sklearn_ensemble
from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq import ensemble, neural_network
from skq.linear_model import LogisticRegression, Ridge, SGDClassifier
from skq.serialization import dumps

X, Y = make_regression(60, 4, random_state=0)


def test_another_version_warns():
    model = Ridge().fit(X, Y)
    state = model.__getstate__()
    assert state["_sklearn_version"] == sklearn.__version__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = pickle.loads(pickle.dumps(model))
    assert "_sklearn_version" not in vars(same)
    np.testing.assert_array_equal(same.predict(X), model.predict(X))
    other = Ridge()
    with pytest.warns(
        InconsistentVersionWarning, match="unpickle estimator Ridge from version 1.0"
    ):
        other.__setstate__({**state, "_sklearn_version": "1.0"})
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_the_reason_of_a_missing_method_stands_where_the_parent_has_it():
    reasons = []
    for cls in (SGDClassifier, linear_model.SGDClassifier):
        with pytest.raises(AttributeError) as info:
            _ = cls(loss="hinge").predict_proba
        reasons.append((str(info.value), str(info.value.__cause__)))
    assert reasons[0] == reasons[1]
    assert "loss='hinge'" in reasons[0][1]


def test_without_docstrings():
    modules = "skq, skq.linear_model, skq.svm, skq.tree, skq.ensemble, skq.neural_network"
    code = f"import {modules}; print(skq.linear_model.Ridge().fit)"
    subprocess.run([sys.executable, "-OO", "-c", code], check=True, capture_output=True)
    assert "n_bits" in skq.linear_model.Ridge.__doc__


#: A pickle may have this many bytes beyond those of its parent where 20% of these are less: the
#: names of classes and fields, a scale and a zero point for each feature, and 8 KiB of calibration
#: rows where training can go on.
FIXED = 16 * 1024

SIZED = [
    ensemble.RandomForestClassifier(20, random_state=0),
    ensemble.ExtraTreesRegressor(20, random_state=0),
    ensemble.GradientBoostingRegressor(random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0),
    ensemble.IsolationForest(random_state=0),
    ensemble.BaggingClassifier(linear_model.LogisticRegression(), n_estimators=5),
    neural_network.MLPClassifier(max_iter=5, random_state=0),
    neural_network.MLPRegressor(solver="lbfgs", max_iter=5, random_state=0),
    LogisticRegression(),
    SGDClassifier(random_state=0),
    Ridge(),
    skq.QuantizedClassifier(
        make_pipeline(StandardScaler(), sklearn_ensemble.ExtraTreesClassifier())
    ),
]


@pytest.mark.parametrize("model", SIZED, ids=lambda model: type(model).__name__)
def test_pickles_are_little_larger_than_the_parents(model):
    X, y = make_classification(1500, 20, n_informative=10, n_classes=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = clone(model).fit(X, y)
    pickled = pickle.dumps(model)
    wrapped = isinstance(model, skq.QuantizedClassifier)
    parent = model.estimator_ if wrapped else model._as_parent()
    n_parent = len(pickle.dumps(parent))
    assert len(pickled) <= max(1.2 * n_parent, n_parent + FIXED)
    assert_same(pickle.loads(pickled), model, X)


def assert_same(other, model, X):
    """Equal predictions, program, graph and attributes."""
    for method in ("predict", "predict_proba", "decision_function", "score_samples"):
        if hasattr(model, method):
            np.testing.assert_array_equal(getattr(other, method)(X), getattr(model, method)(X))
    assert vars(other).keys() == vars(model).keys()
    assert dumps(other.quantized_module_) == dumps(model.quantized_module_)
    assert other.onnx_model_.SerializeToString() == model.onnx_model_.SerializeToString()
    assert other.n_bits_ == model.n_bits_


def test_copies_share_the_module_and_keep_the_calibration_rows():
    X, y = make_classification(1500, 20, random_state=0)
    model = SGDClassifier(random_state=0).fit(X, y)
    for other in (copy.copy(model), copy.deepcopy(model)):
        assert other.quantized_module_ is model.quantized_module_
        assert_same(other, model, X)
        assert len(other._pending.collected().rows) == 1500
    other = copy.deepcopy(model)
    for each in (model, other):
        each.partial_fit(X[:9], y[:9])
    assert_same(other, model, X)


def test_training_goes_on_after_a_pickle():
    X, y = make_classification(1500, 20, n_informative=10, class_sep=2.0, random_state=0)
    model = SGDClassifier(random_state=0).fit(X[:1000], y[:1000])
    other = pickle.loads(pickle.dumps(model))
    rows = other._pending.collected()
    assert rows.rows.nbytes <= 8192
    np.testing.assert_allclose(rows.weight.sum(), 1000)
    np.testing.assert_array_equal(rows.ranges.lo, X[:1000].min(axis=0))
    for each in (model, other):
        each.partial_fit(X[1000:], y[1000:])
    np.testing.assert_array_equal(other.coef_, model.coef_)
    assert np.mean(other.predict(X) == model.predict(X)) > 0.98


def test_joblib(tmp_path):
    X, y = make_classification(500, 20, random_state=0)
    model = neural_network.MLPClassifier(solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    assert_same(joblib.load(tmp_path / "model.joblib"), model, X)
    assert_same(joblib.load(tmp_path / "model.joblib", mmap_mode="r"), model, X)


def test_unpickling_and_predicting_need_neither_torch_nor_onnx(tmp_path):
    model = Ridge().fit(X, Y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((model, X, model.predict(X))))
    code = (
        "import pickle, sys, numpy as np\n"
        "model, X, expected = pickle.load(open('model.pickle', 'rb'))\n"
        "np.testing.assert_array_equal(model.predict(X), expected)\n"
        "assert not {'torch', 'onnx', 'hummingbird'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_an_array_of_the_parent_that_changes_later_does_not_change_the_graph():
    model = neural_network.MLPRegressor(solver="lbfgs", max_iter=5, random_state=0).fit(X, Y)
    before = model.onnx_model_.SerializeToString()
    other = pickle.loads(pickle.dumps(model))
    vars(other)["coefs_"][0] = np.zeros_like(other.coefs_[0])
    assert other.onnx_model_.SerializeToString() == before
    assert pickle.loads(pickle.dumps(other)).onnx_model_.SerializeToString() == before
