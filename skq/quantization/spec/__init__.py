"""Fake quantization: specs, and the modules and calculators that they describe.

Importing this package imports torch. ``import skq.quantization`` does not.

=========================== ===================================================
module                      content
=========================== ===================================================
`fake_quantize`             modules that quantize and dequantize
`qscheme`                   symmetric, asymmetric, symmetric with clipping
`qformulation`              zero point or minval
`granularity`               per tensor, per channel, per block
`qparams_calculator`        static, moving average and global min-max
`learned_step_size`         a scale that is trained
`range_calculator`          min-max
`searched_range`            percentile, least squared error
`spec`, `factory`           from a description to modules
=========================== ===================================================
"""

from skq.quantization.spec.compression import (
    CompressionComponentFactoryBase,
    CompressionSimulatorBase,
    CompressionSpec,
    CompressionTargetTensor,
    CompressionType,
)
from skq.quantization.spec.errors import (
    BlockSizeMismatchError,
    QParamsError,
    RangeError,
    StateError,
    ValidationError,
)
from skq.quantization.spec.factory import QuantizationComponentFactory
from skq.quantization.spec.fake_quantize import FakeQuantizeImplBase
from skq.quantization.spec.granularity import (
    PerBlockGranularity,
    PerChannelGranularity,
    PerTensorGranularity,
    QuantizationGranularity,
)
from skq.quantization.spec.learned_step_size import LearnedStepSizeQParamsCalculator
from skq.quantization.spec.partial import PartialConstructor
from skq.quantization.spec.qformulation import QuantizationFormulation
from skq.quantization.spec.qparams_calculator import (
    GlobalMinMaxQParamsCalculator,
    MovingAverageQParamsCalculator,
    QParamsCalculatorBase,
    RunningRangeMixin,
    StaticQParamsCalculator,
)
from skq.quantization.spec.qscheme import QuantizationScheme
from skq.quantization.spec.range_calculator import MinMaxRangeCalculator, RangeCalculatorBase
from skq.quantization.spec.searched_range import MSERangeCalculator, PercentileRangeCalculator
from skq.quantization.spec.spec import (
    QuantizationSpec,
    default_activation_quantization_spec,
    default_weight_quantization_spec,
)

__all__ = [
    "BlockSizeMismatchError",
    "CompressionComponentFactoryBase",
    "CompressionSimulatorBase",
    "CompressionSpec",
    "CompressionTargetTensor",
    "CompressionType",
    "FakeQuantizeImplBase",
    "GlobalMinMaxQParamsCalculator",
    "LearnedStepSizeQParamsCalculator",
    "MSERangeCalculator",
    "MinMaxRangeCalculator",
    "MovingAverageQParamsCalculator",
    "PartialConstructor",
    "PerBlockGranularity",
    "PerChannelGranularity",
    "PerTensorGranularity",
    "PercentileRangeCalculator",
    "QParamsCalculatorBase",
    "QParamsError",
    "QuantizationComponentFactory",
    "QuantizationFormulation",
    "QuantizationGranularity",
    "QuantizationScheme",
    "QuantizationSpec",
    "RangeCalculatorBase",
    "RangeError",
    "RunningRangeMixin",
    "StateError",
    "StaticQParamsCalculator",
    "ValidationError",
    "default_activation_quantization_spec",
    "default_weight_quantization_spec",
]
