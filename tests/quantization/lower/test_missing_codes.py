"""``Where(IsNaN(X), constant, X)``: a missing value gets the code of what fills it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

import skq
from skq.exceptions import UnsupportedModelError
from skq.frontend.convert import float_graph
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.program import Bin, Maximum, Quantize
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, size=(300, 4)) * [1, 5, 0.1, 3] + [0, 9, 0, -2]
WITH_NAN = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
WEIGHTS = np.array([[1.0], [-0.3], [7.0], [0.4]])


def model_of(fill, *nodes, read="filled"):
    """``X`` with missing values filled, then a layer."""
    graph = FloatGraph(
        (
            *nodes,
            Node("IsNaN", ("x",), ("missing",)),
            Node("Where", ("missing", "fill", "x"), ("filled",)),
            Node("Gemm", (read, "w"), ("y",)),
        ),
        {"fill": np.asarray(fill, dtype=np.float64), "w": WEIGHTS},
        (TensorInfo("x", "float64", (None, 4)),),
        (TensorInfo("y", "float64", (None, 1)),),
        {"": 17},
    )
    return NumpyModule(graph)


@pytest.mark.parametrize("fill", [[0.3, 9.0, 0.05, -2.5], [40.0, -3.0, 0.0, 0.0], 0.0], ids=str)
@pytest.mark.parametrize("n_bits", [8, 12])
@pytest.mark.parametrize("rows", [WITH_NAN, X], ids=["missing in calibration", "none"])
def test_predictions_are_those_of_filled_rows(fill, n_bits, rows):
    model = model_of(fill)
    module = PostTrainingAffineQuantization(n_bits, model).quantize_module(rows)
    expected = model(WITH_NAN)
    assert np.std(module.forward(WITH_NAN) - expected) < 1.5 * 2.0**-n_bits * np.ptp(expected)
    results = []
    for engine in ("auto", "numpy", "reference"):
        with skq.config_context(engine=engine):
            results.append(module.forward(WITH_NAN))
    assert all(np.array_equal(results[0], result) for result in results)


def test_codes_of_missing_values_are_the_fillers_codes():
    fill = np.array([0.3, np.nan, 0.05, -2.5])  # the second feature is never missing
    rows = WITH_NAN.copy()
    rows[:, 1] = X[:, 1]
    module = PostTrainingAffineQuantization(8, model_of(fill)).quantize_module(rows)
    steps = {type(step): n for n, step, _ in module.program.steps()}
    (quantize,) = (s for s in module.program.instructions if isinstance(s, Quantize))
    (missing,) = (s for s in module.program.instructions if isinstance(s, Bin))
    assert missing.feature.tolist() == [0, 2, 3]
    filled = np.where(np.isnan(rows), fill, rows)
    wanted = np.clip(np.rint(filled / quantize.scale + quantize.zero_point), 0, 255)
    (codes,) = skq.engines.reference.evaluate(module.program, {0: rows}, [steps[Maximum]])
    np.testing.assert_array_equal(codes, wanted)


@pytest.mark.parametrize(("n_bits", "rows"), [(12, WITH_NAN), (12, X), (2, X)])
def test_trees_compare_what_fills_a_missing_value(rows, n_bits):
    fill = np.array([0.3, 9.0, 0.05, -2.5])
    forest = ExtraTreesRegressor(5, max_depth=5, random_state=0).fit(X, X.sum(axis=1))
    trees = float_graph(forest, X)
    (node,) = (node for node in trees.nodes if node.op_type == "TreeEnsembleRegressor")
    model = model_of(fill)
    kept = [n for n in model.graph.nodes if n.op_type != "Gemm"]
    nodes = (*kept, replace(node, inputs=("filled",), outputs=("y",)))
    opsets = {**model.graph.opsets, **trees.opsets}
    graph = replace(model.graph, nodes=nodes, opsets=opsets)
    module = PostTrainingAffineQuantization(n_bits, NumpyModule(graph)).quantize_module(rows)
    assert module.features_without_missing_code == ()
    filled = np.where(np.isnan(WITH_NAN), fill, WITH_NAN)
    np.testing.assert_array_equal(module.forward(WITH_NAN), module.forward(filled))


def test_only_the_input_is_filled():
    shifted = Node("Mul", ("x", "x"), ("filled2",))
    graph = model_of(0.0, shifted).graph
    nodes = [
        Node(n.op_type, tuple("filled2" if i == "x" else i for i in n.inputs), n.outputs)
        if n.op_type == "IsNaN"
        else n
        for n in graph.nodes
    ]
    model = NumpyModule(
        FloatGraph(tuple(nodes), graph.initializers, graph.inputs, graph.outputs, graph.opsets)
    )
    with pytest.raises(UnsupportedModelError, match="IsNaN.*only the model's input"):
        PostTrainingAffineQuantization(8, model).quantize_module(X)
