"""skq: scikit-learn in integers.

Quantized estimators with the interface of scikit-learn: ``fit`` trains the scikit-learn model and
quantizes it, ``predict`` runs one integer program.
"""

from typing import TYPE_CHECKING

from skq._lazy import lazily as _lazily

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them at the first access
    from skq import (
        distributed,
        ensemble,
        exceptions,
        export,
        inspection,
        linear_model,
        model_selection,
        neural_network,
        quantization,
        svm,
        training,
        tree,
    )
    from skq._config import config_context, get_config, set_config
    from skq._show_versions import show_versions
    from skq.estimators.meta import (
        QuantizedClassifier,
        QuantizedOutlierDetector,
        QuantizedRegressor,
        quantize,
    )
    from skq.serving.saved_model import load, save

__version__ = "0.2.0"

#: Public names by the module that defines them; loaded at the first access.
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
    "distributed": "skq.distributed",
    "ensemble": "skq.ensemble",
    "exceptions": "skq.exceptions",
    "export": "skq.export",
    "inspection": "skq.inspection",
    "linear_model": "skq.linear_model",
    "model_selection": "skq.model_selection",
    "neural_network": "skq.neural_network",
    "quantization": "skq.quantization",
    "svm": "skq.svm",
    "training": "skq.training",
    "tree": "skq.tree",
}

__all__ = [
    "__version__",
    "QuantizedClassifier",
    "QuantizedOutlierDetector",
    "QuantizedRegressor",
    "config_context",
    "get_config",
    "load",
    "quantize",
    "save",
    "set_config",
    "show_versions",
    "distributed",
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
]


if not TYPE_CHECKING:  # else every name would be there for a type checker
    __getattr__ = _lazily(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted(__all__)
