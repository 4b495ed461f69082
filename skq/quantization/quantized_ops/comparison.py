"""Comparisons, logic, selection and argmax: exact on integers, with results 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from skq.program import ArgMax, Concat, Mul
from skq.quantization.base_quantized_op import (
    QuantizedMixingOp,
    QuantizedOpUnivariateOfEncrypted,
    quantizes,
)
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.missing_codes import MissingMask
from skq.quantization.lower.operands import (
    Array,
    Features,
    FeatureStep,
    Operand,
    QuantizedTensor,
    scalar,
)
from skq.quantization.lower.truth_values import is_not_zero, is_truth, truth
from skq.quantization.lower.views import elements, lay_out, moved
from skq.quantization.quantized_ops.arithmetic import CombiningOp

ONE, ZERO = scalar(1.0), scalar(0.0)


def negated(x: QuantizedTensor) -> QuantizedTensor:
    """``1 - x``."""
    return x.affine(scalar(-1.0), ONE)


class _Comparison(CombiningOp):
    """``a > b`` and similar comparisons.

    Exact for a layer's result and a constant. Two tensors are compared on their common grid.
    """

    decides = "threshold"
    jumps = True

    #: Whether equal inputs compare as true.
    or_equal: ClassVar[bool]
    #: Whether it is the first input that has to be the larger one.
    greater: ClassVar[bool]

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if not x.is_plain or not constants:
            return super().compose(low, x, constants)
        ((position, constant),) = constants.items()
        return self._above(low, x, constant, wants_above=self.greater == (position == 1))

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        difference = combine.subtract(low, tensors[0], tensors[1])
        return self._above(low, difference, ZERO, wants_above=self.greater)

    def _above(
        self, low: Lowering, x: QuantizedTensor, constant: Array, *, wants_above: bool
    ) -> QuantizedTensor:
        if wants_above:
            return low.is_above(x, constant, or_equal=self.or_equal)
        return negated(low.is_above(x, constant, or_equal=not self.or_equal))


@quantizes("Greater")
class QuantizedGreater(_Comparison):
    """``a > b``."""

    or_equal, greater = False, True


@quantizes("GreaterOrEqual")
class QuantizedGreaterOrEqual(_Comparison):
    """``a >= b``."""

    or_equal, greater = True, True


@quantizes("Less")
class QuantizedLess(_Comparison):
    """``a < b``."""

    or_equal, greater = False, False


@quantizes("LessOrEqual")
class QuantizedLessOrEqual(_Comparison):
    """``a <= b``."""

    or_equal, greater = True, False


@quantizes("Equal")
class QuantizedEqual(CombiningOp):
    """``a == b``: at least ``b``, and not above it."""

    follows_link = True
    jumps = True
    tells_integers_apart = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if not x.is_plain or not constants:
            return super().compose(low, x, constants)
        (constant,) = constants.values()
        return self._equal(low, x, constant)

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        return self._equal(low, combine.subtract(low, tensors[0], tensors[1]), ZERO)

    @staticmethod
    def _equal(low: Lowering, x: QuantizedTensor, constant: Array) -> QuantizedTensor:
        at_least = low.is_above(x, constant, or_equal=True)
        above = low.is_above(x, constant, or_equal=False)
        return combine.subtract(low, at_least, above)


@quantizes("Not")
class QuantizedNot(QuantizedOpUnivariateOfEncrypted):
    """1 where ``x`` is 0, else 0."""

    jumps = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        return negated(x) if is_truth(low, x) else x.then(lambda v: 1.0 - is_not_zero(v))


@quantizes("And")
class QuantizedAnd(CombiningOp):
    """The smaller of two truth values; what is not 0 is true."""

    jumps = True

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        return combine.minimum(low, *(truth(low, x) for x in tensors.values()))


@quantizes("Or")
class QuantizedOr(CombiningOp):
    """The larger of two truth values; what is not 0 is true."""

    jumps = True

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        return combine.maximum(low, *(truth(low, x) for x in tensors.values()))


@quantizes("IsNaN")
class QuantizedIsNaN(QuantizedMixingOp):
    """Where the model's input is missing; only ``Where`` reads it, to fill these values."""

    reads_features = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Any]:
        if not isinstance(x[0], Features) or x[0].steps:
            raise self.unsupported("only the model's input can have missing values")
        return [MissingMask(x[0])]


@quantizes("Where")
class QuantizedWhere(CombiningOp):
    """``x`` where the condition holds, else ``y``: ``y + condition * (x - y)``.

    Where the condition is that the model's input is missing, the constant fills it.
    """

    jumps = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if not isinstance(x[0], MissingMask):
            return super().lower(low, x, reals, outputs)
        features = x[0].features
        if x[2] is not features or not isinstance(x[1], np.ndarray) or features.raw.ndim != 2:
            raise self.unsupported("missing values of the model's input are filled by constants")
        fill = np.array(np.broadcast_to(x[1], features.raw.shape[1:]), dtype=np.float64)
        return [features.then(FeatureStep("fill", fill))]

    def mixed(
        self,
        low: Lowering,
        tensors: Mapping[int, QuantizedTensor],
        constants: Mapping[int, Array],
        output: Array,
    ) -> QuantizedTensor:
        if 0 in constants:
            return self._by_constant(low, constants[0].astype(bool), tensors[1], tensors[2], output)
        condition = truth(low, tensors[0])
        if len(tensors) == 3:
            first, second = low.common(tensors[1], tensors[2])
            chosen = self._times(low, condition, combine.subtract(low, first, second))
            return combine.add(low, chosen, second)
        position, other = (1, 2) if 1 in tensors else (2, 1)
        if position == 2:
            (condition,) = low.common(negated(condition))
        constant = constants[other]
        above = combine.affine(low, tensors[position], ONE, -constant, output)
        chosen = self._times(low, condition, *low.common(above))
        return combine.affine(low, chosen, ONE, constant, output)

    @staticmethod
    def _times(low: Lowering, condition: QuantizedTensor, x: QuantizedTensor) -> QuantizedTensor:
        """``condition * x`` in the scale of ``x``."""
        first, second, view = combine.broadcast(low, condition, x)
        return QuantizedTensor(low.add(Mul((first, second))), x.scale, ZERO, view=view)

    @staticmethod
    def _by_constant(
        low: Lowering, condition: Array, x: QuantizedTensor, y: QuantizedTensor, output: Array
    ) -> QuantizedTensor:
        """Elements of one of two tensors, selected by a view of their concatenation."""
        tensors = low.common(x, y)
        flat = low.add(Concat(tuple(tensor.value for tensor in tensors)))
        shape = output.shape[1:]
        first, second = (np.broadcast_to(elements(low, tensor), shape) for tensor in tensors)
        indices = np.where(condition, first, second + low.type(tensors[0].value).size)
        return QuantizedTensor(flat, tensors[0].scale, ZERO, view=indices)


@quantizes("ArgMax")
class QuantizedArgMax(QuantizedMixingOp):
    """Index of the first (or last) largest element along an axis."""

    follows_link = True
    decides = "greatest"

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        axis = int(self.attributes.get("axis", 0)) % reals[0].ndim
        if axis == 0:
            raise self.unsupported("it looks for the largest element over rows (axis 0)")
        tensor = low.tensor(x[0])
        if not tensor.is_plain:
            tensor = low.codes(tensor, reals[0], n_bits=low.settings.n_bits["model_outputs"])
        aligned = low.align(tensor)
        indices = np.moveaxis(elements(low, aligned), axis - 1, -1)
        is_last = bool(self.attributes.get("select_last_index", 0))
        if is_last:
            indices = indices[..., ::-1]
        rows = lay_out(low, aligned.value, np.ascontiguousarray(indices), [ONE, ZERO], reduced=True)
        index = QuantizedTensor(low.add(ArgMax((rows.value,))), ONE, ZERO, view=rows.view)
        if is_last:
            last = index.affine(scalar(-1.0), scalar(indices.shape[-1] - 1))
            (index,) = low.common(last)
        if self.attributes.get("keepdims", 1):
            index = moved(low, index, np.expand_dims(elements(low, index), axis - 1))
        return [index]
