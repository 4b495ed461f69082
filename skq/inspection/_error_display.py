"""`QuantizationErrorDisplay`: the error of features and layers, as bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from skq.inspection._axes import new_axes
from skq.inspection._report import (
    EXACT_LENGTH,
    QuantizationReport,
    quantization_report,
)

_COLORS = {"feature": "C0", "layer": "C1"}
_LEGEND = {"feature": "features: rounding of X", "layer": "layers: exact sums"}

#: Points between axes and title, where the legend is.
_TITLE_PAD = 26


class QuantizationErrorDisplay:
    """Signal-to-noise ratio of each feature and layer, as bars.

    A longer bar means a smaller error. Parts without error have a hatched bar over the whole axis
    with the label "exact". Parts without a ratio, such as features of trees and layers of loaded
    models, have no bar.

    Parameters
    ----------
    report : QuantizationReport
        The report to draw.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        One bar for each part that has a ratio, the first on top.
    legend_ : matplotlib Legend or None
        Colors of features and layers; None where nothing is drawn.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.inspection import QuantizationErrorDisplay, quantization_report
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500, n_bits=4).fit(X, y)
    >>> display = QuantizationErrorDisplay(report=quantization_report(model, X, y))
    >>> [part.name for part in display.report.parts]
    ['x0', 'x1', 'x2', 'x3', 'MatMul 1']
    """

    def __init__(self, *, report: QuantizationReport) -> None:
        self.report = report

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None
    ) -> QuantizationErrorDisplay:
        """Create a report of a quantized model and draw it.

        Parameters
        ----------
        estimator : estimator, IntegerPredictor or QuantizedModule
            The model; see `quantization_report`.
        X : array-like of shape (n_samples, n_features)
            Rows on which the errors are measured.
        y : array-like of shape (n_samples,), default=None
            Targets, to compute the scores.
        ax : matplotlib Axes, default=None
            Axes to draw on. None means a new figure.

        Returns
        -------
        QuantizationErrorDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(report=quantization_report(estimator, X, y)).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> QuantizationErrorDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None means a new figure, whose height depends on the number of bars.

        Returns
        -------
        self
        """
        shown = [part for part in self.report.parts if not np.isnan(part.sqnr_db)]
        height = 1.6 + 0.28 * len(shown)
        self.ax_, self.figure_ = new_axes(ax, type(self).__name__, (6.4, height))
        ratios = [part.sqnr_db for part in shown]
        finite = [ratio for ratio in ratios if np.isfinite(ratio)]
        end = EXACT_LENGTH * max([*finite, 1.0])
        lengths = [ratio if np.isfinite(ratio) else end for ratio in ratios]
        colors = [_COLORS[part.kind] for part in shown]
        self.bars_ = self.ax_.barh(range(len(shown)), lengths, color=colors)
        for bar, ratio in zip(self.bars_, ratios, strict=True):
            if np.isinf(ratio):
                bar.set(alpha=0.35, hatch="//", edgecolor="white")
            self._write_beside(bar, ratio, end)
        self.ax_.set_yticks(range(len(shown)), [part.name for part in shown])
        self.ax_.set_xlim(min([*finite, 0.0]), end)
        self.ax_.set_ylim(max(len(shown), 1) - 0.5, -0.5)
        if finite:
            self.ax_.set_xlabel("signal-to-quantization-noise ratio (dB), more is better")
        else:
            self.ax_.set_xticks([])
        title = f"{self.report.model}: quantization error"
        self.ax_.set_title(title, pad=_TITLE_PAD)
        self.legend_ = self._legend([part.kind for part in shown])
        if not shown:
            self.ax_.text(
                *(0.5, 0.5, "no signal-to-noise ratio is defined"),
                ha="center", transform=self.ax_.transAxes,
            )  # fmt: skip
        return self

    def _write_beside(self, bar: Any, ratio: float, end: float) -> None:
        """The ratio at the end of its bar: inside of a long one."""
        text = "exact" if np.isinf(ratio) else f"{ratio:.0f}"
        if np.isinf(ratio):
            x, side, color = end / 2, "center", "black"
        elif ratio > 0.15 * end:
            x, side, color = ratio - 0.01 * end, "right", "white"
        else:
            x, side, color = max(ratio, 0.0) + 0.01 * end, "left", "black"
        middle = bar.get_y() + bar.get_height() / 2
        self.ax_.text(x, middle, text, ha=side, va="center", color=color, fontsize="small")

    def _legend(self, kinds: list[str]) -> Any:
        from matplotlib.patches import Patch

        handles = [
            Patch(color=color, label=_LEGEND[kind])
            for kind, color in _COLORS.items()
            if kind in kinds
        ]
        if not handles:
            return None
        return self.ax_.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False
        )
