"""`IntegerPredictions`: how estimators, wrappers and loaded models predict. No scikit-learn."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import saturation_setting
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.lookup_stage import TableLookup
from skq.serving.outputs import as_predicted, check_missing, predict_with
from skq.serving.result_types import ResultTypes, typed

Array = NDArray[Any]

#: Sparse rows are made dense in blocks of about this many values.
BLOCK_VALUES = 1 << 22


class IntegerPredictions:
    """Mixin of estimators, wrappers and loaded models, which predict with a quantized module.

    A plain table takes the fast path (`skq.engines.session.Session.run_table`). Anything else takes
    the fallback: it is validated first. Subclasses implement the validation in the methods that
    raise NotImplementedError here, and define which tables it would pass unchanged.
    """

    quantized_module_: QuantizedModule

    def _predict_table(self, method: str, X: Any) -> Any:
        """What a method returns for X, by the fast path; None where the fallback is needed."""
        if not self._passes_plain_tables():
            return None
        return self._run_table(method, X)

    def _run_table(self, method: str, X: Any) -> Any:
        """The same for a table that validation would pass unchanged if its numbers are finite."""
        module: QuantizedModule | None = self.__dict__.get("quantized_module_")
        if module is None:
            return None
        n_threads = self._threads(module, X.size) if type(X) is np.ndarray else None
        result = module._session.run_table(method, X, n_threads)
        if result is None:
            return None
        result = as_predicted(method, result, getattr(self, "classes_", None))
        types = self._types
        return typed(result, types, method, X.dtype) if types else result

    def _predict_validated(self, method: str, X: Any, module: QuantizedModule | None = None) -> Any:
        """The same by the fallback, with the given module or that of the estimator.

        Of sparse rows the columns that the module reads are made dense, a block at a time.
        """
        X = self._validated(X)
        if module is None and self._table_lookup is not None:
            result = self._run_table(method, X)
            if result is not None:
                return result
        module = self.quantized_module_ if module is None else module
        return self._predict_array(method, X, module)

    def _predict_array(self, method: str, X: Any, module: QuantizedModule) -> Any:
        """The same for X that is validated."""
        columns = self._missing_columns(X, module)
        if len(columns):
            takes = self._takes_missing_in(module)
            check_missing(self._display_name, module, takes, columns, self._feature_names)
            module._session.takes_missing = bool(takes.all())
        names = self._feature_names
        raw, X = X, self._transformed(X)
        names = names if raw is X else None
        if not isinstance(X, np.ndarray):
            X = X.tocsr()
            from skq.quantization.features_read import for_columns_read  # sparse rows alone

            narrow = for_columns_read(module) if saturation_setting() is None else None
            if narrow is not None:
                module, columns = narrow
                X, names = X[:, columns], None
        predict = partial(
            predict_with,
            module,
            method,
            classes=getattr(self, "classes_", None),
            n_threads=self._threads(module, X.shape[0] * X.shape[1]),
            feature_names=names,
        )
        if isinstance(X, np.ndarray):
            return typed(predict(X), self._types, method, X.dtype)
        n_rows = max(1, BLOCK_VALUES // max(1, X.shape[1]))
        starts = range(0, X.shape[0], n_rows)
        blocks = [predict(X[start : start + n_rows].toarray()) for start in starts]
        if isinstance(blocks[0], list):
            result: Any = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
        else:
            result = np.concatenate(blocks)
        return typed(result, self._types, method, X.dtype)

    # ------------------------------------------------------------------ for subclasses

    @property
    def _display_name(self) -> str:
        """The name in messages."""
        return type(self).__name__

    @property
    def _feature_names(self) -> Any:
        """Names of the columns, or None."""
        return getattr(self, "feature_names_in_", None)

    @property
    def _types(self) -> ResultTypes | None:
        """Data types of results that are not those of the integer program."""
        return None

    @property
    def _takes_infinity(self) -> bool:
        """Whether infinity is accepted."""
        return False

    @property
    def _table_lookup(self) -> TableLookup | None:
        """The stage that encodes texts and categories; `_validated` runs it."""
        return None

    @property
    def _columns_by_name(self) -> NDArray[np.bool_] | None:
        """Columns that a Pipeline selects by name, True where it uses them; None if it does not."""
        return None

    def _passes_plain_tables(self) -> bool:
        """Whether validation passes a table of finite numbers unchanged, without a warning."""
        return True

    def _threads(self, module: QuantizedModule, n_values: int) -> int | None:
        """Threads for a table of so many values; None leaves it to the settings."""
        return None

    def _validated(self, X: Any) -> Any:
        """X as an ndarray or sparse matrix of numbers, or an error; NaN may be left in it."""
        raise NotImplementedError

    def _transformed(self, X: Any) -> Any:
        """What the program reads of a validated X."""
        return X

    def _missing_columns(self, X: Any, module: QuantizedModule) -> NDArray[np.int64]:
        """Columns of a validated X with NaN that are still to be checked."""
        raise NotImplementedError

    def _takes_missing_in(self, module: QuantizedModule) -> NDArray[np.bool_]:
        """Columns in which NaN is taken."""
        raise NotImplementedError
