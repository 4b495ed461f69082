"""Committees as torch modules: members' answers, calibrated, averaged, or put side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from skq.frontend.equivalents.combining import can_stand_side_by_side, side_by_side
from skq.frontend.predictors import Calibration, Committee, Head, Member, Predictor
from skq.frontend.torch_modules import constant, normalized, outputs_of, scores_module

#: Added to probabilities before their logarithm; scikit-learn's ``_convert_to_logits``.
LOGARITHM_OFFSET = 1e-12


class CommitteeModule(nn.Module):
    """`Committee`: members of one kind share one set of scores; others have their own."""

    def __init__(self, committee: Committee) -> None:
        super().__init__()
        self.n_scores = committee.n_scores
        self.total = float(np.sum(committee.weights))
        members = committee.members
        joint = _joint_scores(members)
        self.scores = None if joint is None else scores_module(joint)
        self.n_members = len(members)
        self.head = members[0].head
        self.answer = members[0].answer
        if self.scores is None:
            self.members = nn.ModuleList(MemberModule(m, committee.n_scores) for m in members)
            self.weights = [float(weight) for weight in committee.weights]
            return
        self.weight = constant(np.asarray(committee.weights, dtype=np.float64)[:, np.newaxis])
        calibrations = [m.calibration for m in members if m.calibration is not None]
        self.calibration = CalibrationModule(calibrations) if calibrations else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            parts = [w * m(x) for m, w in zip(self.members, self.weights, strict=True)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            return total / self.total
        scores = self.scores(x)
        by_member = scores.reshape(-1, self.n_members, scores.shape[1] // self.n_members)
        answers = _answer(self.head, self.answer, by_member, self.n_scores)
        if self.calibration is not None:
            answers = self.calibration(answers)
        return (answers * self.weight).sum(1) / self.total


class MemberModule(nn.Module):
    """What one member answers, with a column for each class of the committee."""

    def __init__(self, member: Member, n_scores: int) -> None:
        super().__init__()
        from skq.frontend.hummingbird import module_of

        self.model = module_of(member.model, member.n_features)
        self.names = member.head.output_names
        self.answer = member.answer
        self.features = None if member.features is None else torch.as_tensor(member.features)
        self.n_classes = n_scores if member.classes is None else len(member.classes)
        self.places = None
        if member.classes is not None:
            places = np.full(n_scores, self.n_classes)  # behind the own classes stands a 0
            places[member.classes] = np.arange(self.n_classes)
            self.places = torch.as_tensor(places)
        own = member.calibration
        self.calibration = None if own is None else CalibrationModule([own])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.features is not None:
            x = x[:, self.features]
        outputs = dict(zip(self.names, self.model(x), strict=True))
        found = _as_columns(self.answer, outputs, self.n_classes)
        if self.calibration is not None:
            found = self.calibration(found.unsqueeze(1))[:, 0]
        if self.places is not None:
            found = torch.cat([found, found[:, :1] * 0], 1)[:, self.places]
        return found


class CalibrationModule(nn.Module):
    """Calibrations of several members: answers of shape (n_rows, n_members, n_columns)."""

    def __init__(self, members: list[Calibration]) -> None:
        super().__init__()
        self.function = members[0].function
        self.logarithm = members[0].logarithm
        if self.function == "interpolate":
            self._set_segments([pair for m in members for pair in m.knots], len(members))
            return
        self.slope = constant(np.stack([np.asarray(m.slope, dtype=np.float64) for m in members]))
        if self.function == "sigmoid":
            offset = [np.asarray(m.offset, dtype=np.float64) for m in members]
            self.offset = constant(np.stack(offset))

    def _set_segments(self, knots: list[tuple[Any, Any]], n_members: int) -> None:
        """Ends and rises of the segments, in arrays of shape (n_members, n_columns, n_segments)."""
        n = max(2, *(len(x) for x, _ in knots)) if knots else 2
        padded = [(_padded(x, n), np.pad(y, (0, n - len(y)), mode="edge")) for x, y in knots]
        x, y = (np.array(values).reshape(n_members, -1, n) for values in zip(*padded, strict=True))
        self.lo, self.hi = float(x.min()), float(x.max())
        self.left, self.width = constant(x[..., :-1]), constant(np.diff(x))
        self.rise, self.first = constant(np.diff(y)), constant(y[..., 0])

    def forward(self, answers: torch.Tensor) -> torch.Tensor:
        if self.function == "softmax":
            return self._softmax(answers)
        each = self._sigmoid(answers) if self.function == "sigmoid" else self._interpolate(answers)
        if each.shape[2] == 1:
            return torch.cat([1 - each, each], 2)
        return normalized(each)

    def _sigmoid(self, answers: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(-(answers * self.slope + self.offset))

    def _softmax(self, answers: torch.Tensor) -> torch.Tensor:
        if answers.shape[2] == 1:
            answers = torch.cat([-answers, answers], 2)
        if self.logarithm:
            answers = torch.log(torch.clamp(answers, 0.0, 1.0) + LOGARITHM_OFFSET)
        return torch.softmax(answers * self.slope, 2)

    def _interpolate(self, answers: torch.Tensor) -> torch.Tensor:
        """First value plus the share of each segment's rise that lies below x.

        The clip in front bounds nothing that the segments do not; it is where floats begin.
        """
        x = torch.clamp(answers, self.lo, self.hi).unsqueeze(3)
        share = torch.clamp((x - self.left) / self.width, 0.0, 1.0)
        return (share * self.rise).sum(3) + self.first


def _padded(x: Any, n: int) -> Any:
    """Knots with more of them behind the last, a distance of 1 apart."""
    return np.append(x, x[-1] + 1.0 + np.arange(n - len(x)))


def _joint_scores(members: tuple[Member, ...]) -> Any:
    """All members' scores side by side, where they are of one kind; else None."""
    first = members[0]
    models = [m.model for m in members]
    alike = all(
        isinstance(m.model, Predictor)
        and m.model.decision is None
        and m.features is None
        and m.classes is None
        and m.head == first.head
        and m.answer == first.answer
        and m.model.scores.n_scores == first.model.scores.n_scores
        and _is_like(m.calibration, first.calibration)
        for m in members
    )
    scores = [model.scores for model in models] if alike else []
    return side_by_side(scores) if len(scores) > 1 and can_stand_side_by_side(scores) else None


def _is_like(a: Calibration | None, b: Calibration | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.function == b.function and a.logarithm == b.logarithm


def _answer(head: Head, answer: str, scores: torch.Tensor, n_classes: int) -> torch.Tensor:
    """One of a head's outputs for several members, (n_rows, n_members, n_columns)."""
    if head.kind == "regressor":
        (values,) = outputs_of(replace(head, flat=False), scores)
        return values
    outputs = dict(zip(head.output_names, outputs_of(head, scores), strict=True))
    return _as_columns(answer, outputs, n_classes, axis=2)


def _as_columns(
    answer: str, outputs: dict[str, torch.Tensor], n_classes: int, axis: int = 1
) -> torch.Tensor:
    """An output with its columns along `axis`, which it may lack; a label as one vote."""
    if answer == "vote":
        labels = outputs["predict"].unsqueeze(axis)
        return (labels == torch.arange(n_classes)).double()
    found = outputs["predict_proba" if answer == "positive" else answer]
    if answer == "positive":
        return found[..., 1:]
    return found.unsqueeze(axis) if found.dim() == axis else found
