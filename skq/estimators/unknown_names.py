"""The error for a name that does not exist in a module of skq."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any

from sklearn.base import ClassifierMixin

from skq.frontend.equivalents import supported_estimators
from skq.frontend.equivalents.refused import REFUSED


def unknown_name(module: Any, parents: Any, name: str) -> Exception:
    """Return the error for an unknown name of a module of estimators.

    Parameters
    ----------
    module : module
        Of skq.
    parents : module
        Its counterpart in scikit-learn.
    name : str

    Returns
    -------
    ImportError or AttributeError
        An ImportError for a class of scikit-learn, as scikit-learn itself raises for data sets that
        it has removed: ``from skq.svm import SVC`` then shows the reason. For any other name an
        AttributeError, which the import statement replaces by an ImportError.
    """
    start = f"{module.__name__} has no {name}"
    parent = getattr(parents, name, None)
    if not name.startswith("_") and inspect.isclass(parent):
        if name in supported_estimators():
            is_classifier = issubclass(parent, ClassifierMixin)
            wrapper = "QuantizedClassifier" if is_classifier else "QuantizedRegressor"
            return ImportError(f"{start}: wrap scikit-learn's, skq.{wrapper}({name}(...)).")
        if name in REFUSED:
            return ImportError(f"{start}: {REFUSED[name]}.")
        return ImportError(f"{start}; it has {', '.join(module.__all__)}.")
    near = get_close_matches(name, module.__all__, n=1)
    hint = f". Did you mean {near[0]}?" if near else ""
    return AttributeError(f"module {module.__name__!r} has no attribute {name!r}{hint}")
