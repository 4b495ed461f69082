"""How fitted estimators and wrappers predict: scikit-learn's validation, then integers."""

from __future__ import annotations

from typing import Any

from skq.estimators import validation
from skq.estimators.threads import threads_of
from skq.serving.predictions import IntegerPredictions


class EstimatorPredictions(IntegerPredictions):
    """`IntegerPredictions` of a scikit-learn estimator."""

    _passes_plain_tables = validation.passes_plain_tables
    _threads = threads_of
    _missing_columns = validation.missing_columns
    _takes_missing_in = validation.takes_missing

    def _validated(self, X: Any) -> Any:
        return validation.numeric_array(self, X, dense=False)
