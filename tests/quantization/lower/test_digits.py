"""Layers on digits of codes equal layers on the codes."""

import numpy as np
import pytest

from skq.engines import reference
from skq.program import MatMul, Quantize
from skq.quantization.lower.calibrated_program import CalibratedProgram
from skq.quantization.lower.context import Settings
from skq.quantization.lower.digits import code_bits, joined_sums, product
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import KEYS

X = np.random.default_rng(0).uniform(-1, 2, (200, 5))
WEIGHTS = np.random.default_rng(1).integers(-3, 4, (5, 3))


def layer(n_bits, n_columns):
    """A program of one layer on codes of all columns, and its input."""
    settings = Settings(dict.fromkeys(KEYS, n_bits), get_rounding(None), columns=n_columns)
    program = CalibratedProgram()
    features = program.input(X, X.min(axis=0), X.max(axis=0))
    bits = code_bits(settings, features)
    top = 2**bits - 1
    scale, zero_point = np.full(5, 3 / top), np.full(5, top // 3)
    codes = program.add(Quantize((features.value,), scale, zero_point, lo=0, hi=top))
    sums = product(program, settings, codes, WEIGHTS)
    return program.builder.build({"codes": codes, "sums": sums}), bits


@pytest.mark.parametrize(("n_bits", "n_columns"), [(1, 3), (2, 2), (3, 4), (4, 2), (8, 2), (8, 3)])
def test_the_sums_are_those_of_the_codes(n_bits, n_columns):
    program, bits = layer(n_bits, n_columns)
    assert bits == min(n_bits * n_columns, 16)
    rows = np.concatenate([X, 100 * X, 0 * X])
    codes, sums = reference.evaluate(program, {0: rows}, list(program.outputs.values()))
    np.testing.assert_array_equal(sums, codes.astype(np.int64) @ WEIGHTS)


def test_factors_have_the_given_width():
    program, _ = layer(2, 3)
    products = [step for _, step, _ in program.steps() if isinstance(step, MatMul)]
    assert len(products) == 3
    for step in products:
        lo, hi = program.types[step.inputs[0]].interval
        assert (lo, hi) == (0, 3)


def test_products_of_digits_are_joined_to_one_layer():
    program, _ = layer(2, 3)
    products = [number for number, step, _ in program.steps() if isinstance(step, MatMul)]
    assert joined_sums(program) == dict.fromkeys(products, program.outputs["sums"])


def test_one_column_is_a_plain_product():
    program, _ = layer(4, 1)
    assert joined_sums(program) == {}
    assert sum(isinstance(step, MatMul) for _, step, _ in program.steps()) == 1
