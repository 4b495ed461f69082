"""Quantize and MatMul as one step: few outputs, every instruction set, ties, saturation, NaN."""

import numpy as np
import pytest

from skq.engines import native, reference
from skq.kernels import layout
from skq.kernels.plan import Packer
from skq.kernels.steps import emit_steps
from tests.program.random_programs import linear_program, linear_tables

pytestmark = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))


def step_names(program, targets, isa):
    """Operations of the steps that the kernels do."""
    packer = Packer(program, (0,), tuple(targets), isa)
    emit_steps(packer)
    return [step.op for step in packer.emitted]


@pytest.mark.parametrize("isa", range(4))
@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 9, 50, 300])
def test_equal_to_the_reference(n, m, isa):
    if isa > native.best_isa():
        pytest.skip("not on this machine")
    for lo, hi, bits in ((0, 255, 7), (-128, 127, 7), (0, 1, 1), (-(2**15), 2**15 - 1, 15)):
        program = linear_program(n, m, lo, hi, bits, seed=n)
        target = program.outputs["sum"]
        plan = native.NativePlan(program, [0], [target], isa=isa)
        assert step_names(program, [target], isa) == (
            ["Quantize", "MatMul"] if isa == layout.PORTABLE else ["Linear"]
        )
        for n_rows in (1, 2, 7, 8, 9, 100):
            for x in linear_tables(n_rows, n).values():
                x[n_rows // 2, n // 2] = np.nan
                x[0, -1] = np.inf
                wide = np.zeros((2 * n_rows, n + 3), dtype=np.float32)
                wide[::2, 1 : n + 1] = np.clip(x, -1e30, 1e30)
                for form in (x, np.asfortranarray(x), wide[::2, 1 : n + 1], x[::-1]):
                    with np.errstate(invalid="ignore"):
                        (expected,) = reference.evaluate(program, {0: form}, [target])
                    status, (found,) = plan.run((form,), n_rows, n_threads=1)
                    assert status == layout.OK
                    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("isa", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refusals(value, dtype, isa):
    if isa > native.best_isa():
        pytest.skip("not on this machine")
    program = linear_program(11, 2)
    plan = native.NativePlan(program, [0], [program.outputs["sum"]], isa=isa)
    for place in ((0, 0), (8, 7), (40, 10)):
        x = np.ones((41, 11), dtype=dtype)
        assert plan.run((x,), 41, refuse="nonfinite")[0] == layout.OK
        x[place] = value
        refused = plan.run((x,), 41, refuse="nonfinite")[0]
        assert refused == layout.NOT_FINITE
        wanted = layout.OK if np.isnan(value) else layout.NOT_FINITE
        assert plan.run((x,), 41, refuse="infinite")[0] == wanted


def test_sums_too_wide_for_doubles_are_left_apart():
    program = linear_program(50, 1, 0, 2**30 - 1, 24)
    plan = native.NativePlan(program, [0], [program.outputs["sum"]])
    assert "MatMul" in step_names(program, plan.targets, plan.isa)
    for x in linear_tables(30, 50).values():
        (expected,) = reference.evaluate(program, {0: x}, [program.outputs["sum"]])
        np.testing.assert_array_equal(plan.run((x,), 30)[1][0], expected)


def test_codes_that_are_wanted_are_kept():
    program = linear_program(50, 1)
    targets = [1, program.outputs["sum"]]
    assert step_names(program, targets, native.best_isa()) == ["Quantize", "MatMul"]
