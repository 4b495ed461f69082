"""Trees of ``form="fast"``: the compact operator where it fits, the older one elsewhere."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification

from skq.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from skq.export import to_onnx
from tests.export.onnx_cases import assert_follows, outputs_of, outputs_of_evaluator

MODELS = {
    "one output a leaf": ExtraTreesRegressor(5, max_depth=5, random_state=0, n_bits=16),
    "outputs that add up": RandomForestClassifier(5, max_depth=5, random_state=0),
    "a tree an output": GradientBoostingClassifier(n_estimators=3, random_state=0),
    "missing values": HistGradientBoostingClassifier(max_iter=5),
    "trees of one leaf": RandomForestClassifier(9, min_impurity_decrease=0.07, random_state=0),
}


def _data(n_classes):
    return make_classification(
        400, 6, n_informative=5, n_redundant=0, n_classes=n_classes, random_state=0
    )


def _operators(proto):
    versions = {entry.domain: entry.version for entry in proto.opset_import}
    return {node.op_type for node in proto.graph.node}, versions["ai.onnx.ml"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_compact_trees(name, n_classes, dtype):
    X, y = _data(n_classes)
    if name == "missing values":
        X[::7, 2] = np.nan
    model = MODELS[name].fit(X, y)
    x = X.astype(dtype)
    proto = to_onnx(model, form="fast", input_dtype=dtype)
    operators, version = _operators(proto)
    assert "TreeEnsemble" in operators
    assert version == 5
    assert_follows(outputs_of(proto, x), model, x)
    assert_follows(outputs_of_evaluator(proto, x[:20]), model, x[:20])
    older = to_onnx(model, form="fast", input_dtype=dtype, target_opset=17)
    operators, version = _operators(older)
    assert "TreeEnsembleRegressor" in operators
    assert version == 3
    assert_follows(outputs_of(older, x), model, x)


def test_compact_trees_take_fewer_bytes():
    X, y = _data(3)
    model = RandomForestClassifier(20, random_state=0).fit(X, y)
    compact, older = (to_onnx(model, form="fast", target_opset=opset) for opset in (21, 17))
    assert compact.ByteSize() < 0.5 * older.ByteSize()


def test_outputs_that_do_not_fit_in_a_float():
    X, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(5, max_depth=4, random_state=0).fit(X, y)
    proto = to_onnx(model, form="fast")
    operators, version = _operators(proto)
    assert "TreeEnsembleRegressor" in operators
    assert version == 3
    assert_follows(outputs_of(proto, X), model, X)


def test_several_targets_of_several_classes():
    X, y = make_multilabel_classification(200, 5, n_classes=3, random_state=0)
    model = RandomForestClassifier(4, random_state=0).fit(X, y)
    proto = to_onnx(model, form="fast")
    assert "TreeEnsemble" in _operators(proto)[0]
    found = outputs_of(proto, X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    for k, expected in enumerate(model.predict_proba(X)):
        np.testing.assert_array_equal(found[f"probabilities_{k}"], expected)
