"""The native engine: integer programs on the compiled C99 kernels.

`NativePlan` turns a program, once, into the packed arrays that the kernels read: every value gets a
storage dtype as narrow as its proven interval and a place in an arena of one block of rows, every
instruction becomes one ``skq_step`` (one function a kind of instruction below, found by `_EMIT`).
`Reshape` costs nothing; a `Bin` that only feeds a `Trees` becomes part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import forests, layout
from skq.engines.reference import _schedule
from skq.program import instructions as ins
from skq.program.program import IntegerProgram
from skq.program.storage import PackedIntegers, narrowed
from skq.program.types import TensorType

try:
    from skq.engines import _native  # type: ignore[attr-defined, unused-ignore]

    layout.check(_native.layout())
    UNAVAILABLE: str | None = None
except ImportError as error:
    _native = None
    UNAVAILABLE = f"the compiled extension cannot be used ({error})"

Array = NDArray[Any]

#: Environment variable that caps the instruction set of plans made from then on, for measurements.
ISA_VARIABLE = "SKQ_MAX_ISA"
#: Bytes of one block of rows that are worked on together: well within a level-2 cache.
BLOCK_BYTES = 96 * 1024
_INT32_MAX = 2**31 - 1
_INFINITE, _NONFINITE = layout.REFUSE["infinite"], layout.REFUSE["nonfinite"]
#: Outputs of a matmul that is worth computing while its operand is quantized.
_LINEAR_OUTPUTS = 4


def best_isa() -> int:
    """Best instruction set of this machine (`layout.ISA_NAMES`), capped by `ISA_VARIABLE`."""
    if _native is None:
        raise ImportError(UNAVAILABLE)
    best = int(_native.best_isa())
    most = os.environ.get(ISA_VARIABLE)
    if most is None:
        return best
    if most not in layout.ISA_VALUES:
        raise ValueError(
            f"the environment variable {ISA_VARIABLE} must be one of "
            f"{', '.join(layout.ISA_VALUES)}. Got {most!r} instead."
        )
    return min(best, layout.ISA_VALUES.index(most))


class NativePlan:
    """A program compiled for given inputs and wanted targets; immutable, safe from any thread.

    Parameters
    ----------
    program : IntegerProgram
    given : sequence of int
        Values that will be passed in.
    targets : sequence of int
        Values wanted, none of them given.
    isa : int or None, default=None
        Instruction set; None takes the best of this machine.
    packed : dict or None, default=None
        Trees that plans of this program have packed; they share them.
    """

    def __init__(
        self,
        program: IntegerProgram,
        given: Sequence[int],
        targets: Sequence[int],
        isa: int | None = None,
        packed: dict[Any, Any] | None = None,
    ) -> None:
        self.isa = best_isa() if isa is None else isa
        self.given, self.targets = tuple(given), tuple(targets)
        self._keep: list[Array] = []
        packer = _Packer(
            program,
            self.given,
            self.targets,
            self.isa,
            self._keep,
            {} if packed is None else packed,
        )
        self._program = packer.pack()
        results = tuple(
            (program.types[t].shape, np.dtype(np.int64 if program.types[t].is_integer else float))
            for t in targets
        )
        self._prepared = (int(self._program.ctypes.data), self.isa, np.empty, results)

    def __reduce__(self) -> str:
        raise TypeError("a plan holds addresses of this process; pickle its program instead")

    @property
    def nbytes(self) -> int:
        """Bytes of all packed arrays."""
        return sum(array.nbytes for array in self._keep)

    def run(
        self,
        inputs: Sequence[Array],
        n_rows: int,
        n_threads: int = 1,
        refuse: str | None = None,
    ) -> tuple[int, list[Array]]:
        """Status (`layout.OK` …) and the targets' rows.

        Parameters
        ----------
        inputs : sequence of ndarray of shape (n_rows, size)
            Rows of the given values, flattened, in the order of `given`; any strides. The status
            is `layout.UNREADABLE` for arrays of another shape or of a dtype, byte order or
            alignment that the kernels do not read.
        n_rows : int
        n_threads : int, default=1
        refuse : {None, "infinite", "nonfinite"}, default=None
            What real inputs must not hold.
        """
        code = layout.REFUSE[refuse]
        found = _native.run(self._prepared, list(inputs), n_rows, n_threads, code)
        return (layout.OK, found) if type(found) is list else (found, [])

    def run_table(self, X: Array, n_threads: int, takes_missing: bool) -> list[Array] | None:
        """The targets' rows for the one input, or None unless all is readable and taken."""
        refuse = _INFINITE if takes_missing else _NONFINITE
        found = _native.run(self._prepared, [X], len(X), n_threads, refuse)
        return found if type(found) is list else None


class _Packer:
    """Lays out one program; used once."""

    def __init__(
        self,
        program: IntegerProgram,
        given: tuple[int, ...],
        targets: tuple[int, ...],
        isa: int,
        keep: list[Array],
        packed: dict[Any, Any],
    ) -> None:
        self.program, self.given, self.targets, self.isa = program, given, targets, isa
        self.types = program.types
        self.keep, self._packed = keep, packed
        first = len(program.inputs)
        known: Mapping[int, Any] = dict.fromkeys(given)
        self.steps: dict[int, ins.Instruction] = {
            number: program.instructions[number - first]
            for number in _schedule(program, known, list(targets))
        }
        self.readers: dict[int, list[int]] = {}
        for number, step in self.steps.items():
            for operand in step.inputs:
                self.readers.setdefault(operand, []).append(number)
        self.same = {v: v for v in range(len(self.types))}  # Reshape: the operand's place
        self.dtype = [_storage(t) for t in self.types]
        self.fused: set[int] = set()
        self.forests: dict[int, forests.Forest] = {}
        self.linear: set[int] = set()
        self.checked: set[int] = set()
        self.rows: list[dict[str, int]] = []
        self.laid_out = 0
        self.arranged = 0
        self.most_products = 0  # rows of a matmul in a row of the program
        self.scratch = 0
        self.scratch_a_row = 0

    def pack(self) -> Array:
        """The ``skq_program``."""
        for number, step in self.steps.items():
            _EMIT[type(step)](self, number, step)
        slots, slot_bytes = self._slots()
        values = np.zeros(len(self.types), dtype=layout.VALUE)
        for v, type_ in enumerate(self.types):
            lo, hi = (type_.lo, type_.hi) if type_.lo is not None else (0, 0)
            slot = slots.get(self.same[v], -1)
            values[v] = (type_.size, lo, hi, slot, self.dtype[v], v in self.checked)
        steps = np.zeros(len(self.rows), dtype=layout.STEP)
        for i, row in enumerate(self.rows):
            for name, number in row.items():
                steps[name][i] = number
        program = np.zeros(1, dtype=layout.PROGRAM)
        block = self._block_rows(slot_bytes)
        program["n_values"], program["n_steps"] = len(values), len(steps)
        program["n_slots"], program["block"] = len(slot_bytes), block
        program["n_inputs"], program["n_outputs"] = len(self.given), len(self.targets)
        program["scratch"] = self.scratch + self.scratch_a_row * block
        program["laid_out"], program["arranged"] = self.laid_out, self.arranged
        program["arranged_from"] = -(-layout.FEW_PRODUCTS // max(self.most_products, 1))
        for name, array in (
            ("values", values),
            ("steps", steps),
            ("slot_bytes", np.array(slot_bytes, dtype=np.int64)),
            ("inputs", np.array(self.given, dtype=np.int32)),
            ("outputs", np.array(self.targets, dtype=np.int32)),
        ):
            program[name] = self.constant(array)
        self.keep.append(program)
        return program

    def constant(self, array: Array) -> int:
        """Address of an array that lives as long as the plan; the array itself where it can be."""
        array = np.ascontiguousarray(array)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        self.keep.append(array)
        return int(array.ctypes.data)

    def packed(self, make: Callable[[], Any], number: int, form: object) -> Any:
        """What `make` packs for value `number`, or has packed for another plan of the program."""
        key = (number, form, self.isa)
        if key not in self._packed:
            self._packed[key] = make()
        return self._packed[key]

    def numbers(self, letter: str, array: Array | PackedIntegers) -> dict[str, int]:
        """Fields of a step for an array, packed or of any dtype that the kernels load."""
        if isinstance(array, PackedIntegers):
            dtype = layout.PACKED + array.bits + layout.SIGNED * array.signed
            return {letter: self.constant(array.data), f"{letter}_dtype": dtype}
        if array.dtype.name not in layout.CONSTANTS:
            array = array.astype(np.int64)
        dtype = layout.CONSTANTS[array.dtype.name]
        return {letter: self.constant(array), f"{letter}_dtype": dtype}

    def own(self, size: int) -> dict[str, int]:
        """The field of a step for bytes of the arena in which it lays out its constants."""
        start = self.laid_out
        self.laid_out += _lines(size)
        return {"own": start // layout.LINE_BYTES}

    def emit(self, number: int, op: str, operand: int, **fields: int) -> None:
        """Append a step that defines value `number`."""
        self.rows.append({"op": layout.OPS[op], "in": operand, "out": number, **fields})

    def _slots(self) -> tuple[dict[int, int], list[int]]:
        """Place of each value in the arena, reused after its last reader, and their sizes."""
        last: dict[int, int] = {}
        for number, step in self.steps.items():
            reader = max(self.readers.get(number, [number])) if number in self.fused else number
            for operand in step.inputs:
                root = self.same[operand]
                last[root] = max(last.get(root, 0), reader)
        forever = len(self.types)
        for value in (*self.targets, *self.given):
            last[self.same[value]] = forever
        slots: dict[int, int] = {}
        sizes: list[int] = []
        free: list[int] = []
        for value in (*self.given, *self.steps):
            if value in self.fused or self.same[value] != value:
                continue
            wanted = self.types[value].size * layout.ITEM_BYTES[self.dtype[value]]
            fitting = [s for s in free if sizes[s] >= wanted]
            if fitting:
                slot = min(fitting, key=sizes.__getitem__)
                free.remove(slot)
            else:
                slot = len(sizes)
                sizes.append(wanted)
            slots[value] = slot
            if value in self.steps:
                free += [slots[v] for v in slots if last.get(v) == value and slots[v] not in free]
        return slots, sizes

    def _block_rows(self, slot_bytes: list[int]) -> int:
        a_row = sum(slot_bytes) + self.scratch_a_row + 1
        rows = int(min(max(BLOCK_BYTES // a_row, 1), 1024))
        if any(row["op"] == layout.OPS["Trees"] for row in self.rows):
            return layout.ROWS if rows > 16 else rows
        return rows // 64 * 64 if rows > 64 else rows


def _lines(size: int) -> int:
    """Bytes of whole cache lines."""
    return -(-size // layout.LINE_BYTES) * layout.LINE_BYTES


def _by_outputs(weights: Array | PackedIntegers) -> Array | PackedIntegers:
    """Weights of a MatMul as the kernels read them, those of an output together."""
    return weights if isinstance(weights, PackedIntegers) else weights.T


def _storage(type_: TensorType) -> int:
    """Narrowest storage dtype of a value."""
    name = type_.dtype
    return layout.DTYPES.index("int64" if name == "uint32" else name)


def _channels(
    p: _Packer, type_: TensorType, **parameters: Array | PackedIntegers
) -> dict[str, int]:
    """Step fields of parameters along the last axis: arrays of one length."""
    if type_.size == 0:  # nothing is computed; kernels read one number
        parameters = {letter: np.ones((), array.dtype) for letter, array in parameters.items()}
    scalars = all(array.shape == () for array in parameters.values())
    last = 1 if scalars else type_.shape[-1]
    fields = {"m": type_.size, "n": last}
    for letter, array in parameters.items():
        fields |= p.numbers(letter, _repeated(array, last))
    # a third array is the reciprocals of a Quantize
    return fields | p.own(3 * 8 * last * -(-layout.PERIOD // last))


def _repeated(array: Array | PackedIntegers, length: int) -> Array | PackedIntegers:
    """A scalar as an array of a length; arrays of that length as they are."""
    if array.shape == (length,):
        return array
    if isinstance(array, PackedIntegers):
        array = array.unpacked()
    return np.broadcast_to(array, (length,))


def _quantize(p: _Packer, number: int, step: ins.Quantize) -> None:
    scale = np.asarray(step.scale, np.float64)
    zero = step.zero_point.astype(np.float64)
    if step.inputs[0] in p.given:
        p.checked.add(step.inputs[0])
    if max(-step.lo, step.hi) >= 2**30:
        kind = layout.WIDE_CODES
        p.dtype[number] = layout.I64
    else:
        # x * (1 / scale) is then normal and within 2**-30 of x / scale near every code
        size = float(np.abs(zero).max(initial=0.0)) + max(abs(step.lo), abs(step.hi)) + 2
        scale_ok = bool(np.all((scale > 1e-290) & (scale < 1e290))) and size < 2**20
        kind = layout.RECIPROCAL if scale_ok else layout.DIVIDE
    if kind == layout.RECIPROCAL and _feeds_few_outputs(p, number):
        p.fused.add(number)
        p.linear.add(number)
        return
    fields = _channels(p, p.types[number], a=scale, b=step.kept()["zero_point"])
    p.emit(number, "Quantize", step.inputs[0], kind=kind, lo=step.lo, hi=step.hi, **fields)


def _feeds_few_outputs(p: _Packer, number: int) -> bool:
    """Whether one small matmul alone reads the codes, whose sums doubles hold exactly."""
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


def _linear(p: _Packer, number: int, step: ins.MatMul) -> None:
    """Quantize and MatMul as one step, without codes in memory."""
    codes = step.inputs[0]
    quantize = p.steps[codes]
    assert isinstance(quantize, ins.Quantize)
    weights = step.kept()["weights"]
    n, m = weights.shape
    scale = np.broadcast_to(np.asarray(quantize.scale, np.float64), (n,))
    fields = p.numbers("a", scale) | p.numbers("b", _repeated(quantize.kept()["zero_point"], n))
    fields |= p.numbers("c", _by_outputs(weights))
    fields |= p.own((3 + m) * 8 * (-(-n // 8) * 8))
    p.dtype[number] = layout.I32 if _within_int32(p.types[number]) else layout.I64
    lo, hi = quantize.lo, quantize.hi
    p.emit(number, "Linear", quantize.inputs[0], n=n, m=m, lo=lo, hi=hi, **fields)


def _bin(p: _Packer, number: int, step: ins.Bin) -> None:
    readers = p.readers.get(number, [])
    trees = p.steps.get(readers[0]) if len(readers) == 1 else None
    if number not in p.targets and isinstance(trees, ins.Trees):
        type_ = p.types[number]
        pack = partial(forests.pack, trees, *type_.interval, type_.size, step, p.isa)
        forest = p.packed(pack, readers[0], "real")
        if forest.codes != layout.CODES_WIDE:
            p.fused.add(number)
            p.forests[readers[0]] = forest
            return
    p.emit(number, "Bin", step.inputs[0], **_bins(p, step))


def _bins(p: _Packer, step: ins.Bin) -> dict[str, int]:
    """Step fields of a binning: the address of its ``skq_bins``, and its own bytes."""
    struct = np.zeros(1, dtype=layout.BINS)
    struct["n"] = len(step.feature)
    struct["edges"] = p.constant(np.asarray(step.edges, np.float64))
    for name in ("feature", "offsets", "base", "nan_code"):
        for field, number in p.numbers(name, step.kept()[name]).items():
            struct[field] = number
    return {"a": p.constant(struct), **p.own(8 * 4 * (len(step.feature) + 1))}


def _trees(p: _Packer, number: int, step: ins.Trees) -> None:
    operand = step.inputs[0]
    binning = p.steps.get(operand)
    fields: dict[str, int] = {}
    addresses: dict[str, int] = {}
    if operand in p.fused:
        assert isinstance(binning, ins.Bin)
        forest = p.forests[number]
        operand = binning.inputs[0]
        if forest.codes != layout.CODES_NONE:
            fields = _bins(p, binning)
            addresses["bins"] = fields["a"]
    else:
        type_ = p.types[operand]
        pack = partial(forests.pack, step, *type_.interval, type_.size, None, p.isa)
        forest = p.packed(pack, number, "codes")
    p.dtype[number] = layout.I32 if _within_int32(p.types[number]) else layout.I64
    for name, array in forest.arrays.items():
        addresses[name] = p.constant(array)
    p.scratch = max(p.scratch, forest.scratch)
    p.emit(number, "Trees", operand, **(fields | {"a": p.constant(forest.struct(addresses))}))


def _within_int32(type_: TensorType) -> bool:
    lo, hi = type_.interval
    return lo >= -_INT32_MAX and hi <= _INT32_MAX


def _matmul(p: _Packer, number: int, step: ins.MatMul) -> None:
    if step.inputs[0] in p.linear:
        _linear(p, number, step)
        return
    operand = p.types[step.inputs[0]]
    weights = step.kept()["weights"]
    n, m = weights.shape
    kind = _matmul_kind(p, step.inputs[0], step.weights)
    narrow = kind not in (layout.DOT_I32_I32, layout.DOT_I64_I64)
    p.dtype[number] = layout.I32 if narrow else layout.I64
    form = _MATMUL[kind]
    if p.dtype[step.inputs[0]] != form.operand:
        p.scratch_a_row = max(p.scratch_a_row, operand.size * layout.ITEM_BYTES[form.operand])
    an_output = n * layout.ITEM_BYTES[form.operand]
    together = min(max(layout.PANEL_BYTES // (an_output + 1), layout.GROUP_OUTPUTS), max(m, 1))
    panel = _lines(together * an_output + layout.LINE_BYTES)  # a vector may reach beyond
    p.scratch = max(p.scratch, panel)
    p.most_products = max(p.most_products, p.types[number].size // max(m, 1))
    fields = p.numbers("a", _by_outputs(weights)) | {"own": p.arranged // layout.LINE_BYTES}
    p.arranged += _lines(form.arranged_bytes(n, m))
    p.emit(number, "MatMul", step.inputs[0], kind=kind, n=n, m=m, lo=together, hi=panel, **fields)


def _matmul_kind(p: _Packer, operand: int, weights: Array) -> int:
    lo, hi = p.types[operand].interval
    least, most = int(weights.min(initial=0)), int(weights.max(initial=0))
    sums = np.abs(weights.astype(np.float64)).sum(axis=0).max(initial=0.0)
    if sums * max(-lo, hi) < _INT32_MAX and least >= -(2**15) and most < 2**15:
        bytes_ = lo >= 0 and hi <= 255 and least >= -128 and most <= 127
        if bytes_ and p.isa == layout.AVX512_VNNI:
            return layout.QUADS_U8_I8
        if -(2**15) <= lo and hi < 2**15:
            if p.isa >= layout.AVX2:
                small = least >= -128 and most <= 127
                return layout.PAIRS_I16_I8 if small else layout.PAIRS_I16_I16
            return layout.DOT_U8_I8 if bytes_ else layout.DOT_I16_I16
    if max(-lo, hi, -least, most) <= _INT32_MAX:
        return layout.DOT_I32_I32
    return layout.DOT_I64_I64


@dataclass(frozen=True)
class _Product:
    """A kind of matmul: dtypes, and how a run of many rows arranges the weights."""

    operand: int
    weights: int
    inputs: int = 1  # of an output that stand together
    spare: int = 0  # weights behind the last that may be read and are not used

    def arranged_bytes(self, n: int, m: int) -> int:
        """Bytes of weights of shape (n, m)."""
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


def _requantize(p: _Packer, number: int, step: ins.Requantize) -> None:
    operand = step.inputs[0]
    lo, hi = p.types[number].interval
    narrow = (
        p.dtype[operand] == layout.I32
        and int(np.abs(np.asarray(step.multiplier, np.int64)).max(initial=0)) <= _INT32_MAX
        and _within_int32(p.types[number])
    )
    kept = step.kept()
    fields = _channels(p, p.types[number], a=kept["multiplier"], b=kept["offset"])
    kind = layout.NARROW_FACTORS if narrow else layout.ANY_FACTORS
    p.emit(number, "Requantize", operand, kind=kind, shift=step.shift, lo=lo, hi=hi, **fields)


def _table(p: _Packer, number: int, step: ins.Table) -> None:
    operand = step.inputs[0]
    table = step.kept()["table"]
    if not isinstance(table, PackedIntegers):
        table = np.asarray(table, layout.DTYPES[p.dtype[number]])
    p.emit(
        number,
        "Table",
        operand,
        n=table.shape[0] if len(table.shape) == 2 else 0,
        m=p.types[number].size,
        lo=p.types[operand].interval[0],
        hi=table.shape[-1],
        **p.numbers("a", table),
        **p.own(table.size * layout.ITEM_BYTES[p.dtype[number]]),
    )


def _elementwise(p: _Packer, number: int, step: ins.Instruction) -> None:
    shape = p.types[number].shape
    fields: dict[str, int] = {}
    for letter, operand in zip("ab", step.inputs, strict=True):
        type_ = p.types[operand]
        places = np.arange(type_.size, dtype=np.int32).reshape(type_.shape)
        index = np.broadcast_to(places, shape).ravel()
        if not np.array_equal(index, places.ravel()):
            fields |= p.numbers(letter, narrowed(index))
    a, b = step.inputs
    p.emit(number, type(step).__name__, a, in2=b, n=p.types[number].size, **fields)


def _reduction(p: _Packer, number: int, step: ins.Instruction) -> None:
    operand = step.inputs[0]
    length = p.types[operand].shape[-1]
    p.emit(number, type(step).__name__, operand, n=length, m=p.types[number].size)


def _gather(p: _Packer, number: int, step: ins.Gather) -> None:
    operand = step.inputs[0]
    index = step.kept()["indices"]
    dtype = layout.CONSTANTS[index.dtype.name]
    laid_out = layout.I64 if dtype >= len(layout.ITEM_BYTES) else dtype
    p.emit(
        number,
        "Gather",
        operand,
        n=p.types[operand].size,
        m=index.size,
        lo=step.fill,
        kind=laid_out,
        **p.numbers("a", index),
        **p.own(index.size * layout.ITEM_BYTES[laid_out]),
    )


def _reshape(p: _Packer, number: int, step: ins.Reshape) -> None:
    operand = step.inputs[0]
    p.same[number] = p.same[operand]
    p.dtype[number] = p.dtype[operand]


def _concat(p: _Packer, number: int, step: ins.Concat) -> None:
    place = 0
    for operand in step.inputs:
        size = p.types[operand].size
        p.emit(number, "Concat", operand, n=size, m=p.types[number].size, lo=place)
        place += size


def _dequantize(p: _Packer, number: int, step: ins.Dequantize) -> None:
    fields = _channels(
        p,
        p.types[number],
        a=np.asarray(step.scale, np.float64),
        b=np.asarray(step.zero_point, np.float64),
    )
    p.emit(number, "Dequantize", step.inputs[0], **fields)


_EMIT: Mapping[type[ins.Instruction], Callable[..., None]] = {
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
    ins.Gather: _gather,
    ins.Reshape: _reshape,
    ins.Concat: _concat,
    ins.Dequantize: _dequantize,
}
