"""What `to_onnx` takes, refuses and writes around the integers."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestRegressor
from skq.exceptions import UnsupportedModelError
from skq.export import to_onnx
from skq.frontend.numpy_module import NumpyModule
from skq.linear_model import LogisticRegression, Ridge
from skq.quantization import PostTrainingAffineQuantization
from tests.export.onnx_cases import assert_follows, outputs_of, session

IRIS = load_iris(return_X_y=True)
FORMS = ["integer", "fast", "qdq"]

#: Operators of the input quantizer, the dequantizer and the functions after it.
FLOAT_OPERATORS = {
    "Cast", "Div", "Add", "Round", "Clip", "IsNaN", "Where", "Sub", "Mul", "Softmax", "Identity",
    "Gather", "Less", "Shape",
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return LogisticRegression(max_iter=1000).fit(*IRIS)


@pytest.mark.parametrize("form", FORMS)
def test_inputs_and_outputs(model, form):
    proto = to_onnx(model, form=form)
    assert [info.name for info in proto.graph.input] == ["X"]
    assert [info.name for info in proto.graph.output] == ["label", "scores", "probabilities"]
    first = proto.graph.input[0].type.tensor_type.shape.dim[0]
    assert first.dim_param == "n_rows"
    assert not first.HasField("dim_value")
    onnx.checker.check_model(proto, full_check=True)


def test_a_regressor_gives_a_variable():
    X, y = load_diabetes(return_X_y=True)
    proto = to_onnx(Ridge().fit(X, y))
    assert [info.name for info in proto.graph.output] == ["variable"]


def test_an_outlier_detector_gives_labels_and_scores():
    model = IsolationForest(n_estimators=8, random_state=0).fit(IRIS[0])
    assert set(outputs_of(to_onnx(model), IRIS[0])) == {"label", "scores", "score_samples"}


def test_metadata():
    X, y = IRIS
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = LogisticRegression(max_iter=1000, n_bits=6).fit(frame, y)
    facts = {entry.key: entry.value for entry in to_onnx(model).metadata_props}
    assert facts["skq_version"] == skq.__version__
    assert facts["form"] == "integer"
    assert json.loads(facts["n_bits"]) == model.n_bits_
    assert int(facts["max_accumulator_bits"]) == model.quantized_module_.max_accumulator_bits
    assert json.loads(facts["feature_names"]) == list("abcd")


@pytest.mark.parametrize("labels", [["x", "yy", "zzz"], [3, 5, 9], [True, False, True]])
@pytest.mark.parametrize("form", FORMS)
def test_labels_keep_their_type(labels, form):
    X, y = IRIS
    model = LogisticRegression(max_iter=1000).fit(X, np.array(labels)[y])
    assert_follows(outputs_of(to_onnx(model, form=form), X), model, X)


def test_labels_of_truth_values():
    X, y = IRIS
    model = LogisticRegression(max_iter=1000).fit(X, y > 0)
    assert outputs_of(to_onnx(model), X)["label"].dtype == bool


@pytest.mark.parametrize("form", FORMS)
def test_loaded_models_and_modules(model, form, tmp_path):
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    assert to_onnx(loaded, form=form) == to_onnx(model, form=form)
    found = outputs_of(to_onnx(model.quantized_module_, form=form), IRIS[0])
    np.testing.assert_array_equal(found["label"], model.predict(IRIS[0]))


def test_modules_of_networks_keep_the_names_of_their_outputs():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 4)
    )
    x = np.random.default_rng(0).normal(size=(50, 1, 6, 6))
    graph = NumpyModule(network, x[:1].astype(np.float32))
    module = PostTrainingAffineQuantization(8, graph).quantize_module(x)
    (name,) = module.output_names
    for form in ("integer", "fast"):
        found = outputs_of(to_onnx(module, form=form), x)
        with skq.config_context(engine="reference"):
            np.testing.assert_array_equal(found[name], module.forward(x))


def test_between_the_quantizers_there_are_only_integers():
    """Types of all tensors, from shape inference: floats before the codes and after the sums."""
    X, y = load_diabetes(return_X_y=True)
    for estimator in (Ridge(), RandomForestRegressor(3, max_depth=4)):
        proto = to_onnx(estimator.fit(X, y))
        inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
        floats = {
            info.name
            for info in (*inferred.graph.value_info, *inferred.graph.input)
            if info.type.tensor_type.elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
        }
        used = {n.op_type for n in proto.graph.node if floats.intersection(n.input)}
        assert used <= FLOAT_OPERATORS
        integers = [n for n in proto.graph.node if not floats.intersection((*n.input, *n.output))]
        assert {"MatMulInteger", "GatherElements"} & {node.op_type for node in integers}


def test_eight_bits_are_multiplied_as_bytes(model):
    operators = [node.op_type for node in to_onnx(model).graph.node]
    assert "MatMulInteger" in operators
    wide = LogisticRegression(max_iter=1000, n_bits=16).fit(*IRIS)
    assert "MatMulInteger" not in [node.op_type for node in to_onnx(wide).graph.node]


def test_bytes_do_not_saturate():
    """Largest weights and codes, whose sums of pairs leave 16 bits."""
    X = np.random.default_rng(0).integers(0, 2, size=(300, 8)).astype(float)
    y = X.sum(axis=1)
    model = Ridge(alpha=1e-6).fit(X, y)
    top = np.ones((7, 8))
    assert_follows(outputs_of(to_onnx(model), top), model, top)


@pytest.mark.parametrize("opset", [13, 15, 18, 21])
@pytest.mark.parametrize("form", FORMS)
def test_operator_sets(model, form, opset):
    proto = to_onnx(model, form=form, target_opset=opset)
    assert proto.opset_import[0].version == opset
    assert_follows(outputs_of(proto, IRIS[0]), model, IRIS[0])


def test_a_batch_of_no_rows(model):
    run = session(to_onnx(model))
    assert run.run(["label"], {"X": np.empty((0, 4))})[0].shape == (0,)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"form": "float"}, "form must be one of 'integer', 'fast', 'qdq'. Got 'float'."),
        ({"input_dtype": "int8"}, "input_dtype must be one of 'float64', 'float32'. Got 'int8'."),
        ({"target_opset": 7}, r"target_opset must lie in \[13, .*Got 7."),
        ({"target_opset": "17"}, "target_opset must be an int or None. Got '17'."),
    ],
)
def test_bad_parameters(model, parameters, message):
    with pytest.raises(ValueError, match=message):
        to_onnx(model, **parameters)


@pytest.mark.parametrize(
    "other",
    [
        LogisticRegression(),
        SklearnLogisticRegression().fit(*IRIS),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(*IRIS),
    ],
)
def test_other_models_are_refused(other):
    with pytest.raises(TypeError, match="model must be a fitted estimator of skq"):
        to_onnx(other)


def test_text_categories_are_refused():
    X = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 50), "b": np.arange(100.0)})
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    model.fit(X, np.arange(100) % 2)
    with pytest.raises(UnsupportedModelError, match="reads texts in the columns"):
        to_onnx(model)
