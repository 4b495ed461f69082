"""How fitted estimators and wrappers predict: scikit-learn's validation, then integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from skq.estimators import pickles, validation
from skq.estimators.infinity import takes_infinity
from skq.estimators.threads import threads_of
from skq.serving.lookup_stage import TableLookup
from skq.serving.predictions import IntegerPredictions
from skq.serving.result_types import ResultTypes

if TYPE_CHECKING:
    import onnx


class EstimatorPredictions(IntegerPredictions):
    """`IntegerPredictions` of a scikit-learn estimator, with its fitted attributes."""

    _passes_plain_tables = validation.passes_plain_tables
    _threads = threads_of
    _missing_columns = validation.missing_columns
    _takes_missing_in = validation.takes_missing

    def __getstate__(self) -> Any:
        """State for pickles and copies: the module in few bytes."""
        state: Any = super().__getstate__()
        return pickles.packed_state(dict(state))

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(pickles.plain_state(state))  # type: ignore[misc]

    @property
    def n_bits_(self) -> dict[str, Any]:
        """The widths that were used, as `get_n_bits_dict` names them."""
        check_is_fitted(self, "quantized_module_")
        return dict(self.quantized_module_.n_bits)

    @property
    def columns_per_feature_(self) -> int:
        """Largest number of columns of codes of a feature."""
        check_is_fitted(self, "quantized_module_")
        return int(self.quantized_module_.columns_of_features.max(initial=0))

    @property
    def onnx_model_(self) -> onnx.ModelProto:
        """The float graph that was quantized, as an ``onnx.ModelProto``."""
        check_is_fitted(self, "quantized_module_")
        return self.quantized_module_.onnx_model

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
