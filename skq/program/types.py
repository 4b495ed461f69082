"""The type of a value in an integer program: shape of one row, dtype, proven interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from skq.exceptions import AccumulatorOverflowError, ProgramError
from skq.numerics import INT64_MAX, bit_width, integer_dtype
from skq.serialization import serializable

#: Most axes of a row: with the axis of rows 32, which every version of NumPy supports.
MAX_RANK = 31
#: Most elements of a row and of an axis: more than any memory, and small enough not to overflow.
MAX_SIZE = 2**48


@serializable("skq.TensorType")
@dataclass(frozen=True)
class TensorType:
    """Type of one value; the leading (batch) dimension is left out.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row: ``(n_features,)`` for a table, ``()`` for one number per row.
    lo, hi : int or None
        Proven interval of every element; ``None`` for floats.

    Examples
    --------
    >>> TensorType((30,), 0, 255)
    TensorType(shape=(30,), lo=0, hi=255)
    >>> print(TensorType((30,), 0, 255))
    uint8[30] in [0, 255] (8 bits)
    """

    shape: tuple[int, ...]
    lo: int | None = None
    hi: int | None = None

    def __post_init__(self) -> None:
        shape, ends = self.shape, (self.lo, self.hi)
        if type(shape) is not tuple or not all(type(d) is int and d >= 0 for d in shape):
            raise ProgramError(f"a shape must be a tuple of ints >= 0; got {shape!r:.80}")
        if len(shape) > MAX_RANK or math.prod(d or 1 for d in shape) > MAX_SIZE:
            raise ProgramError(
                f"a row has at most {MAX_RANK} axes and {MAX_SIZE} elements; "
                f"got the shape {shape!r:.80}"
            )
        if ends != (None, None) and not all(type(end) is int for end in ends):
            raise ProgramError(f"lo and hi must be two ints, or both None; got {ends!r:.80}")
        if self.lo is not None and self.hi is not None:
            if self.lo > self.hi:
                raise ProgramError(f"empty interval [{self.lo}, {self.hi}]")
            if max(-self.lo, self.hi) > INT64_MAX:
                raise AccumulatorOverflowError(
                    f"the interval [{self.lo}, {self.hi}] needs more than 63 bits; "
                    "use fewer bits (n_bits) or fewer inputs"
                )

    @property
    def is_integer(self) -> bool:
        """Whether values are integers with a proven interval."""
        return self.lo is not None

    @property
    def interval(self) -> tuple[int, int]:
        """``(lo, hi)``; a `ProgramError` for floats."""
        if self.lo is None or self.hi is None:
            raise ProgramError("expected an integer value; got a float one")
        return self.lo, self.hi

    @property
    def dtype(self) -> str:
        """Smallest dtype that holds the interval; ``"float64"`` for floats."""
        return integer_dtype(*self.interval) if self.is_integer else "float64"

    @property
    def bits(self) -> int:
        """Bits that hold the interval; 64 for floats."""
        return bit_width(*self.interval) if self.is_integer else 64

    @property
    def size(self) -> int:
        """Elements in one row."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        dims = ",".join(map(str, self.shape))
        text = f"{self.dtype}[{dims}]"
        if self.is_integer:
            text += f" in [{self.lo}, {self.hi}] ({self.bits} bits)"
        return text
