"""Instructions hold plain arrays: read-only, of the smallest dtypes, the same on every read."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from skq.engines import reference
from skq.program import IntegerProgram, ProgramBuilder, TensorType
from skq.program import instructions as ins
from skq.program.instructions.instruction import frozen
from skq.serialization import dumps, loads


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).integers(-4, 4, size=(40, 30))


@pytest.fixture(scope="module")
def program(weights):
    b = ProgramBuilder()
    x = b.input(TensorType((40,), 0, 7))
    y = b.add(ins.MatMul((x,), weights))
    return b.build({"y": b.add(ins.Gather((y,), np.arange(30)[::-1].repeat(9), fill=4))})


def test_fields_are_plain_arrays(program, weights):
    step = program.instructions[0]
    assert vars(step) == {"inputs": (0,), "weights": step.weights}
    assert type(step.weights) is np.ndarray
    assert step.weights is step.weights
    assert step.weights.dtype == np.int8
    np.testing.assert_array_equal(step.weights, weights)
    assert list(step.arrays()) == ["weights"]
    assert "weights=int8[40, 30]" in str(program)
    assert "weights" in repr(step)


def test_arrays_are_read_only_and_the_callers_stay_their_own(program, weights):
    with pytest.raises(ValueError, match="read-only"):
        program.instructions[0].weights[0] = 1
    assert weights.flags.writeable
    narrow = weights.astype(np.int8)
    b = ProgramBuilder()
    x = b.input(TensorType((40,), 0, 7))
    program = b.build({"y": b.add(ins.MatMul((x,), narrow))})
    before = narrow.copy()
    narrow[:] = 0
    np.testing.assert_array_equal(program.instructions[0].weights, before)


def test_what_is_frozen_already_is_shared(program):
    assert all(frozen(step) is step for step in program.instructions)
    other = IntegerProgram(program.inputs, program.instructions, program.outputs)
    assert other.instructions == program.instructions


def test_nbytes_counts_the_bits_of_the_values(program, weights):
    indices = 30 * 9 * 5 // 8 + 1
    assert program.nbytes == weights.size * 3 // 8 + 1 + indices


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
    for step, before in zip(twin.instructions, program.instructions, strict=True):
        for name, array in step.arrays().items():
            assert array.dtype == before.arrays()[name].dtype
            assert not array.flags.writeable
            np.testing.assert_array_equal(array, before.arrays()[name])
    assert twin.instructions[1].fill == 4


def test_instructions_are_copied_pickled_and_replaced(program, weights):
    step = program.instructions[0]
    for twin in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step), replace(step, inputs=(3,))):
        np.testing.assert_array_equal(twin.weights, weights)
    assert replace(step, inputs=(3,)).inputs == (3,)


def test_the_reference_computes_with_narrow_constants(program, weights):
    x = np.random.default_rng(1).integers(0, 8, size=(5, 40))
    (y,) = reference.evaluate(program, {0: x}, [program.outputs["y"]])
    np.testing.assert_array_equal(y, (x @ weights)[:, ::-1].repeat(9, axis=1))
