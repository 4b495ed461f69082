"""Validation of X as users pass it to a fitted estimator, and which columns may have NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn import get_config
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.linear_model._base import LinearClassifierMixin, LinearModel
from sklearn.utils import InputTags, get_tags
from sklearn.utils.validation import check_array, validate_data

from skq.estimators.category_models import hist_lookup
from skq.estimators.infinity import takes_infinity
from skq.estimators.missing_values import takes_missing as may_have_missing
from skq.estimators.missing_values import takes_missing_in
from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import hist_boosting
from skq.program import Bin
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.lookup_stage import TableLookup


def numeric_array(estimator: Any, X: Any, *, dense: bool = True) -> Any:
    """Validate X as the fitted estimator's methods do, and make it numeric.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
    dense : bool, default=True
        Whether a sparse matrix is made dense.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n_samples, n_features), float32 or float64

    Raises
    ------
    ValueError
        As the parent's validation; also for texts and dates in linear models.
    """
    lookup = lookup_of(estimator)
    if lookup is not None:
        finite = _finite(estimator, allow_nan=get_tags(estimator).input_tags.allow_nan)
        return check_array(lookup(X), ensure_all_finite=finite)
    _refuse_no_numbers(estimator, X)
    tags = get_tags(estimator).input_tags
    X = validate_data(
        estimator,
        X,
        reset=False,
        accept_sparse=["csr", "csc"] if tags.sparse else False,
        dtype=[np.float64, np.float32],
        ensure_all_finite=_finite(estimator, allow_nan=_allows_nan(estimator, tags)),
    )
    return X.toarray() if dense and sparse.issparse(X) else X


def lookup_of(estimator: Any) -> TableLookup | None:
    """The stage before a fitted estimator's program that encodes texts and categories."""
    lookup: TableLookup | None = estimator.__dict__.get("_lookup")
    if lookup is None and hist_boosting.has_text_categories(estimator):
        return hist_lookup(estimator)
    return lookup


def _refuse_no_numbers(estimator: Any, X: Any) -> None:
    """Raise for texts and dates, where the parent computes with X in the dtype that it has.

    Trees and networks convert X to floats.
    """
    model = getattr(estimator, "_float_model", estimator)
    if not isinstance(model, LinearModel | LinearClassifierMixin):
        return
    dtype = np.asarray(X).dtype if not sparse.issparse(X) else X.dtype
    if dtype.kind in "USmMV":
        raise ValueError(
            f"{type(model).__name__} takes numbers; X has the dtype {dtype}. Convert texts and "
            "dates to numbers, for example with X.astype(numpy.float64)."
        )


def _allows_nan(estimator: Any, tags: InputTags) -> bool:
    """Whether X may have NaN: by the tags, or since each base estimator fills it.

    Bagging passes X on unchanged, but its tags do not depend on the later steps of a Pipeline.
    """
    if tags.allow_nan:
        return True
    return isinstance(estimator, BaggingClassifier | BaggingRegressor) and may_have_missing(
        estimator
    )


def _finite(estimator: Any, *, allow_nan: bool) -> Any:
    """Argument `ensure_all_finite` of scikit-learn's validation."""
    if takes_infinity(estimator):
        return False
    return "allow-nan" if allow_nan else True


def passes_plain_tables(estimator: Any) -> bool:
    """Whether `numeric_array` passes a table of finite numbers unchanged and without a warning.

    It warns where the estimator was fitted on named columns, and changes X where histogram boosting
    encodes categories (`is_categorical_` is not None).
    """
    attributes = estimator.__dict__  # quicker than vars
    return "feature_names_in_" not in attributes and attributes.get("is_categorical_") is None


def missing_columns(estimator: Any, X: Any, module: QuantizedModule) -> NDArray[np.int64]:
    """Columns of a validated X with NaN that are still to be checked.

    Validation has raised for most, but not under scikit-learn's setting `assume_finite`. Trees then
    take the parent's branches; columns that are used in arithmetic must be finite.

    Raises
    ------
    ValueError
        For infinity in columns that are computed with.
    """
    allow_nan = _allows_nan(estimator, get_tags(estimator).input_tags)
    compares = False
    if get_config()["assume_finite"]:
        compares = all(isinstance(s, Bin) for _, s, _ in module.program.steps() if 0 in s.inputs)
        if not compares:
            _check_not_infinite(estimator, X)
    elif not allow_nan:
        return np.zeros(0, dtype=np.int64)
    columns = _columns_with_missing(X)
    if compares and not allow_nan:  # other columns have a code for NaN
        columns = columns[np.isin(columns, module.features_without_missing_code)]
    return columns


def _check_not_infinite(estimator: Any, X: Any) -> None:
    values = X.data if sparse.issparse(X) else X
    if np.isinf(values).any():
        raise ValueError(
            f"X contains infinity, which has no integer code in {type(estimator).__name__}."
        )


def _columns_with_missing(X: Any) -> NDArray[np.int64]:
    if not sparse.issparse(X):
        return np.flatnonzero(np.isnan(X).any(axis=0))
    stored = X.tocoo()
    return np.unique(stored.col[np.isnan(stored.data)])


def takes_missing(estimator: Any, module: QuantizedModule) -> NDArray[np.bool_]:
    """Features in which a fitted estimator's integer program takes NaN as the float model does.

    Returns
    -------
    ndarray of shape (n_features_in_,), bool
    """
    n_features = int(estimator.n_features_in_)
    takes = takes_missing_in(getattr(estimator, "_float_model", estimator), n_features)
    lookup = lookup_of(estimator)
    if lookup is not None:
        takes[lookup.features] = True  # the lookup refuses what is refused
    takes[list(module.features_without_missing_code)] = False
    return takes


def refuse_text(estimator: Any, X: Any) -> None:
    """Raise where X has columns of texts, which have no integer codes.

    Raises
    ------
    UnsupportedModelError
        The message names the columns.
    """
    names = getattr(X, "columns", None)
    if names is not None:
        texts = [str(name) for name in names if not _is_numeric(X[name])]
    else:
        texts = [] if _is_numeric(X) else ["texts"]
    if texts:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} cannot quantize X with columns that are not numeric "
            f"({', '.join(texts[:5])}): texts have no integer codes. Put the steps that read them "
            "before the quantized model: make_pipeline(preprocessor, QuantizedClassifier(model))."
        )


def _is_numeric(values: Any) -> bool:
    """Whether a column or an array holds numbers, or what NumPy converts to numbers."""
    if getattr(getattr(values, "dtype", None), "kind", "") in tuple("fiub"):
        return True
    try:
        np.asarray(values).astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
