"""Blocks of a tensor and one parameter per block: views and broadcasts."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from skq.quantization.spec.errors import StateError


def split_axes(tensor: torch.Tensor, block: Sequence[int]) -> torch.Tensor:
    """View of shape (blocks of axis 0, length of a block along axis 0, blocks of axis 1, ...).

    Parameters
    ----------
    tensor : Tensor
    block : sequence of int
        Length of a block along each axis; it divides the axis.

    Returns
    -------
    Tensor with two axes for each axis of `tensor`
    """
    shape = [length for n, b in zip(tensor.shape, block, strict=True) for length in (n // b, b)]
    return tensor.reshape(shape)


def block_rows(tensor: torch.Tensor, block: Sequence[int]) -> torch.Tensor:
    """Elements of each block along the last axis.

    Returns
    -------
    Tensor of shape (*number of blocks along each axis, elements of a block)

    Examples
    --------
    >>> block_rows(torch.arange(8).reshape(2, 4), (2, 2))
    tensor([[[0, 1, 4, 5],
             [2, 3, 6, 7]]])
    """
    split = split_axes(tensor, block)
    rank = tensor.ndim
    counts = split.shape[::2]
    split = split.permute(*range(0, 2 * rank, 2), *range(1, 2 * rank, 2))
    return split.reshape(*counts, -1)


def broadcast_blocks(parameter: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Parameter of each block, in a shape that broadcasts to a tensor's.

    Parameters
    ----------
    parameter : Tensor
        One element, or one element a block; the rank of the tensor.
    shape : sequence of int
        The tensor's shape.

    Returns
    -------
    Tensor
        Of the tensor's rank; each axis is 1 or as long as the tensor's. Gradients flow through.

    Raises
    ------
    StateError
        If the parameters are not there yet, or belong to a tensor of another shape.

    Examples
    --------
    >>> broadcast_blocks(torch.tensor([[1.0, 2.0]]), (3, 4))
    tensor([[1., 1., 2., 2.]])
    """
    if parameter.numel() == 1:
        return parameter.reshape([1] * len(shape))
    if parameter.numel() == 0:
        raise StateError(
            "There are no quantization parameters yet: run forward once with the observer on, "
            "or load a state dict."
        )
    if parameter.ndim != len(shape) or any(
        n % p for n, p in zip(shape, parameter.shape, strict=True)
    ):
        raise StateError(
            f"Quantization parameters of shape {tuple(parameter.shape)} do not fit a tensor of "
            f"shape {tuple(shape)}: the number of channels or blocks is fixed by the first forward."
        )
    for axis, (n, p) in enumerate(zip(shape, parameter.shape, strict=True)):
        if p not in (1, n):
            parameter = parameter.repeat_interleave(n // p, dim=axis)
    return parameter
