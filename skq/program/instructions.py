"""The instruction set: few frozen records, each with its type and interval rule.

============ ============================================ ==========================================
instruction  meaning (a row at a time)                    interval of the result
============ ============================================ ==========================================
Quantize     ``clip(rint(x / scale + zero_point))``       [lo, hi]
Bin          ``base + #{edges < x}``, NaN → `nan_code`    from the number of edges
MatMul       ``x @ weights``                              sum over positive and negative weights
Requantize   ``clip((x * multiplier + offset) >> shift)`` [lo, hi], or exact where not clipped
Table        ``table[x - lo(x)]``                         extremes of the table
Trees        sum over trees of the reached leaf           sum over trees of extreme leaves
Add, Sub     elementwise, broadcast                       sum, difference of intervals
Mul          elementwise, broadcast                       extreme products
Maximum      elementwise, broadcast                       larger ends
Minimum      elementwise, broadcast                       smaller ends
Sum          over the last axis                           length times the interval
Max, Min     over the last axis                           unchanged
ArgMax       first index of the largest, last axis        [0, length - 1]
Gather       flattened row at static indices              with the fill value, if used
Reshape      same elements, another shape                 unchanged
Concat       flat parts one after another                 union
Dequantize   ``(x - zero_point) * scale`` in float64      (float)
============ ============================================ ==========================================

What an instruction computes is written in `skq.engines.reference`, in terms of `skq.numerics`.
An instruction's ``infer`` raises `ProgramError` for operands that it cannot take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skq.bitplanes import Ints
from skq.exceptions import AccumulatorOverflowError, ProgramError
from skq.numerics import INT64_MAX
from skq.program.storage import Order, PackedIntegers, compact
from skq.program.types import TensorType
from skq.serialization import serializable

Floats = NDArray[np.float64]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ProgramError(message)


def _broadcast(a: TensorType, b: TensorType) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ProgramError(f"shapes {a.shape} and {b.shape} do not broadcast") from None


@dataclass(frozen=True, eq=False)
class Instruction:
    """One step of a program: reads the values `inputs`, defines one value.

    A program keeps its arrays of integers packed, or in the smallest dtypes that hold them. They
    read as arrays of such a dtype all the same, so whoever computes with them, rather than compare
    or index, converts them first. A packed one is unpacked anew whenever it is read: whoever reads
    it often takes the `unpacked` instruction.
    """

    inputs: tuple[int, ...]

    arity: ClassVar[int | None] = 1  # None: one or more
    order: ClassVar[Order] = "C"  # in which a program keeps arrays

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            packed = self.__dict__.get("_packed", {}).get(name)
            if packed is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return packed.unpacked()

    def __getstate__(self) -> dict[str, Any]:
        return self.unpacked().__dict__  # pickles hold arrays as they read

    def kept(self) -> Mapping[str, Any]:
        """Fields by name, arrays as they are in memory: as `PackedIntegers` where packed."""
        values = self.__dict__
        packed = values.get("_packed", {})
        names = [field.name for field in fields(self)]
        return {name: packed[name] if name in packed else values[name] for name in names}

    def compacted(self) -> Self:
        """The same instruction, its arrays as a program keeps them."""
        kept = self.kept()
        small = {
            name: compact(value, self.order) if isinstance(value, np.ndarray) else value
            for name, value in kept.items()
        }
        return self if all(small[name] is kept[name] for name in kept) else self._keeping(small)

    def unpacked(self) -> Self:
        """The same instruction, its arrays in memory as they read."""
        if "_packed" not in self.__dict__:
            return self
        return self._keeping(
            {
                name: value.unpacked() if isinstance(value, PackedIntegers) else value
                for name, value in self.kept().items()
            }
        )

    def _keeping(self, kept: Mapping[str, Any]) -> Self:
        packed = {n: value for n, value in kept.items() if isinstance(value, PackedIntegers)}
        twin = object.__new__(type(self))
        twin.__dict__.update({n: value for n, value in kept.items() if n not in packed})
        if packed:
            twin.__dict__["_packed"] = packed
        return twin

    def infer(self, *operands: TensorType) -> TensorType:
        """Type of the result, with its proven interval; `ProgramError` for illegal operands."""
        raise TypeError(f"{type(self).__name__} has no type rule")


@serializable("skq.Quantize")
@dataclass(frozen=True, eq=False)
class Quantize(Instruction):
    """Real values to codes of a uniform grid, one grid a feature (`skq.numerics.quantize`)."""

    scale: Floats  # (n_features,) or (), > 0
    zero_point: Ints  # same shape
    lo: int
    hi: int

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        _require(not x.is_integer, "Quantize takes a float value")
        _require(bool(np.all(np.isfinite(self.scale) & (self.scale > 0))), "scales are positive")
        _require(self.scale.shape == self.zero_point.shape, "one zero point a scale")
        _require(self.scale.shape in ((), x.shape[-1:]), f"scales {self.scale.shape} for {x.shape}")
        return TensorType(x.shape, self.lo, self.hi)


@serializable("skq.Bin")
@dataclass(frozen=True, eq=False)
class Bin(Instruction):
    """Real values to codes among sorted edges, column by column (`skq.numerics.bin_codes`).

    Column ``c`` of the result reads feature ``feature[c]`` and has the edges
    ``edges[offsets[c]:offsets[c + 1]]``. A feature whose missing values go both ways in a tree
    ensemble stands in two columns that differ in their `nan_code`: below all other codes, or above.
    """

    feature: Ints  # (n_columns,)
    edges: Floats  # (n_edges,), sorted within a column
    offsets: Ints  # (n_columns + 1,)
    base: Ints  # (n_columns,), code of values up to the first edge
    nan_code: Ints  # (n_columns,)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        _require(not x.is_integer and len(x.shape) == 1, "Bin takes a float row of features")
        n = len(self.feature)
        _require(
            self.offsets.shape == (n + 1,)
            and self.base.shape == (n,)
            and self.nan_code.shape == (n,)
            and self.feature.shape == (n,)
            and self.edges.ndim == 1,
            "Bin needs a feature, a base and a nan_code for each column and offsets around them",
        )
        counts = np.diff(self.offsets.astype(np.int64))
        _require(
            int(self.offsets[0]) == 0
            and int(self.offsets[-1]) == len(self.edges)
            and bool(np.all(counts >= 0)),
            "Bin offsets rise from 0 to the number of edges",
        )
        _require(
            n == 0 or (int(self.feature.min()) >= 0 and int(self.feature.max()) < x.shape[0]),
            f"Bin reads features outside of the {x.shape[0]} there are",
        )
        rising = np.diff(self.edges) >= 0
        starts = self.offsets[1:-1]
        inner = starts[(starts > 0) & (starts < len(self.edges))] - 1
        rising[inner] = True
        _require(
            bool(np.all(rising)) and not bool(np.isnan(self.edges).any()), "Bin edges are sorted"
        )
        if n == 0:
            return TensorType((0,), 0, 0)
        lo = int(min(self.base.min(), self.nan_code.min()))
        hi = int(max((self.base + counts).max(), self.nan_code.max()))
        return TensorType((n,), lo, hi)


@serializable("skq.MatMul")
@dataclass(frozen=True, eq=False)
class MatMul(Instruction):
    """Rows times a constant integer matrix; the result is the exact accumulator."""

    weights: Ints  # (n_in, n_out)

    order: ClassVar[Order] = "F"  # the weights of an output together

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        _require(
            self.weights.ndim == 2 and x.shape[-1:] == self.weights.shape[:1],
            f"MatMul: rows of shape {x.shape} do not fit weights of shape {self.weights.shape}",
        )
        weights = (
            self.weights.astype(object)
            if _may_overflow(self.weights, lo, hi)
            else (self.weights.astype(np.int64))
        )
        positive = np.where(weights > 0, weights, 0).sum(axis=0)
        negative = np.where(weights < 0, weights, 0).sum(axis=0)
        low = [int(p) * lo + int(n) * hi for p, n in zip(positive, negative, strict=True)]
        high = [int(p) * hi + int(n) * lo for p, n in zip(positive, negative, strict=True)]
        shape = (*x.shape[:-1], self.weights.shape[1])
        return TensorType(shape, min(low, default=0), max(high, default=0))


def _may_overflow(weights: Ints, lo: int, hi: int) -> bool:
    largest = max(abs(int(weights.min(initial=0))), abs(int(weights.max(initial=0))))
    return largest * len(weights) > INT64_MAX


@serializable("skq.Requantize")
@dataclass(frozen=True, eq=False)
class Requantize(Instruction):
    """Fixed-point rescaling with saturation (`skq.numerics.requantize`).

    `multiplier` and `offset` are scalars or one a channel (last axis). The offset carries bias,
    zero point and rounding constant.
    """

    multiplier: Ints  # () or (n_channels,)
    offset: Ints  # same shape
    shift: int
    lo: int
    hi: int

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        _require(0 <= self.shift <= 62, f"a shift is in [0, 62]; got {self.shift}")
        for name, array in (("multiplier", self.multiplier), ("offset", self.offset)):
            _require(
                array.shape in ((), x.shape[-1:]),
                f"Requantize {name} of shape {array.shape} does not fit rows of shape {x.shape}",
            )
        pairs = [
            (int(m) * e + int(o))
            for m, o in zip(
                *(a.ravel() for a in np.broadcast_arrays(self.multiplier, self.offset)), strict=True
            )
            for e in (lo, hi)
        ]
        low, high = min(pairs, default=0), max(pairs, default=0)
        widest = max(
            -low, high, *(abs(int(m)) * max(-lo, hi, 0) for m in np.ravel(self.multiplier)), 0
        )
        if widest > INT64_MAX:
            raise AccumulatorOverflowError(
                f"requantizing [{lo}, {hi}] by {self.multiplier!r} leaves 63 bits"
            )
        clip = lambda v: min(max(v >> self.shift, self.lo), self.hi)  # noqa: E731
        _require(self.lo <= self.hi, f"empty range [{self.lo}, {self.hi}]")
        return TensorType(x.shape, clip(low), clip(high))


@serializable("skq.Table")
@dataclass(frozen=True, eq=False)
class Table(Instruction):
    """Any function of one integer, as the list of its results from the operand's `lo` on."""

    table: Ints  # (size,), or (n_channels, size): one a channel (last axis)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        _require(self.table.ndim in (1, 2), "a table has one or two dimensions")
        _require(
            self.table.ndim == 1 or self.table.shape[:1] == x.shape[-1:],
            f"{self.table.shape[0]} tables for rows of shape {x.shape}",
        )
        _require(
            self.table.shape[-1] == hi - lo + 1,
            f"a table of {self.table.shape[-1]} entries for {hi - lo + 1} codes in [{lo}, {hi}]",
        )
        return TensorType(x.shape, int(self.table.min()), int(self.table.max()))


@serializable("skq.Trees")
@dataclass(frozen=True, eq=False)
class Trees(Instruction):
    """Sum over decision trees of the leaf that each row reaches.

    All trees share flat node arrays. At an inner node a row goes to `left` where
    ``code[feature] <= threshold``, else to `right`. A leaf has ``feature == -1`` and `left` is
    its row in `leaf_values`. Children stand behind their parent, so every walk ends. Tree ``t``
    adds ``leaf_values[leaf] * multiplier[t]`` to the outputs from ``output[t]`` on.
    """

    roots: Ints  # (n_trees,), node index
    feature: Ints  # (n_nodes,), -1 for a leaf
    threshold: Ints  # (n_nodes,)
    left: Ints  # (n_nodes,), node index; for a leaf its row in leaf_values
    right: Ints  # (n_nodes,), node index
    leaf_values: Ints  # (n_leaves, width)
    output: Ints  # (n_trees,), first output column
    multiplier: Ints  # (n_trees,), > 0
    n_outputs: int

    @property
    def width(self) -> int:
        """Outputs that one tree adds to."""
        return int(self.leaf_values.shape[1])

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        _require(len(x.shape) == 1, "Trees takes a row of codes")
        n_nodes, n_trees = len(self.feature), len(self.roots)
        _require(
            all(a.shape == (n_nodes,) for a in (self.threshold, self.left, self.right)),
            "Trees needs a threshold, left and right for each node",
        )
        _require(
            self.output.shape == (n_trees,) and self.multiplier.shape == (n_trees,),
            "Trees needs an output and a multiplier for each tree",
        )
        _require(self.leaf_values.ndim == 2, "leaf values have shape (n_leaves, width)")
        leaf = self.feature == -1
        index = np.arange(n_nodes)
        inner_left, inner_right = self.left[~leaf], self.right[~leaf]
        _require(
            bool(np.all((self.feature >= -1) & (self.feature < x.shape[0]))),
            f"Trees reads features outside of the {x.shape[0]} there are",
        )
        _require(
            bool(
                np.all((inner_left > index[~leaf]) & (inner_left < n_nodes))
                and np.all((inner_right > index[~leaf]) & (inner_right < n_nodes))
            ),
            "children stand behind their parent in the node arrays",
        )
        _require(
            bool(np.all((self.left[leaf] >= 0) & (self.left[leaf] < len(self.leaf_values)))),
            "a leaf names a row of leaf_values",
        )
        _require(bool(np.all((self.roots >= 0) & (self.roots < n_nodes))), "a root is a node index")
        _require(
            bool(np.all((self.output >= 0) & (self.output <= self.n_outputs - self.width))),
            f"a tree adds to outputs outside of the {self.n_outputs} there are",
        )
        _require(bool(np.all(self.multiplier > 0)), "tree multipliers are positive")
        return TensorType((self.n_outputs,), *self._sum_interval())

    def _sum_interval(self) -> tuple[int, int]:
        """Extremes of the sums: per output, every tree at its least and at its greatest leaf."""
        lowest, highest = self._leaf_extremes()
        low = [0] * self.n_outputs
        high = [0] * self.n_outputs
        for t in range(len(self.roots)):
            factor, first = int(self.multiplier[t]), int(self.output[t])
            for j in range(self.width):
                low[first + j] += factor * int(lowest[t, j])
                high[first + j] += factor * int(highest[t, j])
        return min(low, default=0), max(high, default=0)

    def _leaf_extremes(self) -> tuple[Ints, Ints]:
        """Least and greatest leaf of each tree, shape (n_trees, width) each.

        Where the trees' nodes stand in consecutive runs (the usual case) only a tree's own leaves
        count; otherwise the extremes of all leaves do, which is looser but still proven.
        """
        leaf = np.flatnonzero(self.feature == -1)
        starts = np.searchsorted(leaf, self.roots)
        values = self.leaf_values[self.left[leaf]]
        ordered = bool(np.all(self.roots[1:] > self.roots[:-1])) and len(self.roots) > 0
        if ordered and self._runs_are_closed() and len(np.unique(starts)) == len(starts):
            return (
                np.minimum.reduceat(values, starts, axis=0),
                np.maximum.reduceat(values, starts, axis=0),
            )
        shape = (len(self.roots), self.width)
        return (
            np.broadcast_to(self.leaf_values.min(axis=0, initial=0), shape),
            np.broadcast_to(self.leaf_values.max(axis=0, initial=0), shape),
        )

    def _runs_are_closed(self) -> bool:
        """Whether each tree's nodes stand between its root and the next one."""
        if len(self.roots) == 0 or self.roots[0] != 0:
            return False
        inner = np.flatnonzero(self.feature != -1)
        tree = np.searchsorted(self.roots, inner, side="right")
        return bool(
            np.all(np.searchsorted(self.roots, self.left[inner], side="right") == tree)
            and np.all(np.searchsorted(self.roots, self.right[inner], side="right") == tree)
        )


@dataclass(frozen=True, eq=False)
class Elementwise(Instruction):
    """Base of the two-operand instructions; shapes broadcast as in NumPy."""

    arity = 2

    def infer(self, *operands: TensorType) -> TensorType:
        a, b = operands
        return TensorType(_broadcast(a, b), *self._bounds(*a.interval, *b.interval))

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        raise TypeError(f"{type(self).__name__} has no interval rule")


@serializable("skq.Add")
class Add(Elementwise):
    """``a + b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return alo + blo, ahi + bhi


@serializable("skq.Sub")
class Sub(Elementwise):
    """``a - b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return alo - bhi, ahi - blo


@serializable("skq.Mul")
class Mul(Elementwise):
    """``a * b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        products = (alo * blo, alo * bhi, ahi * blo, ahi * bhi)
        return min(products), max(products)


@serializable("skq.Maximum")
class Maximum(Elementwise):
    """The larger of ``a`` and ``b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return max(alo, blo), max(ahi, bhi)


@serializable("skq.Minimum")
class Minimum(Elementwise):
    """The smaller of ``a`` and ``b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return min(alo, blo), min(ahi, bhi)


@dataclass(frozen=True, eq=False)
class Reduction(Instruction):
    """Base of the reductions over the last axis, which must not be empty."""

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        _require(
            len(x.shape) > 0 and x.shape[-1] > 0,
            f"{type(self).__name__} reduces a last axis that is not empty; got shape {x.shape}",
        )
        return TensorType(x.shape[:-1], *self._bounds(*x.interval, x.shape[-1]))

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return lo, hi


@serializable("skq.Sum")
class Sum(Reduction):
    """Sum over the last axis."""

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return lo * length, hi * length


@serializable("skq.Max")
class Max(Reduction):
    """Largest element of the last axis."""


@serializable("skq.Min")
class Min(Reduction):
    """Smallest element of the last axis."""


@serializable("skq.ArgMax")
class ArgMax(Reduction):
    """Index of the first largest element of the last axis."""

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return 0, length - 1


@serializable("skq.Gather")
@dataclass(frozen=True, eq=False)
class Gather(Instruction):
    """Elements of the flattened row at static indices; index -1 stands for `fill`.

    Slices, transposes, padding and the patches of a convolution are all this.
    """

    indices: Ints  # any shape, in [-1, size - 1]
    fill: int = 0

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        low = int(self.indices.min(initial=0))
        high = int(self.indices.max()) if self.indices.size else -1
        _require(
            isinstance(self.fill, int | np.integer) and abs(self.fill) <= INT64_MAX,
            f"Gather fills with an int of 64 bits; got {self.fill!r}",
        )
        _require(-1 <= low and high < x.size, f"Gather reads outside of a row of shape {x.shape}")
        if low == -1:
            lo, hi = min(lo, self.fill), max(hi, self.fill)
        return TensorType(self.indices.shape, lo, hi)


@serializable("skq.Reshape")
@dataclass(frozen=True, eq=False)
class Reshape(Instruction):
    """The same elements in another shape."""

    shape: tuple[int, ...]

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        result = TensorType(self.shape, *x.interval)
        _require(result.size == x.size, f"cannot reshape {x.shape} to {self.shape}")
        return result


@serializable("skq.Concat")
@dataclass(frozen=True, eq=False)
class Concat(Instruction):
    """Flattened operands one after another."""

    arity = None

    def infer(self, *operands: TensorType) -> TensorType:
        intervals = [x.interval for x in operands]
        return TensorType(
            (sum(x.size for x in operands),),
            min(lo for lo, _ in intervals),
            max(hi for _, hi in intervals),
        )


@serializable("skq.Dequantize")
@dataclass(frozen=True, eq=False)
class Dequantize(Instruction):
    """Integers back to real values (`skq.numerics.dequantize`)."""

    scale: Floats  # () or (n_channels,)
    zero_point: Floats  # same shape

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        for array in (self.scale, self.zero_point):
            _require(
                array.shape in ((), x.shape[-1:]) and bool(np.all(np.isfinite(array))),
                f"Dequantize takes finite parameters, a scalar or one a channel of {x.shape}",
            )
        return TensorType(x.shape)


#: Every instruction that a program may hold.
INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Quantize,
    Bin,
    MatMul,
    Requantize,
    Table,
    Trees,
    Add,
    Sub,
    Mul,
    Maximum,
    Minimum,
    Sum,
    Max,
    Min,
    ArgMax,
    Gather,
    Reshape,
    Concat,
    Dequantize,
)

#: Instructions whose results are accumulators: exact sums, before any requantization.
ACCUMULATORS: tuple[type[Instruction], ...] = (MatMul, Trees, Add, Sub, Mul, Sum)
