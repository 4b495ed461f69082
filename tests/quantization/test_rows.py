"""Each row is predicted by itself: what selects or mixes rows is refused, by the node's name."""

from __future__ import annotations

import numpy as np
import pytest

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule
from skq.quantization.search import fit_layer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
END = np.iinfo(np.int64).max
CONSTANTS = {
    "w": RNG.normal(size=(4, 4)),
    "zero": [0],
    "one": [1],
    "two": [2],
    "hundred": [100],
    "minus": [-1],
    "minus50": [-50],
    "end": [END],
    "least": [np.iinfo(np.int64).min],
    "rows": [1, 5],
    "first": [0, 1],
    "shape8": [8, 4],
    "shape60": [60, 4],
    "flat": [-1],
    "merged": [-1, 8],
    "pairs": [0, 2, 2],
    "pads": [0, 0, 3, 0],
    "parts": [2, 58],
}


def build(nodes: list[Node], n_outputs: int = 1) -> NumpyModule:
    outputs = tuple(TensorInfo(f"y{i or ''}", "float64", ()) for i in range(n_outputs))
    graph = FloatGraph(
        tuple(nodes),
        {name: np.asarray(value) for name, value in CONSTANTS.items()},
        (TensorInfo("x", "float64", (None, 4)),),
        outputs,
        {"": 17},
    )
    return NumpyModule(graph)


def quantize(model: NumpyModule) -> QuantizedModule:
    return PostTrainingAffineQuantization(8, model).quantize_module(X)


SELECTIONS = {
    "x[:2]": Node("Slice", ("t", "zero", "two", "zero"), ("y",)),
    "x[:100]": Node("Slice", ("t", "zero", "hundred", "zero"), ("y",)),
    "x[:100] of the first axes": Node("Slice", ("t", "zero", "hundred"), ("y",)),
    "x[1:]": Node("Slice", ("t", "one", "end", "zero"), ("y",)),
    "x[-50:]": Node("Slice", ("t", "minus50", "end", "zero"), ("y",)),
    "x[:-1]": Node("Slice", ("t", "zero", "minus", "zero"), ("y",)),
    "x[::2]": Node("Slice", ("t", "zero", "end", "zero", "two"), ("y",)),
    "x[::-1]": Node("Slice", ("t", "minus", "least", "zero", "minus"), ("y",)),
    "x[[1, 5]]": Node("Gather", ("t", "rows"), ("y",)),
    "x[[0, 1]]": Node("Gather", ("t", "first"), ("y",)),
    "expand to 8 rows": Node("Expand", ("t", "shape8"), ("y",)),
    "expand to 60 rows": Node("Expand", ("t", "shape60"), ("y",)),
    "reshape to 60 rows": Node("Reshape", ("t", "shape60"), ("y",)),
    "reshape to one axis": Node("Reshape", ("t", "flat"), ("y",)),
    "two rows in one": Node("Reshape", ("t", "merged"), ("y",)),
    "transposed": Node("Transpose", ("t",), ("y",)),
    "rows added": Node("Pad", ("t", "pads"), ("y",)),
    "rows as one": Node("Unsqueeze", ("t", "zero"), ("y",)),
    "rows flattened": Node("Flatten", ("t",), ("y",), {"axis": 0}),
    "largest row": Node("ArgMax", ("t",), ("y",), {"axis": 0}),
    "rows joined": Node("Concat", ("t", "x"), ("y",), {"axis": 0}),
}
SOURCES = {
    "input": Node("Identity", ("x",), ("t",)),
    "layer": Node("MatMul", ("x", "w"), ("t",)),
    "behind a sigmoid": Node("Sigmoid", ("x",), ("t",)),
    "behind a softmax": Node("Softmax", ("x",), ("t",), {"axis": 1}),
}


#: Behind a Softmax these are no end of a model, so that the Softmax itself is refused.
NO_END = ("Expand", "Transpose", "Pad", "Flatten")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (name, source)
        for name, node in SELECTIONS.items()
        for source in SOURCES
        if source != "behind a softmax" or node.op_type not in NO_END
    ],
)
def test_selection_of_rows_is_refused(
    name: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_layer, "fit_layer", lambda *_: pytest.fail("it searched"))
    node = SELECTIONS[name]
    try:
        model = build([SOURCES[source], node])
        model.forward(X)
    except ValueError:
        model = build([SOURCES[source], node])
        with pytest.raises(ValueError, match=f"{node.op_type} node 'y'"):
            quantize(model)
        return
    with pytest.raises(UnsupportedModelError, match=f"{node.op_type} node 'y'.*row"):
        quantize(model)


def test_split_of_rows_is_refused() -> None:
    model = build([Node("Split", ("x", "parts"), ("y", "y1"), {"axis": 0})], n_outputs=2)
    with pytest.raises(UnsupportedModelError, match="Split node 'y'.*rows"):
        quantize(model)


@pytest.mark.parametrize(
    "nodes",
    [
        [Node("Slice", ("x", "zero", "end", "zero"), ("y",))],
        [Node("Reshape", ("x", "pairs"), ("y",))],
        [
            Node("Shape", ("x",), ("n",), {"start": 0, "end": 1}),
            Node("Concat", ("n", "two", "two"), ("s",), {"axis": 0}),
            Node("Reshape", ("x", "s"), ("y",)),
        ],
        [
            Node("Shape", ("x",), ("n",), {"start": 0, "end": 1}),
            Node("Slice", ("x", "zero", "n", "zero"), ("y",)),
        ],
        [
            Node("Sigmoid", ("x",), ("s",)),
            Node("Slice", ("s", "zero", "two", "one"), ("y",)),
        ],
    ],
    ids=["all rows", "zero keeps", "length of the batch", "up to the batch", "columns at the end"],
)
def test_all_rows_may_be_named(nodes: list[Node]) -> None:
    model = build(nodes)
    module = quantize(model)
    for n_rows in (1, 2, 3, 50):
        expected = model.forward(X[:n_rows])
        assert np.abs(module.forward(X[:n_rows]) - expected).max() < 0.05
