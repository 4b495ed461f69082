"""Hummingbird: from a model or Pipeline to one torch module.

Hummingbird parses the model into operators and has a converter for each registered class;
`Predictor` is registered with it as one more class. Its converters of the steps before the
predictor (scalers and the like) are used unchanged. `ModelModule` connects the operators, because
Hummingbird's executor casts every input to float32.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hummingbird.ml import _parse, convert, supported  # noqa: F401  (convert registers converters)
from hummingbird.ml.exceptions import MissingConverter
from hummingbird.ml.operator_converters._physical_operator import PhysicalOperator
from numpy.typing import NDArray
from onnxconverter_common.registration import get_converter, register_converter
from torch import nn

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import known_representations, supported_transformers
from skq.frontend.equivalents.narrowing import on_columns
from skq.frontend.feature_columns import FeatureColumns
from skq.frontend.predictors import Affine, Predictor
from skq.frontend.torch_modules import AffineModule
from skq.frontend.torch_predictors import PredictorModule


class _Operator(PhysicalOperator, nn.Module):
    """One of skq's representations as one of Hummingbird's operators."""

    def __init__(self, operator: Any, module: nn.Module) -> None:
        super().__init__(operator, transformer=isinstance(module, AffineModule))
        self.module = module

    def forward(self, x: torch.Tensor) -> Any:
        return self.module(x)


def _register(representation: type, make: Callable[[Any], nn.Module]) -> None:
    """Register a class with Hummingbird: a name for it, and a converter for the name."""
    alias = f"Skq{representation.__name__}"
    supported.sklearn_api_operator_name_map[representation] = alias
    register_converter(alias, lambda op, *_: _Operator(op, make(op.raw_operator)), overwrite=True)


_register(Affine, AffineModule)
_register(Predictor, lambda predictor: PredictorModule(predictor, module_of))


class ModelModule(nn.Module):
    """Hummingbird's operators of one model, wired in float64.

    Attributes
    ----------
    n_features : int
        Columns that it reads.
    predictor : PredictorModule
        The last operator's module.
    """

    def __init__(self, input_name: str, n_features: int, operators: list[Any]) -> None:
        super().__init__()
        self.n_features = n_features
        self.input_name = input_name
        self.operators = nn.ModuleList(operators)
        self.predictor: PredictorModule = operators[-1].module

    def forward(self, x: torch.Tensor) -> Any:
        values: dict[str, Any] = {self.input_name: x}
        for operator in self.operators:
            result = operator(*(values[name] for name in operator.inputs))
            last = operator is self.operators[-1]
            results = (result,) if last or len(operator.outputs) == 1 else result
            results = tuple(_in_float64(r) for r in results)
            values.update(zip(operator.outputs, results, strict=True))
        return values[self.operators[-1].outputs[0]]


def to_torch(estimator: Any, X: NDArray[Any], columns: FeatureColumns | None = None) -> ModelModule:
    """One torch module, in float64, that computes a fitted estimator or Pipeline.

    Parameters
    ----------
    estimator : estimator or Pipeline
    X : ndarray of shape (n_rows, n_features)
        Calibration rows.
    columns : FeatureColumns, default=None
        As in `skq.frontend.convert.float_graph`.

    Raises
    ------
    UnsupportedModelError
        Names the step for which neither Hummingbird nor skq has a converter.
    """
    try:
        bounds = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
        n_features = X.shape[1]
        if columns is not None:
            n_features = columns.n_features
            bounds = columns.full(bounds[0]), columns.full(bounds[1])
        representations = known_representations(estimator, bounds, n_features=n_features)
        if columns is not None:
            narrow = on_columns(representations, columns.columns)
            if narrow is not None:
                representations, n_features = narrow, X.shape[1]
        return module_of(representations, n_features).double().eval()
    except MissingConverter as error:
        match = re.search(r"class '[\w.]*?(\w+)'", str(error))
        raise UnsupportedModelError(
            f"{type(estimator).__name__} cannot be quantized: its step "
            f"{match[1] if match else error} has no integer representation. Put it before the "
            "quantized model, as in "
            "make_pipeline(transformer, QuantizedClassifier(model)), or use one of "
            f"{', '.join(supported_transformers())}."
        ) from error


def module_of(model: Any, n_features: int) -> ModelModule:
    """The module of a Predictor, or of a Pipeline that ends in one."""
    config = {"n_features": n_features}
    topology = _parse.parse_sklearn_api_model(model, config)
    operators = list(topology.topological_operator_iterator())
    modules = [get_converter(op.type)(op, "cpu", config) for op in operators]
    return ModelModule(operators[0].inputs[0].full_name, n_features, modules)


def _in_float64(result: Any) -> Any:
    """Hummingbird's transformers return float32; the graph goes on in float64."""
    is_single = isinstance(result, torch.Tensor) and result.dtype == torch.float32
    return result.double() if is_single else result
