"""The steps of a plan: one function for each instruction, in `EMITTERS`, called by `emit_steps`.

`Reshape` needs no step. A `Bin` that only feeds a `Trees` is fused into its step, and so is a
`Quantize` that only feeds a `MatMul` of few outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import narrowed
from skq.kernels import forests, layout
from skq.kernels.plan import INT32_MAX, Fields, Packer, lines
from skq.program import instructions as ins
from skq.program.types import TensorType

Array = NDArray[Any]

#: Most outputs of a matmul that is fused with the quantization of its operand.
_LINEAR_OUTPUTS = 4


def emit_steps(packer: Packer) -> None:
    """Emit the steps of all instructions of a packer's program."""
    for number, step in packer.steps.items():
        EMITTERS[type(step)](packer, number, step)


def _channels(p: Packer, type_: TensorType, **parameters: Array) -> Fields:
    """Fields of a step with parameters for each channel (last axis), its workspace included."""
    if type_.size == 0:  # nothing is computed, but kernels read one number
        parameters = {name: np.ones((), array.dtype) for name, array in parameters.items()}
    scalars = all(array.shape == () for array in parameters.values())
    last = 1 if scalars else type_.shape[-1]
    fields = {"row": type_.size, "n_channels": last}
    for name, array in parameters.items():
        repeated = np.broadcast_to(array, (last,))
        if array.dtype.kind == "f":
            fields[name] = p.constant(repeated)
        else:
            fields |= p.numbers(name, repeated)
    # two arrays of parameters, and for a Quantize the reciprocals of the scales
    fields["workspace"] = p.workspace(3 * 8 * last * -(-layout.PERIOD // last))
    return fields


def _quantize(p: Packer, number: int, step: ins.Quantize) -> None:
    scale = np.asarray(step.scale, np.float64)
    zero = step.zero_point.astype(np.float64)
    if max(-step.lo, step.hi) >= 2**30:
        kind = layout.WIDE_CODES
        p.dtype[number] = layout.I64
    else:
        # where this holds, x * (1 / scale) is a normal number and within 2**-30 of x / scale
        size = float(np.abs(zero).max(initial=0.0)) + max(abs(step.lo), abs(step.hi)) + 2
        scale_ok = bool(np.all((scale > 1e-290) & (scale < 1e290))) and size < 2**20
        kind = layout.RECIPROCAL if scale_ok else layout.DIVIDE
    if kind == layout.RECIPROCAL and _feeds_few_outputs(p, number):
        p.fused.add(number)
        p.linear.add(number)
        return
    fields = _channels(p, p.types[number], scale=scale, zero_point=step.zero_point)
    p.emit(number, "Quantize", step.inputs[0], kind=kind, lo=step.lo, hi=step.hi, **fields)


def _feeds_few_outputs(p: Packer, number: int) -> bool:
    """Whether only a matmul of few outputs reads the codes, and doubles hold its sums exactly."""
    readers = p.readers.get(number, [])
    matmul = p.steps[readers[0]] if len(readers) == 1 else None
    type_ = p.types[number]
    if (
        p.isa == layout.PORTABLE
        or number in p.targets
        or not isinstance(matmul, ins.MatMul)
        or len(type_.shape) != 1
        or not 0 < matmul.weights.shape[1] <= _LINEAR_OUTPUTS
    ):
        return False
    sums = np.abs(matmul.weights.astype(np.float64)).sum(axis=0).max(initial=0.0)
    return bool(sums * max(map(abs, type_.interval)) < 2.0**52)


def _linear(p: Packer, number: int, step: ins.MatMul) -> None:
    """Quantize and MatMul as one step, which does not store the codes."""
    codes = step.inputs[0]
    quantize = p.steps[codes]
    assert isinstance(quantize, ins.Quantize)
    n, m = step.weights.shape
    scale = np.broadcast_to(np.asarray(quantize.scale, np.float64), (n,))
    fields = {"scale": p.constant(scale)}
    fields |= p.numbers("zero_point", np.broadcast_to(quantize.zero_point, (n,)))
    fields |= p.numbers("weights", step.weights.T)
    padded = -(-n // 8) * 8  # as doubles, then but for the scales as floats
    fields["workspace"] = p.workspace((3 + m) * 8 * padded + (2 + m) * 4 * padded + 4)
    p.dtype[number] = layout.I32 if _within_int32(p.types[number]) else layout.I64
    lo, hi = quantize.lo, quantize.hi
    fields |= {"n_inputs": n, "n_outputs": m, "lo": lo, "hi": hi}
    p.emit(number, "Linear", quantize.inputs[0], **fields)


def _bin(p: Packer, number: int, step: ins.Bin) -> None:
    readers = p.readers.get(number, [])
    trees = p.steps.get(readers[0]) if len(readers) == 1 else None
    if number not in p.targets and isinstance(trees, ins.Trees):
        type_ = p.types[number]
        forest = forests.pack(trees, *type_.interval, type_.size, step, p.isa)
        if forest.codes != layout.CODES_WIDE:
            p.fused.add(number)
            p.forests[readers[0]] = forest
            return
    p.emit(number, "Bin", step.inputs[0], workspace=_bins_workspace(p, step), **_bins(p, step))


def _bins(p: Packer, step: ins.Bin) -> Fields:
    """Fields of the ``skq_bins`` of a binning."""
    fields = {"n": len(step.feature), "edges": p.constant(np.asarray(step.edges, np.float64))}
    for name in ("feature", "offsets", "base", "nan_code"):
        fields |= p.numbers(name, getattr(step, name))
    return fields


def _bins_workspace(p: Packer, step: ins.Bin) -> int:
    """Reserve workspace for unpacked bins: four numbers of 8 bytes per column, and an offset."""
    return p.workspace(8 * 4 * (len(step.feature) + 1))


def _trees(p: Packer, number: int, step: ins.Trees) -> None:
    operand = step.inputs[0]
    binning = p.steps.get(operand)
    bins: ins.Bin | None = None
    if operand in p.fused:
        assert isinstance(binning, ins.Bin)
        forest = p.forests[number]
        operand = binning.inputs[0]
        bins = None if forest.reads_reals else binning
    else:
        type_ = p.types[operand]
        forest = forests.pack(step, *type_.interval, type_.size, None, p.isa)
    p.dtype[number] = layout.I32 if _within_int32(p.types[number]) else layout.I64
    p.scratch = max(p.scratch, forest.scratch)
    fields = forest.fields | {"binned": int(bins is not None)}
    for name, array in forest.arrays.items():
        if array.size:
            fields |= (
                p.unpacked_numbers(name, array) if name == "bias" else {name: p.constant(array)}
            )
    workspace = 0 if bins is None else _bins_workspace(p, bins)
    p.emit(number, "Trees", operand, workspace=workspace, **fields)
    if bins is not None:
        p.add_bins(_bins(p, bins))


def _within_int32(type_: TensorType) -> bool:
    lo, hi = type_.interval
    return lo >= -INT32_MAX and hi <= INT32_MAX


def _matmul(p: Packer, number: int, step: ins.MatMul) -> None:
    if step.inputs[0] in p.linear:
        _linear(p, number, step)
        return
    operand = p.types[step.inputs[0]]
    n, m = step.weights.shape
    kind = _matmul_kind(p, step.inputs[0], step.weights)
    narrow = kind not in (layout.DOT_I32_I32, layout.DOT_I64_I64)
    p.dtype[number] = layout.I32 if narrow else layout.I64
    product = _MATMUL[kind]
    if p.dtype[step.inputs[0]] != product.operand:
        p.scratch_a_row = max(p.scratch_a_row, operand.size * layout.ITEM_BYTES[product.operand])
    an_output = n * layout.ITEM_BYTES[product.operand]
    panel = min(max(layout.PANEL_BYTES // (an_output + 1), layout.GROUP_OUTPUTS), max(m, 1))
    n_lines = lines(panel * an_output) + 1  # a vector load may read past the end
    p.scratch = max(p.scratch, n_lines * layout.LINE_BYTES)
    p.most_products = max(p.most_products, p.types[number].size // max(m, 1))
    fields = p.numbers("weights", step.weights.T) | {"workspace": p.arranged}
    p.arranged += lines(product.arranged_bytes(n, m))
    fields |= {"kind": kind, "n_inputs": n, "n_outputs": m, "panel": panel}
    p.emit(number, "MatMul", step.inputs[0], **fields)


def _matmul_kind(p: Packer, operand: int, weights: Array) -> int:
    """The fastest kind of matmul whose dtypes hold the operand, the weights and the sums."""
    lo, hi = p.types[operand].interval
    least, most = int(weights.min(initial=0)), int(weights.max(initial=0))
    sums = np.abs(weights.astype(np.float64)).sum(axis=0).max(initial=0.0)
    if sums * max(-lo, hi) < INT32_MAX and least >= -(2**15) and most < 2**15:
        bytes_ = lo >= 0 and hi <= 255 and least >= -128 and most <= 127
        if bytes_ and p.isa == layout.AVX512_VNNI:
            return layout.QUADS_U8_I8
        if -(2**15) <= lo and hi < 2**15:
            if p.isa >= layout.AVX2:
                small = least >= -128 and most <= 127
                return layout.PAIRS_I16_I8 if small else layout.PAIRS_I16_I16
            return layout.DOT_U8_I8 if bytes_ else layout.DOT_I16_I16
    if max(-lo, hi, -least, most) <= INT32_MAX:
        return layout.DOT_I32_I32
    return layout.DOT_I64_I64


@dataclass(frozen=True)
class _Product:
    """A kind of matmul: dtypes, and the layout of arranged weights (``csrc/skq_kernels.h``)."""

    operand: int
    weights: int
    inputs: int = 1  # successive inputs of an output that are stored side by side
    spare: int = 0  # weights past the end that vector loads may read

    def arranged_bytes(self, n: int, m: int) -> int:
        """Bytes of the arranged weights of n inputs and m outputs."""
        weights = m * self.inputs * -(-n // self.inputs) + self.spare
        return weights * layout.ITEM_BYTES[self.weights]


_MATMUL: Mapping[int, _Product] = {
    layout.DOT_U8_I8: _Product(layout.U8, layout.I8),
    layout.DOT_I16_I16: _Product(layout.I16, layout.I16),
    layout.DOT_I32_I32: _Product(layout.I32, layout.I32),
    layout.DOT_I64_I64: _Product(layout.I64, layout.I64),
    layout.PAIRS_I16_I8: _Product(layout.I16, layout.I8, inputs=2, spare=14),
    layout.PAIRS_I16_I16: _Product(layout.I16, layout.I16, inputs=2, spare=14),
    layout.QUADS_U8_I8: _Product(layout.U8, layout.I8, inputs=4),
}


def _requantize(p: Packer, number: int, step: ins.Requantize) -> None:
    operand = step.inputs[0]
    lo, hi = p.types[number].interval
    narrow = (
        p.dtype[operand] == layout.I32
        and int(np.abs(np.asarray(step.multiplier, np.int64)).max(initial=0)) <= INT32_MAX
        and _within_int32(p.types[number])
    )
    fields = _channels(p, p.types[number], multiplier=step.multiplier, offset=step.offset)
    kind = layout.NARROW_FACTORS if narrow else layout.ANY_FACTORS
    if step.lo < lo and hi < step.hi:
        kind += layout.UNCLIPPED
    else:
        fields |= {"lo": lo, "hi": hi}
    p.emit(number, "Requantize", operand, kind=kind, shift=step.shift, **fields)


def _table(p: Packer, number: int, step: ins.Table) -> None:
    operand = step.inputs[0]
    table = step.table
    p.emit(
        number,
        "Table",
        operand,
        n_tables=table.shape[0] if len(table.shape) == 2 else 0,
        row=p.types[number].size,
        lo=p.types[operand].interval[0],
        n_entries=table.shape[-1],
        workspace=p.workspace(table.size * layout.ITEM_BYTES[p.dtype[number]]),
        **p.numbers("table", table, layout.DTYPES[p.dtype[number]]),
    )


def _elementwise(p: Packer, number: int, step: ins.Instruction) -> None:
    shape = p.types[number].shape
    fields: Fields = {}
    for name, operand in zip(("index", "index2"), step.inputs, strict=True):
        type_ = p.types[operand]
        elements = np.arange(type_.size, dtype=np.int32).reshape(type_.shape)
        index = np.broadcast_to(elements, shape).ravel()
        if not np.array_equal(index, elements.ravel()):
            fields |= p.unpacked_numbers(name, narrowed(index))
    a, b = step.inputs
    p.emit(number, type(step).__name__, a, b, row=p.types[number].size, **fields)


def _reduction(p: Packer, number: int, step: ins.Instruction) -> None:
    operand = step.inputs[0]
    length = p.types[operand].shape[-1]
    p.emit(number, type(step).__name__, operand, length=length, n_runs=p.types[number].size)


def _weighted_median(p: Packer, number: int, step: ins.WeightedMedian) -> None:
    operand = step.inputs[0]
    length = p.types[operand].shape[-1]
    p.emit(
        number,
        "WeightedMedian",
        operand,
        length=length,
        n_runs=p.types[number].size,
        threshold=step.threshold,
        workspace=p.workspace(3 * 8 * length),  # weights, elements, weights of some elements
        **p.numbers("weights", step.weights),
    )


def _gather(p: Packer, number: int, step: ins.Gather) -> None:
    operand = step.inputs[0]
    index = narrowed(step.indices)
    dtype = layout.CONSTANTS[index.dtype.name]
    laid_out = layout.I64 if dtype >= len(layout.ITEM_BYTES) else dtype
    p.emit(
        number,
        "Gather",
        operand,
        n_read=p.types[operand].size,
        row=index.size,
        fill=step.fill,
        laid_out=laid_out,
        workspace=p.workspace(index.size * layout.ITEM_BYTES[laid_out]),
        **p.numbers("index", index),
    )


def _reshape(p: Packer, number: int, step: ins.Reshape) -> None:
    operand = step.inputs[0]
    p.same[number] = p.same[operand]
    p.dtype[number] = p.dtype[operand]


def _concat(p: Packer, number: int, step: ins.Concat) -> None:
    first = 0
    for operand in step.inputs:
        size = p.types[operand].size
        p.emit(number, "Concat", operand, n_read=size, row=p.types[number].size, first=first)
        first += size


def _dequantize(p: Packer, number: int, step: ins.Dequantize) -> None:
    fields = _channels(
        p,
        p.types[number],
        scale=np.asarray(step.scale, np.float64),
        zero_point=np.asarray(step.zero_point, np.float64),
    )
    p.emit(number, "Dequantize", step.inputs[0], **fields)


#: The function that emits the steps of each instruction.
EMITTERS: Mapping[type[ins.Instruction], Callable[..., None]] = {
    ins.Quantize: _quantize,
    ins.Bin: _bin,
    ins.MatMul: _matmul,
    ins.Requantize: _requantize,
    ins.Table: _table,
    ins.Trees: _trees,
    ins.Add: _elementwise,
    ins.Sub: _elementwise,
    ins.Mul: _elementwise,
    ins.Maximum: _elementwise,
    ins.Minimum: _elementwise,
    ins.Sum: _reduction,
    ins.Max: _reduction,
    ins.Min: _reduction,
    ins.ArgMax: _reduction,
    ins.WeightedMedian: _weighted_median,
    ins.Gather: _gather,
    ins.Reshape: _reshape,
    ins.Concat: _concat,
    ins.Dequantize: _dequantize,
}
