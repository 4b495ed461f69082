"""Random integer programs, for the tests that compare engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skq.exceptions import AccumulatorOverflowError
from skq.program import IntegerProgram, ProgramBuilder, TensorType
from skq.program import instructions as ins

Rng = np.random.Generator


def _integers(rng: Rng, bits: int, shape: Any) -> np.ndarray:
    return rng.integers(-(2**bits), 2**bits, size=shape, endpoint=True)


def _width(rng: Rng) -> int:
    return int(rng.choice([0, 1, 3, 7, 8, 15, 16, 20]))


def _quantize(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    shape = b.types[value].shape
    per_feature = shape[-1:] if rng.random() < 0.7 else ()
    lo = int(rng.choice([0, -3, -128, -(2**15), -(2**31), -(2**40)]))
    hi = lo + int(rng.choice([0, 1, 7, 255, 2**16 - 1, 2**33]))
    scale = 10.0 ** rng.uniform(-3, 2, size=per_feature)
    if rng.random() < 0.3:
        scale = 2.0 ** np.round(np.log2(scale))  # ties
    far = rng.random() < 0.1
    zero_point = _integers(rng, 40 if far else 8, per_feature)
    return ins.Quantize((value,), np.asarray(scale), np.asarray(zero_point), lo, hi)


def _bin(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    features = b.types[value].shape[0]
    n = int(rng.integers(0, 12)) if features else 0
    most = int(rng.choice([1, 4, 20, 300]))
    counts = rng.integers(0, most, size=n, endpoint=True)
    columns = [np.sort(np.round(rng.normal(size=c) * 3, 1)) for c in counts]
    base = rng.integers(-2, 3, size=n)
    nan_code = np.where(rng.random(n) < 0.5, base - 1, base + counts + 1)
    if n and rng.random() < 0.1:
        nan_code[0] = 70000
    if n and rng.random() < 0.3 and counts[0] > 2:
        columns[0][-1], columns[0][0] = np.inf, -np.inf
    return ins.Bin(
        (value,),
        feature=rng.integers(0, max(features, 1), size=n),
        edges=np.concatenate([np.zeros(0), *columns]),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        base=base,
        nan_code=nan_code,
    )


def _matmul(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    n = b.types[value].shape[-1]
    m = int(rng.choice([0, 1, 3, 16, 17, 70]))
    weights = _integers(rng, int(rng.choice([0, 4, 7, 15, 20])), (n, m))
    if rng.random() < 0.5:
        weights = np.clip(weights, -128, 127)
    return ins.MatMul((value,), weights)


def _requantize(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    shape = b.types[value].shape
    per_channel = shape[-1:] if rng.random() < 0.6 else ()
    lo = int(rng.choice([0, -8, -(2**20)]))
    hi = lo + int(rng.choice([0, 15, 255, 2**21]))
    return ins.Requantize(
        (value,),
        multiplier=np.asarray(_integers(rng, int(rng.choice([1, 8, 30])), per_channel)),
        offset=np.asarray(_integers(rng, int(rng.choice([3, 20, 35])), per_channel)),
        shift=int(rng.choice([0, 1, 10, 31, 62])),
        lo=lo,
        hi=hi,
    )


def _table(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction | None:
    type_ = b.types[value]
    lo, hi = type_.interval
    if hi - lo > 5000:
        return None
    channels = type_.shape[-1:] if rng.random() < 0.4 else ()
    if 0 in channels:
        return None
    return ins.Table((value,), _integers(rng, _width(rng) + 20, (*channels, hi - lo + 1)))


def random_trees(
    rng: Rng, value: int, n_columns: int, lo: int, hi: int, *, shared: bool = False
) -> ins.Trees:
    """Trees of random shapes; with `shared` two parents may have one child."""
    width = int(rng.integers(0, 6))
    n_outputs = width + int(rng.integers(0, 4))
    n_trees = int(rng.integers(0, 9))
    feature: list[int] = []
    threshold: list[int] = []
    left: list[int] = []
    right: list[int] = []
    roots = []
    leaves = 0
    inner_chance = float(rng.choice([0.3, 0.6, 0.95]))
    most = int(rng.choice([1, 9, 100, 900]))
    low, high = max(lo - 2, -(2**62)), min(hi + 2, 2**62)
    for _ in range(n_trees):
        roots.append(len(feature))
        count = 1
        k = roots[-1]
        for array in (feature, threshold, left, right):
            array.append(0)
        while k < len(feature):
            if n_columns and count < most and rng.random() < inner_chance:
                feature[k] = int(rng.integers(0, n_columns))
                threshold[k] = int(rng.integers(low, high, endpoint=True))
                left[k], right[k] = len(feature), len(feature) + 1
                for array in (feature, threshold, left, right):
                    array.extend([0, 0])
                count += 2
                if shared and rng.random() < 0.3:
                    left[k] = right[k]
            else:
                feature[k], left[k], right[k] = -1, leaves, 0
                leaves += 1
            k += 1
    return ins.Trees(
        (value,),
        roots=np.array(roots, dtype=np.int64),
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.int64),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        leaf_values=_integers(rng, int(rng.choice([2, 8, 15, 31, 50])), (leaves, width)),
        output=rng.integers(0, n_outputs - width, size=n_trees, endpoint=True),
        multiplier=rng.integers(1, int(rng.choice([1, 5, 300])), size=n_trees, endpoint=True),
        n_outputs=n_outputs,
    )


def _trees(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction | None:
    type_ = b.types[value]
    if len(type_.shape) != 1:
        return None
    return random_trees(
        rng, value, type_.shape[0], *type_.interval, shared=bool(rng.random() < 0.15)
    )


def _pair(kind: type[ins.Instruction]) -> Callable[..., ins.Instruction]:
    def make(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
        others = [v for v, t in enumerate(b.types) if t.is_integer]
        other = int(rng.choice(others))
        return kind((value, other) if rng.random() < 0.5 else (other, value))

    return make


def _reduce(kind: type[ins.Instruction]) -> Callable[..., ins.Instruction]:
    return lambda rng, b, value: kind((value,))


def _weighted_median(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction | None:
    n = b.types[value].shape[-1]
    bits = int(rng.choice([0, 2, 20, 31, 55]))
    weights = rng.integers(0, 2**bits, size=n, endpoint=True)
    total = int(weights.sum())
    if not total:
        return None
    half = (total + 1) // 2
    threshold = half if rng.random() < 0.7 else int(rng.integers(1, total, endpoint=True))
    return ins.WeightedMedian((value,), weights, threshold)


def _gather(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    size = b.types[value].size
    shape = tuple(rng.integers(1, 7, size=rng.integers(0, 4)))
    low = -1 if size == 0 or rng.random() < 0.5 else 0
    return ins.Gather(
        (value,), np.asarray(rng.integers(low, size, size=shape)), fill=int(rng.integers(-300, 300))
    )


def _reshape(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    size = b.types[value].size
    divisors = [d for d in range(1, size + 1) if size % d == 0]
    d = int(rng.choice(divisors)) if divisors else 0
    return ins.Reshape((value,), (size // d, d) if d else (0,))


def _concat(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    others = [v for v, t in enumerate(b.types) if t.is_integer]
    return ins.Concat((value, *(int(v) for v in rng.choice(others, size=rng.integers(0, 3)))))


def _dequantize(rng: Rng, b: ProgramBuilder, value: int) -> ins.Instruction:
    shape = b.types[value].shape
    channels = shape[-1:] if rng.random() < 0.5 else ()
    scale = np.asarray(10.0 ** rng.uniform(-3, 3, size=channels))
    zero = np.asarray(rng.integers(-9, 9, size=channels) / 2)
    return ins.Dequantize((value,), scale, zero)


MAKERS: dict[type[ins.Instruction], Callable[..., ins.Instruction | None]] = {
    ins.Quantize: _quantize,
    ins.Bin: _bin,
    ins.MatMul: _matmul,
    ins.Requantize: _requantize,
    ins.Table: _table,
    ins.Trees: _trees,
    **{k: _pair(k) for k in (ins.Add, ins.Sub, ins.Mul, ins.Maximum, ins.Minimum)},
    **{k: _reduce(k) for k in (ins.Sum, ins.Max, ins.Min, ins.ArgMax)},
    ins.WeightedMedian: _weighted_median,
    ins.Gather: _gather,
    ins.Reshape: _reshape,
    ins.Concat: _concat,
    ins.Dequantize: _dequantize,
}


def random_program(kinds: list[type[ins.Instruction]], seed: int) -> IntegerProgram:
    """A program that holds those of `kinds` that fit, one after another, with every value out."""
    rng = np.random.default_rng(seed)
    b = ProgramBuilder()
    b.input(TensorType((int(rng.choice([0, 1, 2, 5, 9, 33])),)))
    if rng.random() < 0.3:
        b.input(TensorType((int(rng.integers(1, 4)), int(rng.integers(1, 9)))))
    if rng.random() < 0.4:
        lo = int(rng.choice([0, -5, -(2**31), -(2**62)]))
        shape = tuple(int(d) for d in rng.integers(1, 5, size=rng.integers(0, 3)))
        b.input(TensorType(shape, lo, lo + int(rng.choice([0, 200, 2**16, 2**32]))))
    b.add(_quantize(rng, b, 0))
    for kind in kinds:
        real = kind in (ins.Quantize, ins.Bin)
        axes = {ins.Bin: (1, 1), ins.MatMul: (1, 9), ins.WeightedMedian: (1, 9)}.get(kind, (0, 9))
        fitting = [
            v
            for v, t in enumerate(b.types)
            if t.is_integer != real and axes[0] <= len(t.shape) <= axes[1]
        ]
        if not fitting:
            continue
        recent = [v for v in fitting if v >= len(b.types) - 3] or fitting
        value = int(rng.choice(recent))
        try:
            step = MAKERS[kind](rng, b, value)
            if step is not None and b.add(step) and b.types[-1].size > 100_000:
                break
        except (AccumulatorOverflowError, ValueError):
            continue  # too wide, or shapes that do not fit: leave this one out
    return b.build({f"y{v}": v for v in range(len(b.types))})


def random_inputs(program: IntegerProgram, n_rows: int, rng: Rng) -> dict[int, np.ndarray]:
    """Rows for the inputs: far out of range, ties, NaN and infinity among the real ones."""
    inputs = {}
    for v, type_ in enumerate(program.inputs):
        shape = (n_rows, *type_.shape)
        if type_.is_integer:
            lo, hi = type_.interval
            inputs[v] = rng.integers(lo, hi, size=shape, endpoint=True)
            continue
        x = rng.normal(size=shape) * 10.0 ** rng.uniform(-2, 6, size=shape[-1:] if shape else ())
        kind = rng.random(shape)
        x = np.where(kind < 0.3, np.round(x * 4) / 4, x)
        special = rng.choice(
            [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324], size=shape
        )
        inputs[v] = np.where(kind > 0.9, special, x)
    return inputs


def linear_program(
    n: int, m: int, lo: int = 0, hi: int = 255, weight_bits: int = 7, seed: int = 0
) -> IntegerProgram:
    """Scales are powers of two, so that ties are frequent in `linear_tables`."""
    rng = np.random.default_rng(seed)
    b = ProgramBuilder()
    x = b.input(TensorType((n,)))
    scale = 2.0 ** rng.integers(-3, 3, size=n)
    zero = rng.integers(lo, hi, size=n, endpoint=True)
    q = b.add(ins.Quantize((x,), scale, zero, lo, hi))
    weights = rng.integers(-(2**weight_bits), 2**weight_bits, size=(n, m), endpoint=True)
    return b.build({"sum": b.add(ins.MatMul((q,), weights))})


def linear_tables(n_rows: int, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows with many ties, with values far outside, and smooth ones."""
    rng = np.random.default_rng(seed)
    ties = rng.integers(-400, 400, size=(n_rows, n)) / 16
    far = rng.normal(size=(n_rows, n)) * 10.0 ** rng.integers(-3, 300, size=n)
    return {"ties": ties, "far": far, "smooth": rng.normal(size=(n_rows, n)) * 30}
