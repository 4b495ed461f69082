"""One fold of a search over widths: the float model is trained once, candidates are quantized."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.utils import _safe_indexing

from skq.estimators.overwriting import to_write_into
from skq.estimators.requantize import (
    float_model,
    n_bits_name,
    quantized_part,
    requantized,
    trains_for_width,
)
from skq.model_selection._costs import Cost

#: Values of the parameters by which training depends on the width, for training without it.
_WITHOUT = {"fit_on_bins": False, "qat_epochs": 0}


@dataclass(frozen=True)
class Fold:
    """Results of one fold.

    Parameters
    ----------
    float_score : float
    scores, costs : tuple of float
        Score and cost of each candidate; `error_score` and NaN if it raised an error.
    errors : dict of int to str
        Errors by the number of the candidate.
    seconds : float
    """

    float_score: float
    scores: tuple[float, ...]
    costs: tuple[float, ...]
    errors: Mapping[int, str]
    seconds: float

    def joined(self, other: Fold) -> Fold:
        """The fold with the candidates of another run after its own."""
        n = len(self.scores)
        return Fold(
            self.float_score,
            self.scores + other.scores,
            self.costs + other.costs,
            {**self.errors, **{n + i: error for i, error in other.errors.items()}},
            self.seconds + other.seconds,
        )


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
    *,
    error_score: float | str = "raise",
    progress: str | None = None,
) -> Fold:
    """Score of the float model, and score and cost of each candidate, on one fold.

    A line that begins with `progress` is printed for each candidate; None means no lines.
    """
    started = time.perf_counter()
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
    floating.fit(to_write_into(floating, X_train), y_train, **weights_of(estimator, weight))
    with float_model(floating) as model:
        base = float(scorer(model, to_write_into(model, X_test), y_test))
    scores, costs, errors = [], [], {}
    for number, candidate in enumerate(candidates):
        try:
            if by_width:
                quantized = clone(estimator).set_params(**{name: candidate})
                writable = to_write_into(quantized, X_train)
                quantized.fit(writable, y_train, **weights_of(estimator, weight))
            else:
                quantized = requantized(floating, X_train, candidate, sample_weight=weight)
            score = float(scorer(quantized, to_write_into(quantized, X_test), y_test))
            moved = float(cost(quantized_part(quantized).quantized_module_))
        except Exception as error:
            if error_score == "raise":
                raise
            errors[number] = f"{candidate}: {type(error).__name__}: {error}"
            score, moved = float(error_score), float("nan")
        scores.append(score)
        costs.append(moved)
        if progress is not None:
            print(f"{progress}{candidate} scores {score:.4f} (float {base:.4f})", flush=True)
    return Fold(base, tuple(scores), tuple(costs), errors, time.perf_counter() - started)


def weights_of(estimator: Any, sample_weight: Any) -> dict[str, Any]:
    """Arguments that pass sample weights to the ``fit`` of an estimator or a Pipeline."""
    if sample_weight is None:
        return {}
    prefix = n_bits_name(estimator).removesuffix("n_bits")
    return {f"{prefix}sample_weight": sample_weight}
