"""`convert_qat`: from a trained module with fake quantizers to a `QuantizedModule`."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from skq.frontend.numpy_module import NumpyModule
from skq.quantization.post_training import PostTrainingQATImporter
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.spec import FakeQuantizeImplBase, PerChannelGranularity
from skq.training.layers import QATLayer


def convert_qat(module: nn.Module, *calibration_data: Any) -> QuantizedModule:
    """Convert a module that was trained with fake quantizers.

    The codes of the integer program equal those of the trained network. Weights and grids are those
    of the fake quantizers, and sums are requantized exactly, with ties to even. Biases are not
    rounded: they are part of the requantization. A code can differ from a run in float32 only if
    float32 rounds a number close to a tie differently.

    Parameters
    ----------
    module : torch.nn.Module
        Module returned by `prepare_qat`, after training. It is not changed.
    *calibration_data : array-like of shape (n_rows, ...)
        One array per input of the module. They do not change any grid. By default, the example
        inputs of `prepare_qat` are used.

    Returns
    -------
    QuantizedModule

    Raises
    ------
    ValueError
        If the module has no fake quantizers, or fake quantization of one is off.
    UnsupportedModelError
        If a part cannot be quantized; the message names it.

    See Also
    --------
    prepare_qat : Insert fake quantizers.

    Examples
    --------
    >>> import torch
    >>> from skq.training import convert_qat, prepare_qat
    >>> _ = torch.manual_seed(0)
    >>> rows = torch.randn(100, 3)
    >>> prepared = prepare_qat(torch.nn.Sequential(torch.nn.Linear(3, 2)), rows, n_bits=4)
    >>> _ = prepared(rows)  # here: train it
    >>> convert_qat(prepared).forward(rows.numpy()).shape
    (100, 2)
    """
    quantizers = {n: m for n, m in module.named_modules() if isinstance(m, FakeQuantizeImplBase)}
    if not quantizers:
        raise ValueError("The module has no fake quantizers: prepare it with prepare_qat first.")
    for name, quantizer in quantizers.items():
        _check_quantizer(name, quantizer)
    examples = getattr(module, "meta", {}).get("example_inputs", ())
    data = calibration_data or examples
    if not data:
        raise ValueError("Give calibration data: one array for each input of the module.")
    counts = [not example.is_floating_point() for example in examples] or [False] * len(data)
    if len(counts) != len(data):
        raise ValueError(f"The module has {len(counts)} inputs. Got {len(data)} arrays.")
    arrays = [
        np.asarray(_as_numpy(array), dtype=np.int64 if is_index else np.float32)
        for array, is_index in zip(data, counts, strict=True)
    ]
    exported = copy.deepcopy(module).cpu().eval()
    _replace_quantizers(exported)
    dummies = tuple(torch.from_numpy(array[:1].copy()) for array in arrays)
    model = NumpyModule(_Holder(exported), dummies)
    return PostTrainingQATImporter(8, model).quantize_module(*arrays)


def _as_numpy(array: Any) -> Any:
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array


def _check_quantizer(name: str, quantizer: FakeQuantizeImplBase) -> None:
    if quantizer.is_disabled() or not quantizer.fake_quant_enabled.item():
        raise ValueError(
            f"Fake quantization of {name!r} is off, so it has no codes: switch it on with "
            "enable_fake_quant before converting."
        )
    if not quantizer.qparams_calculator.is_initialized():
        raise ValueError(f"{name!r} has observed nothing: run the module on data first.")


def _replace_quantizers(module: nn.Module) -> None:
    """Replace fake quantizers by modules that export QuantizeLinear and DequantizeLinear."""
    for parent in list(module.modules()):
        if isinstance(parent, QATLayer):
            quantizer = parent.weight_fake_quantize
            parent.weight_fake_quantize = _WeightCodes(quantizer, parent.layer.weight)
    for name, child in list(module.named_modules()):
        if isinstance(child, FakeQuantizeImplBase):
            *first, last = name.split(".")
            setattr(module.get_submodule(".".join(first)), last, _ActivationCodes(child))


class _Holder(nn.Module):
    """A plain module around a traced one, whose attribute ``graph`` would confuse the exporter."""

    def __init__(self, traced: nn.Module) -> None:
        super().__init__()
        self.traced = traced

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Return what the traced module returns."""
        return self.traced(*inputs)


class _WeightCodes(nn.Module):
    """The codes of a weight and their scales, which ONNX dequantizes."""

    def __init__(self, quantizer: FakeQuantizeImplBase, weight: torch.Tensor) -> None:
        super().__init__()
        with torch.no_grad():
            quantizer(weight)  # a static scale is that of the present weight
            scale, zero_point, minval = quantizer.calculate_qparams()
            codes = quantizer.quantize(weight, scale, zero_point, minval)
        assert zero_point is not None  # the dtype is an integer
        granularity = quantizer.granularity
        self.axis: int | None = None
        if isinstance(granularity, PerChannelGranularity) and granularity.axis is not None:
            self.axis = granularity.axis % weight.ndim
        shape = () if self.axis is None else (-1,)
        self.register_buffer("codes", codes)
        self.register_buffer("scale", scale.detach().reshape(shape))
        self.register_buffer("zero_point", zero_point.reshape(shape).to(codes.dtype))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the dequantized weight; the float weight is ignored."""
        result: torch.Tensor = _Dequantize.apply(self.codes, self.scale, self.zero_point, self)
        return result


class _ActivationCodes(nn.Module):
    """QuantizeLinear, Clip where codes are narrower than their storage, DequantizeLinear."""

    def __init__(self, quantizer: FakeQuantizeImplBase) -> None:
        super().__init__()
        scale, zero_point, _ = quantizer.calculate_qparams()
        assert zero_point is not None  # the dtype is an integer
        self.scale, self.zero_point = float(scale.item()), int(zero_point.item())
        self.ends = int(quantizer.quant_min), int(quantizer.quant_max)
        self.storage = quantizer.target_dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return values on the grid."""
        result: torch.Tensor = _QuantizeDequantize.apply(x, self)
        return result


# The forward methods below compute in NumPy: the exporter cannot trace into autograd functions.


class _Dequantize(torch.autograd.Function):
    """DequantizeLinear of codes that are constant."""

    @staticmethod
    def forward(ctx: Any, codes: Any, scale: Any, zero_point: Any, module: _WeightCodes) -> Any:
        """Return the values of codes."""
        shape = [1] * codes.ndim
        if module.axis is not None:
            shape[module.axis] = -1
        q, step, zero = (array.numpy() for array in (codes, scale, zero_point))
        steps = q.astype(np.float32) - zero.reshape(shape).astype(np.float32)
        return torch.from_numpy(steps * step.reshape(shape))

    @staticmethod
    def symbolic(g: Any, codes: Any, scale: Any, zero_point: Any, module: _WeightCodes) -> Any:
        """Return the ONNX node."""
        attributes = {} if module.axis is None else {"axis_i": module.axis}
        result = g.op("DequantizeLinear", codes, scale, zero_point, **attributes)
        result.setType(codes.type().with_dtype(torch.float32))
        return result


class _QuantizeDequantize(torch.autograd.Function):
    """QuantizeLinear, Clip and DequantizeLinear with one scale."""

    @staticmethod
    def forward(ctx: Any, x: Any, module: _ActivationCodes) -> Any:
        """Return values on the grid."""
        step = np.float32(module.scale)
        codes = np.rint(x.detach().numpy() / step) + np.float32(module.zero_point)
        steps = np.clip(codes, *module.ends) - np.float32(module.zero_point)
        return torch.from_numpy(np.asarray(steps * step, dtype=np.float32))

    @staticmethod
    def symbolic(g: Any, x: Any, module: _ActivationCodes) -> Any:
        """Return the ONNX nodes."""

        def constant(value: float, dtype: Any) -> Any:
            return g.op("Constant", value_t=torch.tensor(value, dtype=dtype))

        step = constant(module.scale, torch.float32)
        zero = constant(module.zero_point, module.storage)
        codes = g.op("QuantizeLinear", x, step, zero)
        stored = torch.iinfo(module.storage)
        if module.ends != (stored.min, stored.max):
            codes = g.op("Clip", codes, *(constant(end, module.storage) for end in module.ends))
        result = g.op("DequantizeLinear", codes, step, zero)
        result.setType(x.type())
        return result
