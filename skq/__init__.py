"""skq: scikit-learn in integers.

Quantized estimators with the interface of scikit-learn's: ``fit`` trains the scikit-learn parent
and quantizes it, ``predict`` runs one integer program.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"

#: Public names by the module that defines them; loaded when first asked for.
_NAMES = {
    "QuantizedClassifier": "skq.estimators.meta",
    "QuantizedOutlierDetector": "skq.estimators.meta",
    "QuantizedRegressor": "skq.estimators.meta",
    "quantize": "skq.estimators.meta",
    "save": "skq.serving.saved_model",
    "load": "skq.serving.saved_model",
    "show_versions": "skq._show_versions",
    "config_context": "skq._config",
    "get_config": "skq._config",
    "set_config": "skq._config",
}

_MODULES = (
    "ensemble",
    "exceptions",
    "export",
    "inspection",
    "linear_model",
    "model_selection",
    "neural_network",
    "quantization",
    "svm",
    "training",
    "tree",
)

__all__ = ["__version__", *sorted(_NAMES), *_MODULES]


def __getattr__(name: str) -> _Any:
    if name in _NAMES:
        return getattr(_import_module(_NAMES[name]), name)
    if name in _MODULES:
        return _import_module(f"skq.{name}")
    raise AttributeError(f"module 'skq' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
