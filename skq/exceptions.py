"""Errors and warnings of skq, with one root each.

Every error also derives from the built-in class that scikit-learn would raise instead, so code that
catches ``ValueError``, ``TypeError`` or ``NotFittedError`` still works.
"""

__all__ = [
    "AccumulatorOverflowError",
    "CalibrationWarning",
    "ConversionError",
    "ParityError",
    "PrecisionWarning",
    "ProgramError",
    "SerializationError",
    "SkqError",
    "SkqWarning",
    "UnsupportedModelError",
]


class SkqError(Exception):
    """Root of all errors that skq raises on purpose."""


class ConversionError(SkqError, ValueError):
    """A fitted model or a graph cannot be turned into an integer program."""


class UnsupportedModelError(ConversionError, TypeError):
    """The estimator, step or operator has no integer representation."""


class ParityError(ConversionError):
    """The converted float graph does not compute what the scikit-learn estimator computes."""


class ProgramError(SkqError, ValueError):
    """An integer program is malformed: types, shapes or intervals are inconsistent."""


class AccumulatorOverflowError(ProgramError, OverflowError):
    """A proven interval does not fit into 64-bit signed integers."""


class SerializationError(SkqError, ValueError):
    """A file or a text is not a valid skq document of a known version."""


class SkqWarning(UserWarning):
    """Root of all warnings that skq issues."""


class CalibrationWarning(SkqWarning):
    """The calibration data do not cover what the program is calibrated for."""


class PrecisionWarning(SkqWarning):
    """The integers lose much of the float model's precision; more bits would lose less."""


class SlowEngineWarning(SkqWarning):
    """The compiled kernels are not there, so that predictions run on NumPy; they are the same."""
