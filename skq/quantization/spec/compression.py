"""Base classes of compression methods: targets, kinds, specs, simulators, factories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, StrEnum
from typing import Any, ClassVar

import torch

from skq.quantization.spec.partial import PartialConstructor
from skq.quantization.spec.record import FrozenRecord
from skq.quantization.spec.registry import ClassRegistryMixin


class CompressionTargetTensor(Enum):
    """The kind of tensor that is compressed: a weight, an activation, or a lookup table.

    Examples
    --------
    >>> CompressionTargetTensor("weight")
    <CompressionTargetTensor.WEIGHT: 'weight'>
    """

    WEIGHT = "weight"
    ACTIVATION = "activation"
    LUT = "lut"


class CompressionType(StrEnum):
    """The compression method.

    Examples
    --------
    >>> CompressionType("quantization")
    <CompressionType.QUANTIZATION: 'quantization'>
    """

    QUANTIZATION = "quantization"
    PALETTIZATION = "palettization"
    PRUNING = "pruning"


class CompressionSpec(FrozenRecord):
    """Base class of descriptions of how a tensor is compressed; frozen, with value equality.

    Undeclared keywords are dropped, so a dump with computed fields can be read back.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionSpec, QuantizationSpec
    >>> isinstance(QuantizationSpec(dtype="int4"), CompressionSpec)
    True
    >>> QuantizationSpec(dtype="int4").get_compression_type()
    <CompressionType.QUANTIZATION: 'quantization'>
    """

    _drops_unknown: ClassVar[bool] = True

    @classmethod
    def get_compression_type(cls) -> CompressionType:
        """Return the compression method."""
        raise NotImplementedError(f"{cls.__name__} must define get_compression_type.")

    def get_extra_args(self) -> dict[str, Any]:
        """Return the fields that a subclass has added to the library's spec."""
        return {}


class CompressionSimulatorBase(ClassRegistryMixin, ABC, torch.nn.Module):
    """Base class of modules that simulate the effect of compression on a tensor.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionSimulatorBase, FakeQuantizeImplBase
    >>> issubclass(FakeQuantizeImplBase, CompressionSimulatorBase)
    True
    """

    @abstractmethod
    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the tensor with the values after compression.

        Parameters
        ----------
        tensor : Tensor

        Returns
        -------
        Tensor of the same shape and dtype
        """


class CompressionComponentFactoryBase(ABC):
    """Base class of factories that build simulators from specs.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionComponentFactoryBase
    >>> from skq.quantization.spec import QuantizationComponentFactory
    >>> issubclass(QuantizationComponentFactory, CompressionComponentFactoryBase)
    True
    """

    @classmethod
    @abstractmethod
    def construct(cls, spec: Any, target: CompressionTargetTensor) -> Any:
        """Return a module for a spec, or None for no spec."""

    @classmethod
    @abstractmethod
    def construct_partial(
        cls, spec: Any, target: CompressionTargetTensor
    ) -> PartialConstructor[Any] | None:
        """Return a constructor of modules for a spec, or None for no spec."""
