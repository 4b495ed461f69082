"""Descriptors: numbers of variable length, structs without their zeros; what the kernels read."""

import numpy as np
import pytest

from skq.engines import native, reference
from skq.kernels import layout
from skq.kernels.descriptors import Descriptors
from skq.kernels.plan import Packer
from skq.kernels.steps import emit_steps
from skq.program import ProgramBuilder, TensorType
from skq.program import instructions as ins


def written(kind, **numbers):
    descriptors = Descriptors()
    descriptors.struct(kind, numbers)
    return descriptors.array().tolist()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, [0]),
        (1, [2]),
        (-1, [1]),
        (63, [126]),
        (-64, [127]),
        (64, [0x80, 1]),
        (2**20, [0x80, 0x80, 0x80, 1]),
        (2**63 - 1, [0xFE] + [0xFF] * 8 + [1]),
        (-(2**63), [0xFF] * 9 + [1]),
    ],
)
def test_numbers(number, expected):
    descriptors = Descriptors()
    descriptors.number(number)
    assert descriptors.array().tolist() == expected


def test_structs_have_only_what_is_not_zero():
    assert written("value") == [0]
    assert written("value", size=3, dtype=0, slot=1) == [0b101, 6, 2]
    assert written("step", out=5) == [0b1000, 10]
    assert written("step", op=1, **{"in": 2}) == [0b101, 2, 4]
    assert written("quantize", hi=1) == [0x80, 1, 2]


def test_offsets_are_differences():
    descriptors = Descriptors()
    descriptors.struct("bins", {"edges": 1000, "feature": 1001})
    descriptors.struct("matmul", {"weights": 999})
    assert descriptors.array().tolist() == [0b11, 0xD0, 0x0F, 2, 0b100, 3]


def test_fields_that_there_are_not():
    with pytest.raises(KeyError, match="a value has no fields colour, scale"):
        written("value", size=1, scale=2, colour=3)


@pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))
class TestCompiled:
    def test_other_structs_are_refused(self):
        compiled = native._native.layout()
        layout.check(compiled)
        for wrong in ({"step": "op n m"}, {"tree": 24}):
            with pytest.raises(ImportError, match=f"{next(iter(wrong))} differently: .* install"):
                layout.check(compiled | wrong)

    def test_numbers_of_any_size_come_back(self):
        """Fields of 8, 32 and 64 bits, positive and negative."""
        for fill in (0, 1, -1, 63, -64, 64, 2**31, -(2**40), 2**62, -(2**62)):
            b = ProgramBuilder()
            x = b.input(TensorType((300,), -5, 5))
            y = b.add(ins.Gather((x,), np.array([299, -1, 0]), fill=fill))
            program = b.build({"y": y})
            rows = np.random.default_rng(0).integers(-5, 5, size=(7, 300), endpoint=True)
            _, (found,) = native.NativePlan(program, [0], [y]).run((rows,), 7)
            np.testing.assert_array_equal(found, np.stack([rows[:, 299], 0 * rows[:, 0] + fill,
                                                           rows[:, 0]], axis=1))  # fmt: skip

    @pytest.mark.parametrize("wide", [False, True])
    @pytest.mark.parametrize("clips", ["none", "below", "above", "both"])
    def test_bounds_of_a_requantize_that_nothing_reaches_are_left_out(self, wide, clips):
        """The bounds are reached, or not, from below and above; factors of 32 bits and of more."""
        factor = 2**40 + 1 if wide else 3
        lo = -8 * factor if clips in ("none", "above") else -7 * factor
        hi = 8 * factor if clips in ("none", "below") else 7 * factor
        b = ProgramBuilder()
        x = b.input(TensorType((2,), -15, 15))
        y = b.add(ins.Requantize((x,), np.full(2, factor), np.array([0, 1]), 1, lo, hi))
        program = b.build({"y": y})
        packer = Packer(program, (0,), (y,), native.best_isa())
        emit_steps(packer)
        (step,) = packer.emitted
        ((struct, parameters),) = step.parameters
        assert struct == "requantize"
        assert bool(parameters["kind"] & layout.UNCLIPPED) == (clips == "none")
        assert ("lo" in parameters) == (clips != "none")
        rows = np.stack([np.arange(-15, 16)] * 2, axis=1)
        (expected,) = reference.evaluate(program, {0: rows}, [y])
        for isa in range(native.best_isa() + 1):
            _, (found,) = native.NativePlan(program, [0], [y], isa=isa).run((rows,), len(rows))
            np.testing.assert_array_equal(found, expected)
