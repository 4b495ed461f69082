"""What all ways of compressing a tensor have in common: targets, kinds, specs, simulators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, StrEnum
from typing import Any, ClassVar

import torch

from skq.quantization.spec.partial import PartialConstructor
from skq.quantization.spec.record import FrozenRecord
from skq.quantization.spec.registry import ClassRegistryMixin


class CompressionTargetTensor(Enum):
    """The kind of tensor that is compressed: a weight, an activation, or a lookup table."""

    WEIGHT = "weight"
    ACTIVATION = "activation"
    LUT = "lut"


class CompressionType(StrEnum):
    """The way of compressing."""

    QUANTIZATION = "quantization"
    PALETTIZATION = "palettization"
    PRUNING = "pruning"


class CompressionSpec(FrozenRecord):
    """What to do with a tensor; frozen, with value equality.

    Base class. Undeclared keywords are dropped, so a dump with computed fields can be read back.
    """

    _drops_unknown: ClassVar[bool] = True

    @classmethod
    def get_compression_type(cls) -> CompressionType:
        """Return the way of compressing."""
        raise NotImplementedError(f"{cls.__name__} must define get_compression_type.")

    def get_extra_args(self) -> dict[str, Any]:
        """Return the fields that a subclass has added to the library's spec."""
        return {}


class CompressionSimulatorBase(ClassRegistryMixin, ABC, torch.nn.Module):
    """A module that does to a tensor what compressing it would do to its values."""

    @abstractmethod
    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the values that are left of a tensor.

        Parameters
        ----------
        tensor : Tensor

        Returns
        -------
        Tensor of the same shape and dtype
        """


class CompressionComponentFactoryBase(ABC):
    """Builds the simulators that specs describe."""

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
