"""`BitWidthDisplay`: score against bits. By scikit-learn's conventions `plot` draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import indexable

from skq.estimators.requantize import n_bits_name, quantized_part
from skq.inspection._axes import new_axes, set_score_limits
from skq.model_selection._fold import run_fold


class BitWidthDisplay:
    """Score against bits, with the score of the float model.

    Parameters
    ----------
    n_bits : sequence of int
    scores : ndarray of shape (n_widths, n_splits)
        Test score of each width on each fold.
    float_scores : ndarray of shape (n_splits,)
        Test score of the float model.
    score_name : str, default="Score"
        Name of the metric, used as the label of the axis.
    estimator_name : str, default=None
        Name of the model in the legend, for several models on the same axes.

    Attributes
    ----------
    line_ : matplotlib Line2D
        Mean score against bits.
    band_ : matplotlib PolyCollection
        Band of one standard deviation over the folds around the mean score.
    float_line_ : matplotlib Line2D
        Mean score of the float model, a dashed line in the color of `line_`.
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
        estimator_name: str | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.scores = scores
        self.float_scores = float_scores
        self.score_name = score_name
        self.estimator_name = estimator_name

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
        name: str | None = None,
        plot: bool = True,
        ax: Any = None,
    ) -> BitWidthDisplay:
        """Cross-validate an estimator at each width; the float model is trained once per fold.

        Parameters
        ----------
        estimator : estimator
            An estimator of skq, or a Pipeline that ends in one. It is cloned.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        n_bits : iterable of int, default=range(2, 9)
        cv : int, splitter or iterable, default=5
        scoring : str or callable, default=None
        n_jobs : int, default=None
        name : str, default=None
            Name of the model in the legend. None means the name of its class.
        plot : bool, default=True
            Whether to draw the display.
        ax : matplotlib Axes, default=None
            Axes to draw on. If they have a display already, they show both models. None
            means a new figure.

        Returns
        -------
        BitWidthDisplay
        """
        if plot:
            check_matplotlib_support(f"{cls.__name__}.from_estimator")
        last = quantized_part(estimator)
        widths = [int(n) for n in n_bits]
        X, y = indexable(X, y)
        scorer = check_scoring(estimator, scoring=scoring)
        splitter = check_cv(cv, y, classifier=is_classifier(estimator))
        parameter = n_bits_name(estimator)
        runs = Parallel(n_jobs=n_jobs)(
            delayed(run_fold)(
                clone(estimator).set_params(**{parameter: widths[-1]}),
                X, y, None, train, test, widths, scorer, _no_cost,
            )
            for train, test in splitter.split(X, y)
        )  # fmt: skip
        display = cls(
            n_bits=widths,
            scores=np.array([fold.scores for fold in runs]).T,
            float_scores=np.array([fold.float_score for fold in runs]),
            score_name=_metric(scoring, estimator),
            estimator_name=type(last).__name__ if name is None else name,
        )
        return display.plot(ax=ax) if plot else display

    def plot(self, *, ax: Any = None, **line_kwargs: Any) -> BitWidthDisplay:
        """Draw mean and band, and the float model as a dashed line of the same color.

        Scores within [0, 1] are drawn on an axis from 0 or 0.5 to 1, other scores on an axis of at
        least ten standard deviations over the folds, so that noise is not magnified.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None means a new figure.
        **line_kwargs
            Passed to the line of the scores.

        Returns
        -------
        self
        """
        self.ax_, self.figure_ = new_axes(ax, type(self).__name__)
        other = self.ax_.get_ylim() if self.ax_.has_data() else None
        ticks = set(self.n_bits) | (set() if other is None else set(self.ax_.get_xticks()))
        mean, spread = self.scores.mean(axis=1), self.scores.std(axis=1)
        start = "" if self.estimator_name is None else f"{self.estimator_name}, "
        options = {"marker": "o", "label": f"{start}integers", **line_kwargs}
        (self.line_,) = self.ax_.plot(self.n_bits, mean, **options)
        color = self.line_.get_color()
        self.band_ = self.ax_.fill_between(
            self.n_bits, mean - spread, mean + spread, alpha=0.15, color=color, linewidth=0
        )
        self.float_line_ = self.ax_.axhline(
            float(self.float_scores.mean()), color=color, linestyle="--", label=f"{start}float"
        )
        self.ax_.set(xlabel="n_bits", ylabel=self.score_name, xticks=sorted(ticks))
        everything = np.concatenate([mean - spread, mean + spread, [self.float_scores.mean()]])
        set_score_limits(self.ax_, everything, float(spread.mean()), other)
        self.ax_.legend(loc="lower right")
        return self


def _metric(scoring: Any, estimator: Any) -> str:
    """Name of the metric, as scikit-learn's displays write it."""
    if scoring is None:
        if is_classifier(estimator):
            return "Accuracy"
        return "R²" if is_regressor(estimator) else "Score"
    if scoring == "r2":
        return "R²"
    text = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "Score")
    return text.replace("neg_", "negative ").replace("_", " ").capitalize()


def _no_cost(_module: Any) -> float:
    return 0.0
