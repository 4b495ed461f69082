"""Displays, by scikit-learn's conventions: `from_estimator` computes, `plot` draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import indexable

from skq.estimators.requantize import n_bits_name, quantized_part
from skq.inspection._report import QuantizationReport, quantization_report
from skq.model_selection._search import run_fold

#: Bar length of parts without error, relative to the longest other bar.
_EXACT_LENGTH = 1.15


def _axes(ax: Any, name: str) -> tuple[Any, Any]:
    check_matplotlib_support(f"{name}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    return ax, ax.figure


class BitWidthDisplay:
    """Score against bits, with the float model's.

    Parameters
    ----------
    n_bits : sequence of int
    scores : ndarray of shape (n_widths, n_splits)
        Test score of each width on each fold.
    float_scores : ndarray of shape (n_splits,)
        Test score of the float model.
    score_name : str, default="Score"

    Attributes
    ----------
    line_ : matplotlib Line2D
        Mean score against bits.
    band_ : matplotlib PolyCollection
        One standard deviation around it.
    float_line_ : matplotlib Line2D
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.inspection import BitWidthDisplay
    >>> from skq.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> display = BitWidthDisplay.from_estimator(
    ...     DecisionTreeClassifier(random_state=0), X, y, n_bits=[2, 4], plot=False
    ... )
    >>> display.scores.shape
    (2, 5)
    """

    def __init__(
        self,
        *,
        n_bits: Sequence[int],
        scores: NDArray[np.float64],
        float_scores: NDArray[np.float64],
        score_name: str = "Score",
    ) -> None:
        self.n_bits = n_bits
        self.scores = scores
        self.float_scores = float_scores
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_bits: Iterable[int] = range(2, 9),
        cv: Any = 5,
        scoring: Any = None,
        n_jobs: int | None = None,
        plot: bool = True,
        ax: Any = None,
    ) -> BitWidthDisplay:
        """Cross-validate an estimator at each width; the float model is trained once a fold.

        Parameters
        ----------
        estimator : estimator
            One of skq's, or a Pipeline that ends in one; not fitted, or it is cloned.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        n_bits : iterable of int, default=range(2, 9)
        cv : int, splitter or iterable, default=5
        scoring : str or callable, default=None
        n_jobs : int, default=None
        plot : bool, default=True
            Whether to draw at once.
        ax : matplotlib Axes, default=None

        Returns
        -------
        BitWidthDisplay
        """
        if plot:
            check_matplotlib_support(f"{cls.__name__}.from_estimator")
        quantized_part(estimator)
        widths = [int(n) for n in n_bits]
        X, y = indexable(X, y)
        scorer = check_scoring(estimator, scoring=scoring)
        splitter = check_cv(cv, y, classifier=is_classifier(estimator))
        name = n_bits_name(estimator)
        runs = Parallel(n_jobs=n_jobs)(
            delayed(run_fold)(
                clone(estimator).set_params(**{name: widths[-1]}),
                X, y, None, train, test, widths, scorer, _no_cost,
            )
            for train, test in splitter.split(X, y)
        )  # fmt: skip
        floats, scores, _ = (np.array(part) for part in zip(*runs, strict=True))
        display = cls(
            n_bits=widths,
            scores=scores.T,
            float_scores=floats,
            score_name=scoring if isinstance(scoring, str) else "Score",
        )
        return display.plot(ax=ax) if plot else display

    def plot(self, *, ax: Any = None, **line_kwargs: Any) -> BitWidthDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        **line_kwargs
            Passed to the line of the scores.

        Returns
        -------
        self
        """
        self.ax_, self.figure_ = _axes(ax, type(self).__name__)
        mean, spread = self.scores.mean(axis=1), self.scores.std(axis=1)
        options = {"marker": "o", "label": "integers", **line_kwargs}
        (self.line_,) = self.ax_.plot(self.n_bits, mean, **options)
        self.band_ = self.ax_.fill_between(
            self.n_bits, mean - spread, mean + spread, alpha=0.2, color=self.line_.get_color()
        )
        self.float_line_ = self.ax_.axhline(
            float(self.float_scores.mean()), color="black", linestyle="--", label="float"
        )
        self.ax_.set(xlabel="n_bits", ylabel=self.score_name, xticks=list(self.n_bits))
        self.ax_.legend(loc="lower right")
        return self


class QuantizationErrorDisplay:
    """Where the error arises: signal-to-noise ratio of each feature and layer, as bars.

    Parameters
    ----------
    report : QuantizationReport

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        One bar for each part that has a ratio, the first on top; exact parts have the longest.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.inspection import QuantizationErrorDisplay
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000, n_bits=4).fit(X, y)
    >>> display = QuantizationErrorDisplay.from_estimator(model, X, y)
    >>> len(display.bars_)
    5
    """

    def __init__(self, *, report: QuantizationReport) -> None:
        self.report = report

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None
    ) -> QuantizationErrorDisplay:
        """Report on a fitted estimator, and draw.

        Parameters
        ----------
        estimator : estimator
            As in `quantization_report`.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
        ax : matplotlib Axes, default=None

        Returns
        -------
        QuantizationErrorDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(report=quantization_report(estimator, X, y)).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> QuantizationErrorDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self
        """
        self.ax_, self.figure_ = _axes(ax, type(self).__name__)
        shown = [part for part in self.report.parts if not np.isnan(part.sqnr_db)]
        finite = [part.sqnr_db for part in shown if np.isfinite(part.sqnr_db)]
        longest = _EXACT_LENGTH * max([*finite, 1.0])
        lengths = [min(part.sqnr_db, longest) for part in shown]
        colors = ["C0" if part.kind == "feature" else "C1" for part in shown]
        self.bars_ = self.ax_.barh(range(len(shown)), lengths, color=colors)
        self.ax_.set_yticks(range(len(shown)), [part.name for part in shown])
        self.ax_.invert_yaxis()
        self.ax_.set_xlabel("signal-to-quantization-noise ratio (dB)")
        return self


def _no_cost(_module: Any) -> float:
    return 0.0
