"""Ensembles as torch modules: responses, which are calibrated, averaged or concatenated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from skq.frontend.equivalents.combining import can_stand_side_by_side, side_by_side
from skq.frontend.predictors import Calibration, Ensemble, EnsembleEstimator, Head, Predictor
from skq.frontend.torch_modules import constant, normalized, outputs_of, scores_module

#: Added to probabilities before their logarithm; scikit-learn's ``_convert_to_logits``.
LOGARITHM_OFFSET = 1e-12

#: Makes the module of a base estimator, given its number of features.
ModuleOf = Callable[[Any, int], nn.Module]


class EnsembleModule(nn.Module):
    """`Ensemble`: base estimators of one kind are computed as one set of scores."""

    def __init__(self, ensemble: Ensemble, module_of: ModuleOf) -> None:
        super().__init__()
        self.n_scores = ensemble.n_scores
        self.total = float(np.sum(ensemble.weights))
        base_estimators = ensemble.base_estimators
        joint = _joint_scores(base_estimators)
        self.scores = None if joint is None else scores_module(joint)
        self.n_estimators = len(base_estimators)
        self.head = base_estimators[0].head
        self.response_method = base_estimators[0].response_method
        if self.scores is None:
            self.base_estimators = nn.ModuleList(
                EnsembleEstimatorModule(m, ensemble.n_scores, module_of) for m in base_estimators
            )
            self.weights = [float(weight) for weight in ensemble.weights]
            return
        self.weight = constant(np.asarray(ensemble.weights, dtype=np.float64)[:, np.newaxis])
        calibrations = [m.calibration for m in base_estimators if m.calibration is not None]
        self.calibration = CalibrationModule(calibrations) if calibrations else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            parts = [w * m(x) for m, w in zip(self.base_estimators, self.weights, strict=True)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            return total / self.total
        scores = self.scores(x)
        by_estimator = scores.reshape(-1, self.n_estimators, scores.shape[1] // self.n_estimators)
        responses = _responses(self.head, self.response_method, by_estimator, self.n_scores)
        if self.calibration is not None:
            responses = self.calibration(responses)
        return (responses * self.weight).sum(1) / self.total


class EnsembleEstimatorModule(nn.Module):
    """Response of one base estimator, with a column for each class of the ensemble."""

    def __init__(
        self, base_estimator: EnsembleEstimator, n_scores: int, module_of: ModuleOf
    ) -> None:
        super().__init__()
        self.model = module_of(base_estimator.model, base_estimator.n_features)
        self.names = base_estimator.head.output_names
        self.response_method = base_estimator.response_method
        self.features = (
            None if base_estimator.features is None else torch.as_tensor(base_estimator.features)
        )
        self.n_classes = n_scores if base_estimator.classes is None else len(base_estimator.classes)
        self.class_columns = None
        if base_estimator.classes is not None:
            # column n_classes, after those of the classes that it has seen, is 0
            columns = np.full(n_scores, self.n_classes)
            columns[base_estimator.classes] = np.arange(self.n_classes)
            self.class_columns = torch.as_tensor(columns)
        calibration = base_estimator.calibration
        self.calibration = None if calibration is None else CalibrationModule([calibration])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.features is not None:
            x = x[:, self.features]
        outputs = dict(zip(self.names, self.model(x), strict=True))
        response = _as_columns(self.response_method, outputs, self.n_classes)
        if self.calibration is not None:
            response = self.calibration(response.unsqueeze(1))[:, 0]
        if self.class_columns is not None:
            response = torch.cat([response, response[:, :1] * 0], 1)[:, self.class_columns]
        return response


class CalibrationModule(nn.Module):
    """Calibrations of base estimators: responses of shape (n_rows, n_estimators, n_columns)."""

    def __init__(self, base_estimators: list[Calibration]) -> None:
        super().__init__()
        self.function = base_estimators[0].function
        self.logarithm = base_estimators[0].logarithm
        if self.function == "interpolate":
            self._set_segments(
                [pair for m in base_estimators for pair in m.knots], len(base_estimators)
            )
            return
        self.slope = constant(
            np.stack([np.asarray(m.slope, dtype=np.float64) for m in base_estimators])
        )
        if self.function == "sigmoid":
            offset = [np.asarray(m.offset, dtype=np.float64) for m in base_estimators]
            self.offset = constant(np.stack(offset))

    def _set_segments(self, knots: list[tuple[Any, Any]], n_estimators: int) -> None:
        """Ends and rises of the segments, of shape (n_estimators, n_columns, n_segments)."""
        n = max(2, *(len(x) for x, _ in knots)) if knots else 2
        padded = [(_padded(x, n), np.pad(y, (0, n - len(y)), mode="edge")) for x, y in knots]
        x, y = (
            np.array(values).reshape(n_estimators, -1, n) for values in zip(*padded, strict=True)
        )
        self.lo, self.hi = float(x.min()), float(x.max())
        self.left, self.width = constant(x[..., :-1]), constant(np.diff(x))
        self.rise, self.first = constant(np.diff(y)), constant(y[..., 0])

    def forward(self, responses: torch.Tensor) -> torch.Tensor:
        if self.function == "softmax":
            return self._softmax(responses)
        each = (
            self._sigmoid(responses) if self.function == "sigmoid" else self._interpolate(responses)
        )
        if each.shape[2] == 1:
            return torch.cat([1 - each, each], 2)
        return normalized(each)

    def _sigmoid(self, responses: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(-(responses * self.slope + self.offset))

    def _softmax(self, responses: torch.Tensor) -> torch.Tensor:
        if responses.shape[2] == 1:
            responses = torch.cat([-responses, responses], 2)
        if self.logarithm:
            responses = torch.log(torch.clamp(responses, 0.0, 1.0) + LOGARITHM_OFFSET)
        return torch.softmax(responses * self.slope, 2)

    def _interpolate(self, responses: torch.Tensor) -> torch.Tensor:
        """First value plus the share of each segment's rise that lies below x.

        The Clip does not change the result. It marks where the float part of the model begins.
        """
        x = torch.clamp(responses, self.lo, self.hi).unsqueeze(3)
        share = torch.clamp((x - self.left) / self.width, 0.0, 1.0)
        return (share * self.rise).sum(3) + self.first


def _padded(x: Any, n: int) -> Any:
    """Knots, with more of them appended at distances of 1."""
    return np.append(x, x[-1] + 1.0 + np.arange(n - len(x)))


def _joint_scores(base_estimators: tuple[EnsembleEstimator, ...]) -> Any:
    """The scores of all base estimators, concatenated, if they are of one kind; else None."""
    first = base_estimators[0]
    models = [m.model for m in base_estimators]
    alike = all(
        isinstance(m.model, Predictor)
        and m.model.decision is None
        and m.features is None
        and m.classes is None
        and m.head == first.head
        and m.response_method == first.response_method
        and m.model.scores.n_scores == first.model.scores.n_scores
        and _is_like(m.calibration, first.calibration)
        for m in base_estimators
    )
    scores = [model.scores for model in models] if alike else []
    return side_by_side(scores) if len(scores) > 1 and can_stand_side_by_side(scores) else None


def _is_like(a: Calibration | None, b: Calibration | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.function == b.function and a.logarithm == b.logarithm


def _responses(
    head: Head, response_method: str, scores: torch.Tensor, n_classes: int
) -> torch.Tensor:
    """One of a head's outputs for several base estimators, (n_rows, n_estimators, n_columns)."""
    if head.kind == "regressor":
        (values,) = outputs_of(replace(head, flat=False), scores)
        return values
    outputs = dict(zip(head.output_names, outputs_of(head, scores), strict=True))
    return _as_columns(response_method, outputs, n_classes, axis=2)


def _as_columns(
    response_method: str, outputs: dict[str, torch.Tensor], n_classes: int, axis: int = 1
) -> torch.Tensor:
    """An output with its columns along `axis`, which it may lack; a label as one vote."""
    if response_method == "vote":
        labels = outputs["predict"].unsqueeze(axis)
        return (labels == torch.arange(n_classes)).double()
    output = outputs["predict_proba" if response_method == "positive" else response_method]
    if response_method == "positive":
        return output[..., 1:]
    return output.unsqueeze(axis) if output.dim() == axis else output
