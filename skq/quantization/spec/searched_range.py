"""Clipped ranges: percentiles, and the least mean squared error."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch

from skq.quantization.search.settings import RANGES
from skq.quantization.spec.blocks import block_rows
from skq.quantization.spec.errors import ValidationError
from skq.quantization.spec.formulas import integer_qparams, unclamped_codes, values_of
from skq.quantization.spec.granularity import QuantizationGranularity
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.range_calculator import RangeCalculatorBase


@RangeCalculatorBase.register("percentile")
class PercentileRangeCalculator(RangeCalculatorBase):
    """From one percentile of each block to another; values outside of them saturate.

    Parameters
    ----------
    granularity : QuantizationGranularity
    percentile : float, default=99.9
        In (50, 100]. The range ends at this percentile and begins at 100 minus it, with linear
        interpolation between values.
    **kwargs
        Ignored.

    Examples
    --------
    >>> from skq.quantization.spec import PerTensorGranularity
    >>> ranges = PercentileRangeCalculator(PerTensorGranularity(), percentile=90)
    >>> ranges(torch.arange(11.0))
    (tensor([1.]), tensor([9.]))
    """

    def __init__(
        self, granularity: QuantizationGranularity, percentile: float = 99.9, **kwargs: Any
    ) -> None:
        super().__init__(granularity, **kwargs)
        if not 50 < percentile <= 100:
            raise ValidationError(f"percentile must lie in (50, 100]. Got {percentile!r} instead.")
        self.percentile = percentile

    def _generate_min_max(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        rows = block_rows(tensor, self.granularity.get_block_size(tensor.shape))
        ordered, _ = rows.sort(dim=-1)
        share = self.percentile / 100
        return _quantile(ordered, 1 - share), _quantile(ordered, share)


@RangeCalculatorBase.register("mse")
class MSERangeCalculator(RangeCalculatorBase):
    """The range whose codes have the least mean squared error on each block.

    From the range of all values the ends are moved towards 0 in turn, coarsely and then around the
    best, as `skq.quantization.search.ranges` does after training; with symmetric schemes both at
    once. The error is that of the formulation ZP. For integer dtypes.

    Parameters
    ----------
    granularity : QuantizationGranularity
    **kwargs
        Ignored.

    Examples
    --------
    >>> from skq.quantization.spec import PerTensorGranularity, QuantizationScheme
    >>> ranges = MSERangeCalculator(PerTensorGranularity())
    >>> ranges.set_grid(QuantizationScheme.ASYMMETRIC, 0, 7)
    >>> x = torch.cat([torch.linspace(0, 1, 5000), torch.tensor([3.0])])
    >>> low, high = ranges(x)
    >>> low.item(), round(high.item(), 2)
    (0.0, 0.92)
    """

    def __init__(self, granularity: QuantizationGranularity, **kwargs: Any) -> None:
        super().__init__(granularity, **kwargs)
        self._grid: tuple[QuantizationScheme, int, int] | None = None

    def set_grid(
        self, qscheme: QuantizationScheme, quant_min: int | float, quant_max: int | float
    ) -> None:
        if isinstance(quant_min, float):
            raise ValidationError(
                "The range calculator 'mse' is for integer dtypes; use 'minmax' or 'percentile' "
                "for float dtypes."
            )
        self._grid = QuantizationScheme(qscheme), quant_min, int(quant_max)

    @torch.no_grad()
    def _generate_min_max(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._grid is None:
            raise ValidationError("Call set_grid first: the error depends on the codes.")
        rows = block_rows(tensor, self.granularity.get_block_size(tensor.shape))
        rows = rows.reshape(-1, rows.shape[-1])
        ends = torch.stack([rows.amin(dim=-1).clamp(max=0), rows.amax(dim=-1).clamp(min=0)])
        if rows.shape[1] > RANGES.mse_values:
            chosen = torch.linspace(0, rows.shape[1] - 1, RANGES.mse_values, device=rows.device)
            rows = rows[:, chosen.to(torch.int64)]
        if not bool(torch.isfinite(ends).all()):
            return ends[0], ends[1]  # the parameter calculator refuses it
        factor = self._least_error(rows, ends)
        return ends[0] * factor[0], ends[1] * factor[1]

    def _least_error(self, rows: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """Factor of either end, shape (2, n_blocks)."""
        assert self._grid is not None
        factor = torch.ones_like(ends)
        least = self._error(rows, ends)
        is_affine = self._grid[0] is QuantizationScheme.ASYMMETRIC
        sides = ([1], [0]) if is_affine else ([0, 1],)
        for shares, side in product((RANGES.coarse_shares, RANGES.fine_shares), sides):
            before = factor[side].clone()
            for share in shares:
                tried = factor.clone()
                tried[side] = (before * float(share)).clamp(max=1)
                error = self._error(rows, ends * tried)
                is_better = error < least
                factor = torch.where(is_better, tried, factor)
                least = torch.where(is_better, error, least)
        return factor

    def _error(self, rows: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """Mean squared error of each block, shape (n_blocks,)."""
        assert self._grid is not None
        _, quant_min, quant_max = self._grid
        scale, zero_point, _ = integer_qparams(ends[0, :, None], ends[1, :, None], *self._grid)
        codes = unclamped_codes(rows, scale, None, zero_point).clamp(quant_min, quant_max)
        return (values_of(codes, scale, None, zero_point) - rows).square().mean(dim=-1)


def _quantile(ordered: torch.Tensor, share: float) -> torch.Tensor:
    """Quantile along the last axis, which is sorted, with linear interpolation."""
    position = share * (ordered.shape[-1] - 1)
    below = int(position)
    above = min(below + 1, ordered.shape[-1] - 1)
    return torch.lerp(ordered[..., below], ordered[..., above], position - below)
