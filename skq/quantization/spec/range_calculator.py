"""The range of values that the codes of a tensor cover, block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from skq.quantization.spec.blocks import split_axes
from skq.quantization.spec.granularity import QuantizationGranularity
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.registry import ClassRegistryMixin


class RangeCalculatorBase(ClassRegistryMixin, ABC):
    """Base class of range calculators, which return the range of each block of a tensor.

    Subclasses implement `_generate_min_max`.

    Parameters
    ----------
    granularity : QuantizationGranularity
        Which elements share a range.
    **kwargs
        Additional fields of a spec; unknown ones are ignored.

    Examples
    --------
    >>> from skq.quantization.spec import RangeCalculatorBase
    >>> sorted(RangeCalculatorBase.list_registry_keys())
    ['minmax', 'mse', 'percentile']
    """

    def __init__(self, granularity: QuantizationGranularity, **kwargs: Any) -> None:
        self.granularity = granularity

    def set_grid(
        self, qscheme: QuantizationScheme, quant_min: int | float, quant_max: int | float
    ) -> None:
        """Set the codes that the range is for.

        Parameter calculators call it when they are built. By default nothing depends on it.

        Parameters
        ----------
        qscheme : QuantizationScheme
        quant_min, quant_max : int or float
            Least and greatest code.
        """
        return None

    def __call__(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the greatest value of each block's range.

        Parameters
        ----------
        tensor : Tensor of floats
            Not empty.

        Returns
        -------
        min_val, max_val : Tensor
            Ends of the ranges, of shape ``granularity.get_qparams_shape(tensor.shape)``.

        Raises
        ------
        IndexError
            If the tensor is empty.
        """
        shape = self.granularity.get_qparams_shape(tensor.shape)
        if tensor.numel() == 0:
            raise IndexError(f"A tensor of shape {tuple(tensor.shape)} has no values, so no range.")
        min_val, max_val = self._generate_min_max(tensor)
        return min_val.reshape(shape), max_val.reshape(shape)

    @abstractmethod
    def _generate_min_max(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ends of each block's range, in any shape that reshapes to the parameters' shape."""


@RangeCalculatorBase.register("minmax")
class MinMaxRangeCalculator(RangeCalculatorBase):
    """From the least to the greatest value of each block.

    Examples
    --------
    >>> from skq.quantization.spec import PerChannelGranularity
    >>> ranges = MinMaxRangeCalculator(PerChannelGranularity(axis=0))
    >>> ranges(torch.tensor([[1.0, 2.0], [-3.0, 4.0]]))
    (tensor([[ 1.],
            [-3.]]), tensor([[2.],
            [4.]]))
    """

    def _generate_min_max(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if tensor.ndim == 0:
            return tensor, tensor
        split = split_axes(tensor, self.granularity.get_block_size(tensor.shape))
        within = tuple(range(1, split.ndim, 2))
        return split.amin(dim=within), split.amax(dim=within)
