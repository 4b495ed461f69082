"""Widths of single layers in a search: the next layer and its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skq.estimators.requantize import quantized_part, rows_of
from skq.model_selection._fold import weights_of
from skq.quantization.layer_sensitivity import layer_sensitivities
from skq.quantization.n_bits import LAYERS, REQUIRED_KEYS

#: Widths that are tried for a layer.
LAYER_WIDTHS = (2, 3, 4, 6)


def widths_and_sensitivities(
    estimator: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit an estimator; its widths by role and layer, and the sensitivity of each layer."""
    estimator.fit(X, y, **weights_of(estimator, sample_weight))
    module = quantized_part(estimator).quantized_module_
    return dict(module.n_bits), layer_sensitivities(module, [rows_of(estimator, X)])


def narrowed(widths: Mapping[str, Any], layer: str) -> list[dict[str, Any]]:
    """Widths with a narrower layer, for each width below that of now."""
    layers = widths.get(LAYERS, {})
    now = layers.get(layer, {role: widths[role] for role in REQUIRED_KEYS})
    return [
        {**widths, LAYERS: {**layers, layer: {role: min(of, bits) for role, of in now.items()}}}
        for bits in LAYER_WIDTHS
        if bits < max(now.values())
    ]
