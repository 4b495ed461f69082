"""`quantization_report`: what a fitted quantized estimator loses, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skq.inspection._html import report_html
from skq.inspection._parts import Part, parts
from skq.inspection._subjects import subject_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "QuantizationReport", "quantization_report"]

#: Bar length of parts without error, relative to the longest other bar.
EXACT_LENGTH = 1.15

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
    agreement : float or None
        Share of labels that are equal in the integer and the float model; for regressors and
        networks R² between both predictions. None for a loaded model, which has no float model.
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
    agreement: float | None
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
        lines = [f"{self.model} in integers ({self._widths})"]
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
        return report_html(
            f"{self.model} in integers",
            self._widths,
            {name: _text(value) for name, value in self.summary.items()},
            ["kind", "name", "SQNR", "saturated", "codes used", "bits"],
            cells,
            bar_shares([part.sqnr_db for part in self.parts]),
        )

    @property
    def _widths(self) -> str:
        return ", ".join(f"{name} {bits}" for name, bits in self.n_bits.items())


def quantization_report(estimator: Any, X: Any, y: Any = None) -> QuantizationReport:
    """Report what a quantized model loses on given rows, and where.

    Parameters
    ----------
    estimator : estimator, IntegerPredictor or QuantizedModule
        Fitted: one of skq's, a QuantizedClassifier or QuantizedRegressor, or a Pipeline that ends
        in one. A loaded model has no float model: of its layers no ratio is known, and no
        agreement. In the report of a QuantizedModule with its float graph, as of a torch module,
        layers have the names of the graph's nodes.
    X : array-like of shape (n_samples, n_features), or tuple of array-likes
        A tuple for a QuantizedModule of several inputs, which may have more axes.
    y : array-like of shape (n_samples,), default=None
        Adds the scores; not for a QuantizedModule.

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
    subject = subject_of(estimator, X, y)
    module = subject.module
    listed = parts(module, subject.inputs, subject.feature_names)
    if module is estimator:  # the names of the graph, which are those of torch's modules
        listed = (replace(part, name=part.node or part.name) for part in listed)
    return QuantizationReport(
        model=subject.name,
        n_bits=dict(module.n_bits),
        parts=tuple(listed),
        agreement=subject.agreement,
        score=subject.score,
        float_score=subject.float_score,
        accumulator_bits=module.max_accumulator_bits,
        nbytes=module.nbytes,
        columns=int(module.columns_of_features.sum()),
    )


def bar_shares(ratios: Sequence[float]) -> list[float]:
    """Lengths of bars in [0, 1]: the full length for "exact", none for unknown ratios."""
    finite = [ratio for ratio in ratios if np.isfinite(ratio)]
    longest = EXACT_LENGTH * max([*finite, 1.0])
    return [0.0 if np.isnan(r) else float(np.clip(r / longest, 0.0, 1.0)) for r in ratios]


def _text(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _bits(part: Part) -> str:
    return str(part.bits) if part.columns == 1 else f"{part.columns} x {part.bits}"


def _decibel(value: float) -> str:
    return "–" if np.isnan(value) else "exact" if np.isinf(value) else f"{value:.1f} dB"
