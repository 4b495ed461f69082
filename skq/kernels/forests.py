"""Tree ensembles in the layouts of the kernels.

A `Trees` instruction becomes one forest (``skq_forest`` in ``csrc/skq_kernels.h``) of one kind:

============= ======================================================== ==========================
kind          used for                                                 a node
============= ======================================================== ==========================
CODES_8_TINY  8-bit codes, at most 256 columns, at most 128 leaves     4 bytes, inner nodes only
CODES_8_SMALL the same, where a tree has more leaves                   6 bytes, inner nodes only
CODES_8       8-bit codes, more columns                                8 bytes, inner nodes only
CODES_16      16-bit codes                                             8 bytes, inner nodes only
CODES_16_BIG  codes, where a tree has more than 32768 leaves           12 bytes, inner nodes only
REALS_TINY    few trees on many features: reals are compared with      4 bytes, inner nodes only
              edges and not binned
REALS         the same, where a tree has more leaves or X more columns 8 bytes, inner nodes only
CODES_WIDE    wider codes, nodes that several trees share              24 bytes
============= ======================================================== ==========================

The leaf values of a tree become 64-bit words of non-negative lanes, which are as wide as the sums
need. So one addition adds up to eight outputs. A word is stored in as few bytes as its tree needs;
where it makes words shorter, the width of the lanes is halved up to three times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import narrowed
from skq.kernels import layout
from skq.program.instructions import Bin, Trees

Array = NDArray[Any]

#: Most leaves of a tree of which every node is evaluated, by instruction set; 256 for others.
_MOST_WHOLE = {layout.PORTABLE: 64, layout.AVX2: 128}
#: Upper levels of the other trees of which every node is evaluated; 6 for others.
_TOP_LEVELS = {layout.PORTABLE: 5}
#: Dtype of a node, by kind of forest; `layout.NODE` for others.
_NODES = {
    layout.CODES_8_TINY: layout.TINY_NODE,
    layout.CODES_8_SMALL: layout.SMALL_NODE,
    layout.CODES_16_BIG: layout.BIG_NODE,
    layout.REALS_TINY: layout.TINY_NODE,
}
#: Mark of a leaf, by the type of a child.
_MARKS = {np.uint8: layout.TINY_LEAF, np.uint16: layout.LEAF, np.uint32: layout.BIG_LEAF}


@dataclass
class Forest:
    """Packed arrays of one forest, and the struct that names them."""

    codes: int
    n_columns: int
    n_outputs: int
    n_trees: int
    arrays: dict[str, Array]
    numbers: dict[str, int]
    stack: int = 0  # most results of subtrees that are needed at the same time

    @property
    def reads_reals(self) -> bool:
        """Whether nodes compare the real operand with edges, without codes."""
        return self.codes in (layout.REALS_TINY, layout.REALS)

    @property
    def scratch(self) -> int:
        """Bytes of scratch memory that the kernel needs."""
        if self.codes == layout.CODES_WIDE:
            return 8 * (self.n_columns + self.n_outputs)
        item = 1 if self.codes <= layout.CODES_8 else 2
        columns = 0 if self.reads_reals else self.n_columns
        a_row = 8 * self.numbers["n_words"] + 4 + item * (columns + self.stack)
        return layout.ROWS * a_row

    @property
    def fields(self) -> dict[str, int]:
        """Fields of the ``skq_forest``, without those of `arrays` and of the bins."""
        return self.numbers | {
            "codes": self.codes,
            "n_columns": self.n_columns,
            "n_outputs": self.n_outputs,
            "n_trees": self.n_trees,
        }


def pack(step: Trees, lo: int, hi: int, n_columns: int, binning: Bin | None, isa: int) -> Forest:
    """Pack the trees of an instruction into the kind of forest that is evaluated fastest.

    Parameters
    ----------
    step : Trees
    lo, hi : int
        Proven interval of the codes.
    n_columns : int
        Number of codes in a row.
    binning : Bin or None
        The instruction that computes the codes, if this one alone reads them.
    isa : int
        Instruction set, as in `layout.ISA_NAMES`.
    """
    walk = None
    if hi - lo <= 65535 and n_columns <= 65536 and step.n_outputs <= 65536:
        walk = _Walk.of(step, lo, hi)
    leaves = None if walk is None else _pack_leaves(step, walk)
    if walk is None or leaves is None:
        return _wide(step, n_columns)
    arrays, numbers = leaves
    size = (n_columns, step.n_outputs, len(step.roots))
    if binning is not None and walk.mean_visits < n_columns:
        real = _real_nodes(step, walk, arrays["trees"], binning)
        if real is not None:
            codes, nodes = real
            return Forest(codes, *size, *_smallest_trees(arrays | nodes, numbers))
    codes = layout.CODES_8 if hi - lo <= 255 else layout.CODES_16
    if walk.is_big:
        codes = layout.CODES_16_BIG
    elif hi - lo <= 255 and n_columns <= 256:
        codes = layout.CODES_8_TINY if walk.is_tiny else layout.CODES_8_SMALL
    whole = walk.n_leaves <= _MOST_WHOLE.get(isa, 256)
    levels = _TOP_LEVELS.get(isa, 6)
    nodes, stack = _code_nodes(
        step, walk, lo, arrays["trees"], whole, levels, _NODES.get(codes, layout.NODE)
    )
    numbers["code_lo"] = lo
    return Forest(codes, *size, *_smallest_trees(arrays | nodes, numbers), stack)


def _smallest_trees(
    arrays: dict[str, Array], numbers: dict[str, int]
) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays and numbers, with `trees` in the layout of fewest bytes that holds them."""
    trees = arrays["trees"]
    small = np.zeros(len(trees), dtype=layout.SMALL_TREE)
    for name in layout.SMALL_TREE.names or ():
        if int(trees[name].max()) > np.iinfo(small[name].dtype).max:
            return arrays, numbers
        small[name] = trees[name]
    layouts = {layout.SMALL_TREES: small}
    words = small["leaf_bytes"] // small["item"]
    common = [name for name in small.dtype.names or () if name not in ("n_nodes", "leaf_bytes")]
    if len(np.unique(small[common])) == 1 and int(words.max()) <= 255:
        sizes = small["n_nodes"] + words * 256
        layouts[layout.ALIKE_TREES] = np.concatenate(
            [small[:1].view(np.uint16), sizes], dtype=np.uint16
        )
    best = min(layouts, key=lambda number: layouts[number].nbytes)
    return arrays | {"trees": layouts[best]}, numbers | {"tree_layout": best}


@dataclass
class _Walk:
    """The nodes of all trees, sorted by tree, then by depth.

    Nodes at which all codes take the same side are left out. `left` and `right` are indices into
    these arrays, -1 at a leaf.
    """

    node: Array  # index in the instruction
    tree: Array
    depth: Array
    left: Array
    right: Array
    local: Array  # index from the root of the tree
    leaf: Array  # number of a leaf in its tree, -1 for inner nodes
    n_nodes: Array  # by tree
    n_leaves: Array

    @classmethod
    def of(cls, step: Trees, lo: int, hi: int) -> _Walk | None:
        """The walk; None if trees share nodes, or if there is no tree."""
        n_trees = len(step.roots)
        if n_trees == 0:
            return None
        skip = _skip_certain(step, lo, hi)
        left, right = skip[_children(step.left, step)], skip[_children(step.right, step)]
        frontier, tree = skip[step.roots], np.arange(n_trees)
        levels: list[tuple[Array, Array, Array, Array]] = []
        total = 0
        while len(frontier):
            if total + len(frontier) > len(step.feature):
                return None
            inner = step.feature[frontier] >= 0
            child = np.full(len(frontier), -1, dtype=np.int64)
            start = total + len(frontier)
            child[inner] = start + 2 * np.arange(int(inner.sum()))
            levels.append((frontier, tree, np.full(len(frontier), len(levels)), child))
            total = start
            parents = frontier[inner]
            frontier = np.stack([left[parents], right[parents]], axis=1).ravel()
            tree = np.repeat(tree[inner], 2)
        node, tree, depth, child = (np.concatenate(arrays) for arrays in zip(*levels, strict=True))
        order = np.argsort(tree, kind="stable")
        moved = np.empty(total, dtype=np.int64)
        moved[order] = np.arange(total)
        child = child[order]
        inner = child >= 0
        lefts, rights = child.copy(), child.copy()
        lefts[inner], rights[inner] = moved[child[inner]], moved[child[inner] + 1]
        tree = tree[order]
        n_nodes = np.bincount(tree, minlength=n_trees)
        n_leaves = np.bincount(tree[~inner], minlength=n_trees)
        leaf = np.full(total, -1, dtype=np.int64)
        leaf[~inner] = np.arange(len(tree) - int(inner.sum())) - np.repeat(
            _starts(n_leaves), n_leaves
        )
        local = np.arange(total) - np.repeat(_starts(n_nodes), n_nodes)
        return cls(node[order], tree, depth[order], lefts, rights, local, leaf, n_nodes, n_leaves)

    @property
    def is_tiny(self) -> bool:
        """Whether 7 bits hold the number of every leaf, and the index of every node, of a tree."""
        return int(self.n_leaves.max()) <= layout.TINY_LEAF

    @property
    def is_big(self) -> bool:
        """Whether a tree has too many leaves for children of 16 bits."""
        return int(self.n_leaves.max()) > layout.LEAF

    @property
    def mean_visits(self) -> float:
        """Mean depth of the leaves, summed over trees."""
        at_leaf = self.leaf >= 0
        return float(np.sum(self.depth[at_leaf] / self.n_leaves[self.tree[at_leaf]]))

    def levels_up(self) -> list[Array]:
        """Indices of inner nodes by depth, the deepest first."""
        inner = np.flatnonzero(self.leaf < 0)
        inner = inner[np.argsort(-self.depth[inner], kind="stable")]
        return np.split(inner, np.flatnonzero(np.diff(self.depth[inner])) + 1)


def _starts(counts: Array) -> Array:
    """First index of each of successive groups of these sizes."""
    return np.cumsum(counts) - counts


def _children(side: Array, step: Trees) -> Array:
    """Index of the child of each node on a side; for a leaf its own index."""
    return np.where(step.feature >= 0, side, np.arange(len(step.feature)))


def _skip_certain(step: Trees, lo: int, hi: int) -> Array:
    """For each node the first one, from it downwards, at which codes in [lo, hi] take both sides.

    It is a leaf if there is no such node.
    """
    inner = step.feature >= 0
    skip = np.arange(len(step.feature))
    skip = np.where(inner & (step.threshold >= hi), step.left, skip)
    skip = np.where(inner & (step.threshold < lo), step.right, skip)
    while True:
        following = skip[skip]
        if np.array_equal(following, skip):
            return skip
        skip = following


def _pack_leaves(step: Trees, walk: _Walk) -> tuple[dict[str, Array], dict[str, int]] | None:
    """Trees, words of leaf values and biases; None if the sums need more than 64 bits.

    Also replaces the leaf numbers of `walk`, since equal leaves of a tree are stored once.
    """
    at_leaf = walk.leaf >= 0
    tree = walk.tree[at_leaf]
    values = step.leaf_values[step.left[walk.node[at_leaf]]].astype(np.int64)
    n_trees, width = len(step.roots), step.width
    factor = step.multiplier.astype(np.int64)
    largest = float(np.abs(values.astype(np.float64)).max(initial=0.0))
    if largest * float(factor.max()) * n_trees >= 2.0**61:
        return None
    values = values * factor[tree][:, np.newaxis]
    first = _starts(walk.n_leaves)
    low = np.minimum.reduceat(values, first, axis=0)
    spread = np.maximum.reduceat(values, first, axis=0) - low
    outputs = step.output.astype(np.int64)[:, np.newaxis] + np.arange(width)
    bias, total = np.zeros((2, step.n_outputs), dtype=np.int64)
    np.add.at(bias, outputs, low)
    np.add.at(total, outputs, spread)
    bits = next(b for b in (8, 16, 32, 64) if int(total.max(initial=0)) < 2**b)
    lanes = 64 // bits

    trees = np.zeros(n_trees, dtype=layout.TREE)
    trees["word"] = outputs[:, 0] // lanes if width else 0
    last = outputs[:, -1] // lanes if width else trees["word"].astype(np.int64) - 1
    trees["n_words"] = last - trees["word"] + 1
    trees["shift"] = (
        np.where(trees["n_words"] == 1, outputs[:, 0] % lanes * bits, 0) if width else 0
    )
    lifted = (values - low[tree]).astype(np.uint64)
    most = spread.max(axis=1, initial=0)
    words, trees["item"], halvings = _narrowest(trees, tree, lifted, most, outputs, bits)
    trees["shift"] += (layout.HALVED * halvings).astype(np.uint8)
    distinct, walk.leaf[at_leaf] = _distinct(tree, words)
    used = np.arange(words.shape[1]) < trees["n_words"][tree[distinct]][:, np.newaxis]
    sizes = np.bincount(tree[distinct], minlength=n_trees) * trees["n_words"]
    leaves = _leaf_bytes(trees, np.split(words[distinct][used], np.cumsum(sizes)[:-1]))
    n_words = -(-step.n_outputs // lanes)
    arrays = {"trees": trees, "leaves": leaves, "bias": narrowed(bias)}
    return arrays, {"n_words": n_words, "lane_bits": bits}


def _narrowest(
    trees: Array, tree: Array, lifted: Array, largest: Array, outputs: Array, bits: int
) -> tuple[Array, Array, Array]:
    """Words of all leaves, and for each tree the bytes of a word and the halvings of its lanes.

    Lanes are halved where the values still fit and a word then takes fewer bytes.
    """
    lanes = 64 // bits
    skipped = np.where(trees["n_words"] == 1, outputs[:, :1].sum(axis=1) % lanes, 0)
    first = np.flatnonzero(np.diff(tree, prepend=-1))
    best = np.zeros((len(tree), int(trees["n_words"].max())), dtype=np.uint64)
    items, halvings = np.full(len(trees), 16), np.zeros(len(trees), dtype=np.int64)
    for times in range(4):
        lane = bits >> times
        words = np.zeros_like(best)
        for j in range(lifted.shape[1]):
            output = outputs[tree, j]
            shift = (output % lanes - skipped[tree]) * lane
            word = output // lanes - trees["word"][tree]
            words[np.arange(len(tree)), word] |= lifted[:, j] << shift.astype(np.uint64)
        most = np.maximum.reduceat(words.max(axis=1, initial=0), first)
        item = np.select([most < 2**b for b in (8, 16, 32)], [1, 2, 4], 8)
        better = (item < items) & ((largest < 2**lane) if times else True)
        best[better[tree]] = words[better[tree]]
        items[better], halvings[better] = item[better], times
    return best, items, halvings


def _leaf_bytes(trees: Array, words: list[Array]) -> Array:
    """Words of all trees, each of `item` bytes of its tree; fills in `leaf_bytes` in `trees`."""
    parts: list[bytes] = []
    size = room = 0
    items = [int(item) for item in trees["item"]]
    for tree, tree_words, item, next_item in zip(trees, words, items, [*items[1:], 1], strict=True):
        part = tree_words.astype(f"u{item}").tobytes()
        padding = -(size + len(part)) % next_item
        tree["leaf_bytes"] = len(part) + padding
        parts += [part, bytes(padding)]
        groups = -(-(len(part) + padding) // (layout.LEAF_WORDS * item))
        room = max(room, size + groups * layout.LEAF_WORDS * item if item < 8 else 0)
        size += len(part) + padding
    room = max(room, size)
    widest = max(items)
    parts.append(bytes(room + -room % widest - size))
    return np.frombuffer(b"".join(parts), dtype=f"u{widest}")  # a dtype with the alignment of words


def _distinct(tree: Array, words: Array) -> tuple[Array, Array]:
    """One leaf for each distinct value of the words in a tree, and for every leaf its new number.

    Trees that were grown until their leaves are pure have few distinct leaves.
    """
    order = np.lexsort((*words.T, tree))
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.diff(tree[order]) != 0
    new[1:] |= (words[order][1:] != words[order][:-1]).any(axis=1)
    distinct = order[new]
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    counts = np.bincount(tree[distinct], minlength=int(tree[-1]) + 1)
    return distinct, number - _starts(counts)[tree]


def _code_nodes(
    step: Trees, walk: _Walk, lo: int, trees: Array, whole: Array, levels: int, node: Any
) -> tuple[dict[str, Array], int]:
    """Arrays of nodes and exits, and how many results the evaluation of upper levels holds at most.

    The nodes of each tree come children first; then, unless the tree is `whole` (evaluated node by
    node), those of its upper levels. Fills in `n_nodes` and `n_top` in `trees`.
    """
    inner = walk.leaf < 0
    position, sizes, needs = _children_first(walk, inner)
    upper = inner & (walk.depth < levels) & ~whole[walk.tree]
    top_position, top_sizes, top_needs = _children_first(walk, upper)
    trees["n_nodes"], trees["n_top"] = sizes, top_sizes
    leaf = _MARKS[node["child"].base.type]
    reference = np.where(inner, position, leaf + walk.leaf)
    parents = np.flatnonzero(upper)
    below = np.concatenate([walk.left[parents], walk.right[parents]])
    below = np.sort(below[~upper[below]])
    counts = np.bincount(walk.tree[below], minlength=len(trees))
    top_reference = top_position.copy()
    top_reference[below] = leaf + np.arange(len(below)) - np.repeat(_starts(counts), counts)
    first = _starts(sizes + top_sizes)
    nodes = np.zeros(int(sizes.sum() + top_sizes.sum()) + 1, dtype=node)
    for begin, positions, selected, references in (
        (first, position, inner, reference),
        (first + sizes, top_position, upper, top_reference),
    ):
        i = np.flatnonzero(selected)
        at = begin[walk.tree[i]] + positions[i]
        nodes["feature"][at] = step.feature[walk.node[i]]
        nodes["threshold"][at] = step.threshold[walk.node[i]].astype(np.int64) - lo
        nodes["child"][at, 0] = references[walk.left[i]]
        nodes["child"][at, 1] = references[walk.right[i]]
    stack = max(int(needs[whole].max(initial=0)), int(top_needs.max(initial=0)))
    exits = reference[below].astype(nodes["child"].dtype)
    return {"nodes": nodes, "exits": exits}, stack


def _children_first(walk: _Walk, selected: Array) -> tuple[Array, Array, Array]:
    """Order the selected nodes of each tree: children first, the right one next to its parent.

    Returns the position of each node in its tree, and for each tree the number of selected nodes
    and the most results of subtrees that an evaluation in this order needs at the same time.
    """
    total = len(walk.node)
    size, need, position = np.zeros((3, total), dtype=np.int64)
    levels = [level[selected[level]] for level in walk.levels_up()]
    for level in levels:
        left, right = walk.left[level], walk.right[level]
        size[level] = 1 + size[left] + size[right]
        need[level] = np.maximum(np.maximum(need[left], (size[left] > 0) + need[right]), 1)
    roots = _starts(walk.n_nodes)
    position[roots] = size[roots] - 1
    for level in reversed(levels):
        left, right = walk.left[level], walk.right[level]
        position[right] = position[level] - 1
        position[left] = position[level] - 1 - size[right]
    return position, size[roots], need[roots]


def _real_nodes(
    step: Trees, walk: _Walk, trees: Array, binning: Bin
) -> tuple[int, dict[str, Array]] | None:
    """Kind of forest, and nodes with the index of an edge instead of a threshold.

    ``code <= t`` is the same as ``x <= edges[t - base]`` with the edges of the column. None if 16
    bits do not hold the index of each edge, or 15 bits that of each feature. Fills in `trees`.
    """
    inner = np.flatnonzero(walk.leaf < 0)
    column = step.feature[walk.node[inner]].astype(np.int64)
    threshold = step.threshold[walk.node[inner]].astype(np.int64)
    feature = binning.feature[column].astype(np.int64)
    offsets = binning.offsets.astype(np.int64)
    edge = threshold - binning.base[column]
    start, count = offsets[column], np.diff(offsets)[column]
    edges = np.asarray(binning.edges, np.float64)
    number = start + edge
    if np.any((edge < 0) | (edge >= count)):
        # every number takes one side and NaN may take the other: the edge is NaN or infinity
        number = np.where(edge < 0, len(edges), np.where(edge >= count, len(edges) + 1, number))
        edges = np.append(edges, [np.nan, np.inf])
    last = int(feature.max(initial=0))
    if walk.is_big or len(edges) > 65536 or last >= layout.BIG_NAN_RIGHT:
        return None
    codes, nan_mark = layout.REALS, layout.BIG_NAN_RIGHT
    if walk.is_tiny and len(edges) <= 256 and last < layout.TINY_NAN_RIGHT:
        codes, nan_mark = layout.REALS_TINY, layout.TINY_NAN_RIGHT
    position, sizes, _ = _children_first(walk, walk.leaf < 0)
    trees["n_nodes"] = sizes
    nodes = np.zeros(len(inner) + 1, dtype=_NODES.get(codes, layout.NODE))
    leaf = _MARKS[nodes["child"].dtype.type]
    reference = np.where(walk.leaf < 0, position, leaf + walk.leaf)
    at = _starts(sizes)[walk.tree[inner]] + position[inner]
    nan_right = binning.nan_code[column] > threshold
    nodes["feature"][at] = feature + nan_mark * nan_right
    nodes["threshold"][at] = number
    nodes["child"][at, 0] = reference[walk.left[inner]]
    nodes["child"][at, 1] = reference[walk.right[inner]]
    return codes, {"nodes": nodes, "edges": edges}


def _wide(step: Trees, n_columns: int) -> Forest:
    """A forest of the unchanged nodes of the instruction."""
    nodes = np.zeros(len(step.feature), dtype=layout.WIDE_NODE)
    nodes["threshold"], nodes["feature"] = step.threshold, step.feature
    nodes["child"][:, 0], nodes["child"][:, 1] = step.left, step.right
    arrays = {
        "nodes": nodes,
        "trees": step.roots.astype(np.int32),
        "leaves": np.ascontiguousarray(step.leaf_values, dtype=np.int64),
        "output": step.output.astype(np.int32),
        "multiplier": step.multiplier.astype(np.int64),
    }
    size = (n_columns, step.n_outputs, len(step.roots))
    return Forest(layout.CODES_WIDE, *size, arrays, {"width": step.width})
