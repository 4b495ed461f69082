"""Packed constants: every kernel reads them as they are; a plan packs what saves bytes."""

import numpy as np
import pytest

from skq.bitpacking import PackedIntegers, bytes_of_planes
from skq.engines import native, reference
from skq.kernels import constants, layout
from skq.kernels.constants import packed_where_it_saves
from skq.program import INSTRUCTIONS, ProgramBuilder, TensorType
from skq.program import instructions as ins
from tests.program.random_programs import random_inputs, random_program

pytestmark = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))


@pytest.fixture
def everything_packed(monkeypatch):
    """Constants are packed whether that saves bytes or not."""
    monkeypatch.setattr(constants, "LEAST_SAVED", -(2**62))


def assert_equal_to_the_reference(program, inputs, n_rows, n_threads=1):
    wanted = [v for v in range(len(program.types)) if v not in inputs]
    expected = reference.evaluate(program, inputs, wanted)
    flat = tuple(x.reshape(n_rows, program.types[v].size) for v, x in inputs.items())
    for isa in range(native.best_isa() + 1):
        plan = native.NativePlan(program, tuple(inputs), wanted, isa=isa)
        status, found = plan.run(flat, n_rows, n_threads=n_threads)
        assert status == layout.OK
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed, everything_packed):
    rng = np.random.default_rng(seed)
    kinds = [list(INSTRUCTIONS)[i] for i in rng.integers(0, len(INSTRUCTIONS), size=9)]
    program = random_program(kinds, seed)
    arrays = [a for step in program.instructions for a in step.arrays().values()]
    integers = [a for a in arrays if a.dtype.kind in "iu" and a.size]
    assert all(isinstance(packed_where_it_saves(a), PackedIntegers) for a in integers)
    n_rows = int(rng.choice([1, 3, 15, 16, 65, 257]))
    inputs = random_inputs(program, n_rows, rng)
    assert_equal_to_the_reference(program, inputs, n_rows, n_threads=1 + seed % 2)


@pytest.mark.parametrize("n", [1, 23, 24, 300, 3_000])
@pytest.mark.parametrize("reach", [0, 3, 2**17, 2**31, 2**62])
@pytest.mark.parametrize("bits", [1, 20, 50])
def test_weighted_medians(n, reach, bits):
    """Few values and many, ties, all in one bin of the kernel, and far from each other."""
    rng = np.random.default_rng(n)
    b = ProgramBuilder()
    x = b.input(TensorType((n,), -reach, reach))
    weights = rng.integers(0, 2**bits, size=n)
    weights[0] += 1
    outputs = {
        str(part): b.add(ins.WeightedMedian((x,), weights, max(1, int(weights.sum() * part))))
        for part in (0, 0.5, 1)
    }
    program = b.build(outputs)
    rows = rng.integers(-reach, reach, size=(40, n), endpoint=True)
    rows[::3] //= 1 + reach // 5
    rows[1::4, 1:] = rows[1, 1:] // 2**20
    assert_equal_to_the_reference(program, {0: rows}, len(rows))


def matmul(n, m, bits, hi, *, signed=True, rows_a_row=()):
    rng = np.random.default_rng(bits)
    lo, top = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    b = ProgramBuilder()
    x = b.input(TensorType((*rows_a_row, n), 0, hi))
    weights = rng.integers(lo, top, size=(n, m), endpoint=True)
    return b.build({"y": b.add(ins.MatMul((x,), weights))})


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 30])
@pytest.mark.parametrize(
    ("n", "m"), [(1, 5), (50, 70), (63, 16), (64, 17), (65, 33), (256, 9), (3_000, 3)]
)
def test_matmul(bits, n, m):
    """Rows on both sides of where weights are arranged; codes of 8 bits, and more."""
    rng = np.random.default_rng(0)
    for hi in (255, 2000, 2**20):
        program = matmul(n, m, bits, hi, signed=n != 64)
        for n_rows in (1, 5, layout.FEW_PRODUCTS - 1, layout.FEW_PRODUCTS, 70):
            if n_rows * n > 60_000:
                continue
            x = rng.integers(0, hi, size=(n_rows, n), endpoint=True)
            assert_equal_to_the_reference(program, {0: x}, n_rows)


def test_a_row_may_hold_many_rows_of_a_matmul():
    program = matmul(20, 30, 5, 255, rows_a_row=(3, 7))
    for n_rows in (1, 2, 40):
        x = np.random.default_rng(0).integers(0, 255, size=(n_rows, 3, 7, 20), endpoint=True)
        assert_equal_to_the_reference(program, {0: x}, n_rows)


@pytest.mark.parametrize("channels", [(), (6,)])
@pytest.mark.parametrize("bits", [3, 7, 11, 20])
def test_tables(bits, channels):
    """Large tables are read entry by entry where rows are few."""
    rng = np.random.default_rng(bits)
    for size in (600, 5000):
        b = ProgramBuilder()
        x = b.input(TensorType((6,), -5, size - 6))
        table = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size=(*channels, size))
        program = b.build({"y": b.add(ins.Table((x,), table))})
        packed = packed_where_it_saves(program.instructions[0].table)
        assert isinstance(packed, PackedIntegers)
        for n_rows in (1, 3, 200):
            x = rng.integers(-5, size - 6, size=(n_rows, 6), endpoint=True)
            assert_equal_to_the_reference(program, {0: x}, n_rows)


def integers(bits, size):
    """Signed integers that need exactly `bits`."""
    array = np.random.default_rng(bits).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size=size)
    array[0] = -(2 ** (bits - 1))
    return array


def test_only_what_saves_is_packed():
    packed = packed_where_it_saves(integers(4, 200))
    assert isinstance(packed, PackedIntegers)
    assert packed.data.nbytes == 100
    assert packed_where_it_saves(integers(4, 100)).dtype == np.int8
    assert packed_where_it_saves(integers(8, 10_000)).dtype == np.int8
    reals = np.linspace(0, 1, 500)
    assert packed_where_it_saves(reals) is reals
    assert packed_where_it_saves(np.zeros((0, 3), np.int64)).shape == (0, 3)


def test_a_plan_holds_its_constants_in_one_packed_block():
    """The block has the bits of the program's constants, and nothing of the program is shared."""
    rng = np.random.default_rng(0)
    b = ProgramBuilder()
    x = b.input(TensorType((60,)))
    q = b.add(ins.Quantize((x,), np.full(60, 0.5), rng.integers(0, 8, size=60), 0, 15))
    h = b.add(ins.MatMul((q,), rng.integers(-4, 4, size=(60, 200))))
    h = b.add(ins.Requantize((h,), rng.integers(1, 2**9, 200), rng.integers(0, 99, 200), 9, 0, 15))
    h = b.add(ins.Table((h,), rng.integers(0, 8, size=(200, 16))))
    h = b.add(ins.Gather((h,), rng.integers(0, 200, size=300)))
    program = b.build({"y": b.add(ins.MatMul((h,), rng.integers(-2, 2, size=(300, 3))))})
    plan = native.NativePlan(program, [0], [program.outputs["y"]])
    arrays = [a for step in program.instructions for a in step.arrays().values()]
    assert not any(np.shares_memory(plan.constants, a) for a in arrays)
    assert plan.constants.nbytes <= program.nbytes + 64 * len(arrays)
    assert not plan.constants.flags.writeable
    first = program.instructions[1]
    planes = sum(bytes_of_planes(first.weights.size, 3))
    assert planes < plan.constants.nbytes < first.weights.nbytes
    x = rng.normal(size=(30, 60))
    for n_rows in (1, 30):
        assert_equal_to_the_reference(program, {0: x[:n_rows]}, n_rows)
