"""Reports and displays of the loss through quantization."""

from skq.inspection._displays import BitWidthDisplay, QuantizationErrorDisplay
from skq.inspection._report import Part, QuantizationReport, quantization_report

__all__ = [
    "BitWidthDisplay",
    "Part",
    "QuantizationErrorDisplay",
    "QuantizationReport",
    "quantization_report",
]
