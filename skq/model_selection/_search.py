"""`BitWidthSearchCV`: the cheapest widths whose score stays near the float model's."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, indexable

from skq.estimators.delegation import inner_has
from skq.estimators.overwriting import to_write_into
from skq.estimators.requantize import (
    float_model,
    n_bits_name,
    quantized_part,
    requantized,
    trains_for_width,
)
from skq.model_selection._costs import Cost, get_cost
from skq.quantization.n_bits import get_n_bits_dict

#: Widths that are tried for the codes and for the weights where `n_bits` is None.
DEFAULT_WIDTHS = (2, 3, 4, 6, 8)


def default_candidates() -> list[dict[str, int]]:
    """Every pair of a width for codes and a width for weights."""
    return [
        {"model_inputs": codes, "op_inputs": codes, "op_weights": weights, "model_outputs": 8}
        for codes, weights in itertools.product(DEFAULT_WIDTHS, repeat=2)
    ]


class BitWidthSearchCV(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Find the cheapest bit widths whose score is close to that of the float model.

    On each fold the float model is trained once; every candidate only quantizes it again
    (estimators with ``fit_on_bins=True`` or ``qat_epochs`` are also trained again, as their
    training depends on the width). Of the candidates whose mean test score is at least the float
    model's minus `max_loss`, the one with the least cost is chosen (the better score breaks ties)
    and fitted on all data.

    Parameters
    ----------
    estimator : estimator
        One of skq's, or a Pipeline that ends in one. Its `n_bits` is not used.
    n_bits : sequence of int or dict, default=None
        Candidates, each as `n_bits` of an estimator. None: all pairs of a width of codes and a
        width of weights among 2, 3, 4, 6 and 8.
    scoring : str or callable, default=None
        As in `sklearn.model_selection.GridSearchCV`; None: the estimator's ``score``.
    max_loss : float, default=0.01
        How far below the float model's the score may be, in units of the score.
    cost : {"bits", "accumulator", "bytes"} or callable, default="bits"
        Bits that a prediction moves (codes, sums and constants), width of the widest sum, bytes of
        the model, or a function that takes a QuantizedModule and returns a number.
    cv : int, splitter or iterable, default=None
        As in GridSearchCV; None: 5 folds.
    n_jobs : int, default=None
        Folds that are run at a time.
    refit : bool, default=True
        Whether the best is fitted on all data.

    Attributes
    ----------
    best_params_ : dict
        The widths chosen, by parameter name.
    best_index_ : int
        Their row in `cv_results_`.
    best_score_ : float
        Their mean test score.
    float_score_ : float
        Mean test score of the float model.
    best_estimator_ : estimator
        Fitted on all data; where `refit` is True.
    cv_results_ : dict of str to ndarray of shape (n_candidates,)
        ``params``, ``split0_test_score`` and so on, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``mean_loss`` (float minus integer), ``mean_cost``.
    n_splits_ : int
    scorer_ : callable
    classes_ : ndarray of shape (n_classes,)
        Of a classifier.

    Warns
    -----
    UserWarning
        If no candidate stays within `max_loss`: the best score is chosen then.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.linear_model import LogisticRegression
    >>> from skq.model_selection import BitWidthSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = BitWidthSearchCV(LogisticRegression(max_iter=500), n_bits=[2, 4, 8], max_loss=0.03)
    >>> search.fit(X, y).best_score_ >= search.float_score_ - 0.03
    True
    """

    scorer_: Any
    n_splits_: int
    float_score_: float
    cv_results_: dict[str, Any]
    best_index_: int
    best_params_: dict[str, Any]
    best_score_: float
    best_estimator_: Any

    def __init__(
        self,
        estimator: Any,
        *,
        n_bits: Sequence[int | Mapping[str, int]] | None = None,
        scoring: Any = None,
        max_loss: float = 0.01,
        cost: str | Cost = "bits",
        cv: Any = None,
        n_jobs: int | None = None,
        refit: bool = True,
    ) -> None:
        self.estimator = estimator
        self.n_bits = n_bits
        self.scoring = scoring
        self.max_loss = max_loss
        self.cost = cost
        self.cv = cv
        self.n_jobs = n_jobs
        self.refit = refit

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> BitWidthSearchCV:
        """Run the search.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Passed to the estimator's ``fit``, and used in calibration.

        Returns
        -------
        self
        """
        quantized_part(self.estimator)
        candidates = self._candidates()
        cost = get_cost(self.cost)
        if not isinstance(self.max_loss, Real) or not self.max_loss >= 0:
            raise ValueError(f"max_loss must be a number of at least 0. Got {self.max_loss!r}.")
        X, y, sample_weight = indexable(X, y, sample_weight)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.scorer_ = check_scoring(self.estimator, scoring=self.scoring)
        name = n_bits_name(self.estimator)
        splits = list(splitter.split(X, y))
        self.n_splits_ = len(splits)
        runs = Parallel(n_jobs=self.n_jobs)(
            delayed(run_fold)(
                clone(self.estimator).set_params(**{name: candidates[0]}),
                X, y, sample_weight, train, test, candidates, self.scorer_, cost,
            )
            for train, test in splits
        )  # fmt: skip
        floats, scores, costs = (np.array(part) for part in zip(*runs, strict=True))
        self.float_score_ = float(floats.mean())
        self.cv_results_ = _table(name, candidates, scores, costs, self.float_score_)
        self.best_index_ = self._choose()
        self.best_params_ = {name: candidates[self.best_index_]}
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        if self.refit:
            best = clone(self.estimator).set_params(**self.best_params_)
            self.best_estimator_ = best.fit(X, y, **_weights(best, sample_weight))
            if hasattr(best, "feature_names_in_"):
                self.feature_names_in_ = best.feature_names_in_
        return self

    def _candidates(self) -> list[Any]:
        candidates: Any = default_candidates() if self.n_bits is None else self.n_bits
        if isinstance(candidates, str | Mapping) or not isinstance(candidates, Iterable):
            raise ValueError(f"n_bits must be a sequence of widths. Got {self.n_bits!r} instead.")
        candidates = list(candidates)
        if not candidates:
            raise ValueError("n_bits must have at least one width. Got an empty sequence.")
        for candidate in candidates:
            get_n_bits_dict(candidate)
        return candidates

    def _choose(self) -> int:
        scores, costs = self.cv_results_["mean_test_score"], self.cv_results_["mean_cost"]
        good = np.flatnonzero(scores >= self.float_score_ - self.max_loss - 1e-12)
        if not len(good):
            warnings.warn(
                f"No candidate stays within max_loss={self.max_loss} of the float model's score "
                f"{self.float_score_:.4f}; the best one reaches {scores.max():.4f}. "
                "Allow more bits or a greater loss.",
                UserWarning,
                stacklevel=3,
            )
            return int(scores.argmax())
        return int(min(good, key=lambda i: (costs[i], -scores[i])))

    # ------------------------------------------------------------------ the best estimator

    def _best(self) -> Any:
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels."""
        return np.asarray(self._best().classes_)

    @property
    def n_features_in_(self) -> int:
        """Features seen in ``fit``."""
        return int(self._best().n_features_in_)

    @available_if(inner_has("predict", "best_estimator_"))
    def predict(self, X: Any) -> Any:
        """``best_estimator_.predict``."""
        return self._best().predict(X)

    @available_if(inner_has("predict_proba", "best_estimator_"))
    def predict_proba(self, X: Any) -> Any:
        """``best_estimator_.predict_proba``."""
        return self._best().predict_proba(X)

    @available_if(inner_has("decision_function", "best_estimator_"))
    def decision_function(self, X: Any) -> Any:
        """``best_estimator_.decision_function``."""
        return self._best().decision_function(X)

    def score(self, X: Any, y: Any = None) -> float:
        """Score of the best estimator, by `scoring`."""
        return float(self.scorer_(self._best(), X, y))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        return tags


#: Values of the parameters by which training depends on the width, for training without it.
_WITHOUT = {"fit_on_bins": False, "qat_epochs": 0}


def run_fold(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    train: Any,
    test: Any,
    candidates: list[Any],
    scorer: Any,
    cost: Cost,
) -> tuple[float, list[float], list[float]]:
    """Score of the float model, and score and cost of each candidate, on one fold."""
    X_train, X_test = _safe_indexing(X, train), _safe_indexing(X, test)
    y_train, y_test = (
        (None, None) if y is None else (_safe_indexing(y, train), _safe_indexing(y, test))
    )
    weight = None if sample_weight is None else _safe_indexing(sample_weight, train)
    by_width = trains_for_width(estimator)
    name = n_bits_name(estimator)
    floating = clone(estimator)
    if by_width:
        floating.set_params(**{name.removesuffix("n_bits") + by_width: _WITHOUT[by_width]})
    # a step with copy=False writes into what it is given
    floating.fit(to_write_into(floating, X_train), y_train, **_weights(estimator, weight))
    with float_model(floating) as model:
        base = float(scorer(model, to_write_into(model, X_test), y_test))
    scores, costs = [], []
    for candidate in candidates:
        if by_width:
            quantized = clone(estimator).set_params(**{name: candidate})
            writable = to_write_into(quantized, X_train)
            quantized.fit(writable, y_train, **_weights(estimator, weight))
        else:
            quantized = requantized(floating, X_train, candidate, sample_weight=weight)
        scores.append(float(scorer(quantized, to_write_into(quantized, X_test), y_test)))
        costs.append(float(cost(quantized_part(quantized).quantized_module_)))
    return base, scores, costs


def _weights(estimator: Any, sample_weight: Any) -> dict[str, Any]:
    if sample_weight is None:
        return {}
    prefix = n_bits_name(estimator).removesuffix("n_bits")
    return {f"{prefix}sample_weight": sample_weight}


def _table(
    name: str,
    candidates: list[Any],
    scores: NDArray[np.float64],
    costs: NDArray[np.float64],
    base: float,
) -> dict[str, Any]:
    """``cv_results_`` from scores and costs of shape (n_splits, n_candidates)."""
    mean = scores.mean(axis=0)
    values = np.ma.masked_all(len(candidates), dtype=object)
    for i, candidate in enumerate(candidates):
        values[i] = candidate
    return {
        f"param_{name}": values,
        "params": [{name: candidate} for candidate in candidates],
        **{f"split{k}_test_score": row for k, row in enumerate(scores)},
        "mean_test_score": mean,
        "std_test_score": scores.std(axis=0),
        "rank_test_score": rankdata(-mean, method="min").astype(np.int32),
        "mean_loss": base - mean,
        "mean_cost": costs.mean(axis=0),
    }
