"""``n_bits="lossless"``: the narrowest codes of X at which no split of any tree changes.

The model is converted with the widest codes. Bin edges are the trees' thresholds, so no threshold
is moved, and the number of edges gives the width that is needed. Leaf values have `MAX_N_BITS`.
Where features may stand in several columns, these share the edges, and the width is that of the
columns.

``columns_per_feature="lossless"`` is the reverse: the width is given, and features stand in as many
columns as their edges need.
"""

from __future__ import annotations

import numpy as np

from skq.graph.graph import FloatGraph, Node
from skq.graph.ops import TreeArrays
from skq.program import Bin, IntegerProgram, MatMul, Quantize, Trees
from skq.quantization.columns_per_feature import MAX_COLUMNS
from skq.quantization.n_bits import LOSSLESS, MAX_N_BITS
from skq.quantization.quantized_module import QuantizedModule

#: Codes of this many edges, with one reserved for missing values.
MAX_EDGES = 2**MAX_N_BITS - 2


def check_splits(graph: FloatGraph, parameter: str = "n_bits") -> None:
    """Raise a `ValueError` if no width preserves all splits, or if there are no splits.

    `parameter` is the one that is "lossless": ``n_bits`` or ``columns_per_feature``.
    """
    ensembles = [node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor"]
    if not ensembles:
        raise ValueError(no_trees("this model", parameter))
    most = max(_most_thresholds(node) for node in ensembles)
    if most > MAX_EDGES and parameter == "n_bits":
        raise ValueError(
            f"n_bits={LOSSLESS!r} needs codes for {most} different thresholds of one feature; "
            f"{MAX_N_BITS} bits are enough for {MAX_EDGES}. Give a width, or train smaller trees."
        )


def no_trees(name: str, parameter: str = "n_bits") -> str:
    """Error message for an estimator without splits."""
    return (
        f"{parameter}={LOSSLESS!r} keeps the splits of decision trees, and {name} has none. "
        f"Give {_INSTEAD[parameter]} instead."
    )


#: What to give instead of "lossless".
_INSTEAD = {
    "n_bits": f"a width from 1 to {MAX_N_BITS}",
    "columns_per_feature": f"a number of columns from 1 to {MAX_COLUMNS}",
}


def _most_thresholds(node: Node) -> int:
    trees = TreeArrays.from_attributes(node.attributes)
    inner = trees.leaf < 0
    pairs = np.stack([trees.feature[inner], trees.threshold[inner]], axis=1)
    feature = np.unique(pairs, axis=0)[:, 0].astype(np.int64)
    return int(np.bincount(feature, minlength=1).max())


def _compares_sums(program: IntegerProgram) -> bool:
    """Whether trees compare sums of bits, which a quantized matrix computes."""
    sums: set[int] = set()
    for number, step, _ in program.steps():
        if isinstance(step, MatMul) or sums.intersection(step.inputs):
            sums.add(number)
            if isinstance(step, Trees):
                return True
    return False


def check_only_trees(module: QuantizedModule, parameter: str) -> None:
    """Raise a `ValueError` if an operator other than trees reads the features."""
    steps = [step for _, step, _ in module.program.steps()]
    if any(isinstance(step, Quantize) for step in steps) or _compares_sums(module.program):
        raise ValueError(
            f"{parameter}={LOSSLESS!r} supports tree models only; this model also computes with "
            f"the values of X. Give {_INSTEAD[parameter]} instead, or put transformers that "
            "mix features (PCA, PolynomialFeatures) before the quantized model."
        )


def needed_width(module: QuantizedModule, n_columns: int = 1) -> int:
    """Width of the codes if the edges of each feature are divided among this many columns."""
    codes = [1]
    for _, step, _ in module.program.steps():
        if isinstance(step, Bin):
            counts = np.diff(step.offsets.astype(np.int64))
            missing = (step.nan_code < step.base) | (step.nan_code > step.base + counts)
            codes += (-(-counts // n_columns) + missing).tolist()
    return int(max(codes)).bit_length()
