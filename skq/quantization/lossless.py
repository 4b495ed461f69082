"""``n_bits="lossless"``: the narrowest codes of X at which no split of any tree changes.

The model is converted with the widest codes. Bin edges are the trees' thresholds, so no threshold
is moved, and the number of edges gives the width that is needed. Leaf values have `MAX_N_BITS`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skq.graph.graph import FloatGraph, Node
from skq.graph.ops import TreeArrays
from skq.program import Bin, IntegerProgram, MatMul, Quantize, Trees
from skq.quantization.n_bits import LOSSLESS, MAX_N_BITS
from skq.quantization.quantized_module import QuantizedModule

#: Codes of this many edges, with one reserved for missing values.
MAX_EDGES = 2**MAX_N_BITS - 2


def check_splits(graph: FloatGraph) -> None:
    """Raise a `ValueError` if no width preserves all splits, or if there are no splits."""
    ensembles = [node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor"]
    if not ensembles:
        raise ValueError(no_trees("this model"))
    most = max(_most_thresholds(node) for node in ensembles)
    if most > MAX_EDGES:
        raise ValueError(
            f"n_bits={LOSSLESS!r} needs codes for {most} different thresholds of one feature; "
            f"{MAX_N_BITS} bits tell {MAX_EDGES} apart. Give a width, or train smaller trees."
        )


def no_trees(name: str) -> str:
    """Error message for an estimator without splits."""
    return (
        f"n_bits={LOSSLESS!r} keeps the splits of decision trees, and {name} has none. "
        f"Give a width from 1 to {MAX_N_BITS} instead."
    )


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


def with_needed_width(module: QuantizedModule) -> QuantizedModule:
    """The same module, its ``n_bits["model_inputs"]`` as wide as its codes of X."""
    steps = [step for _, step, _ in module.program.steps()]
    if any(isinstance(step, Quantize) for step in steps) or _compares_sums(module.program):
        raise ValueError(
            f"n_bits={LOSSLESS!r} is for models of trees alone; this one also computes with the "
            f"values of X. Give a width from 1 to {MAX_N_BITS} instead, or put transformers that "
            "mix features (PCA, PolynomialFeatures) before the quantized model."
        )
    codes = [1]
    for step in steps:
        if isinstance(step, Bin):
            counts = np.diff(step.offsets.astype(np.int64))
            missing = (step.nan_code < step.base) | (step.nan_code > step.base + counts)
            codes += (counts + missing).tolist()
    return replace(module, n_bits={**module.n_bits, "model_inputs": int(max(codes)).bit_length()})
