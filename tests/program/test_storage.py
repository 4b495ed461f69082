"""Packed integers: every width, every size; instructions read as if nothing were packed."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from skq.bitpacking import bytes_of_planes
from skq.engines import reference
from skq.program import IntegerProgram, ProgramBuilder, TensorType, storage
from skq.program import instructions as ins
from skq.program.instructions.instruction import compacted
from skq.program.storage import PackedIntegers, compact
from skq.serialization import dumps, loads


def integers(bits, signed, shape, seed=0):
    """Integers that need exactly `bits`, and the extremes among them."""
    lo, hi = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    array = np.random.default_rng(seed).integers(lo, hi, size=shape, endpoint=True)
    array.flat[0], array.flat[-1] = lo, hi
    return array


@pytest.mark.parametrize("bits", range(1, 64))
@pytest.mark.parametrize("signed", [False, True])
def test_every_width_comes_back(bits, signed):
    for size in (2, 3, 7, 8, 9, 63, 64, 65, 1000):
        array = integers(bits, signed, size, seed=size)
        packed = PackedIntegers.of(array)
        assert (packed.bits, packed.signed, packed.size) == (bits, signed, size)
        assert len(packed.data) == sum(bytes_of_planes(size, bits)) <= size * bits / 8 + 10
        back = packed.unpacked()
        assert back.dtype == packed.dtype == storage.narrowed(array).dtype
        np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_shapes_and_orders(order):
    for shape in ((5, 7), (1, 9), (3, 4, 2), (11,)):
        array = integers(3, True, shape)
        back = PackedIntegers.of(array, order).unpacked()
        np.testing.assert_array_equal(back, array)
        assert back.flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_array_equal(PackedIntegers.of(np.array(-3)).unpacked(), -3)


def kept(*arrays, order="C"):
    return compact(arrays, [order] * len(arrays))


def test_only_what_saves_is_packed():
    rest = np.random.default_rng(0).normal(size=5000)
    few, many = integers(4, True, 100), integers(4, True, 200)
    packed, narrow, reals = kept(many, few, rest)
    assert isinstance(packed, PackedIntegers)
    assert narrow.dtype == np.int8
    np.testing.assert_array_equal(reals, rest)
    assert isinstance(kept(few)[0], PackedIntegers)  # half of all there is
    (whole,) = kept(integers(8, True, 10_000))
    assert whole.dtype == np.int8
    assert whole.ctypes.data % storage.LINE_BYTES == 0
    assert kept(np.zeros((0, 3), np.int64))[0].shape == (0, 3)


def test_small_arrays_share_a_buffer():
    arrays = [
        np.array([-128, 3, 127]),
        np.array([2.5, -1.0]),
        integers(3, True, (5, 7)),
        np.asfortranarray(np.random.default_rng(0).normal(size=(3, 2))),
        np.array(0.5),
        integers(8, True, storage.LEAST_ALONE),
    ]
    found = kept(*arrays, order="F")
    data = [a.data if isinstance(a, PackedIntegers) else a for a in found]
    *small, alone = [storage.owner_of(array) for array in data]
    assert all(owner is small[0] for owner in small)
    assert alone is not small[0]
    assert small[0].nbytes <= sum(array.nbytes for array in data[:-1]) + 7
    for array, before in zip(found, arrays, strict=True):
        back = array.unpacked() if isinstance(array, PackedIntegers) else array
        np.testing.assert_array_equal(back, before)
        assert back.ctypes.data % back.dtype.alignment == 0
    assert found[3].flags.f_contiguous
    again = kept(*found, order="F")
    assert all(a is b for a, b in zip(again, found, strict=True))


@pytest.fixture(scope="module")
def weights():
    return integers(3, True, (40, 30))


@pytest.fixture(scope="module")
def program(weights):
    b = ProgramBuilder()
    x = b.input(TensorType((40,), 0, 7))
    y = b.add(ins.MatMul((x,), weights))
    return b.build({"y": b.add(ins.Gather((y,), np.arange(30)[::-1].repeat(9), fill=4))})


def test_packed_fields_read_as_arrays(program, weights):
    step = program.instructions[0]
    assert isinstance(step.kept()["weights"], PackedIntegers)
    assert step.weights.dtype == np.int8
    np.testing.assert_array_equal(step.weights, weights)
    assert list(step.kept()) == ["inputs", "weights"]
    assert "weights=int8[40, 30]" in str(program)
    assert "array" in repr(step)
    assert "weights" in repr(step)
    with pytest.raises(ValueError, match="read-only"):
        step.weights[0] = 1
    with pytest.raises(AttributeError, match="'MatMul' object has no attribute 'bias'"):
        step.bias  # noqa: B018


def test_unpacked_keeps_arrays(program):
    step = program.instructions[0]
    plain = step.unpacked()
    assert plain.weights is plain.weights
    assert plain.unpacked() is plain
    (again,) = compacted([plain])
    np.testing.assert_array_equal(again.kept()["weights"].data, step.kept()["weights"].data)
    assert compacted([again]) == (again,)


def test_programs_of_the_same_instructions_share_their_memory(program):
    other = IntegerProgram(program.inputs, program.instructions, program.outputs)
    assert other.instructions == program.instructions


@pytest.mark.parametrize(
    "again",
    [
        copy.deepcopy,
        copy.copy,
        lambda program: pickle.loads(pickle.dumps(program)),
        lambda program: loads(dumps(program)),
    ],
)
def test_copies_and_files_hold_the_same_integers(program, weights, again):
    twin = again(program)
    assert twin.types == program.types
    assert twin.nbytes == program.nbytes
    assert isinstance(twin.instructions[0].kept()["weights"], PackedIntegers)
    np.testing.assert_array_equal(twin.instructions[0].weights, weights)
    np.testing.assert_array_equal(twin.instructions[1].indices, program.instructions[1].indices)
    assert twin.instructions[1].fill == 4


def test_instructions_are_copied_pickled_and_replaced(program, weights):
    step = program.instructions[0]
    for twin in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step), replace(step, inputs=(3,))):
        np.testing.assert_array_equal(twin.weights, weights)
    assert replace(step, inputs=(3,)).inputs == (3,)
    assert b"PackedIntegers" not in pickle.dumps(step)


def test_the_reference_computes_with_packed_constants(program, weights):
    x = np.random.default_rng(1).integers(0, 8, size=(5, 40))
    (y,) = reference.evaluate(program, {0: x}, [program.outputs["y"]])
    np.testing.assert_array_equal(y, (x @ weights)[:, ::-1].repeat(9, axis=1))
