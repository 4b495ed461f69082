"""AdaBoostRegressor: its weighted median as an instruction, in predictions, stages and exports."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.ensemble import AdaBoostRegressor
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeRegressor

import skq
from skq.export import to_onnx
from skq.program import WeightedMedian

X, Y = make_friedman1(400, noise=0.5, random_state=0)


@pytest.fixture(scope="module")
def hundreds():
    """A model of more leaves than a table of all their values could hold."""
    tree = DecisionTreeRegressor(max_depth=5)
    return AdaBoostRegressor(tree, n_estimators=250, random_state=0).fit(X, Y)


@pytest.mark.parametrize(("n_bits", "least"), [(8, 0.999), (4, 0.99), (2, 0.95)])
def test_hundreds_of_trees_predict_what_the_parent_does(hundreds, n_bits, least):
    model = skq.quantize(hundreds, X, n_bits=n_bits)
    program = model.quantized_module_.program
    assert any(isinstance(step, WeightedMedian) for step in program.instructions)
    assert r2_score(hundreds.predict(X), model.predict(X)) > least


@pytest.mark.parametrize(("offset", "factor"), [(1e7, 1.0), (-3e4, 1e-3), (0.0, 1e9)])
def test_targets_far_from_zero_lose_nothing(offset, factor):
    ours = skq.ensemble.AdaBoostRegressor(n_estimators=10, random_state=0)
    ours.fit(X, Y * factor + offset)
    with ours._answering_in_float():
        expected = ours.predict(X)
    assert r2_score(expected, ours.predict(X)) > 0.999


@pytest.mark.parametrize("form", ["integer", "fast"])
def test_onnx_of_hundreds_of_trees(hundreds, form):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = skq.quantize(hundreds, X, n_bits=8)
    session = onnxruntime.InferenceSession(to_onnx(model, form=form).SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: X})
    np.testing.assert_array_equal(found, model.predict(X))


def test_a_saved_model_predicts_the_same(hundreds, tmp_path):
    model = skq.quantize(hundreds, X, n_bits=4)
    skq.save(model, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(X), model.predict(X))
