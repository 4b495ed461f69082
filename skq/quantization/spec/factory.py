"""From a spec to a fake quantizer and its calculators."""

from __future__ import annotations

from typing import Any

from skq.quantization.spec.compression import (
    CompressionComponentFactoryBase,
    CompressionTargetTensor,
)
from skq.quantization.spec.errors import ValidationError
from skq.quantization.spec.fake_quantize import FakeQuantizeImplBase
from skq.quantization.spec.partial import PartialConstructor
from skq.quantization.spec.qparams_calculator import QParamsCalculatorBase
from skq.quantization.spec.range_calculator import RangeCalculatorBase
from skq.quantization.spec.spec import QuantizationSpec

#: Calculator that "default" is resolved to.
DEFAULT_CALCULATORS = {
    CompressionTargetTensor.WEIGHT: "static",
    CompressionTargetTensor.LUT: "static",
    CompressionTargetTensor.ACTIVATION: "moving_average",
}


class QuantizationComponentFactory(CompressionComponentFactoryBase):
    """Builds fake quantizers and calculators from specs; all methods are class methods.

    Fields that a subclass of `QuantizationSpec` has added are keywords of each constructor.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationSpec
    >>> make = QuantizationComponentFactory.construct_partial(
    ...     QuantizationSpec(dtype="int4"), CompressionTargetTensor.ACTIVATION
    ... )
    >>> first, second = make(), make()
    >>> first.n_bits, first.qparams_calculator is second.qparams_calculator
    (4, False)
    """

    @classmethod
    def create_range_calculator(cls, spec: QuantizationSpec) -> RangeCalculatorBase:
        """Return a range calculator for the spec's granularity."""
        calculator: RangeCalculatorBase = spec.range_calculator_cls(
            granularity=spec.granularity, **spec.get_extra_args()
        )
        return calculator

    @classmethod
    def create_qparams_calculator(
        cls, spec: QuantizationSpec, quantization_target: CompressionTargetTensor
    ) -> QParamsCalculatorBase:
        """Return a parameter calculator with a new range calculator.

        Parameters
        ----------
        spec : QuantizationSpec
        quantization_target : CompressionTargetTensor
            Target that ``"default"`` is resolved for.

        Raises
        ------
        ValueError
            If the calculator is ``"default"`` and the target is not a `CompressionTargetTensor`.
        """
        constructor = spec.qparam_calculator_cls
        if constructor is QParamsCalculatorBase.get_class("default"):
            if quantization_target not in DEFAULT_CALCULATORS:
                raise ValidationError(
                    "quantization_target must be a member of CompressionTargetTensor. "
                    f"Got {quantization_target!r} instead."
                )
            key = DEFAULT_CALCULATORS[quantization_target]
            constructor = QParamsCalculatorBase.get_class(key)
        calculator: QParamsCalculatorBase = constructor(
            dtype=spec.dtype,
            qscheme=spec.qscheme,
            granularity=spec.granularity,
            target_dtype=spec.target_dtype,
            quant_min=spec.quant_min,
            quant_max=spec.quant_max,
            range_calculator=cls.create_range_calculator(spec),
            float_range=spec.float_range,
            scale_dtype=spec.scale_dtype,
            **spec.get_extra_args(),
        )
        return calculator

    @classmethod
    def create_fake_quantizer(
        cls, spec: QuantizationSpec, quantization_target: CompressionTargetTensor
    ) -> FakeQuantizeImplBase:
        """Return a fake quantizer with a new calculator."""
        return cls.create_fake_quantizer_partial(spec, quantization_target)()

    @classmethod
    def create_fake_quantizer_partial(
        cls, spec: QuantizationSpec, quantization_target: CompressionTargetTensor
    ) -> PartialConstructor[FakeQuantizeImplBase]:
        """Return a constructor of fake quantizers; each call makes a fresh calculator."""
        arguments: dict[str, Any] = {
            "dtype": spec.dtype,
            "qscheme": spec.qscheme,
            "qformulation": spec.qformulation,
            "granularity": spec.granularity,
            "target_dtype": spec.target_dtype,
            "quant_min": spec.quant_min,
            "quant_max": spec.quant_max,
            "quantization_target": quantization_target,
            "n_bits": spec.n_bits,
            **spec.get_extra_args(),
        }
        constructor: PartialConstructor[FakeQuantizeImplBase] = PartialConstructor(
            spec.fake_quantize_cls, **arguments
        )
        return constructor.with_callable_args(
            qparams_calculator=lambda: cls.create_qparams_calculator(spec, quantization_target)
        )

    @classmethod
    def construct(
        cls, spec: QuantizationSpec | None, target: CompressionTargetTensor
    ) -> FakeQuantizeImplBase | None:
        """Return a fake quantizer, or None for no spec."""
        return None if spec is None else cls.create_fake_quantizer(spec, target)

    @classmethod
    def construct_partial(
        cls, spec: QuantizationSpec | None, target: CompressionTargetTensor
    ) -> PartialConstructor[FakeQuantizeImplBase] | None:
        """Return a constructor of fake quantizers, or None for no spec."""
        return None if spec is None else cls.create_fake_quantizer_partial(spec, target)
