"""Base class of operators that add, multiply or compare several elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import requantize
from skq.quantization.lower.operands import Array
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.quantized_op import QuantizedOp
from skq.quantization.quantizers import (
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizationParameters,
)

__all__ = ["QuantizedMixingOp"]


class QuantizedMixingOp(QuantizedOp):
    """Base class of operators that add, multiply or compare elements of integer tensors.

    Parameters
    ----------
    *args, **kwargs
        As for `QuantizedOp`.
    rounding_threshold_bits : None, int or dict, default=None
        Precision to which accumulators are rounded; see
        `skq.quantization.lower.rounding.get_rounding`.

    Attributes
    ----------
    lsbs_to_remove : dict of str to int
        Number of low bits that each calibrated rounding of `cnp_round` removes, by its identifier.

    Examples
    --------
    >>> from skq.quantization import QuantizedArray, QuantizedMixingOp
    >>> from skq.quantization.quantized_ops import QuantizedGemm
    >>> issubclass(QuantizedGemm, QuantizedMixingOp)
    True
    >>> x = np.linspace(-1, 1, 20).reshape(10, 2)
    >>> op = QuantizedGemm(8, "layer", {"x"}, {1: np.array([[1.0], [-2.0]])})
    >>> _ = op.calibrate(x)
    >>> op(QuantizedArray(8, x)).values.shape
    (10, 1)
    """

    def __init__(self, *args: Any, rounding_threshold_bits: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rounding_threshold_bits = rounding_threshold_bits
        self._rounding = get_rounding(rounding_threshold_bits)
        self.lsbs_to_remove: dict[str, int] = {}

    def can_fuse(self) -> bool:
        """Whether the operator can become part of a table: False, it reads several elements."""
        return False

    def cnp_round(
        self,
        x: Array,
        calibrate_rounding: bool,
        rounding_operation_id: str | None = "single_rounding_op",
    ) -> NDArray[np.int64]:
        """Round integers to multiples of a power of two, half up.

        The power is chosen on calibration data so that `rounding_threshold_bits` bits are left of
        the widest integers of all calls.

        Parameters
        ----------
        x : ndarray of int
            Accumulators.
        calibrate_rounding : bool
            Whether to choose the power from `x`. If False, it must have been chosen before.
        rounding_operation_id : str, default="single_rounding_op"
            Identifier of the rounding, if an operator has several.

        Returns
        -------
        ndarray of int64
            Multiples of ``2**lsbs``; `x` itself if no bits are removed.
        """
        x = np.asarray(x, dtype=np.int64)
        key = str(rounding_operation_id)
        if self._rounding.n_bits is None:
            return x
        if calibrate_rounding:
            largest = max(abs(int(x.min(initial=0))), abs(int(x.max(initial=0))))
            width = largest.bit_length() + int(x.min(initial=0) < 0)
            before = self.lsbs_to_remove.get(key, 0)
            self.lsbs_to_remove[key] = max(before, width - self._rounding.n_bits)
        if key not in self.lsbs_to_remove:
            raise ValueError(f"the rounding {key!r} has not been calibrated yet")
        lsbs = self.lsbs_to_remove[key]
        if lsbs == 0:
            return x
        limit = 2**62
        return requantize(x, 1, 2 ** (lsbs - 1), lsbs, -limit >> lsbs, limit >> lsbs) << lsbs

    def make_output_quant_parameters(
        self, q_values: Any, scale: Any, zero_point: Any
    ) -> QuantizedArray:
        """Wrap integer results with the scale and zero point that belong to them.

        Parameters
        ----------
        q_values : ndarray of int
        scale : float
        zero_point : int, float or ndarray

        Returns
        -------
        QuantizedArray
            Array of `n_bits_output` bits with unchanged integers.
        """
        return QuantizedArray(
            self.n_bits_output,
            np.asarray(q_values),
            value_is_float=False,
            options=QuantizationOptions(self.n_bits_output),
            params=UniformQuantizationParameters(scale=scale, zero_point=zero_point, offset=0),
        )

    def _more_state(self) -> dict[str, Any]:
        return {"rounding_threshold_bits": self.rounding_threshold_bits}
