"""Pickles carry scikit-learn's version; missing methods say why; ``python -OO`` works."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import sklearn
from sklearn import linear_model
from sklearn.datasets import make_regression
from sklearn.exceptions import InconsistentVersionWarning

import skq
from skq.linear_model import Ridge, SGDClassifier

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
