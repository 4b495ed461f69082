"""Hummingbird: from a model or Pipeline to one torch module.

Hummingbird parses the model into operators and has a converter for each class that it knows;
`Predictor` is registered with it as one more class. Of its converters those in front of the
predictor (scalers and the like) are used as they are. The wiring is ours, because Hummingbird's
own executor casts every input to float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hummingbird.ml import _parse, convert, supported  # noqa: F401  (convert registers converters)
from hummingbird.ml.exceptions import MissingConverter
from hummingbird.ml.operator_converters._physical_operator import PhysicalOperator
from onnxconverter_common.registration import get_converter, register_converter
from sklearn.pipeline import Pipeline
from torch import nn

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import supported_estimators, to_form
from skq.frontend.predictors import Affine, Predictor
from skq.frontend.torch_modules import AffineModule, PredictorModule


class _Operator(PhysicalOperator, nn.Module):
    """One of skq's forms as one of Hummingbird's operators."""

    def __init__(self, operator: Any, module: nn.Module) -> None:
        super().__init__(operator, transformer=isinstance(module, AffineModule))
        self.module = module

    def forward(self, x: torch.Tensor) -> Any:
        return self.module(x)


def _register(form: type, make: Callable[[Any], nn.Module]) -> None:
    """Register a form with Hummingbird: a name for its class, a converter for the name."""
    alias = f"Skq{form.__name__}"
    supported.sklearn_api_operator_name_map[form] = alias
    register_converter(alias, lambda op, *_: _Operator(op, make(op.raw_operator)), overwrite=True)


_register(Affine, AffineModule)
_register(Predictor, PredictorModule)


class ModelModule(nn.Module):
    """Hummingbird's operators of one model, wired in float64.

    Attributes
    ----------
    predictor : PredictorModule
        The last operator's module.
    """

    def __init__(self, input_name: str, operators: list[Any]) -> None:
        super().__init__()
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


def to_torch(estimator: Any, n_features: int) -> ModelModule:
    """One torch module, in float64, that computes a fitted estimator or Pipeline.

    Raises
    ------
    UnsupportedModelError
        Names the step for which neither Hummingbird nor skq has a converter.
    """
    config = {"n_features": n_features}
    try:
        topology = _parse.parse_sklearn_api_model(_in_known_forms(estimator), config)
        operators = list(topology.topological_operator_iterator())
        modules = [get_converter(op.type)(op, "cpu", config) for op in operators]
    except MissingConverter as error:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} cannot be quantized: {error}"
        ) from error
    name = operators[0].inputs[0].full_name
    return ModelModule(name, modules).double().eval()


def _in_float64(result: Any) -> Any:
    """Hummingbird's transformers return float32; the graph goes on in float64."""
    is_single = isinstance(result, torch.Tensor) and result.dtype == torch.float32
    return result.double() if is_single else result


def _in_known_forms(model: Any, *, last: bool = True) -> Any:
    """The same model with what skq writes itself in array form; Hummingbird knows the rest."""
    if isinstance(model, Pipeline):
        steps = [(name, step) for name, step in model.steps if step not in (None, "passthrough")]
        end = len(steps) - 1
        return Pipeline(
            [
                (name, _in_known_forms(s, last=last and i == end))
                for i, (name, s) in enumerate(steps)
            ]
        )
    form = to_form(model)
    if last and not isinstance(form, Predictor):
        raise UnsupportedModelError(
            f"{type(model).__name__} cannot be quantized. Supported estimators are: "
            f"{', '.join(supported_estimators())}; or a Pipeline that ends in one of them."
        )
    return model if form is None else form
