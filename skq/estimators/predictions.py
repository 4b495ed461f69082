"""How fitted estimators and wrappers predict: scikit-learn's validation, then integers."""

from __future__ import annotations

from typing import Any

from skq.estimators import validation
from skq.estimators.infinity import takes_infinity
from skq.estimators.threads import threads_of
from skq.serving.lookup import TableLookup
from skq.serving.predictions import IntegerPredictions
from skq.serving.result_types import ResultTypes


class EstimatorPredictions(IntegerPredictions):
    """`IntegerPredictions` of a scikit-learn estimator."""

    _passes_plain_tables = validation.passes_plain_tables
    _threads = threads_of
    _missing_columns = validation.missing_columns
    _takes_missing_in = validation.takes_missing

    @property
    def _types(self) -> ResultTypes | None:
        types: ResultTypes | None = self.__dict__.get("_result_types")
        return types

    @property
    def _takes_infinity(self) -> bool:
        return takes_infinity(self)

    @property
    def _table_lookup(self) -> TableLookup | None:
        return validation.lookup_of(self)

    def _validated(self, X: Any) -> Any:
        return validation.numeric_array(self, X, dense=False)
