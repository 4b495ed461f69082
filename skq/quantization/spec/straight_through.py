"""Fake quantization as one differentiable step, with straight-through gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from skq.quantization.spec.formulas import MaybeTensor, unclamped_codes, values_of


class FakeQuantizeIntegers(torch.autograd.Function):
    """x → the value of its integer code, in float32, then in the dtype of x.

    ============ ================================== ====================================
    gradient of  where the code before the clamp    elsewhere
                 lies in [quant_min, quant_max]
    ============ ================================== ====================================
    x            the incoming one                   0
    scale        (q - offset) - (x - shift) / scale q - offset, at the clamped code
    shift        0                                  the incoming one
    ============ ================================== ====================================

    Scale and shift receive theirs only if they require one, as a learned step size does
    (arXiv:1902.08153, equation 3). Otherwise only a boolean mask is stored for the backward
    pass.
    """

    @staticmethod
    def forward(
        ctx: Any,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        shift: MaybeTensor,
        offset: torch.Tensor | int,
        quant_min: int,
        quant_max: int,
    ) -> torch.Tensor:
        """Return the values of the codes.

        Parameters
        ----------
        ctx : object
            What autograd passes to the backward step.
        tensor : Tensor of floats
        scale, shift, offset : Tensor
            They broadcast with `tensor`; see `skq.quantization.spec.formulas`.
        quant_min, quant_max : int
        """
        values = tensor.to(torch.float32)
        codes = unclamped_codes(values, scale, shift, offset)
        passes = (codes >= quant_min) & (codes <= quant_max)
        codes = codes.clamp(quant_min, quant_max)
        slope = None
        if ctx.needs_input_grad[1]:
            exact = (values if shift is None else values - shift) / scale
            slope = codes - offset - torch.where(passes, exact, 0)
        ctx.save_for_backward(passes, slope)
        ctx.shapes = scale.shape, None if shift is None else shift.shape
        return values_of(codes, scale, shift, offset).to(tensor.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[MaybeTensor, ...]:
        """Return the gradients of tensor, scale and shift."""
        grad = grads[0]
        passes, slope = ctx.saved_tensors
        of_scale = of_shift = None
        scale_shape, shift_shape = ctx.shapes
        if slope is not None:
            of_scale = (grad.to(slope.dtype) * slope).sum_to_size(scale_shape)
        if ctx.needs_input_grad[2]:
            of_shift = grad.masked_fill(passes, 0).to(torch.float32).sum_to_size(shift_shape)
        return grad.masked_fill(~passes, 0), of_scale, of_shift, None, None, None


class StraightThrough(torch.autograd.Function):
    """Given values in the forward pass; the gradient passes to x where a mask is true."""

    @staticmethod
    def forward(
        ctx: Any, tensor: torch.Tensor, values: torch.Tensor, passes: torch.Tensor
    ) -> torch.Tensor:
        """Return `values` in the dtype of `tensor`.

        Parameters
        ----------
        ctx : object
            What autograd passes to the backward step.
        tensor, values : Tensor of floats
        passes : Tensor of bool
        """
        ctx.save_for_backward(passes)
        return values.to(tensor.dtype, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[MaybeTensor, ...]:
        """Return the gradient of `tensor`."""
        (passes,) = ctx.saved_tensors
        return grads[0].masked_fill(~passes, 0), None, None


class GradientFactor(torch.autograd.Function):
    """An unchanged value, with its gradient multiplied by a factor."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        """Return `value`.

        Parameters
        ----------
        ctx : object
            What autograd passes to the backward step.
        value, factor : Tensor
            Of one shape.
        """
        ctx.save_for_backward(factor)
        return value.view_as(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[MaybeTensor, ...]:
        """Return the gradient of `value`."""
        (factor,) = ctx.saved_tensors
        return grads[0] * factor, None
