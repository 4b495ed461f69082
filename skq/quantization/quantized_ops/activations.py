"""Activations without a table: clips and roundings become part of a requantization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skq.quantization.base_quantized_op import (
    QuantizedOpUnivariateOfEncrypted,
    quantizes,
)
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor, scalar

#: Greatest width of the result of a rounding; a wider one is a table.
_WIDEST = 24


@quantizes("Relu")
class QuantizedRelu(QuantizedOpUnivariateOfEncrypted):
    """``max(x, 0)``: the requantization after it saturates at the code of 0."""

    stays_on_grid = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        return x.clipped(0.0, float(np.inf))


@quantizes("Clip")
class QuantizedClip(QuantizedOpUnivariateOfEncrypted):
    """``min(max(x, lo), hi)``: the requantization after it saturates at the bounds' codes."""

    is_link = True
    raw_inputs = frozenset({1, 2})
    stays_on_grid = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        lo, hi = (float(constants.get(i, end)) for i, end in ((1, -np.inf), (2, np.inf)))
        return x.clipped(lo, hi)


@quantizes("HardSigmoid")
class QuantizedHardSigmoid(QuantizedOpUnivariateOfEncrypted):
    """``alpha * x + beta``, clipped to [0, 1]."""

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        alpha, beta = self.attributes.get("alpha", 0.2), self.attributes.get("beta", 0.5)
        return x.affine(scalar(alpha), scalar(beta)).clipped(0.0, 1.0)


@quantizes("Neg")
class QuantizedNeg(QuantizedOpUnivariateOfEncrypted):
    """``-x``: a scale of the other sign."""

    follows_link = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        return x.affine(scalar(-1.0), scalar(0.0))


class _Rounding(QuantizedOpUnivariateOfEncrypted):
    """A rounding to integers: one requantization to their grid, if it is of a layer's result."""

    jumps = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if x.function is not None:
            return super().compose(low, x, constants)
        x = x.of_what_is_read()
        ends = np.concatenate(
            [np.ravel(x.reals(np.asarray(end))) for end in low.type(x.value).interval]
        )
        lo, hi = int(np.floor(ends.min())), int(np.ceil(ends.max()))
        if max(-lo, hi) >= 2**_WIDEST:
            return super().compose(low, x, constants)
        return self.rounded(low, x, lo, hi)

    def rounded(self, low: Lowering, x: QuantizedTensor, lo: int, hi: int) -> QuantizedTensor:
        """Integers in [lo, hi]; a requantization rounds half up."""
        return low.on_grid(x, scalar(1.0), scalar(0.0), lo, hi)


@quantizes("Round")
class QuantizedRound(_Rounding):
    """``rint(x)``; after a layer ties are rounded up, as in all requantizations."""


@quantizes("Floor")
class QuantizedFloor(_Rounding):
    """``floor(x)``, which is ``x - 1/2`` rounded half up."""

    def rounded(self, low: Lowering, x: QuantizedTensor, lo: int, hi: int) -> QuantizedTensor:
        return super().rounded(low, x.affine(scalar(1.0), scalar(-0.5)), lo, hi)


@quantizes("Ceil")
class QuantizedCeil(_Rounding):
    """``ceil(x)``, which is ``-floor(-x)``."""

    def rounded(self, low: Lowering, x: QuantizedTensor, lo: int, hi: int) -> QuantizedTensor:
        floor = super().rounded(low, x.affine(scalar(-1.0), scalar(-0.5)), -hi, -lo)
        return floor.affine(scalar(-1.0), scalar(0.0))


@quantizes("Sign")
class QuantizedSign(QuantizedOpUnivariateOfEncrypted):
    """``sign(x)``: whether it is above 0, and whether it is not below."""

    jumps = True

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        if not x.is_plain:
            return super().compose(low, x, constants)
        parts = [low.is_above(x, scalar(0.0), or_equal=or_equal) for or_equal in (False, True)]
        return combine.add(low, *parts).affine(scalar(1.0), scalar(-1.0))
