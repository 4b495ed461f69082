"""Errors of fake quantization: what was expected, what came, and what to do.

Every class derives from the built-in error that fits, so code that catches `ValueError`,
`TypeError`, `KeyError` or `RuntimeError` keeps working.
"""

from __future__ import annotations

from skq.exceptions import SkqError


class ValidationError(SkqError, ValueError):
    """A field of a spec or of a granularity has an invalid value.

    Examples
    --------
    >>> from skq.quantization.spec import QuantizationSpec
    >>> QuantizationSpec(dtype="int99")
    Traceback (most recent call last):
        ...
    skq.quantization.spec.errors.ValidationError: Unsupported dtype 'int99': ...
    """


class FrozenRecordError(ValidationError, AttributeError):
    """An attribute of a frozen spec or granularity was assigned or deleted."""


class UnknownKeyError(ValidationError, KeyError):
    """No class is registered under this key."""

    def __str__(self) -> str:  # KeyError shows the repr of its argument
        return str(self.args[0]) if self.args else ""


class BlockSizeMismatchError(SkqError, ValueError):
    """The length of an axis is not a multiple of the block size.

    Examples
    --------
    >>> from skq.quantization.spec import PerBlockGranularity
    >>> PerBlockGranularity(axis=1, block_size=8).get_block_size((2, 12))
    Traceback (most recent call last):
        ...
    skq.quantization.spec.errors.BlockSizeMismatchError: Axis 1 has 12 elements, which is not ...
    """


class QParamsError(SkqError, ValueError, AssertionError):
    """Quantization parameters are missing, superfluous, or do not fit their dtype.

    Examples
    --------
    >>> import torch
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> fake_quantize = QuantizationComponentFactory.create_fake_quantizer(
    ...     QuantizationSpec(dtype="int4"), CompressionTargetTensor.WEIGHT
    ... )
    >>> fake_quantize.quantize(torch.ones(2), torch.tensor(0.5), None, None)
    Traceback (most recent call last):
        ...
    skq.quantization.spec.errors.QParamsError: int4 is an integer dtype: ...
    """


class RangeError(SkqError, ValueError):
    """The observed range is not finite, so it has no scale.

    Examples
    --------
    >>> import torch
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> fake_quantize = QuantizationComponentFactory.create_fake_quantizer(
    ...     QuantizationSpec(dtype="int4"), CompressionTargetTensor.WEIGHT
    ... )
    >>> fake_quantize(torch.tensor([1.0, float("inf")]))
    Traceback (most recent call last):
        ...
    skq.quantization.spec.errors.RangeError: The observed range is not finite: ...
    """


class StateError(SkqError, RuntimeError):
    """A module was used before it observed a tensor, or with a tensor of another shape.

    Examples
    --------
    >>> import torch
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> fake_quantize = QuantizationComponentFactory.create_fake_quantizer(
    ...     QuantizationSpec(dtype="int4"), CompressionTargetTensor.WEIGHT
    ... )
    >>> fake_quantize.enable_observer(False)
    >>> fake_quantize(torch.ones(2))
    Traceback (most recent call last):
        ...
    skq.quantization.spec.errors.StateError: There are no quantization parameters yet: ...
    """
