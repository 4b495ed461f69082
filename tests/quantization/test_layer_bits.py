"""Widths of single layers: what `n_bits` accepts, and what the programs then have."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import skq
from skq import config_context
from skq.inspection import quantization_report
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier
from skq.program import MatMul
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, get_n_bits_dict
from skq.serialization import dumps

BOTH = ("op_inputs", "op_weights")


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def network(iris):
    return MLPClassifier((8, 6), max_iter=100, random_state=0).fit(*iris)


def fitted(iris, n_bits):
    return MLPClassifier((8, 6), max_iter=100, random_state=0, n_bits=n_bits).fit(*iris)


def greatest_weights(module):
    steps = module.program.instructions
    return [int(np.abs(step.weights).max()) for step in steps if isinstance(step, MatMul)]


def test_forms_of_layers():
    base = {"op_inputs": 4, "op_weights": 3}
    by_number = get_n_bits_dict({**base, "layers": {0: 8, "Gemm": {"op_weights": 2}}})
    assert by_number["layers"] == {
        0: dict.fromkeys(BOTH, 8),
        "Gemm": {"op_inputs": 4, "op_weights": 2},
    }
    assert get_n_bits_dict(by_number) == by_number
    listed = get_n_bits_dict([6, 2, 7])
    assert listed == {
        "model_inputs": 6, "op_inputs": 7, "op_weights": 7, "model_outputs": 7,
        "layers": [dict.fromkeys(BOTH, n) for n in (6, 2, 7)],
    }  # fmt: skip
    assert get_n_bits_dict(listed) == listed
    assert get_n_bits_dict(base) == {**base, "model_inputs": 5, "model_outputs": 5}


@pytest.mark.parametrize("n_bits", [[7, 4, 2], (7, 4, 2)])
def test_a_list_has_a_width_for_each_layer(iris, n_bits):
    model = fitted(iris, n_bits)
    assert all(
        most <= 2 ** (n - 1) - 1
        for most, n in zip(greatest_weights(model.quantized_module_), n_bits, strict=True)
    )
    by_number = fitted(iris, {**get_n_bits_dict(n_bits), "layers": dict(enumerate(n_bits))})
    assert dumps(by_number.quantized_module_) == dumps(model.quantized_module_)
    names = ["Gemm", "Gemm_1", "Gemm_2"]
    assert model.n_bits_["layers"] == {
        name: dict.fromkeys(BOTH, n) for name, n in zip(names, n_bits, strict=True)
    }


def test_inputs_and_weights_of_one_layer_alone(iris, network):
    plain = network.quantized_module_
    layers = {"Gemm_1": {"op_inputs": 3, "op_weights": 2}}
    model = fitted(iris, {**get_n_bits_dict(8), "layers": layers})
    module = model.quantized_module_
    assert greatest_weights(module)[1] <= 1 < greatest_weights(plain)[1]
    assert greatest_weights(module)[0] == greatest_weights(plain)[0] == 127
    assert greatest_weights(module)[2] > 31
    report = module.bitwidth_and_range_report()
    codes = [v["bitwidth"] for k, v in report.items() if k.endswith("Requantize")]
    assert codes[0] <= 3 < codes[1]  # what Gemm_1 reads, and what Gemm_2 reads


def test_widths_equal_to_the_rest_change_nothing(iris, network):
    model = fitted(iris, {**get_n_bits_dict(8), "layers": {"Gemm_1": 8, 0: 8}})
    assert dumps(model.quantized_module_.program) == dumps(network.quantized_module_.program)


@pytest.mark.parametrize("n_bits", [[8, 3, 2], [2, 2, 9], {**get_n_bits_dict(4), "layers": {2: 7}}])
def test_engines_and_saved_models_agree(iris, n_bits, tmp_path):
    X = np.concatenate([iris[0], 3 * iris[0]])
    model = fitted(iris, n_bits)
    module = model.quantized_module_
    results = {}
    for engine in ("reference", "numpy", "native"):
        with config_context(engine=engine):
            results[engine] = module.quantized_forward(module.quantize_input(X))
    for engine in ("numpy", "native"):
        for got, expected in zip(results[engine], results["reference"], strict=True):
            np.testing.assert_array_equal(got, expected)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.quantized_module_.n_bits == model.n_bits_
    assert "Gemm_2: op_inputs" in str(quantization_report(model, iris[0]))


def test_is_a_parameter_like_any_other(iris):
    model = MLPClassifier((8, 6), max_iter=100, random_state=0, n_bits=[5, 4, 3])
    assert clone(model).get_params()["n_bits"] == [5, 4, 3]
    given = {"op_inputs": 4, "op_weights": 4, "layers": {1: {"op_weights": 2}}}
    clone(model).set_params(n_bits=given).fit(*iris)
    assert given == {"op_inputs": 4, "op_weights": 4, "layers": {1: {"op_weights": 2}}}


def test_layers_of_torch_modules():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2)
    )
    X = np.random.default_rng(0).normal(size=(40, 1, 6, 6))
    n_bits = {**get_n_bits_dict(6), "layers": {"/0/Conv": 2, "/3/Gemm": {"op_inputs": 4}}}
    converter = PostTrainingAffineQuantization(n_bits, NumpyModule(net, torch.zeros(2, 1, 6, 6)))
    module = converter.quantize_module(X)
    assert greatest_weights(module)[0] <= 1
    assert 7 < greatest_weights(module)[1] <= 31
    assert module.n_bits["layers"]["/3/Gemm"] == {"op_inputs": 4, "op_weights": 6}
    result = module.forward(X)
    with config_context(engine="reference"):
        np.testing.assert_array_equal(result, module.forward(X))


@pytest.mark.parametrize(
    ("n_bits", "message"),
    [
        ([8, 4], r"Got 2 for 3\. The layers of this model are 0: 'Gemm', 1: 'Gemm_1', 2: 'Gemm_2'"),
        (
            {"op_inputs": 4, "op_weights": 4, "layers": {"Conv": 2}},
            "no layer 'Conv' .* 2: 'Gemm_2'",
        ),
        ({"op_inputs": 4, "op_weights": 4, "layers": {3: 2}}, "no layer 3 .* 2: 'Gemm_2'"),
        ({"op_inputs": 4, "op_weights": 4, "layers": {0: 2, "Gemm": 2}}, "sets .* 'Gemm' twice"),
    ],
)
def test_layers_that_do_not_exist_are_refused_with_those_that_do(iris, n_bits, message):
    with pytest.raises(ValueError, match=message):
        fitted(iris, n_bits)


@pytest.mark.parametrize(
    ("n_bits", "message"),
    [
        ([], "one for each layer"),
        ([4, 17], r"n_bits\[1\] must be an int from 1 to 16"),
        ({"op_inputs": 4, "op_weights": 4, "layers": 3}, "dict by layer, or a list"),
        ({"op_inputs": 4, "op_weights": 4, "layers": {0: 0}}, "from 1 to 16"),
        ({"op_inputs": 4, "op_weights": 4, "layers": {0: {}}}, "some of the keys"),
        ({"op_inputs": 4, "op_weights": 4, "layers": {0: {"model_inputs": 3}}}, "some of the keys"),
        ({"op_inputs": 4, "op_weights": 4, "layers": {1.5: 3}}, "numbers of layers or names"),
    ],
)
def test_wrong_forms_are_refused_before_training(iris, n_bits, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(n_bits=n_bits, C=-1.0).fit(*iris)  # C=-1 fails in training


def test_training_with_the_integers_takes_one_width(iris):
    with pytest.raises(ValueError, match="qat_epochs needs the same width"):
        MLPClassifier(n_bits=[8, 4], qat_epochs=1).fit(*iris)
