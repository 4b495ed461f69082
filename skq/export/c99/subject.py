"""What is exported: the program of a model, and which of its values its functions return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.export.subject import subject_of
from skq.program import Dequantize, IntegerProgram
from skq.program.prune import pruned


@dataclass(frozen=True, eq=False)
class Output:
    """An output of a program: an integer value, its scale and its zero point.

    Parameters
    ----------
    value : int
        Number of the integer value.
    scale, zero_point : ndarray of shape () or (n_channels,)
        The output is ``(value - zero_point) * scale``.
    """

    value: int
    scale: Any
    zero_point: Any


@dataclass(frozen=True, eq=False)
class Subject:
    """What the export needs of a fitted model.

    Parameters
    ----------
    title : str
        Class of the model.
    program : IntegerProgram
        Without nodes of trees that no row reaches.
    epilogue : FloatGraph
        Float functions of the dequantized scores.
    output_names : tuple of str
        Of the module: methods of the estimator, with ``_0``, ``_1`` for several outputs.
    classes : list of ndarray or None
        Labels of each output of a classifier.
    feature_names : list of str or None
    n_bits : str
    """

    title: str
    program: IntegerProgram
    epilogue: Any
    output_names: tuple[str, ...]
    classes: list[Any] | None
    feature_names: list[str] | None
    n_bits: str

    @classmethod
    def of(cls, model: Any) -> Subject:
        """The model's parts; see `skq.export.subject.subject_of` for what is refused."""
        subject = subject_of(model)
        module, classes = subject.module, subject.classes
        if classes is not None and not isinstance(classes, list):
            classes = [classes]
        names = subject.feature_names
        title = getattr(model, "estimator", None)
        return cls(
            title=title if isinstance(title, str) else _title(model),
            program=pruned(module.program),
            epilogue=module.epilogue,
            output_names=tuple(module.output_names),
            classes=classes,
            feature_names=None if names is None else list(names),
            n_bits=_bits(module.n_bits),
        )

    @property
    def graph_outputs(self) -> dict[str, Output]:
        """Outputs of the program; real ones as the integers that are dequantized."""
        outputs = {}
        first = len(self.program.inputs)
        for name, value in self.program.outputs.items():
            step = self.program.instructions[value - first] if value >= first else None
            if isinstance(step, Dequantize):
                outputs[name] = Output(step.inputs[0], step.scale, step.zero_point)
            else:
                outputs[name] = Output(value, np.float64(1.0), np.float64(0.0))
        return outputs

    def method(self, method: str) -> tuple[str, ...]:
        """Outputs of the module that a method returns; none if the model has no such method."""
        if method in self.output_names:
            return (method,)
        numbered = [f"{method}_{k}" for k in range(len(self.output_names))]
        return tuple(name for name in numbered if name in self.output_names)

    @property
    def is_classifier(self) -> bool:
        """Whether ``predict`` gives indices of classes, or labels of outlier detection."""
        names = self.method("predict")
        if not names:
            return False
        if self.classes is not None or len(self.output_names) > len(names):
            return True
        outputs = self.program.outputs
        return all(n in outputs and self.program.types[outputs[n]].is_integer for n in names)


def _title(model: Any) -> str:
    name = type(model).__name__
    inner = getattr(model, "estimator", None)
    return name if inner is None or isinstance(inner, type) else f"{name} of {_name_of(inner)}"


def _name_of(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    if steps:
        return ", ".join(type(step).__name__ for _, step in steps)
    return type(estimator).__name__


def _bits(n_bits: Any) -> str:
    widths = dict(n_bits)
    return ", ".join(f"{role} {width}" for role, width in widths.items())
