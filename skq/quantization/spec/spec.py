"""`QuantizationSpec`: the description of how a tensor is fake-quantized."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, fields
from enum import Enum
from typing import Any, ClassVar, TypeVar

import torch

from skq.quantization.spec import dtypes
from skq.quantization.spec.compression import CompressionSpec, CompressionType
from skq.quantization.spec.errors import ValidationError
from skq.quantization.spec.fake_quantize import FakeQuantizeImplBase
from skq.quantization.spec.granularity import (
    PerChannelGranularity,
    PerTensorGranularity,
    QuantizationGranularity,
)
from skq.quantization.spec.qformulation import QuantizationFormulation
from skq.quantization.spec.qparams_calculator import QParamsCalculatorBase
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.range_calculator import RangeCalculatorBase

E = TypeVar("E", bound=Enum)

#: The base class whose registry names the class of a field.
REGISTRIES: Mapping[str, Any] = {
    "fake_quantize_cls": FakeQuantizeImplBase,
    "qparam_calculator_cls": QParamsCalculatorBase,
    "range_calculator_cls": RangeCalculatorBase,
}


class QuantizationSpec(CompressionSpec):
    """Description of how a tensor is fake-quantized; frozen, keyword-only, with value equality.

    Parameters
    ----------
    dtype : torch.dtype or str, default=torch.int8
        One of `SUPPORTED_DTYPES`, or its name.
    qscheme : QuantizationScheme or str, default="symmetric"
        How a range becomes a scale.
    qformulation : QuantizationFormulation or str, default="zp"
        Offset of the codes.
    granularity : QuantizationGranularity or dict, default=PerTensorGranularity()
        Which elements share parameters. A dict has the registered key under ``type``.
    fake_quantize_cls : str or class, default="default"
        Class of the fake quantizer, or its registered key. The field contains the class.
    qparam_calculator_cls : str or class, default="default"
        Class of the parameter calculator, or its registered key. ``"default"`` means ``"static"``
        for weights and tables, and ``"moving_average"`` for activations.
    range_calculator_cls : str or class, default="minmax"
        Class of the range calculator, or its registered key.
    float_range : list or tuple of two float or None, default=[None, None]
        Given ends of the range, around 0; None means that the end is observed.
    scale_dtype : torch.dtype, str or None, default=None
        With ``float8_e8m0fnu``, the scales of float dtypes are powers of two. This is always so
        for float4_e2m1fn.

    Raises
    ------
    ValidationError
        If a field has an invalid value. It is a ValueError.
    TypeError
        If one of the class fields is neither a str nor a class.

    Notes
    -----
    Undeclared keywords are dropped, so that ``QuantizationSpec(**spec.model_dump())`` equals
    ``spec``. A subclass adds fields by annotating attributes; they are keywords of the components.

    Examples
    --------
    >>> spec = QuantizationSpec(dtype="uint4", qscheme="asymmetric")
    >>> spec.quant_min, spec.quant_max, spec.n_bits, spec.target_dtype
    (0, 15, 4, torch.uint8)
    >>> QuantizationSpec(**spec.model_dump()) == spec
    True
    >>> class SlowSpec(QuantizationSpec):
    ...     averaging_constant: float = 0.001
    >>> SlowSpec(dtype="int4").get_extra_args()
    {'averaging_constant': 0.001}
    """

    #: Dtypes that a spec accepts; may be widened.
    SUPPORTED_DTYPES: ClassVar[set[Any]] = dtypes.supported_dtypes()

    dtype: Any = torch.int8
    # The constructor accepts more types than the fields hold.
    qscheme: Any = QuantizationScheme.SYMMETRIC
    qformulation: Any = QuantizationFormulation.ZP
    granularity: Any = field(default_factory=PerTensorGranularity)
    fake_quantize_cls: Any = "default"
    qparam_calculator_cls: Any = "default"
    range_calculator_cls: Any = "minmax"
    float_range: Any = field(default_factory=lambda: [None, None])
    scale_dtype: Any = None

    @classmethod
    def _validated(cls, values: dict[str, Any]) -> dict[str, Any]:
        dtype = cls._supported(values["dtype"])
        scheme = _member(QuantizationScheme, values["qscheme"], "qscheme")
        formulation = _member(QuantizationFormulation, values["qformulation"], "qformulation")
        granularity = QuantizationGranularity.maybe_build_from_dict(values["granularity"])
        if not isinstance(granularity, QuantizationGranularity):
            raise ValidationError(
                "granularity must be a QuantizationGranularity, or a dict with the key 'type'. "
                f"Got {granularity!r} instead."
            )
        if dtypes.is_float(dtype) and scheme is not QuantizationScheme.SYMMETRIC:
            raise ValidationError(
                f"Float dtypes have the scheme 'symmetric'. Got {scheme.value!r}."
            )
        if dtypes.is_float(dtype) and formulation is not QuantizationFormulation.ZP:
            raise ValidationError(
                f"Float dtypes have the formulation 'zp'. Got {str(formulation)!r}."
            )
        return {
            **values,
            "dtype": dtype,
            "qscheme": scheme,
            "qformulation": formulation,
            "granularity": granularity,
            **{name: _registered(name, values[name]) for name in REGISTRIES},
            "float_range": _checked_range(values["float_range"]),
            "scale_dtype": _scale_dtype(values["scale_dtype"], dtype),
        }

    @classmethod
    def _supported(cls, value: Any) -> Any:
        dtype = dtypes.parse_dtype(value)
        if dtype not in cls.SUPPORTED_DTYPES:
            names = sorted(map(dtypes.dtype_name, cls.SUPPORTED_DTYPES))
            raise ValidationError(
                f"Unsupported dtype {value!r}: expected one of {', '.join(names)}."
            )
        return dtype

    @classmethod
    def get_n_bits_from_dtype(cls, dtype: Any) -> int:
        """Return the bits of any integer or floating-point dtype of torch."""
        return dtypes.n_bits_of(dtype)

    @classmethod
    def get_target_dtype(cls, dtype: Any) -> Any:
        """Return the dtype that stores codes of a dtype."""
        return dtypes.storage_of(dtype)

    @classmethod
    def get_quant_range(
        cls, dtype: Any, qscheme: Any = QuantizationScheme.SYMMETRIC, n_bits: int | None = None
    ) -> tuple[int, int] | tuple[float, float]:
        """Return the least and the greatest code.

        Parameters
        ----------
        dtype : torch.dtype or str
        qscheme : QuantizationScheme or str, default="symmetric"
        n_bits : int or None, default=None
            Bits of a code; None: those of `dtype`.
        """
        scheme = _member(QuantizationScheme, qscheme, "qscheme")
        return dtypes.code_range_of(dtype, scheme, n_bits)

    @property
    def n_bits(self) -> int:
        """Bits of a code."""
        return self.get_n_bits_from_dtype(self.dtype)

    @property
    def target_dtype(self) -> Any:
        """Dtype that stores the codes."""
        return self.get_target_dtype(self.dtype)

    @property
    def _quant_range(self) -> tuple[int, int] | tuple[float, float]:
        return self.get_quant_range(self.dtype, self.qscheme, self.n_bits)

    @property
    def quant_min(self) -> int | float:
        """Least code."""
        return self._quant_range[0]

    @property
    def quant_max(self) -> int | float:
        """Greatest code."""
        return self._quant_range[1]

    @classmethod
    def get_compression_type(cls) -> CompressionType:
        """Return `CompressionType.QUANTIZATION`."""
        return CompressionType.QUANTIZATION

    def get_extra_args(self) -> dict[str, Any]:
        """Return the fields that a subclass has added.

        Returns
        -------
        dict of str to object
            Keywords of the fake quantizer and of both calculators.
        """
        known = {f.name for f in fields(QuantizationSpec)}  # type: ignore[arg-type]
        return {name: value for name, value in self._values().items() if name not in known}

    def model_dump(self) -> dict[str, Any]:
        """Return all fields, computed ones too, as JSON values where their types are those of skq.

        Returns
        -------
        dict of str to object
            Dtypes by name, members by value, classes by key; the constructor accepts it.
        """
        dump = self._values()
        dump.update({name: REGISTRIES[name].get_key(dump[name]) for name in REGISTRIES})
        return {
            **dump,
            "dtype": dtypes.dtype_name(self.dtype),
            "qscheme": self.qscheme.value,
            "qformulation": self.qformulation.value,
            "granularity": self.granularity.model_dump(),
            "float_range": list(self.float_range),
            "scale_dtype": self.scale_dtype and dtypes.dtype_name(self.scale_dtype),
            "n_bits": self.n_bits,
            "target_dtype": dtypes.dtype_name(self.target_dtype),
            "quant_min": self.quant_min,
            "quant_max": self.quant_max,
            "_quant_range": self._quant_range,
        }


def default_weight_quantization_spec() -> QuantizationSpec:
    """Return the spec of weights: int8, symmetric, one scale per channel of axis 0, static.

    Examples
    --------
    >>> default_weight_quantization_spec().granularity
    PerChannelGranularity(axis=0)
    """
    return QuantizationSpec(
        granularity=PerChannelGranularity(axis=0), qparam_calculator_cls="static"
    )


def default_activation_quantization_spec() -> QuantizationSpec:
    """Return the spec of activations: int8, symmetric, one scale, a moving average of ranges.

    Examples
    --------
    >>> default_activation_quantization_spec().granularity
    PerTensorGranularity(axis=None)
    """
    return QuantizationSpec(qparam_calculator_cls="moving_average")


def _member(kind: type[E], value: Any, name: str) -> E:
    try:
        return kind(value)
    except ValueError:
        values = ", ".join(repr(str(member.value)) for member in kind)
        raise ValidationError(f"{name} must be one of {values}. Got {value!r} instead.") from None


def _registered(name: str, value: Any) -> Any:
    """Return the class of a key; a class is returned unchanged."""
    registry = REGISTRIES[name]
    keys = ", ".join(sorted(map(repr, registry.list_registry_keys())))
    if isinstance(value, str):
        if value not in registry.list_registry_keys():
            raise ValidationError(f"{name} must be one of {keys}, or a class. Got {value!r}.")
        return registry.get_class(value)
    if not isinstance(value, type):
        raise TypeError(f"{name} must be a registered key or class. Got {value!r} instead.")
    if value not in registry.list_registry_values():
        raise ValidationError(
            f"{name}: {value.__name__} is not registered on {registry.__name__}. "
            f"Decorate it with @{registry.__name__}.register(key). Registered: {keys}."
        )
    return value


def _checked_range(value: Any) -> list[float | None]:
    """`float_range` as a list of floats and None."""
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(map(_is_end, value)):
        raise ValidationError(
            "float_range must be a list or tuple of two, each None or a finite number. "
            f"Got {value!r} instead."
        )
    low, high = (None if end is None else float(end) for end in value)
    if (low is not None and low > 0) or (high is not None and high < 0) or low == high == 0:
        raise ValidationError(
            f"float_range must have low <= 0 <= high and low < high. Got {value!r} instead."
        )
    return [low, high]


def _is_end(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _scale_dtype(value: Any, dtype: Any) -> Any:
    """`scale_dtype` of codes of a dtype."""
    scale_dtype = None if value is None else dtypes.parse_dtype(value)
    if scale_dtype is not None and (scale_dtype != dtypes.E8M0 or not dtypes.is_float(dtype)):
        raise ValidationError(
            "scale_dtype must be None, or float8_e8m0fnu for a float dtype. "
            f"Got {value!r} for {dtypes.dtype_name(dtype)}."
        )
    return dtypes.E8M0 if dtype == dtypes.FLOAT4 else scale_dtype
