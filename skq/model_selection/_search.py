"""`BitWidthSearchCV`: the cheapest widths whose score is close to that of the float model."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, indexable

from skq.estimators.delegation import inner_has
from skq.estimators.requantize import n_bits_name, quantized_part, trains_for_width
from skq.model_selection._costs import Cost, get_cost
from skq.model_selection._fold import Fold, run_fold, weights_of
from skq.model_selection._layers import narrowed, widths_and_sensitivities
from skq.quantization.n_bits import get_n_bits_dict, is_lossless

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

    The float model is trained once per fold, and quantized once for each candidate (estimators
    with ``fit_on_bins=True`` or ``qat_epochs`` are also trained for each candidate, because their
    training depends on the width). Among the candidates whose mean test score is at least that of
    the float model minus `max_loss`, the one with the least cost is chosen (the better score
    breaks ties) and fitted on all data.

    Parameters
    ----------
    estimator : estimator
        An estimator of skq, or a Pipeline that ends in one. Its `n_bits` is not used.
    n_bits : sequence of int or dict, default=None
        Candidates, each a valid `n_bits` of an estimator. None means all pairs of a width of codes
        and a width of weights among 2, 3, 4, 6 and 8.
    scoring : str or callable, default=None
        As in `sklearn.model_selection.GridSearchCV`. None means the ``score`` of the estimator.
    max_loss : float, default=0.01
        Largest difference between the score of the float model and that of the chosen candidate,
        in units of the score.
    cost : {"bits", "accumulator", "bytes"} or callable, default="bits"
        Cost of a candidate: the bits that a prediction moves (codes, sums and constants), the width
        of the widest sum, the bytes of the model, or a function that takes a QuantizedModule and
        returns a number.
    cv : int, splitter or iterable, default=None
        As in GridSearchCV. None means 5 folds.
    n_jobs : int, default=None
        Number of folds that run in parallel. None means 1.
    refit : bool, default=True
        Whether to fit the best candidate on all data.
    verbose : int, default=0
        1 prints a line for each fold, 2 also a line for each candidate on each fold.
    error_score : "raise" or float, default=nan
        Score of a candidate that raises an error on a fold; a FitFailedWarning is issued. "raise"
        raises the error. Errors of the float model are always raised.
    per_layer : bool, default=False
        Whether to continue from the best candidate with narrower widths (2, 3, 4 and 6) of single
        layers: one layer after another, the least sensitive first, each at the cheapest width that
        stays within `max_loss`. These are additional rows of `cv_results_`, whose ``params`` have
        "layers". The float model is trained once per fold and layer. Not with ``qat_epochs``.

    Attributes
    ----------
    best_params_ : dict
        The chosen widths, by parameter name.
    best_index_ : int
        Row of the chosen widths in `cv_results_`.
    best_score_ : float
        Mean test score of the chosen widths.
    float_score_ : float
        Mean test score of the float model.
    best_estimator_ : estimator
        The estimator with the chosen widths, fitted on all data. Only if `refit` is True.
    cv_results_ : dict of str to ndarray of shape (n_candidates,)
        ``params``, ``split0_test_score`` and so on, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``mean_loss`` (float minus integer score), ``mean_cost``. Candidates
        with the score NaN have the last rank.
    sensitivities_ : dict of str to float
        Sensitivity of each layer by its ONNX node; see `skq.inspection.quantization_report`. Only
        if `per_layer` is True and a candidate stays within `max_loss`.
    n_splits_ : int
        Number of folds.
    scorer_ : callable
        The scorer that was used.
    classes_ : ndarray of shape (n_classes,)
        Class labels of a classifier.

    Warns
    -----
    UserWarning
        If no candidate stays within `max_loss`. The candidate with the best score is then chosen.
    FitFailedWarning
        If a candidate raised an error, and `error_score` is a number.

    Raises
    ------
    ValueError
        If `error_score` is NaN and every candidate raised an error.

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
    sensitivities_: dict[str, float]

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
        verbose: int = 0,
        error_score: float | str = np.nan,
        per_layer: bool = False,
    ) -> None:
        self.estimator = estimator
        self.n_bits = n_bits
        self.scoring = scoring
        self.max_loss = max_loss
        self.cost = cost
        self.cv = cv
        self.n_jobs = n_jobs
        self.refit = refit
        self.verbose = verbose
        self.error_score = error_score
        self.per_layer = per_layer

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
        if self.error_score != "raise" and not isinstance(self.error_score, Real):
            raise ValueError(
                f"error_score must be 'raise' or a number. Got {self.error_score!r} instead."
            )
        if self.per_layer and trains_for_width(self.estimator) == "qat_epochs":
            raise ValueError(
                "per_layer=True gives layers different widths, and qat_epochs needs the same width "
                "for all layers. Leave one of them out."
            )
        X, y, sample_weight = indexable(X, y, sample_weight)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.scorer_ = check_scoring(self.estimator, scoring=self.scoring)
        name = n_bits_name(self.estimator)
        splits = list(splitter.split(X, y))
        self.n_splits_ = len(splits)

        def evaluate(few: list[Any]) -> list[Fold]:
            if self.verbose:
                print(f"{len(splits)} folds, {len(few)} candidates on each", flush=True)
            runs = Parallel(n_jobs=self.n_jobs, return_as="generator")(
                delayed(run_fold)(
                    clone(self.estimator).set_params(**{name: few[0]}),
                    *(X, y, sample_weight, train, test, few, self.scorer_, cost),
                    error_score=self.error_score,
                    progress=f"fold {k + 1} of {len(splits)}: " if self.verbose > 1 else None,
                )
                for k, (train, test) in enumerate(splits)
            )
            return self._reported(runs)

        folds = evaluate(candidates)
        _warn_of_errors(folds, self.error_score)
        self.float_score_ = float(np.mean([fold.float_score for fold in folds]))
        self._set_results(name, candidates, folds)
        if self.per_layer:
            self._narrow_layers(name, candidates, folds, evaluate, (X, y, sample_weight))
        if self.verbose:
            print(
                f"float {self.float_score_:.4f}; chosen {candidates[self.best_index_]}: "
                f"{self.best_score_:.4f}",
                flush=True,
            )
        if self.refit:
            best = clone(self.estimator).set_params(**self.best_params_)
            self.best_estimator_ = best.fit(X, y, **weights_of(best, sample_weight))
            if hasattr(best, "feature_names_in_"):
                self.feature_names_in_ = best.feature_names_in_
        return self

    def _narrow_layers(
        self,
        name: str,
        candidates: list[Any],
        folds: list[Fold],
        evaluate: Callable[[list[Any]], list[Fold]],
        data: tuple[Any, Any, Any],
    ) -> None:
        """Try narrower widths of one layer after another, beginning with the least sensitive."""
        best = candidates[self.best_index_]
        lost = self.float_score_ - self.cv_results_["mean_test_score"][self.best_index_]
        if is_lossless(best) or lost > self.max_loss + 1e-12:
            return
        fitted = clone(self.estimator).set_params(**{name: best})
        widths, self.sensitivities_ = widths_and_sensitivities(fitted, *data)
        for layer in sorted(self.sensitivities_, key=lambda node: self.sensitivities_[node]):
            narrower = narrowed(widths, layer)
            if not narrower:
                continue
            if self.verbose:
                print(f"layer {layer}, sensitivity {self.sensitivities_[layer]:.2g}", flush=True)
            more = evaluate(narrower)
            _warn_of_errors(more, self.error_score)
            folds = [f.joined(g) for f, g in zip(folds, more, strict=True)]
            candidates += narrower
            before = self.best_index_
            self._set_results(name, candidates, folds)
            if self.best_index_ != before:
                widths = candidates[self.best_index_]

    def _set_results(self, name: str, candidates: list[Any], folds: list[Fold]) -> None:
        """The table of results, and the choice."""
        scores, costs = (np.array([getattr(f, n) for f in folds]) for n in ("scores", "costs"))
        self.cv_results_ = _table(name, candidates, scores, costs, self.float_score_)
        self.best_index_ = self._choose()
        self.best_params_ = {name: candidates[self.best_index_]}
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])

    def _reported(self, runs: Iterable[Fold]) -> list[Fold]:
        """The folds, with a line for each as soon as it is done."""
        folds: list[Fold] = []
        for fold in runs:
            folds.append(fold)
            if self.verbose:
                # a fold on which every candidate failed has no best score
                known = [score for score in fold.scores if not np.isnan(score)]
                best = f"{max(known):.4f}" if known else "none"
                print(
                    f"fold {len(folds)} of {self.n_splits_} done in {fold.seconds:.1f} s: "
                    f"float {fold.float_score:.4f}, best in integers {best}",
                    flush=True,
                )
        return folds

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
                f"{self.float_score_:.4f}; the best one reaches {np.nanmax(scores):.4f}. "
                "Allow more bits or a greater loss.",
                UserWarning,
                stacklevel=3,
            )
            return int(np.nanargmax(scores))
        costs = np.where(np.isnan(costs), np.inf, costs)  # of candidates that failed
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
        """Number of features seen in ``fit``."""
        return int(self._best().n_features_in_)

    @available_if(inner_has("predict", "best_estimator_"))
    def predict(self, X: Any) -> Any:
        """Call ``predict`` of the best estimator."""
        return self._best().predict(X)

    @available_if(inner_has("predict_proba", "best_estimator_"))
    def predict_proba(self, X: Any) -> Any:
        """Call ``predict_proba`` of the best estimator."""
        return self._best().predict_proba(X)

    @available_if(inner_has("decision_function", "best_estimator_"))
    def decision_function(self, X: Any) -> Any:
        """Call ``decision_function`` of the best estimator."""
        return self._best().decision_function(X)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the score of the best estimator, by `scoring`."""
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


def _warn_of_errors(folds: list[Fold], error_score: float | str) -> None:
    """Warn of candidates that failed; raise if nothing is left to choose from."""
    errors = [error for fold in folds for error in fold.errors.values()]
    if not errors:
        return
    n_runs = sum(len(fold.scores) for fold in folds)
    message = (
        f"{len(errors)} of {n_runs} runs of candidates failed; their score is error_score="
        f"{error_score}. Set error_score='raise' to see the tracebacks. The errors:\n"
        + "\n".join(sorted({f"  {error}" for error in errors}))
    )
    n_candidates = len(folds[0].scores)
    failed: set[int] = set().union(*(fold.errors for fold in folds))
    if np.isnan(error_score) and len(failed) == n_candidates:
        raise ValueError(f"Every candidate failed on some fold. {message}")
    warnings.warn(message, FitFailedWarning, stacklevel=3)


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
        "rank_test_score": _ranks(mean),
        "mean_loss": base - mean,
        "mean_cost": costs.mean(axis=0),
    }


def _ranks(mean: NDArray[np.float64]) -> NDArray[np.int32]:
    """1 for the best; scores of NaN come last."""
    lowest = np.nanmin(mean, initial=np.inf) - 1
    return rankdata(-np.where(np.isnan(mean), lowest, mean), method="min").astype(np.int32)
