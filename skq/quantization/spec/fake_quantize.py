"""Fake quantization: a module whose output takes only the values that codes have."""

from __future__ import annotations

import logging
from abc import abstractmethod
from contextlib import nullcontext
from typing import Any

import torch
from torch.ao.quantization.fake_quantize import FakeQuantizeBase

from skq.quantization.spec import dtypes
from skq.quantization.spec.blocks import broadcast_blocks
from skq.quantization.spec.compression import CompressionSimulatorBase, CompressionTargetTensor
from skq.quantization.spec.errors import BlockSizeMismatchError, QParamsError
from skq.quantization.spec.formulas import MaybeTensor, round_to_float4, unclamped_codes, values_of
from skq.quantization.spec.granularity import QuantizationGranularity
from skq.quantization.spec.partial import PartialConstructor
from skq.quantization.spec.qformulation import QuantizationFormulation
from skq.quantization.spec.qparams_calculator import QParams, QParamsCalculatorBase
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.straight_through import FakeQuantizeIntegers, StraightThrough

logger = logging.getLogger(__name__)


class FakeQuantizeImplBase(CompressionSimulatorBase, FakeQuantizeBase):
    """Base class of fake quantizers.

    A call observes a tensor, then quantizes and dequantizes it. The result has the shape and the
    dtype of the tensor, and includes the rounding error of the codes. The gradient passes unchanged
    where the code is not clamped. Subclasses implement `quantize` and `dequantize`.

    Parameters
    ----------
    dtype : torch.dtype
        Dtype of the codes.
    qscheme : QuantizationScheme
    qformulation : QuantizationFormulation
    granularity : QuantizationGranularity
        Which elements share parameters.
    target_dtype : torch.dtype
        Dtype that stores the codes.
    quant_min, quant_max : int or float
        Least and greatest code.
    qparams_calculator : QParamsCalculatorBase
    quantization_target : CompressionTargetTensor
        Kind of tensor that the module is for.
    n_bits : int or None, default=None
        Number of bits of a code. None means that of `dtype`.
    **kwargs
        Additional fields of a spec; unknown ones are ignored.

    Attributes
    ----------
    fake_quant_enabled, observer_enabled : Tensor of uint8, shape (1,)
        Whether fake quantization and the observer are on; both are on at first.

    See Also
    --------
    QuantizationComponentFactory : Builds fake quantizers from specs.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> spec = QuantizationSpec(dtype="int4", qscheme="asymmetric")
    >>> weight = CompressionTargetTensor.WEIGHT
    >>> fake_quantize = QuantizationComponentFactory.create_fake_quantizer(spec, weight)
    >>> x = torch.tensor([-1.5, 0.1, 0.2, 2.0], requires_grad=True)
    >>> fake_quantize(x)
    tensor([-1.4000,  0.0000,  0.2333,  2.1000], grad_fn=...)
    >>> scale, zero_point, minval = fake_quantize.calculate_qparams()
    >>> fake_quantize.quantize(x, scale, zero_point, minval)
    tensor([-8, -2, -1,  7], dtype=torch.int8)
    """

    def __init__(
        self,
        dtype: Any,
        qscheme: QuantizationScheme,
        qformulation: QuantizationFormulation,
        granularity: QuantizationGranularity,
        target_dtype: Any,
        quant_min: int | float,
        quant_max: int | float,
        qparams_calculator: QParamsCalculatorBase,
        quantization_target: CompressionTargetTensor,
        n_bits: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.qscheme = QuantizationScheme(qscheme)
        self.qformulation = QuantizationFormulation(qformulation)
        self._granularity = granularity
        self.target_dtype = target_dtype
        self.quant_min = quant_min
        self.quant_max = quant_max
        self.qparams_calculator = qparams_calculator
        self.quantization_target = quantization_target
        self.n_bits = dtypes.n_bits_of(dtype) if n_bits is None else n_bits
        self.register_buffer("_disabled", torch.tensor(False))

    @property
    def granularity(self) -> QuantizationGranularity:
        """Which elements share parameters; settable before the first forward."""
        return self._granularity

    @granularity.setter
    def granularity(self, granularity: QuantizationGranularity) -> None:
        self.qparams_calculator.granularity = granularity
        self._granularity = granularity

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        """Fake-quantize a tensor with the parameters that the calculator gives.

        Parameters
        ----------
        tensor : Tensor of floats

        Returns
        -------
        Tensor of the same shape and dtype
            The tensor itself if fake quantization is off, or if the module has disabled
            itself because the block size does not divide the tensor's shape.

        Raises
        ------
        TypeError
            If the tensor does not hold real floating-point numbers.
        RuntimeError
            If the observer is off and no tensor has been observed.
        """
        if not tensor.is_floating_point():
            raise TypeError(
                "Fake quantization expects a tensor of floating-point numbers. "
                f"Got {tensor.dtype}: convert it first, for example with tensor.float()."
            )
        if self.is_disabled():
            return tensor
        if self.observer_enabled[0] == 1 or self._is_learning():
            try:
                qparams = self._observe(tensor)
            except BlockSizeMismatchError as error:
                logger.warning("Fake quantization is disabled from now on: %s", error)
                self._disabled.fill_(True)
                return tensor
        else:
            qparams = self.calculate_qparams()
        if self.fake_quant_enabled[0] != 1:
            return tensor
        return self._fake_quantize(tensor, *qparams)

    def _is_learning(self) -> bool:
        """Whether the scale is a parameter, which later tensors do not change."""
        return self.qparams_calculator.is_learned and self.qparams_calculator.is_initialized()

    def _observe(self, tensor: torch.Tensor) -> QParams:
        with nullcontext() if self.qparams_calculator.is_learned else torch.no_grad():
            qparams: QParams = self.qparams_calculator(tensor.detach())
        return qparams

    def _fake_quantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
    ) -> torch.Tensor:
        """Quantize and dequantize; the gradient passes within half a step of the result."""
        with torch.no_grad():
            codes = self.quantize(tensor, scale, zero_point, minval, cast_to_target_dtype=False)
            values = self.dequantize(codes, scale, zero_point, minval)
            step = broadcast_blocks(scale, tensor.shape)
            passes = (tensor - values).abs() <= step / 2
        result: torch.Tensor = StraightThrough.apply(tensor, values, passes)
        return result

    @abstractmethod
    def quantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
        cast_to_target_dtype: bool = True,
    ) -> torch.Tensor:
        """Return the codes of a tensor.

        Parameters
        ----------
        tensor : Tensor of floats
        scale : Tensor
            One scale per block.
        zero_point, minval : Tensor or None
            One value per block; None for float dtypes, and only for these.
        cast_to_target_dtype : bool, default=True
            Whether codes have the dtype `target_dtype`. If False, they have that of `tensor`.

        Returns
        -------
        Tensor of the shape of `tensor`
            Whole numbers in [quant_min, quant_max], or values of the float dtype.
        """

    @abstractmethod
    def dequantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
        output_dtype: Any = torch.float32,
    ) -> torch.Tensor:
        """Return the values of codes.

        Parameters
        ----------
        tensor : Tensor
            Codes, of any dtype.
        scale : Tensor
            One scale per block.
        zero_point, minval : Tensor or None
            One value per block; None for float dtypes, and only for these.
        output_dtype : torch.dtype, default=torch.float32

        Returns
        -------
        Tensor of the shape of `tensor`
        """

    def calculate_qparams(self) -> QParams:
        """Return the stored (scale, zero_point, minval); the last two are None for float dtypes."""
        return self.qparams_calculator.get_qparams()

    def is_disabled(self) -> bool:
        """Whether the module has disabled itself, as the block size did not fit a tensor."""
        return bool(self._disabled)

    def set_export_mode(self, enabled: bool = True) -> None:
        """Turn the export mode on or off; while it is on, parameters do not change."""
        self.qparams_calculator.set_export_mode(enabled)

    def convert(self, model: Any, observer_node: Any) -> None:
        """Do nothing: a graph conversion leaves fake quantizers where they are.

        Parameters
        ----------
        model : GraphModule
        observer_node : Node
        """
        return None

    @classmethod
    def with_args(cls, **kwargs: Any) -> PartialConstructor[FakeQuantizeImplBase]:
        """Return a constructor with these arguments filled in."""
        return PartialConstructor(cls, **kwargs)

    def extra_repr(self) -> str:
        observer = "on" if self.observer_enabled[0] == 1 else "off"
        fake_quant = "on" if self.fake_quant_enabled[0] == 1 else "off"
        return f"qformulation={self.qformulation}, observer={observer}, fake_quant={fake_quant}"

    def _check_qparams(self, zero_point: MaybeTensor, minval: MaybeTensor) -> None:
        """Refuse parameters that the dtype does not have, or lacks."""
        given = {"zero_point": zero_point, "minval": minval}
        is_float = dtypes.is_float(self.dtype)
        wrong = [name for name, value in given.items() if (value is None) is not is_float]
        if wrong:
            kind = "a float dtype: they must be None" if is_float else "an integer dtype: give both"
            raise QParamsError(
                f"{dtypes.dtype_name(self.dtype)} is {kind}. "
                f"Got {'a value' if is_float else 'None'} for {' and '.join(wrong)}."
            )


@FakeQuantizeImplBase.register("default")
class _DefaultFakeQuantizeImpl(FakeQuantizeImplBase):
    """Fake quantization in float32; see `FakeQuantizeImplBase`."""

    def quantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
        cast_to_target_dtype: bool = True,
    ) -> torch.Tensor:
        self._check_qparams(zero_point, minval)
        target = self.target_dtype if cast_to_target_dtype else tensor.dtype
        values = tensor.to(torch.float32)
        if dtypes.is_float(self.dtype):
            return self._float_codes(values / self._step(scale, tensor)).to(target)
        arguments = self._arguments(tensor, scale, zero_point, minval)
        codes = unclamped_codes(values, *arguments)
        return codes.clamp(self.quant_min, self.quant_max).to(target)

    def dequantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
        output_dtype: Any = torch.float32,
    ) -> torch.Tensor:
        self._check_qparams(zero_point, minval)
        codes = tensor.to(torch.float32)
        if dtypes.is_float(self.dtype):
            return (codes * self._step(scale, tensor)).to(output_dtype)
        arguments = self._arguments(tensor, scale, zero_point, minval)
        return values_of(codes, *arguments).to(output_dtype)

    def _fake_quantize(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
    ) -> torch.Tensor:
        self._check_qparams(zero_point, minval)
        result: torch.Tensor
        if not dtypes.is_float(self.dtype):
            arguments = self._arguments(tensor, scale, zero_point, minval)
            result = FakeQuantizeIntegers.apply(tensor, *arguments, self.quant_min, self.quant_max)
            return result
        with torch.no_grad():
            step = self._step(scale, tensor)
            steps = tensor.to(torch.float32) / step
            passes = (steps >= self.quant_min) & (steps <= self.quant_max)
            values = self._float_codes(steps) * step
        result = StraightThrough.apply(tensor, values, passes)
        return result

    def _float_codes(self, steps: torch.Tensor) -> torch.Tensor:
        """Values of the float dtype that are nearest to `steps`, as float32."""
        clamped = steps.clamp(self.quant_min, self.quant_max)
        if self.dtype == dtypes.FLOAT4:
            return round_to_float4(clamped)
        return clamped.to(self.dtype).to(torch.float32)

    def _step(self, scale: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
        self.granularity.get_block_size(tensor.shape)
        return broadcast_blocks(scale, tensor.shape)

    def _arguments(
        self,
        tensor: torch.Tensor,
        scale: torch.Tensor,
        zero_point: MaybeTensor,
        minval: MaybeTensor,
    ) -> tuple[torch.Tensor, MaybeTensor, torch.Tensor | int]:
        """Scale, shift and offset of the formulation, in shapes that broadcast with the tensor."""
        assert zero_point is not None  # `_check_qparams` has refused None
        assert minval is not None
        step = self._step(scale, tensor)
        if self.qformulation is QuantizationFormulation.ZP:
            return step, None, broadcast_blocks(zero_point, tensor.shape)
        return step, broadcast_blocks(minval, tensor.shape), int(self.quant_min)
