"""`quantization_report`: the quantization error of a fitted estimator, by feature and layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skq.inspection._html import report_html
from skq.inspection._parts import Part, parts
from skq.inspection._subjects import subject_of
from skq.quantization.layer_bits import described
from skq.quantization.layer_sensitivity import layer_sensitivities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "QuantizationReport", "quantization_report"]

#: Bar length of parts without error, relative to the longest other bar.
EXACT_LENGTH = 1.15

_COLUMNS = tuple(field.name for field in fields(Part))


@dataclass(frozen=True)
class QuantizationReport:
    """The quantization error of a model on given rows.

    ``print`` shows the report as text, notebooks show it as a table, and `to_frame` returns the
    parts as a DataFrame.

    Parameters
    ----------
    model : str
        Name of the class.
    n_bits : dict
    parts : sequence of Part
        Features, then layers.
    agreement : float or None
        Share of labels that are equal in the integer and the float model; for regressors and
        networks, R² between both predictions. None for a loaded model, which has no float model.
    score, float_score : float or None
        Scores of the integer and of the float model on the given rows. None if `y` was not given.
    accumulator_bits : int
        Width of the widest exact sum.
    nbytes : int
        Bytes of the model's constants.
    columns : int
        Number of columns of codes of all features.

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
    n_bits: dict[str, Any]
    parts: Sequence[Part]
    agreement: float | None
    score: float | None
    float_score: float | None
    accumulator_bits: int
    nbytes: int
    columns: int = 0

    @property
    def summary(self) -> dict[str, Any]:
        """Return the figures of the whole model, by name."""
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
        """Return the parts as a pandas DataFrame with one row per part."""
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
            + (f"{'sensitivity':>13}" if self._has_sensitivities else "")
        )
        for part in self.parts:
            codes = f"{part.used_codes} of {part.codes}"
            lines.append(
                f"  {part.name:<{width}}{_decibel(part.sqnr_db):>9}{part.saturated:>11.1%}"
                f"{codes:>14}{_bits(part):>8}"
                + (f"{_share(part.sensitivity):>13}" if self._has_sensitivities else "")
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        more = self._has_sensitivities
        cells = [
            [
                part.kind,
                part.name,
                _decibel(part.sqnr_db),
                f"{part.saturated:.1%}",
                f"{part.used_codes} of {part.codes}",
                _bits(part),
                *([_share(part.sensitivity)] if more else []),
            ]
            for part in self.parts
        ]
        return report_html(
            f"{self.model} in integers",
            self._widths,
            {name: _text(value) for name, value in self.summary.items()},
            ["kind", "name", "SQNR", "saturated", "codes used", "bits", *["sensitivity"] * more],
            cells,
            bar_shares([part.sqnr_db for part in self.parts]),
        )

    @property
    def _has_sensitivities(self) -> bool:
        return not all(np.isnan(part.sensitivity) for part in self.parts)

    @property
    def _widths(self) -> str:
        return described(self.n_bits)


def quantization_report(
    estimator: Any, X: Any, y: Any = None, *, sensitivities: bool = False
) -> QuantizationReport:
    """Report the quantization error of a model on given rows, by feature and layer.

    Parameters
    ----------
    estimator : estimator, IntegerPredictor or QuantizedModule
        A fitted estimator of skq, a QuantizedClassifier or QuantizedRegressor, a Pipeline that
        ends in one, a loaded model, or a module. The report of a loaded model, which has no float
        model, has no agreement and no ratios of layers. In the report of a QuantizedModule of a
        torch module, layers have the names of the graph's nodes.
    X : array-like of shape (n_samples, n_features), or tuple of array-likes
        A tuple for a QuantizedModule of several inputs, which may have more axes.
    y : array-like of shape (n_samples,), default=None
        Targets, to compute the scores. Must be None for a QuantizedModule.
    sensitivities : bool, default=False
        Whether to compute the error of the output that is caused by each layer alone. It shows
        for which layers a smaller width is possible with "layers" of `n_bits`. The model is
        quantized once for each layer.

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
    listed: Iterable[Part] = parts(module, subject.inputs, subject.feature_names)
    if sensitivities:
        by_node = layer_sensitivities(module, subject.inputs)
        listed = (
            replace(part, sensitivity=by_node.get(part.node, float("nan"))) for part in listed
        )
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


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2g}"


def _decibel(value: float) -> str:
    return "–" if np.isnan(value) else "exact" if np.isinf(value) else f"{value:.1f} dB"
