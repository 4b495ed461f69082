"""Reports and displays of the quantization error."""

from skq.inspection._bit_width_display import BitWidthDisplay
from skq.inspection._error_display import QuantizationErrorDisplay
from skq.inspection._report import Part, QuantizationReport, quantization_report

__all__ = [
    "BitWidthDisplay",
    "Part",
    "QuantizationErrorDisplay",
    "QuantizationReport",
    "quantization_report",
]
