"""Load the model that a command names."""

from __future__ import annotations

import os
from typing import Any

from skq.serving.saved_model import IntegerPredictor, load


def load_model(path: str) -> Any:
    """An `IntegerPredictor` or a `QuantizedModule`; errors name the file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    try:
        return load(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def load_predictor(path: str) -> IntegerPredictor:
    """A saved estimator; a saved module has no column names and labels."""
    model = load_model(path)
    if not isinstance(model, IntegerPredictor):
        raise ValueError(f"{path} holds a {type(model).__name__}; save the estimator itself")
    return model
