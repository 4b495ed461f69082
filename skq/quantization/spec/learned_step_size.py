"""Learned step size: the scale is a parameter that training changes (LSQ, arXiv:1902.08153)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from skq.quantization.spec.blocks import block_rows
from skq.quantization.spec.errors import ValidationError
from skq.quantization.spec.formulas import LEAST_SCALE, check_range, check_scale
from skq.quantization.spec.qparams_calculator import QParams, QParamsCalculatorBase
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.straight_through import GradientFactor


@QParamsCalculatorBase.register("learned_step_size")
class LearnedStepSizeQParamsCalculator(QParamsCalculatorBase):
    """A scale that is trained, with the gradient of equation 3 of the paper.

    The first tensor sets the zero point, which stays, and the scale that training starts from:
    ``2 * mean(|x|) / sqrt(top)`` of each block for symmetric schemes, where ``top = quant_max -
    zero_point``; the scale of the range for the asymmetric one, or where ``float_range`` is given.
    Later tensors change nothing. The gradient of the scale is multiplied by
    ``1 / sqrt(n * top)``, n being the number of elements that share it.

    The scale is an `torch.nn.Parameter`, so an optimizer that is built from
    ``module.parameters()`` trains it, also where it is built before the first forward.

    Parameters
    ----------
    *args, **kwargs
        See `QParamsCalculatorBase`. Integer dtypes only.

    Attributes
    ----------
    scale : torch.nn.Parameter of float32
    minval : Tensor of float32
        ``(quant_min - zero_point) * scale``.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> spec = QuantizationSpec(dtype="int2", qparam_calculator_cls="learned_step_size")
    >>> weight = CompressionTargetTensor.WEIGHT
    >>> fake_quantize = QuantizationComponentFactory.create_fake_quantizer(spec, weight)
    >>> x = torch.tensor([-1.0, -0.25, 0.5, 2.0])
    >>> fake_quantize(x).square().sum().backward()
    >>> scale = fake_quantize.qparams_calculator.scale
    >>> scale, scale.grad
    (Parameter containing:
    tensor([1.8750], requires_grad=True), tensor([0.7500]))

    References
    ----------
    Esser et al., "Learned Step Size Quantization", ICLR 2020, arXiv:1902.08153.
    """

    is_learned: ClassVar[bool] = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._is_float:
            raise ValidationError("A learned step size needs an integer dtype.")
        del self.scale
        self.scale = torch.nn.Parameter(torch.empty(0))

    def forward(self, tensor: torch.Tensor) -> QParams:
        if not self.is_initialized() and not self.export_mode:
            with torch.no_grad():
                self._start(tensor)
        if not self.is_initialized() or self.export_mode:
            return self.scale, self.zero_point, self.minval
        with torch.no_grad():
            if bool((self.scale < LEAST_SCALE).any()):
                self.scale.clamp_(min=LEAST_SCALE)
            self.minval = self._minval(self.scale)
        shape = self.granularity.get_qparams_shape(tensor.shape)
        self._fitted(self.minval, self.minval.new_empty(shape))  # refuses other channels
        n_elements = max(tensor.numel(), 1) / self.scale.numel()
        factor = 1 / (n_elements * self._top(self.zero_point)).sqrt()
        scale = GradientFactor.apply(self.scale, factor)
        return scale, self.zero_point, self._minval(scale)

    def _minval(self, scale: torch.Tensor) -> torch.Tensor:
        minval: torch.Tensor = (self.quant_min - self.zero_point) * scale
        return minval

    def _start(self, tensor: torch.Tensor) -> None:
        """Take over the zero point and the first scale from a tensor."""
        min_val, max_val = self._range_of(tensor)
        check_range(min_val, max_val)
        scale, zero_point, _ = self.compute_qparams(tensor, min_val, max_val)
        check_scale(scale, min_val, max_val)
        assert zero_point is not None  # the dtype is an integer
        is_observed = self.float_range == [None, None]
        if is_observed and self.qscheme is not QuantizationScheme.ASYMMETRIC:
            rows = block_rows(tensor, self.granularity.get_block_size(tensor.shape))
            scale = 2 * rows.abs().mean(dim=-1) / self._top(zero_point).sqrt()
        self.scale.data = scale.to(torch.float32).clamp(min=LEAST_SCALE)
        self.zero_point = zero_point

    def _top(self, zero_point: torch.Tensor) -> torch.Tensor:
        """Steps from the zero point to the greatest code, at least 1, as float."""
        return (self.quant_max - zero_point).clamp(min=1).to(torch.float32)
