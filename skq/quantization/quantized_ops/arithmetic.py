"""Arithmetic: constants are folded into scales and zero points; tensors get a common scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skq.quantization.base_quantized_op import (
    QuantizedMixingOp,
    QuantizedOpUnivariateOfEncrypted,
    quantizes,
)
from skq.quantization.lower import combine
from skq.quantization.lower.inverse import inverse
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    Features,
    FeatureStep,
    Operand,
    QuantizedTensor,
    scalar,
)
from skq.quantization.lower.truth_values import truncated_quotient
from skq.quantization.operator_facts import ErrorStep

#: Greatest ratio of the values of a divisor that is a tensor.
RATIO = 256


class CombiningOp(QuantizedMixingOp, QuantizedOpUnivariateOfEncrypted):
    """An elementwise operator of several inputs.

    Functions of one integer tensor fuse into one function of it; different integer tensors are
    combined by instructions.
    """

    #: Combine plain tensors; other cases are computed by `mixed`.
    combination: ClassVar[Any] = None

    def can_fuse(self) -> bool:
        """Whether one integer tensor generates all inputs, so that the result is a table of it."""
        return QuantizedOpUnivariateOfEncrypted.can_fuse(self)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        tensors = {
            i: low.tensor(v) for i, v in enumerate(x) if isinstance(v, Features | QuantizedTensor)
        }
        first = next(iter(tensors.values()))
        if all(first.same_integers(other) for other in tensors.values()):
            return [self.fused(low, x, reals, outputs[0])]
        if any(reals[i].ndim != outputs[0].ndim for i in tensors):
            raise self.unsupported("it broadcasts a tensor to more axes, and so across rows")
        constants = self._row_constants(x, outputs[0].shape[1:])
        affine = {i: combine.plain(low, tensor, reals[i]) for i, tensor in tensors.items()}
        return [self.mixed(low, affine, constants, outputs[0])]

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        """Combine plain tensors and constants (broadcast against rows), each by position."""
        if self.combination is not None and not constants:
            found: QuantizedTensor = self.combination(low, *tensors.values())
            return found
        raise self.unsupported("its inputs come from different integer tensors")


class _AffineOp(CombiningOp):
    """An operator that is affine in a tensor when the other input is constant."""

    function: ClassVar[str]

    #: Whether errors of an input are errors of the output, up to the sign.
    has_unit_slope: ClassVar[bool] = False

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        if cls.has_unit_slope:
            return step.weight if step.weight.shape == step.values.shape else None
        return super().input_error_weight(step)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        for position, features in enumerate(x):
            other = x[1 - position]
            if (
                isinstance(features, Features)
                and isinstance(other, np.ndarray)
                and reals[position].ndim == 2
                and outputs[0].shape == reals[position].shape
            ):
                (constant,) = self._row_constants(x, outputs[0].shape[1:]).values()
                steps = self.steps(constant, first=position == 1)
                if steps is not None:
                    for step in steps:
                        features = features.then(step)
                    return [features]
        return super().lower(low, x, reals, outputs)

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if not constants:
            return super().compose(low, x, constants)
        ((position, constant),) = constants.items()
        steps = self.steps(constant, first=position == 0)
        if steps is None:
            return super().compose(low, x, constants)
        factor, offset = scalar(1.0), scalar(0.0)
        for step in steps:
            if step.function in ("multiply", "divide"):
                factor = step(factor)
            offset = step(offset)
        return x.affine(factor, offset)

    def steps(self, constant: Array, *, first: bool) -> list[FeatureStep] | None:
        """The operator with a constant as affine steps; `first` if the constant is the first input.

        None where it is not affine.
        """
        return [FeatureStep(self.function, constant)]


@quantizes("Add")
class QuantizedAdd(_AffineOp):
    """``a + b``."""

    follows_link = True
    has_unit_slope = True
    function = "add"
    combination = staticmethod(combine.add)


@quantizes("Sub")
class QuantizedSub(_AffineOp):
    """``a - b``."""

    follows_link = True
    has_unit_slope = True
    function = "subtract"
    combination = staticmethod(combine.subtract)

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        return step.weight if step.weight.shape == step.values.shape else None

    def steps(self, constant: Array, *, first: bool) -> list[FeatureStep] | None:
        if not first:
            return super().steps(constant, first=first)
        return [FeatureStep("multiply", scalar(-1.0)), FeatureStep("add", constant)]


@quantizes("Mul")
class QuantizedMul(_AffineOp):
    """``a * b``; two tensors are requantized to the width of an inner layer's inputs first.

    Codes of the model's input are not changed.
    """

    follows_link = True
    function = "multiply"
    combination = staticmethod(combine.multiply)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        tensors = [v for v in x if isinstance(v, Features | QuantizedTensor)]
        if len(tensors) == 2 and not low.tensor(tensors[0]).same_integers(low.tensor(tensors[1])):
            x = [self._codes(low, low.tensor(v), r) for v, r in zip(x, reals, strict=True)]
        return super().lower(low, x, reals, outputs)

    @staticmethod
    def _codes(low: Lowering, x: QuantizedTensor, reals: Array) -> QuantizedTensor:
        n_bits = low.settings.n_bits
        if x.is_plain and low.type(x.value).bits <= n_bits["model_inputs"]:
            return x
        return low.codes(x, reals, n_bits=n_bits["op_inputs"])


@quantizes("Div")
class QuantizedDiv(_AffineOp):
    """``a / b``, one of them constant, or both functions of one integer tensor.

    A quotient of integers is rounded towards zero, exactly. Two tensors of reals are divided where
    the divisor keeps its sign on the calibration rows: by a table of its inverse.
    """

    follows_link = True
    function = "divide"

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        self._reals = reals
        if outputs[0].dtype.kind in "iu":
            x = [low.tensor(v) if isinstance(v, Features) else v for v in x]
        return super().lower(low, x, reals, outputs)

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        divisor = constants.get(1)
        if not self._truncates or divisor is None or np.any(divisor == 0):
            return super().compose(low, x, constants)
        if not x.is_plain:
            return x.then(lambda v: np.trunc(v / divisor))
        return truncated_quotient(low, x, divisor)

    def steps(self, constant: Array, *, first: bool) -> list[FeatureStep] | None:
        if first or self._truncates or np.any(constant == 0):
            return None
        return super().steps(constant, first=first)

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        divisor = np.asarray(self._reals[1])
        lo, hi = float(divisor.min()), float(divisor.max())
        if output.dtype.kind in "iu" or lo <= 0 <= hi or max(-lo, hi) > RATIO * max(lo, -hi):
            raise self.unsupported(
                f"it divides by a tensor in [{lo:.4g}, {hi:.4g}]; integers cannot be divided, and "
                f"floats only by a divisor that keeps its sign and varies by less than a factor of "
                f"{RATIO}"
            )
        n_bits = low.settings.n_bits["op_inputs"]
        codes = low.codes(tensors[0], self._reals[0], n_bits=n_bits)
        hi = hi if hi > lo else lo + abs(lo) / 2
        return combine.multiply(low, codes, inverse(low, tensors[1], lambda v: 1 / v, lo, hi))


@quantizes("Sum")
class QuantizedSum(CombiningOp):
    """``a + b + ...``."""

    #: Whether the sum is divided by the number of inputs.
    is_mean: ClassVar[bool] = False

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        share = scalar(1.0 / (1 + len(constants)) if self.is_mean else 1.0)
        return x.affine(share, sum(constants.values(), scalar(0.0)) * share)

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        total = combine.add(low, *tensors.values())
        share = scalar(1.0 / (len(tensors) + len(constants)) if self.is_mean else 1.0)
        offset = sum(constants.values(), scalar(0.0)) * share
        return combine.affine(low, total, share, offset, output)


@quantizes("Mean")
class QuantizedMean(QuantizedSum):
    """``(a + b + ...) / n``."""

    is_mean = True


class _Extreme(CombiningOp):
    """The largest or the least of the inputs; a constant is a bound to clip at."""

    is_largest: ClassVar[bool]

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if any(np.ndim(constant) for constant in constants.values()):
            return super().compose(low, x, constants)
        return self._bounded(x, constants)

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        if any(np.ndim(constant) for constant in constants.values()):
            raise self.unsupported("it takes several tensors and a constant that is not one number")
        return self._bounded(super().mixed(low, tensors, {}, output), constants)

    def _bounded(self, x: QuantizedTensor, constants: Mapping[int, Array]) -> QuantizedTensor:
        bounds = [float(constant) for constant in constants.values()]
        if self.is_largest:
            return x.clipped(max(bounds, default=-np.inf), np.inf)
        return x.clipped(-np.inf, min(bounds, default=np.inf))


@quantizes("Max")
class QuantizedMax(_Extreme):
    """The largest of the inputs."""

    combination = staticmethod(combine.maximum)
    is_largest = True


@quantizes("Min")
class QuantizedMin(_Extreme):
    """The smallest of the inputs."""

    combination = staticmethod(combine.minimum)
    is_largest = False


@quantizes("BatchNormalization")
class QuantizedBatchNormalization(QuantizedOpUnivariateOfEncrypted):
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias``: folded into scales and zero points.

    After a layer it costs nothing: the scale and zero point of each channel change.
    """

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if self.attributes.get("training_mode", 0):
            raise self.unsupported("training_mode=1 normalizes by the batch")
        if not all(isinstance(v, np.ndarray) for v in x[1:]):
            raise self.unsupported("scale, bias, mean and variance must be constants")
        scale, bias, mean, variance = (np.asarray(v, dtype=np.float64) for v in x[1:])
        factor = scale / np.sqrt(variance + float(self.attributes.get("epsilon", 1e-5)))
        offset = bias - mean * factor
        if isinstance(x[0], Features) and reals[0].ndim == 2:
            steps = (FeatureStep("multiply", factor), FeatureStep("add", offset))
            return [x[0].then(steps[0]).then(steps[1])]
        shape = (-1, *(1,) * (reals[0].ndim - 2))
        factor, offset = factor.reshape(shape), offset.reshape(shape)
        return [combine.affine(low, low.tensor(x[0]), factor, offset, reals[0])]
