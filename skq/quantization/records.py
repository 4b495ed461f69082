"""The three records of a quantizer: method, range, and scale and zero point."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skq.numerics import FloatArray, IntArray
from skq.quantization.search import grids
from skq.serialization import Serializable, serializable

Real = float | FloatArray
ZeroPoint = int | float | IntArray | FloatArray

MAX_BITS = 32
#: With more distinct values than this they are not recorded: no trained grid is that fine.
MAX_UNIQUE_VALUES = 2**16


class Record(Serializable):
    """Equal to another of its class whose attributes are equal, arrays element by element."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return mine.keys() == theirs.keys() and all(
            np.array_equal(value, theirs[name])
            if isinstance(value, np.ndarray) or isinstance(theirs[name], np.ndarray)
            else value == theirs[name]
            for name, value in mine.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({members})"


@serializable("quantization_options")
@dataclass(eq=False, repr=False)
class QuantizationOptions(Record):
    """How to quantize: the number of bits and the method.

    Parameters
    ----------
    n_bits : int
        Bits of a code, in [1, 32].
    is_signed : bool, default=False
        Codes are in [-2**(n_bits-1), 2**(n_bits-1) - 1] instead of [0, 2**n_bits - 1].
    is_symmetric : bool, default=False
        The range is taken as [-max|x|, max|x|] and the zero point is 0. Signed codes are then in
        [-(2**(n_bits-1) - 1), 2**(n_bits-1) - 1]. Unsigned codes need values >= 0.
    is_qat : bool, default=False
        Whether the values lie on a grid after quantization-aware training. The scale is then
        derived from the values.

    Raises
    ------
    ValueError
        If `n_bits` is not an integer in [1, 32].
    TypeError
        If a flag is not a bool.

    Examples
    --------
    >>> from skq.quantization import QuantizationOptions
    >>> QuantizationOptions(3, is_signed=True)
    QuantizationOptions(n_bits=3, is_signed=True, is_symmetric=False, is_qat=False)
    """

    n_bits: int = field(metadata={"required": True})
    is_signed: bool = False
    is_symmetric: bool = False
    is_qat: bool = False

    def __post_init__(self) -> None:
        self.n_bits = checked_bits(self.n_bits)
        for name in ("is_signed", "is_symmetric", "is_qat"):
            flag = getattr(self, name)
            if not isinstance(flag, bool | np.bool_):
                raise TypeError(f"{name} is True or False, got {flag!r} ({type(flag).__name__}).")
            setattr(self, name, bool(flag))

    @property
    def quant_options(self) -> QuantizationOptions:
        """Return a copy of the options."""
        return QuantizationOptions(**fields_of(self, QuantizationOptions))

    def copy_opts(self, opts: QuantizationOptions) -> None:
        """Copy the options of another object."""
        copy_fields(opts, self, QuantizationOptions)

    def is_equal(self, opts: QuantizationOptions, ignore_sign_qat: bool = False) -> bool:
        """Return whether the options of two objects are equivalent.

        Parameters
        ----------
        opts : QuantizationOptions
            The options to compare with.
        ignore_sign_qat : bool, default=False
            Whether to ignore `is_signed` if both options have `is_qat`.
        """
        ignored = {"is_signed"} if ignore_sign_qat and self.is_qat and opts.is_qat else set()
        return all(
            getattr(self, member.name) == getattr(opts, member.name)
            for member in fields(QuantizationOptions)
            if member.name not in ignored
        )


@serializable("min_max_quantization_stats")
@dataclass(eq=False, repr=False)
class MinMaxQuantizationStats(Record):
    """The range of calibration values.

    Parameters
    ----------
    rmax, rmin : float or ndarray, optional
        Largest and smallest value. Arrays that broadcast against the values give each channel
        a separate range.
    uvalues : ndarray of shape (n_unique,), optional
        The distinct values, sorted. They are used only with `is_qat`.

    Raises
    ------
    ValueError
        If a bound is not finite, or ``rmin > rmax``.

    Examples
    --------
    >>> from skq.quantization import MinMaxQuantizationStats
    >>> stats = MinMaxQuantizationStats()
    >>> stats.compute_quantization_stats([0.5, -1.0, 2.0])
    >>> stats.rmin, stats.rmax
    (-1.0, 2.0)
    """

    rmax: Real | None = field(default=None, metadata={"required": True})
    rmin: Real | None = field(default=None, metadata={"required": True})
    uvalues: FloatArray | None = None

    def __post_init__(self) -> None:
        self.rmax = _real("rmax", self.rmax)
        self.rmin = _real("rmin", self.rmin)
        if self.uvalues is not None:
            self.uvalues = np.unique(np.asarray(_real("uvalues", self.uvalues)))
        if self.rmax is not None and self.rmin is not None and np.any(self.rmin > self.rmax):
            raise ValueError(f"rmin must not exceed rmax, got rmin={self.rmin}, rmax={self.rmax}.")

    @property
    def quant_stats(self) -> MinMaxQuantizationStats:
        """Return a copy of the statistics."""
        return MinMaxQuantizationStats(**fields_of(self, MinMaxQuantizationStats))

    def copy_stats(self, stats: MinMaxQuantizationStats) -> None:
        """Copy the statistics of another object."""
        copy_fields(stats, self, MinMaxQuantizationStats)

    def compute_quantization_stats(self, values: ArrayLike) -> None:
        """Compute the statistics of calibration values.

        Parameters
        ----------
        values : array-like of float, of any shape
            The range is taken over all values. `uvalues` remains None if more than
            `MAX_UNIQUE_VALUES` are distinct.
        """
        array = np.asarray(_real("values", values))
        if array.size == 0:
            raise ValueError("no values: give at least one, or give rmax and rmin.")
        unique = np.unique(array)
        self.rmin = float(unique[0])
        self.rmax = float(unique[-1])
        self.uvalues = unique if unique.size <= MAX_UNIQUE_VALUES else None

    def check_is_uniform_quantized(self, options: QuantizationOptions) -> bool:
        """Return whether the values lie on a uniform grid.

        True if `options` have `is_qat` and all distinct values are integer multiples of the
        smallest gap between them (zero included), within `n_bits` bits of codes.
        """
        return options.is_qat and _grid(options, self) is not None


@serializable("uniform_quantization_parameters")
@dataclass(eq=False, repr=False)
class UniformQuantizationParameters(Record):
    """Scale, zero point and offset of a uniform quantizer.

    Parameters
    ----------
    scale : float or ndarray, optional
        Step of the grid, > 0. An array broadcasts against the values.
    zero_point : int, float or ndarray, optional
        The code of real zero; an integer wherever `compute_quantization_parameters` set it.
    offset : int, optional
        The smallest code is ``-offset``: ``2**(n_bits - 1)`` for signed codes, else 0.

    Raises
    ------
    ValueError
        If a scale is not finite and positive.

    Examples
    --------
    >>> from skq.quantization import MinMaxQuantizationStats, QuantizationOptions
    >>> from skq.quantization import UniformQuantizationParameters
    >>> params = UniformQuantizationParameters()
    >>> params.compute_quantization_parameters(
    ...     QuantizationOptions(2), MinMaxQuantizationStats(rmax=2, rmin=-1)
    ... )
    >>> float(params.scale), params.zero_point, params.offset
    (1.0, 1, 0)
    """

    scale: Real | None = field(default=None, metadata={"required": True})
    zero_point: ZeroPoint | None = field(default=None, metadata={"required": True})
    offset: int | None = None

    def __post_init__(self) -> None:
        scale = _real("scale", self.scale)
        if scale is not None:
            if np.any(np.asarray(scale) <= 0):
                raise ValueError(f"a scale must be positive, got {self.scale}.")
            self.scale = scale if isinstance(scale, np.ndarray) else np.float64(scale)
        self.zero_point = _integral(_real("zero_point", self.zero_point))
        if self.offset is not None:
            offset = _integral(_real("offset", self.offset))
            if not isinstance(offset, int):
                raise TypeError(f"the offset must be one integer, got {self.offset!r}.")
            self.offset = offset

    @property
    def quant_params(self) -> UniformQuantizationParameters:
        """Return a copy of the parameters."""
        return UniformQuantizationParameters(**fields_of(self, UniformQuantizationParameters))

    def copy_params(self, params: UniformQuantizationParameters) -> None:
        """Copy the parameters of another object."""
        copy_fields(params, self, UniformQuantizationParameters)

    def compute_quantization_parameters(
        self, options: QuantizationOptions, stats: MinMaxQuantizationStats
    ) -> None:
        """Compute scale, zero point and offset from a range.

        The formulas are those of `grids.range_grid`, and of `grids.discrete_grid` for QAT.

        Parameters
        ----------
        options : QuantizationOptions
            The method.
        stats : MinMaxQuantizationStats
            The range. If its ends are arrays, scale and zero point are arrays of the same shape.

        Raises
        ------
        ValueError
            If the range is missing or infinitely wide, if values below 0 meet symmetric unsigned
            codes, or if `is_qat` and the values are not on a grid of `n_bits` bits.
        """
        if stats.rmax is None or stats.rmin is None:
            raise ValueError(
                f"rmin and rmax are needed to compute a scale, got rmin={stats.rmin}, "
                f"rmax={stats.rmax}. Call compute_quantization_stats first."
            )
        if options.is_qat:
            grid: tuple[Any, Any] = _required_grid(options, stats)
        else:
            grid = grids.range_grid(stats.rmin, stats.rmax, **_method(options))
        offset = grids.code_offset(options.n_bits, options.is_signed)
        params = UniformQuantizationParameters(*grid, offset)
        self.copy_params(params)


def fill_from_kwargs(obj: Any, klass: type, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """Move the keyword arguments that belong to a record into it.

    Parameters
    ----------
    obj : instance of `klass` or None
        Filled in place. If None, it is created when any member of `klass` is among `kwargs`.
    klass : type
        `QuantizationOptions`, `MinMaxQuantizationStats` or `UniformQuantizationParameters`.
    **kwargs
        Members of records, by name.

    Returns
    -------
    obj : instance of `klass` or None
    kwargs : dict
        The keyword arguments that are not members of `klass`.

    Raises
    ------
    TypeError
        If a required member of the record is missing, or a value has a wrong type.

    Examples
    --------
    >>> fill_from_kwargs(None, MinMaxQuantizationStats, rmax=2, rmin=-1, n_bits=3)
    (MinMaxQuantizationStats(rmax=2.0, rmin=-1.0, uvalues=None), {'n_bits': 3})
    """
    members = [member.name for member in fields(klass)]
    given = {name: value for name, value in kwargs.items() if name in members}
    remaining = {name: value for name, value in kwargs.items() if name not in members}
    if not given:
        return obj, remaining
    known = {} if obj is None else fields_of(obj, klass)
    required = [m.name for m in fields(klass) if m.metadata.get("required")]
    missing = [name for name in required if {**known, **given}.get(name) is None]
    if missing:
        raise TypeError(
            f"{klass.__name__} is incomplete: missing {', '.join(missing)}; "
            f"given {', '.join(given)}. Give all of {', '.join(required)}."
        )
    if obj is None:
        return klass(**given), remaining
    filled = klass(**{**known, **given})
    copy_fields(filled, obj, klass)
    return obj, remaining


class _NotAnIntegerError(ValueError, TypeError):
    """The number of bits is of a wrong type, which is a wrong value of it too."""


def checked_bits(n_bits: object) -> int:
    """Return `n_bits` as an int, if it is an integer in [1, MAX_BITS]."""
    if isinstance(n_bits, bool | np.bool_) or not isinstance(n_bits, int | np.integer):
        raise _NotAnIntegerError(
            f"n_bits must be an integer in [1, {MAX_BITS}], got {n_bits!r} "
            f"({type(n_bits).__name__})."
        )
    if not 1 <= n_bits <= MAX_BITS:
        raise ValueError(f"n_bits must be an integer in [1, {MAX_BITS}], got {n_bits}.")
    return int(n_bits)


def fields_of(obj: Any, klass: type) -> dict[str, Any]:
    """Return copies of those attributes of an object that are members of the record `klass`."""
    names = [member.name for member in fields(klass)]
    if not all(hasattr(obj, name) for name in names):
        raise TypeError(f"expected {klass.__name__}, got {obj!r} ({type(obj).__name__}).")
    return {name: copy.copy(getattr(obj, name)) for name in names}


def copy_fields(source: Any, target: Any, klass: type) -> None:
    """Copy the members of the record `klass` from one object to another."""
    for name, value in fields_of(source, klass).items():
        setattr(target, name, value)


def real_array(name: str, value: ArrayLike) -> FloatArray:
    """Return a float64 copy of numbers; TypeError for anything else, texts of numbers included."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"got dtype {array.dtype}.")
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number or an array of numbers: {error}") from error


def _real(name: str, value: Any) -> Real | None:
    """One float, or a float64 copy of an array, finite; None stays None."""
    if value is None:
        return None
    array = real_array(name, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; NaN or infinity cannot be quantized.")
    return array if array.ndim else float(array)


def _integral(value: Real | None) -> ZeroPoint | None:
    """The same number as an integer where it is one."""
    if isinstance(value, np.ndarray):
        is_exact = (np.rint(value) == value).all() and (np.abs(value) < 2.0**63).all()
        return value.astype(np.int64) if is_exact else value
    return int(value) if value is not None and value.is_integer() else value


def _method(options: QuantizationOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("n_bits", "is_signed", "is_symmetric")}


def _grid(options: QuantizationOptions, stats: MinMaxQuantizationStats) -> tuple[float, int] | None:
    if stats.uvalues is None:
        return None
    return grids.discrete_grid(stats.uvalues, **_method(options))


def _required_grid(
    options: QuantizationOptions, stats: MinMaxQuantizationStats
) -> tuple[float, int]:
    grid = _grid(options, stats)
    if grid is None:
        found = "no uvalues" if stats.uvalues is None else f"{stats.uvalues.size} distinct values"
        raise ValueError(
            f"is_qat=True needs values on a uniform grid of {options.n_bits} bits, got {found} "
            "that are not. Check with check_is_uniform_quantized, or use is_qat=False."
        )
    return grid
