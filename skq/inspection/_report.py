"""`quantization_report`: what a fitted quantized estimator loses, and where."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score

from skq.estimators.overwriting import to_write_into
from skq.estimators.requantize import float_model, quantized_part, rows_of
from skq.inspection._parts import Part, parts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "QuantizationReport", "quantization_report"]

_COLUMNS = tuple(field.name for field in fields(Part))


@dataclass(frozen=True)
class QuantizationReport:
    """The loss through quantization of a model on given rows.

    ``print`` shows it as text, notebooks as a table; `to_frame` gives the parts as a DataFrame.

    Parameters
    ----------
    model : str
        Name of the class.
    n_bits : dict of str to int
    parts : sequence of Part
        Features, then layers.
    agreement : float
        Share of labels that are equal in the integer and the float model; for regressors R² between
        both predictions.
    score, float_score : float or None
        On the rows given, if `y` was.
    accumulator_bits : int
        Width of the widest exact sum.
    nbytes : int
        Bytes of the model's constants.
    columns : int
        Columns of codes of all features.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.inspection import quantization_report
    >>> from skq.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DecisionTreeClassifier(random_state=0, n_bits=8).fit(X, y)
    >>> report = quantization_report(model, X, y)
    >>> report.model, report.agreement
    ('DecisionTreeClassifier', 1.0)
    """

    model: str
    n_bits: dict[str, int]
    parts: Sequence[Part]
    agreement: float
    score: float | None
    float_score: float | None
    accumulator_bits: int
    nbytes: int
    columns: int = 0

    @property
    def summary(self) -> dict[str, Any]:
        """Figures of the whole model, by name."""
        figures = {
            "agreement with float": self.agreement,
            "score": self.score,
            "float score": self.float_score,
            "widest sum (bits)": self.accumulator_bits,
            "bytes": self.nbytes,
            "columns of codes": self.columns or None,
        }
        return {name: value for name, value in figures.items() if value is not None}

    def to_frame(self) -> pd.DataFrame:
        """The parts as a pandas DataFrame, one row each."""
        import pandas as pd

        return pd.DataFrame([vars(part) for part in self.parts], columns=list(_COLUMNS))

    def __str__(self) -> str:
        widths = ", ".join(f"{name} {bits}" for name, bits in self.n_bits.items())
        lines = [f"{self.model} in integers ({widths})"]
        lines += [f"  {name:<22} {_text(value)}" for name, value in self.summary.items()]
        names = [part.name for part in self.parts]
        width = max([len(name) for name in names] + [4]) + 2
        lines.append("")
        lines.append(
            f"  {'part':<{width}}{'SQNR':>9}{'saturated':>11}{'codes used':>14}{'bits':>8}"
        )
        for part in self.parts:
            codes = f"{part.used_codes} of {part.codes}"
            lines.append(
                f"  {part.name:<{width}}{_decibel(part.sqnr_db):>9}{part.saturated:>11.1%}"
                f"{codes:>14}{_bits(part):>8}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = [
            [
                part.kind,
                part.name,
                _decibel(part.sqnr_db),
                f"{part.saturated:.1%}",
                f"{part.used_codes} of {part.codes}",
                _bits(part),
            ]
            for part in self.parts
        ]
        head = _html_row("th", ["kind", "name", "SQNR", "saturated", "codes used", "bits"])
        body = "".join(_html_row("td", row) for row in cells)
        figures = "".join(_html_row("td", [k, _text(v)]) for k, v in self.summary.items())
        return (
            f"<div><p><b>{html.escape(self.model)}</b> in integers</p>"
            f"<table>{figures}</table><table>{head}{body}</table></div>"
        )


def quantization_report(estimator: Any, X: Any, y: Any = None) -> QuantizationReport:
    """Report what a fitted quantized estimator loses on given rows, and where.

    Parameters
    ----------
    estimator : estimator
        Fitted: one of skq's, a QuantizedClassifier or QuantizedRegressor, or a Pipeline that ends
        in one.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,), default=None
        Adds the scores.

    Returns
    -------
    QuantizationReport

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.linear_model import LogisticRegression
    >>> from skq.inspection import quantization_report
    >>> X, y = load_iris(return_X_y=True)
    >>> report = quantization_report(LogisticRegression(max_iter=500, n_bits=4).fit(X, y), X, y)
    >>> [part.name for part in report.parts]
    ['x0', 'x1', 'x2', 'x3', 'MatMul 1']
    >>> report.agreement > 0.9
    True
    """
    last = quantized_part(estimator)
    rows = rows_of(estimator, X)
    module = last.quantized_module_

    def given() -> Any:  # a step with copy=False writes into it
        return to_write_into(estimator, X)

    got = estimator.predict(given())
    score = float_score = None
    with float_model(estimator) as model:
        wanted = model.predict(given())
        if y is not None:
            float_score = float(check_scoring(model)(model, given(), y))
    if y is not None:
        score = float(check_scoring(estimator)(estimator, given(), y))
    if is_classifier(estimator):
        same = np.asarray(got) == np.asarray(wanted)
        agreement = float(same.mean()) if same.ndim > 1 else float(accuracy_score(wanted, got))
    else:
        agreement = float(r2_score(wanted, got)) if len(rows) > 1 else float("nan")
    return QuantizationReport(
        model=type(last).__name__,
        n_bits=dict(module.n_bits),
        parts=tuple(parts(module, rows, _feature_names(last, rows.shape[1]))),
        agreement=agreement,
        score=score,
        float_score=float_score,
        accumulator_bits=module.max_accumulator_bits,
        nbytes=module.nbytes,
        columns=int(module.columns_of_features.sum()),
    )


def _feature_names(estimator: Any, n_features: int) -> list[str]:
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{j}" for j in range(n_features)] if names is None else [str(name) for name in names]


def _text(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _bits(part: Part) -> str:
    return str(part.bits) if part.columns == 1 else f"{part.columns} x {part.bits}"


def _decibel(value: float) -> str:
    return "–" if np.isnan(value) else "exact" if np.isinf(value) else f"{value:.1f} dB"


def _html_row(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
