"""Programs derived from that of a tree ensemble: its first stages, and the leaves of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skq.engines.reference import evaluate
from skq.estimators.staged_median import has_median, median_modules
from skq.estimators.staged_votes import has_votes, vote_modules
from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, TensorInfo
from skq.graph.ops import TreeArrays
from skq.program import Dequantize, IntegerProgram, ProgramBuilder, Trees
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]


def staged_modules(module: QuantizedModule, estimator: Any) -> Iterator[QuantizedModule]:
    """The module after each stage of a boosted ensemble; the last is the module itself.

    For AdaBoost whose base estimators are not trees, see `skq.estimators.staged_votes`, and for
    medians `skq.estimators.staged_median`. Otherwise the trees of later stages are removed from the
    Trees instruction. For each output they are replaced by one tree of a single leaf, whose integer
    represents the sum 0.
    """
    if has_votes(estimator):
        yield from vote_modules(module, estimator)
        return
    if has_median(module):
        yield from median_modules(module, estimator)
        return
    number, trees = _trees_of(module, estimator)
    per_stage = _trees_per_stage(estimator, trees)
    zeros = _zeros(module, number, trees)
    weight = getattr(estimator, "estimator_weights_", None)
    weight = None if weight is None else weight[: len(trees.roots)]
    for stage, end in enumerate(range(per_stage, len(trees.roots), per_stage), start=1):
        rest = zeros[end:].sum(axis=0)
        factor = 1.0
        if weight is not None:  # AdaBoost divides by the weight of the trees so far
            factor = float(weight.sum() / weight[:stage].sum())
        yield _changed(module, number, _first_trees(trees, end, rest), factor)
    yield module


def leaf_module(module: QuantizedModule) -> QuantizedModule:
    """A module whose output ``apply`` numbers the leaf that each tree reaches, in that tree."""
    number, trees = _trees_of(module, None)
    sizes = np.diff(np.append(trees.roots, len(trees.feature)))
    node = np.arange(len(trees.feature)) - np.repeat(trees.roots, sizes)
    leaf = trees.feature < 0
    values = np.zeros((len(trees.leaf_values), 1), dtype=np.int64)
    values[trees.left[leaf], 0] = node[leaf]
    n_trees = len(trees.roots)
    numbered = replace(
        trees,
        leaf_values=values,
        output=np.arange(n_trees),
        multiplier=np.ones(n_trees, dtype=np.int64),
        n_outputs=n_trees,
    )
    builder = ProgramBuilder()
    for type_ in module.program.inputs:
        builder.input(type_)
    first = len(module.program.inputs)
    for step in module.program.instructions[: number - first]:
        builder.add(step)
    program = builder.build({"apply": builder.add(numbered)})
    info = (TensorInfo("apply", "int64", (None, n_trees)),)
    epilogue = FloatGraph((), {}, info, info)
    features = module.features_without_missing_code
    return QuantizedModule(program, epilogue, module.n_bits, features_without_missing_code=features)


def as_the_parent_returns(estimator: Any, name: str, leaves: Array) -> Any:
    """Results of ``apply`` or ``decision_path``, from leaves of shape (n_rows, n_trees)."""
    if name == "apply":
        stages = getattr(estimator, "estimators_", None)
        if stages is None:
            return leaves[:, 0]
        if isinstance(stages, np.ndarray) and hasattr(estimator, "classes_"):  # boosting
            return leaves.reshape(len(leaves), *stages.shape).astype(np.float64)
        return leaves.astype(np.float64) if isinstance(stages, np.ndarray) else leaves
    base_estimators = getattr(estimator, "estimators_", [estimator])
    paths = [_ancestors(m.tree_)[leaves[:, t]] for t, m in enumerate(base_estimators)]
    if not hasattr(estimator, "estimators_"):
        return paths[0]
    starts = np.cumsum([0, *(path.shape[1] for path in paths)])
    return sparse.hstack(paths).tocsr(), starts


def as_the_parent_yields(estimator: Any, name: str, result: Array) -> Array:
    """GradientBoosting yields staged decisions with an axis for the score, even for one score."""
    stages = getattr(estimator, "estimators_", None)
    if name == "staged_decision_function" and isinstance(stages, np.ndarray) and result.ndim == 1:
        return result[:, np.newaxis]
    return result


def _ancestors(tree: Any) -> Any:
    """Nodes on the path from the root to each node, itself included: (n_nodes, n_nodes), CSR."""
    parent = np.full(tree.node_count, -1)
    inner = np.flatnonzero(tree.children_left >= 0)
    parent[tree.children_left[inner]] = inner
    parent[tree.children_right[inner]] = inner
    node = np.arange(tree.node_count)
    rows, columns = [node], [node]
    start, node = node, parent
    while np.any(node >= 0):
        start, node = start[node >= 0], node[node >= 0]
        rows.append(start)
        columns.append(node)
        node = parent[node]
    rows_, columns_ = np.concatenate(rows), np.concatenate(columns)
    shape = (tree.node_count, tree.node_count)
    ones = np.ones(len(rows_), dtype=np.int64)
    return sparse.csr_matrix((ones, (rows_, columns_)), shape=shape)


def _trees_of(module: QuantizedModule, estimator: Any) -> tuple[int, Trees]:
    """The Trees instruction that gives the scores, and its number.

    It is the last one; those before it compute derived columns.
    """
    numbered = [(n, step) for n, step, _ in module.program.steps() if isinstance(step, Trees)]
    if not numbered:
        name = "this model" if estimator is None else type(estimator).__name__
        raise UnsupportedModelError(
            f"The program of {name} has no tree ensemble, so it has no stages or leaves in "
            "integers. Use an ensemble of decision trees."
        )
    return numbered[-1]


def _trees_per_stage(estimator: Any, trees: Trees) -> int:
    stages = getattr(estimator, "estimators_", None)
    if isinstance(stages, np.ndarray):
        return int(stages.shape[1])
    return int(getattr(estimator, "n_trees_per_iteration_", 1))


def _zeros(module: QuantizedModule, number: int, trees: Trees) -> Array:
    """For each tree, the unrounded integer that represents adding 0, shape (n_trees, n_outputs).

    A leaf of value v has the integer ``v / scale + zero``, rounded; the mean over a tree's leaves
    gives its zero. Over all trees they add up to what the whole program starts from.
    """
    tree, integers, weights = _leaves(module, trees)
    return _tree_means(tree, integers - weights / _scale_of(module, number, trees))


def _leaves(module: QuantizedModule, trees: Trees) -> tuple[Array, Array, Array]:
    """Tree of each leaf, and what the leaf adds: integers and reals, (n_leaves, n_outputs)."""
    if module.graph is None:
        raise UnsupportedModelError(
            "staged predictions need the float graph, which was not saved with this model"
        )
    real = _real_trees(module.graph)
    leaf = np.flatnonzero(trees.feature < 0)
    tree = np.searchsorted(trees.roots, leaf, side="right") - 1
    integers, weights = np.zeros((2, len(leaf), trees.n_outputs))
    columns = trees.output[tree][:, np.newaxis] + np.arange(trees.width)
    values = trees.leaf_values[trees.left[leaf]].astype(np.int64)
    values = values * trees.multiplier[tree][:, np.newaxis]
    np.put_along_axis(integers, columns, values.astype(np.float64), axis=1)
    np.put_along_axis(weights, columns, real.leaf_weights[trees.left[leaf]], axis=1)
    return tree, integers, weights / (len(trees.roots) if real.aggregate == "AVERAGE" else 1)


def _tree_means(tree: Array, values: Array) -> Array:
    """Mean over the leaves of each tree, column by column."""
    count = np.bincount(tree)
    return np.stack([np.bincount(tree, weights=column) / count for column in values.T], axis=1)


def _first_trees(trees: Trees, end: int, rest: Array) -> Trees:
    """The first trees, then for each output one leaf with the integer for the 0 of the others."""
    n_nodes = int(trees.roots[end])
    nodes = {
        name: getattr(trees, name)[:n_nodes] for name in ("feature", "threshold", "left", "right")
    }
    n_outputs, width = trees.n_outputs, trees.width
    n_extra = -(-n_outputs // width)
    output = np.minimum(np.arange(n_extra) * width, n_outputs - width)
    rest = np.rint(rest).astype(np.int64)
    extra = np.zeros((n_extra, width), dtype=np.int64)
    for k in range(n_outputs):  # each output once, though the last leaves may overlap
        leaf = k // width
        extra[leaf, k - output[leaf]] = rest[k]
    first_leaf = len(trees.leaf_values)
    return Trees(
        trees.inputs,
        roots=np.concatenate([trees.roots[:end], n_nodes + np.arange(n_extra)]),
        feature=np.concatenate([nodes["feature"], np.full(n_extra, -1)]),
        threshold=np.concatenate([nodes["threshold"], np.zeros(n_extra, dtype=np.int64)]),
        left=np.concatenate([nodes["left"], first_leaf + np.arange(n_extra)]),
        right=np.concatenate([nodes["right"], np.zeros(n_extra, dtype=np.int64)]),
        leaf_values=np.concatenate([trees.leaf_values, extra]),
        output=np.concatenate([trees.output[:end], output]),
        multiplier=np.concatenate([trees.multiplier[:end], np.ones(n_extra, dtype=np.int64)]),
        n_outputs=n_outputs,
    )


def _real_trees(graph: FloatGraph) -> TreeArrays:
    nodes = [node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor"]
    return TreeArrays.from_attributes(nodes[-1].attributes)


def _scale_of(module: QuantizedModule, number: int, trees: Trees) -> NDArray[np.float64]:
    """Real value of one step of each sum, shape (n_outputs,)."""
    program = module.program
    n_outputs = trees.n_outputs
    lo, hi = program.types[number].interval
    sums = np.full((n_outputs + 1, n_outputs), lo)
    sums[1:] += (hi - lo) * np.eye(n_outputs, dtype=np.int64)
    for name in ("decision_function", "predict"):
        value = program.outputs.get(name)
        if value is None or program.types[value].is_integer:
            continue
        if program.types[value].size == n_outputs:  # the sums themselves, dequantized
            (real,) = evaluate(program, {number: sums}, [value])
            real = real.reshape(n_outputs + 1, n_outputs)
            return np.diagonal(real[1:] - real[0]) / max(hi - lo, 1)
    return _fitted_scale(*_leaves(module, trees))


def _fitted_scale(tree: Array, integers: Array, weights: Array) -> NDArray[np.float64]:
    """Slope of the leaves' reals over their integers, tree by tree from the mean."""
    integers = integers - _tree_means(tree, integers)[tree]
    weights = weights - _tree_means(tree, weights)[tree]
    square = (integers**2).sum(axis=0)
    return np.asarray((weights * integers).sum(axis=0) / np.where(square > 0, square, 1.0))


def _changed(module: QuantizedModule, number: int, trees: Trees, factor: float) -> QuantizedModule:
    """The same module with other trees, and outputs multiplied by a factor."""
    steps = []
    for n, step, _ in module.program.steps():
        if n == number:
            step = trees
        elif isinstance(step, Dequantize) and factor != 1:
            step = replace(step, scale=step.scale * factor)
        steps.append(step)
    program = IntegerProgram(module.program.inputs, tuple(steps), module.program.outputs)
    return replace(module, program=program)
