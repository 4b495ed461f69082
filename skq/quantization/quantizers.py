"""Quantizers: real values to integers and back.

``scale = (rmax - rmin) / (2**n_bits - 1)``, ``zero_point = rint(-rmin / scale) - offset``,
``q = clip(rint(x / scale + zero_point))`` and ``x ≈ (q - zero_point) * scale``, after
arXiv:1712.05877. Every case is worked through with numbers in docs/concepts/numerics.md.

Three records contain the method (`QuantizationOptions`), the range (`MinMaxQuantizationStats`), and
scale and zero point (`UniformQuantizationParameters`). A `UniformQuantizer` has all three, and a
`QuantizedArray` has a quantizer and values.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skq.numerics import EXACT_FLOAT64, FloatArray, IntArray, dequantize, quantize
from skq.quantization.records import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    Record,
    UniformQuantizationParameters,
    checked_bits,
    fill_from_kwargs,
    real_array,
)
from skq.quantization.search.grids import STABILITY_CONST, code_offset, code_range
from skq.serialization import serializable

__all__ = [
    "STABILITY_CONST",
    "MinMaxQuantizationStats",
    "QuantizationOptions",
    "QuantizedArray",
    "UniformQuantizationParameters",
    "UniformQuantizer",
    "fill_from_kwargs",
]

_RECORDS = (QuantizationOptions, MinMaxQuantizationStats, UniformQuantizationParameters)


@serializable("uniform_quantizer")
class UniformQuantizer(UniformQuantizationParameters, QuantizationOptions, MinMaxQuantizationStats):
    """Uniform quantizer of arrays.

    All members of its three records are attributes: `n_bits`, `is_signed`, `is_symmetric`,
    `is_qat`, `rmax`, `rmin`, `uvalues`, `scale`, `zero_point`, `offset`.

    Parameters
    ----------
    options : QuantizationOptions, optional
        The method; copied.
    stats : MinMaxQuantizationStats, optional
        The range; copied. If `options` but no `params` are given, the parameters are computed from
        it.
    params : UniformQuantizationParameters, optional
        Scale, zero point and offset; copied. They take precedence over `stats`. A missing offset is
        computed from `options`.
    no_clipping : bool, default=False
        Whether codes may exceed `n_bits` bits, instead of saturating.

    References
    ----------
    Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, arXiv:1712.05877.

    Examples
    --------
    >>> quantizer = UniformQuantizer(QuantizationOptions(2), MinMaxQuantizationStats(2, -1))
    >>> quantizer.quant([-1.0, 0.2, 1.1, 99.0])
    array([0, 1, 2, 3])
    >>> quantizer.dequant([0, 1, 2, 3])
    array([-1.,  0.,  1.,  2.])
    """

    def __init__(
        self,
        options: QuantizationOptions | None = None,
        stats: MinMaxQuantizationStats | None = None,
        params: UniformQuantizationParameters | None = None,
        no_clipping: bool = False,
    ) -> None:
        self.no_clipping = bool(no_clipping)
        self.n_bits = None  # type: ignore[assignment]
        if options is not None:
            self.copy_opts(options)
        self.copy_stats(stats if stats is not None else MinMaxQuantizationStats())
        self.copy_params(params if params is not None else UniformQuantizationParameters())
        if options is None:
            return
        if self.scale is None and self.rmax is not None and self.rmin is not None:
            self.compute_quantization_parameters(options, self)
        if self.offset is None:
            self.offset = code_offset(options.n_bits, options.is_signed)

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "options": None if self.n_bits is None else self.quant_options,
            "stats": self.quant_stats,
            "params": self.quant_params,
            "no_clipping": self.no_clipping,
        }

    def quant(self, values: ArrayLike) -> IntArray:
        """Quantize: ``clip(rint(values / scale + zero_point))``, ties to even, in float64.

        Parameters
        ----------
        values : array-like of float, of any shape that broadcasts with scale and zero point
            Values beyond the range saturate, unless `no_clipping`; NaN gives the smallest code.

        Returns
        -------
        ndarray of int64
            Integers in [-offset, 2**n_bits - 1 - offset]; signed symmetric ones do not take the
            smallest of these.
        """
        self._check_has_parameters()
        if self.no_clipping:
            lo, hi = -EXACT_FLOAT64, EXACT_FLOAT64
        elif self.n_bits is None or self.offset is None:
            raise ValueError("n_bits is needed to saturate codes: pass options to the quantizer.")
        else:
            lo, hi = code_range(self.n_bits, self.is_signed, self.is_symmetric, self.offset)
        return quantize(values, self.scale, self.zero_point, lo, hi)  # type: ignore[arg-type]

    def dequant(self, qvalues: ArrayLike) -> FloatArray:
        """Dequantize: ``(qvalues - zero_point) * scale`` in float64.

        Parameters
        ----------
        qvalues : array-like of int, of any shape that broadcasts with scale and zero point

        Returns
        -------
        ndarray of float64
        """
        self._check_has_parameters()
        return dequantize(qvalues, self.scale, self.zero_point)  # type: ignore[arg-type]

    def _check_has_parameters(self) -> None:
        if self.scale is None or self.zero_point is None:
            raise ValueError(
                "this quantizer has no scale and zero point yet: pass params or stats to it, or "
                "call compute_quantization_parameters."
            )


@serializable("quantized_array")
class QuantizedArray(Record):
    """Real values and their integer codes.

    Parameters
    ----------
    n_bits : int
        Bits of a code, in [1, 32]. It overrides `options.n_bits`.
    values : array-like, of any shape, or None
        Real values, or codes. None means no values until an update method is called.
    value_is_float : bool, default=True
        Whether `values` are real values, which are quantized. If False, they are codes, which are
        dequantized and do not saturate.
    options : QuantizationOptions, optional
        The method. By default unsigned and affine.
    stats : MinMaxQuantizationStats, optional
        The range. By default that of `values`, if they are real.
    params : UniformQuantizationParameters, optional
        Scale, zero point, offset. By default computed from the range. Needed for codes, unless
        `stats` are given.
    **kwargs
        Any members of the three records, e.g. ``is_signed=True`` or ``rmax=2, rmin=-1``.

    Attributes
    ----------
    quantizer : UniformQuantizer
    values : ndarray of float64 or None
        Read-only; assign a whole array, which updates `qvalues`.
    qvalues : ndarray of int64 or None
        Read-only; assign a whole array, which updates `values`.

    Raises
    ------
    TypeError
        If a keyword is unknown, or stats or params given by keywords are incomplete.
    ValueError
        If `n_bits` is out of range, or there is nothing to compute a scale from.

    References
    ----------
    arXiv:1712.05877

    Examples
    --------
    >>> array = QuantizedArray(2, [-1.0, 0.2, 1.1, 99.0], rmax=2, rmin=-1)
    >>> array.qvalues
    array([0, 1, 2, 3])
    >>> array.dequant()
    array([-1.,  0.,  1.,  2.])
    """

    def __init__(
        self,
        n_bits: int,
        values: ArrayLike | None,
        value_is_float: bool = True,
        options: QuantizationOptions | None = None,
        stats: MinMaxQuantizationStats | None = None,
        params: UniformQuantizationParameters | None = None,
        **kwargs: Any,
    ) -> None:
        n_bits = checked_bits(n_bits)
        options = QuantizationOptions(n_bits) if options is None else options.quant_options
        options.n_bits = n_bits
        stats = None if stats is None else stats.quant_stats
        params = None if params is None else params.quant_params
        options, remaining = fill_from_kwargs(options, QuantizationOptions, **kwargs)
        stats, remaining = fill_from_kwargs(stats, MinMaxQuantizationStats, **remaining)
        params, remaining = fill_from_kwargs(params, UniformQuantizationParameters, **remaining)
        if remaining:
            raise TypeError(
                f"unknown arguments: {', '.join(remaining)}. Expected members of "
                "QuantizationOptions, MinMaxQuantizationStats or UniformQuantizationParameters: "
                f"{', '.join(m.name for k in _RECORDS for m in fields(k))}."
            )
        has_params = params is not None and params.scale is not None
        has_stats = stats is not None and stats.rmax is not None
        if not (has_params or has_stats) and values is not None:
            if not value_is_float:
                raise ValueError(
                    "codes need a scale and a zero point: give params, or stats to compute them."
                )
            stats = MinMaxQuantizationStats()
            stats.compute_quantization_stats(values)
        self.quantizer = UniformQuantizer(options, stats, params)
        self.value_is_float = bool(value_is_float)
        self._values: FloatArray | None = None
        self._qvalues: IntArray | None = None
        if values is not None:
            if self.value_is_float:
                self.update_values(values)
            else:
                self.update_quantized_values(values)

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        state = self.quantizer.__skq_state__()
        del state["no_clipping"]
        values = self._values if self.value_is_float else self._qvalues
        return {
            "n_bits": self.n_bits,
            "values": values,
            "value_is_float": self.value_is_float,
            **state,
        }

    @property
    def n_bits(self) -> int:
        """Bits of a code."""
        return self.quantizer.n_bits

    @property
    def values(self) -> FloatArray | None:
        """Real values: the given values, or the dequantized codes."""
        return self._values

    @values.setter
    def values(self, values: ArrayLike) -> None:
        self.update_values(values)

    @property
    def qvalues(self) -> IntArray | None:
        """Integer codes: the given codes, or the quantized values."""
        return self._qvalues

    @qvalues.setter
    def qvalues(self, qvalues: ArrayLike) -> None:
        self.update_quantized_values(qvalues)

    def update_values(self, values: ArrayLike) -> IntArray:
        """Replace the real values, and return their codes with the present quantizer.

        Parameters
        ----------
        values : array-like of float, of any shape that scale and zero point broadcast against

        Returns
        -------
        qvalues : ndarray of int64, of the shape of `values`
        """
        array = real_array("values", values)
        codes = self.quantizer.quant(array)
        _check_shape(array, codes)
        self._values, self._qvalues, self.value_is_float = _frozen(array), _frozen(codes), True
        return codes

    def update_quantized_values(self, qvalues: ArrayLike) -> FloatArray:
        """Replace the codes, and return the dequantized values.

        Parameters
        ----------
        qvalues : array-like of int, of any shape that scale and zero point broadcast against
            They are not saturated.

        Returns
        -------
        values : ndarray of float64, of the shape of `qvalues`
        """
        codes = _codes(qvalues)
        array = self.quantizer.dequant(codes)
        _check_shape(codes, array)
        self._values, self._qvalues, self.value_is_float = _frozen(array), _frozen(codes), False
        return array

    def quant(self) -> IntArray | None:
        """Quantize the real values with the present quantizer, and set `qvalues`.

        Returns
        -------
        qvalues : ndarray of int64 or None
            None if there are no values. See `UniformQuantizer.quant`.
        """
        if self._values is None:
            return None
        codes = self.quantizer.quant(self._values)
        self._qvalues = _frozen(codes)
        return codes

    def dequant(self) -> FloatArray:
        """Dequantize the codes with the present quantizer, and set `values`.

        Returns
        -------
        values : ndarray of float64
            See `UniformQuantizer.dequant`.

        Raises
        ------
        ValueError
            If there are no codes.
        """
        if self._qvalues is None:
            raise ValueError("there are no codes yet: call update_values or assign qvalues.")
        array = self.quantizer.dequant(self._qvalues)
        self._values = _frozen(array)
        return array

    def __call__(self) -> IntArray | None:
        """The codes, `qvalues`."""
        return self._qvalues


def _codes(qvalues: ArrayLike) -> IntArray:
    array = np.asarray(qvalues)
    if array.dtype.kind not in "iuf" or not np.array_equal(np.rint(array), array):
        raise TypeError(f"codes must be integers, got an array of {array.dtype}.")
    if array.size and max(-int(array.min()), int(array.max())) > EXACT_FLOAT64:
        raise ValueError(f"codes must be in [-2**53, 2**53], got {array.min()} to {array.max()}.")
    return array.astype(np.int64)


def _check_shape(given: NDArray[Any], result: NDArray[Any]) -> None:
    if given.shape != result.shape:
        raise ValueError(
            f"values of shape {given.shape} and parameters broadcast to {result.shape}; "
            "scale and zero point must broadcast against the values."
        )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.copy()
    view.flags.writeable = False
    return view
