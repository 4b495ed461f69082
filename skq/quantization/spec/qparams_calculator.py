"""Scale, zero point and minval from observed tensors: static, moving average, global."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from skq.quantization.spec import dtypes
from skq.quantization.spec.errors import QParamsError, StateError, ValidationError
from skq.quantization.spec.formulas import check_range, check_scale, float_scale, integer_qparams
from skq.quantization.spec.granularity import QuantizationGranularity
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.range_calculator import RangeCalculatorBase
from skq.quantization.spec.registry import ClassRegistryMixin

QParams = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]

#: Buffers whose shape the first forward decides, so a state dict may change it.
_SHAPED = ("scale", "zero_point", "minval", "running_min", "running_max")


class QParamsCalculatorBase(ClassRegistryMixin, torch.nn.Module):
    """Base class of calculators of quantization parameters.

    A call observes a tensor, updates the range, and stores and returns the parameters. The stored
    parameters are float32 and detached; the returned ones have the tensor's dtype and are
    differentiable. The first call determines their shape.

    Parameters
    ----------
    dtype : torch.dtype
        Dtype of the codes.
    qscheme : QuantizationScheme
    granularity : QuantizationGranularity
        Which elements share parameters.
    target_dtype : torch.dtype
        Dtype that stores the codes.
    quant_min, quant_max : int or float
        Least and greatest code.
    range_calculator : RangeCalculatorBase
    float_range : sequence of two float or None
        Given ends of the range; None means that the end is observed.
    scale_dtype : torch.dtype or None, default=None
        ``torch.float8_e8m0fnu`` for scales that are powers of two.
    **kwargs
        Additional fields of a spec; unknown ones are ignored.

    Attributes
    ----------
    scale : Tensor of float32
        One scale per block; empty before the first forward.
    zero_point : Tensor of int32, or None
        One zero point per block; None for float dtypes.
    minval : Tensor of float32, or None
        Least value of the range; None for float dtypes.

    Examples
    --------
    >>> from skq.quantization.spec import QParamsCalculatorBase
    >>> sorted(QParamsCalculatorBase.list_registry_keys())
    ['default', 'global_minmax', 'learned_step_size', 'moving_average', 'static']
    """

    #: Whether the scale is a parameter that training changes, instead of an observation.
    is_learned: ClassVar[bool] = False

    scale: Any  # buffers
    zero_point: Any
    minval: Any

    def __init__(
        self,
        dtype: Any,
        qscheme: QuantizationScheme,
        granularity: QuantizationGranularity,
        target_dtype: Any,
        quant_min: int | float,
        quant_max: int | float,
        range_calculator: RangeCalculatorBase,
        float_range: Sequence[float | None],
        scale_dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.qscheme = QuantizationScheme(qscheme)
        self._granularity = granularity
        self.target_dtype = target_dtype
        self.quant_min = quant_min
        self.quant_max = quant_max
        self.range_calculator = range_calculator
        self.float_range = list(float_range)
        self.scale_dtype = scale_dtype
        self.export_mode = False
        self._is_float = dtypes.is_float(dtype)
        self._check_codes()
        range_calculator.set_grid(self.qscheme, quant_min, quant_max)
        self.register_buffer("scale", torch.empty(0))
        if self._is_float:
            self.register_buffer("zero_point", None)
            self.register_buffer("minval", None)
        else:
            self.register_buffer("zero_point", torch.empty(0, dtype=torch.int32))
            self.register_buffer("minval", torch.empty(0))

    def _check_codes(self) -> None:
        if self._is_float:
            return
        if self.scale_dtype is not None:
            raise ValidationError(
                f"scale_dtype must be None for integer codes. Got {self.scale_dtype} for "
                f"{dtypes.dtype_name(self.dtype)}."
            )
        stored = torch.iinfo(self.target_dtype)
        if not stored.min <= self.quant_min < self.quant_max <= stored.max:
            raise QParamsError(
                f"quant_min < quant_max must lie in [{stored.min}, {stored.max}], which "
                f"{dtypes.dtype_name(self.target_dtype)} stores. "
                f"Got {self.quant_min} and {self.quant_max}."
            )

    @property
    def granularity(self) -> QuantizationGranularity:
        """Which elements share parameters; settable before the first forward."""
        return self._granularity

    @granularity.setter
    def granularity(self, granularity: QuantizationGranularity) -> None:
        if self.is_initialized():
            raise StateError(
                "The granularity cannot change after the first forward: its parameters have the "
                f"shape {tuple(self.scale.shape)}."
            )
        self._granularity = granularity
        self.range_calculator.granularity = granularity

    def is_initialized(self) -> bool:
        """Whether there are parameters."""
        return bool(self.scale.numel())

    def set_export_mode(self, enabled: bool = True) -> None:
        """While on, forward observes nothing and returns the stored parameters."""
        self.export_mode = enabled

    def get_qparams(self) -> QParams:
        """Return the stored scale, zero point and minval.

        Warns
        -----
        UserWarning
            If there are none yet; the tensors are empty.
        """
        if not self.is_initialized():
            warnings.warn(
                "No tensor has been observed yet: the quantization parameters are empty.",
                UserWarning,
                stacklevel=2,
            )
        return self.scale, self.zero_point, self.minval

    def forward(self, tensor: torch.Tensor) -> QParams:
        """Observe a tensor, store its parameters and return them.

        Parameters
        ----------
        tensor : Tensor of floats

        Returns
        -------
        scale : Tensor
            One per block.
        zero_point : Tensor of int32, or None
        minval : Tensor or None

        Raises
        ------
        RangeError
            If the range is not finite.
        StateError
            If the tensor has another number of channels or blocks than the first one.
        """
        is_given = None not in self.float_range
        if self.export_mode or (is_given and self.is_initialized()):
            return self.scale, self.zero_point, self.minval
        min_val, max_val = self._range_of(tensor)
        check_range(min_val, max_val)
        min_val, max_val = self._updated_range(min_val, max_val)
        qparams = self.compute_qparams(tensor, min_val, max_val)
        check_scale(qparams[0], min_val, max_val)
        return self._store(qparams)

    def compute_qparams(
        self, tensor: torch.Tensor, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> QParams:
        """Return the parameters of a range; override it to choose them differently.

        Parameters
        ----------
        tensor : Tensor
            What was observed.
        min_val, max_val : Tensor
            Range of each block, ``min_val <= 0 <= max_val``.
        """
        if self._is_float:
            return float_scale(min_val, max_val, self.dtype, self.scale_dtype), None, None
        ends = int(self.quant_min), int(self.quant_max)
        return integer_qparams(min_val, max_val, self.qscheme, *ends)

    def _range_of(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Range of each block: the given ends, else those of the range calculator, with 0."""
        low, high = self.float_range
        shape = self.granularity.get_qparams_shape(tensor.shape)
        if low is None or high is None:
            min_val, max_val = self.range_calculator(tensor)
            min_val, max_val = min_val.clamp(max=0), max_val.clamp(min=0)
        if low is not None:
            min_val = torch.full(shape, low, dtype=tensor.dtype, device=tensor.device)
        if high is not None:
            max_val = torch.full(shape, high, dtype=tensor.dtype, device=tensor.device)
        return min_val, max_val

    def _updated_range(
        self, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Range that counts after this observation."""
        return min_val, max_val

    def _store(self, qparams: QParams) -> QParams:
        """Store detached copies; return the fresh ones."""
        for name, fresh in zip(("scale", "zero_point", "minval"), qparams, strict=True):
            if fresh is not None:
                setattr(self, name, self._fitted(getattr(self, name), fresh.detach()))
        return qparams

    def _fitted(self, stored: torch.Tensor, fresh: torch.Tensor) -> torch.Tensor:
        """Copy of an observation, in the shape of the first one and the dtype of what is stored."""
        if stored.numel():
            if stored.shape != fresh.shape and not stored.numel() == fresh.numel() == 1:
                raise StateError(
                    f"The first tensor had parameters of shape {tuple(stored.shape)}, this one "
                    f"has {tuple(fresh.shape)}: the number of channels or blocks is fixed by the "
                    "first forward."
                )
            fresh = fresh.reshape(stored.shape)
        return fresh.to(stored.dtype, copy=True)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        """Take over the shapes of the state: a fresh module loads that of an observed one."""
        for name in _SHAPED:
            state, stored = state_dict.get(prefix + name), getattr(self, name, None)
            if state is not None and stored is not None and state.shape != stored.shape:
                stored.data = stored.data.new_empty(state.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        return (
            f"scale={self.scale}, zero_point={self.zero_point}, minval={self.minval}, "
            f"export_mode={self.export_mode}"
        )


class RunningRangeMixin(ABC):
    """Mixin of calculators with a running range over several tensors; first base class.

    Attributes
    ----------
    running_min, running_max : Tensor of float32
        Ends of the range of each block; empty before the first forward.

    Examples
    --------
    >>> from skq.quantization.spec import GlobalMinMaxQParamsCalculator, RunningRangeMixin
    >>> issubclass(GlobalMinMaxQParamsCalculator, RunningRangeMixin)
    True
    """

    running_min: torch.Tensor
    running_max: torch.Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("running_min", torch.empty(0))  # type: ignore[attr-defined]
        self.register_buffer("running_max", torch.empty(0))  # type: ignore[attr-defined]

    @abstractmethod
    def update_running_range(
        self, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the running range after another observation.

        Parameters
        ----------
        min_val, max_val : Tensor
            Range of the tensor, around 0. ``running_min`` and ``running_max`` are those so far.
        """

    def _updated_range(
        self, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        fitted = self._fitted  # type: ignore[attr-defined]
        if self.running_min.numel():
            fitted(self.running_min, min_val)  # refuses another number of channels
            min_val, max_val = self.update_running_range(
                min_val.reshape(self.running_min.shape), max_val.reshape(self.running_max.shape)
            )
        self.running_min = fitted(self.running_min, min_val.detach())
        self.running_max = fitted(self.running_max, max_val.detach())
        return min_val, max_val

    def extra_repr(self) -> str:
        first: str = super().extra_repr()  # type: ignore[misc]
        return f"{first}\nrunning_min={self.running_min}, running_max={self.running_max}"


@QParamsCalculatorBase.register("default")
class _DefaultQParamsCalculator(QParamsCalculatorBase):
    """Marker that the factory replaces: `static` for weights and tables, else `moving_average`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise StateError(
            "The calculator 'default' is resolved by QuantizationComponentFactory; "
            "it cannot be constructed."
        )


@QParamsCalculatorBase.register("static")
class StaticQParamsCalculator(QParamsCalculatorBase):
    """Parameters of the range of the current tensor.

    See `QParamsCalculatorBase` for the arguments.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> spec = QuantizationSpec(dtype="int4", qscheme="asymmetric", qparam_calculator_cls="static")
    >>> calculator = QuantizationComponentFactory.create_qparams_calculator(
    ...     spec, CompressionTargetTensor.WEIGHT
    ... )
    >>> calculator(torch.tensor([-1.5, 0.25, 2.0]))
    (tensor([0.2333]), tensor([-2], dtype=torch.int32), tensor([-1.5000]))
    """


@QParamsCalculatorBase.register("moving_average")
class MovingAverageQParamsCalculator(RunningRangeMixin, QParamsCalculatorBase):
    """Parameters of an exponential moving average of the ranges.

    ``running = c * new + (1 - c) * running`` for both ends.

    Parameters
    ----------
    *args, **kwargs
        See `QParamsCalculatorBase`.
    averaging_constant : float, default=0.01
        The weight c of the new range, in (0, 1].

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> spec = QuantizationSpec(dtype="int4", qparam_calculator_cls="moving_average")
    >>> calculator = QuantizationComponentFactory.create_qparams_calculator(
    ...     spec, CompressionTargetTensor.ACTIVATION
    ... )
    >>> for value in (1.0, 3.0):
    ...     _ = calculator(torch.tensor([-value, value]))
    >>> calculator.running_max  # 0.01 * 3 + 0.99 * 1
    tensor([1.0200])
    """

    def __init__(self, *args: Any, averaging_constant: float = 0.01, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not 0 < averaging_constant <= 1:
            raise ValidationError(
                f"averaging_constant must lie in (0, 1]. Got {averaging_constant!r} instead."
            )
        self.averaging_constant = averaging_constant

    def update_running_range(
        self, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        new, old = self.averaging_constant, 1 - self.averaging_constant
        return new * min_val + old * self.running_min, new * max_val + old * self.running_max


@QParamsCalculatorBase.register("global_minmax")
class GlobalMinMaxQParamsCalculator(RunningRangeMixin, QParamsCalculatorBase):
    """Parameters of the least and the greatest value of all tensors so far.

    See `QParamsCalculatorBase` for the arguments.

    Examples
    --------
    >>> from skq.quantization.spec import CompressionTargetTensor, QuantizationComponentFactory
    >>> from skq.quantization.spec import QuantizationSpec
    >>> spec = QuantizationSpec(dtype="int4", qparam_calculator_cls="global_minmax")
    >>> calculator = QuantizationComponentFactory.create_qparams_calculator(
    ...     spec, CompressionTargetTensor.ACTIVATION
    ... )
    >>> for value in (3.0, 1.0):
    ...     _ = calculator(torch.tensor([-value, value]))
    >>> calculator.running_max
    tensor([3.])
    """

    def update_running_range(
        self, min_val: torch.Tensor, max_val: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.minimum(min_val, self.running_min), torch.maximum(max_val, self.running_max)
