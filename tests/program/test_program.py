"""Programs are verified when they are built, typed by interval, printable and prunable."""

import copy
import pickle

import numpy as np
import pytest

from skq.engines.reference import RULES, evaluate
from skq.exceptions import AccumulatorOverflowError, ProgramError
from skq.program import (
    INSTRUCTIONS,
    Add,
    ArgMax,
    Bin,
    Concat,
    Dequantize,
    Gather,
    IntegerProgram,
    MatMul,
    ProgramBuilder,
    Quantize,
    Requantize,
    Reshape,
    Table,
    TensorType,
    Trees,
    WeightedMedian,
)

CODES = TensorType((3,), 0, 15)

NONE = np.zeros(0, int)


def stump(**changes):
    """One tree: feature 1 <= 4 gives leaf 0, else leaf 1."""
    fields = {
        "roots": np.array([0]),
        "feature": np.array([1, -1, -1]),
        "threshold": np.array([4, 0, 0]),
        "left": np.array([1, 0, 1]),
        "right": np.array([2, 0, 0]),
        "leaf_values": np.array([[5], [-2]]),
        "output": np.array([0]),
        "multiplier": np.array([3]),
        "n_outputs": 1,
    }
    return Trees((0,), **{**fields, **changes})


def program_of(*instructions, inputs=(CODES,)):
    return IntegerProgram(inputs, instructions, {"y": len(inputs) + len(instructions) - 1})


def test_matmul_interval_is_exact():
    program = program_of(MatMul((0,), np.array([[2], [-3], [0]])))
    assert program.types[1] == TensorType((1,), -45, 30)
    assert program.max_accumulator_bits == 7


def test_matmul_interval_beyond_63_bits_is_refused_with_advice():
    weights = np.full((3, 1), 2**62)
    with pytest.raises(AccumulatorOverflowError, match="fewer bits"):
        program_of(MatMul((0,), weights))


def test_requantize_interval_follows_the_clip():
    step = Requantize((0,), np.array(-2), np.array(5), shift=1, lo=-10, hi=2)
    assert program_of(step).types[1] == TensorType((3,), -10, 2)


def test_requantize_intermediate_beyond_63_bits_is_refused():
    step = Requantize((0,), np.array(2**61), np.array(0), shift=60, lo=0, hi=100)
    with pytest.raises(AccumulatorOverflowError, match="63 bits"):
        program_of(step)


def test_trees_interval_is_the_sum_of_extreme_leaves():
    assert program_of(stump()).types[1] == TensorType((1,), -6, 15)


def test_trees_run():
    program = program_of(stump())
    codes = np.array([[0, 4, 0], [0, 5, 0]])
    (sums,) = evaluate(program, {0: codes}, [1])
    assert sums.tolist() == [[15], [-6]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature": np.array([3, -1, -1])}, "features that do not exist; there are 3"),
        ({"left": np.array([0, 0, 1])}, "after their parent"),
        ({"right": np.array([5, 0, 0])}, "after their parent"),
        ({"left": np.array([1, 0, 2])}, "row of leaf_values"),
        ({"roots": np.array([3])}, "roots must be node"),
        ({"output": np.array([1])}, "outputs that do not exist"),
        ({"multiplier": np.array([0])}, "positive"),
        ({"threshold": np.array([1, 2])}, "each node"),
    ],
)
def test_malformed_trees_are_refused(changes, message):
    with pytest.raises(ProgramError, match=message):
        program_of(stump(**changes))


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        (MatMul((0,), np.ones((4, 2), int)), "do not fit weights"),
        (MatMul((1,), np.ones((3, 2), int)), "not defined before"),
        (MatMul((0, 0), np.ones((3, 2), int)), "takes 1 operands; got 2"),
        (Add((0,)), "takes 2 operands; got 1"),
        (Table((0,), np.arange(15)), "15 entries for 16 codes"),
        (Table((0,), np.ones((2, 16), int)), "2 tables"),
        (Reshape((0,), (2, 2)), "cannot reshape"),
        (Gather((0,), np.array([3])), "outside of a row"),
        (WeightedMedian((0,), np.ones(4, int), 1), "a weight for each element"),
        (WeightedMedian((0,), np.array([1, -1, 1]), 1), "must not be negative"),
        (WeightedMedian((0,), np.array([1, 0, 1]), 3), "at most the sum of its weights, 2"),
        (WeightedMedian((0,), np.ones(3, int), 0), "threshold must be an int"),
        (WeightedMedian((0,), np.ones(3), 1), "weights must be an array of integers"),
        (Quantize((0,), np.array(1.0), np.array(0), 0, 1), "takes a float"),
        (Bin((0,), NONE, np.zeros(0), np.array([0]), NONE, NONE), "takes a float row"),
        (Dequantize((0,), np.array(np.inf), np.array(0.0)), "scale must be .*finite"),
        (
            Requantize((0,), np.array(1), np.array(0), shift=63, lo=0, hi=1),
            r"shift must be an int in \[0, 62\]",
        ),
    ],
)
def test_illegal_operands_are_refused_and_the_value_is_named(instruction, message):
    with pytest.raises(ProgramError, match=message) as error:
        program_of(instruction)
    assert "value 1" in str(error.value)


def test_the_sum_of_the_weights_of_a_median_fits_63_bits():
    with pytest.raises(AccumulatorOverflowError, match="63 bits"):
        program_of(WeightedMedian((0,), np.full(3, 2**62), 1))
    program_of(WeightedMedian((0,), np.array([2**62, 2**61, 2**61 - 1]), 2**62))


def test_a_weighted_median_is_the_value_at_which_half_of_the_weight_is_reached():
    """The order of equal values does not matter; the interval is that of the operand."""
    program = program_of(WeightedMedian((0,), np.array([2, 1, 1]), 2))
    codes = np.array([[9, 1, 4], [1, 9, 4], [7, 7, 7], [5, 0, 0]])
    (medians,) = evaluate(program, {0: codes}, [1])
    assert medians.tolist() == [4, 1, 7, 0]
    assert program.types[1] == TensorType((), *CODES.interval)


def test_unsorted_edges_are_refused():
    step = Bin(
        (0,), np.array([0]), np.array([2.0, 1.0]), np.array([0, 2]), np.array([0]), np.array([0])
    )
    with pytest.raises(ProgramError, match="sorted"):
        program_of(step, inputs=(TensorType((1,)),))


def test_edges_of_different_columns_need_not_rise_together():
    step = Bin(
        (0,),
        feature=np.array([0, 1]),
        edges=np.array([5.0, 1.0, 2.0]),
        offsets=np.array([0, 1, 3]),
        base=np.array([0, 1]),
        nan_code=np.array([2, 0]),
    )
    program = program_of(step, inputs=(TensorType((2,)),))
    assert program.types[1] == TensorType((2,), 0, 3)
    (codes,) = evaluate(program, {0: np.array([[5.0, 1.5], [np.nan, np.nan]])}, [1])
    assert codes.tolist() == [[0, 2], [2, 0]]


def test_builder_drops_what_no_output_needs():
    builder = ProgramBuilder()
    x = builder.input(CODES)
    builder.add(MatMul((x,), np.ones((3, 5), int)))
    y = builder.add(ArgMax((x,)))
    program = builder.build({"label": y})
    assert [type(step) for step in program.instructions] == [ArgMax]
    assert program.types[program.outputs["label"]] == TensorType((), 0, 2)


def test_concat_and_gather_with_fill():
    builder = ProgramBuilder()
    x = builder.input(CODES)
    padded = builder.add(Gather((x,), np.array([-1, 0, 2]), fill=-7))
    both = builder.add(Concat((x, padded)))
    program = builder.build({"y": both})
    assert program.types[2] == TensorType((6,), -7, 15)
    (row,) = evaluate(program, {0: np.array([[1, 2, 3]])}, [program.outputs["y"]])
    assert row.tolist() == [[1, 2, 3, -7, 1, 3]]


def test_text_shows_shapes_dtypes_intervals_and_bits():
    text = str(program_of(MatMul((0,), np.array([[2], [-3], [0]]))))
    assert "%1 = MatMul(%0, weights=int8[3, 1])" in text
    assert "int8[1] in [-45, 30] (7 bits)" in text
    assert "widest accumulator 7 bits" in text


def test_programs_are_verified_again_when_they_are_unpickled_or_copied():
    program = program_of(stump())
    for twin in (pickle.loads(pickle.dumps(program)), copy.deepcopy(program)):
        assert str(twin) == str(program)
        assert twin.types == program.types


def test_every_instruction_has_a_reference_rule():
    assert set(RULES) | {Table} == set(INSTRUCTIONS)


def test_missing_input_is_named():
    with pytest.raises(ValueError, match="input 0 of the program"):
        evaluate(program_of(stump()), {}, [1])
