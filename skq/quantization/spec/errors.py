"""Errors of fake quantization: what was expected, what came, and what to do.

Every class derives from the built-in error that fits, so code that catches `ValueError`,
`TypeError`, `KeyError` or `RuntimeError` keeps working.
"""

from __future__ import annotations

from skq.exceptions import SkqError


class ValidationError(SkqError, ValueError):
    """A field of a spec or of a granularity has a value that it cannot have."""


class FrozenRecordError(ValidationError, AttributeError):
    """An attribute of a frozen spec or granularity was assigned or deleted."""


class UnknownKeyError(ValidationError, KeyError):
    """No class is registered under this key."""

    def __str__(self) -> str:  # KeyError shows the repr of its argument
        return str(self.args[0]) if self.args else ""


class BlockSizeMismatchError(SkqError, ValueError):
    """An axis of a tensor is not a whole number of blocks long."""


class QParamsError(SkqError, ValueError, AssertionError):
    """Quantization parameters are missing, superfluous, or do not fit their dtype."""


class RangeError(SkqError, ValueError):
    """The observed range is not finite, so it has no scale."""


class StateError(SkqError, RuntimeError):
    """A module was used before it observed a tensor, or with a tensor of another shape."""
