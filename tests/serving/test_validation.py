"""Loaded models and estimators validate X as scikit-learn does: right answers or clear errors."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

import skq
from skq.ensemble import RandomForestClassifier
from skq.linear_model import LogisticRegression

X, Y = load_iris(return_X_y=True)
NAMES = list("abcd")
ROWS = X[::30]
DATES = pd.to_datetime(["2020-01-01", "2020-01-02"])

#: What the parents refuse too, with the error of a loaded model.
REFUSED = {
    "complex": (ROWS + 1j, ValueError, "Complex data not supported"),
    "complex without imaginary part": (ROWS.astype(complex), ValueError, "Complex data"),
    "complex sparse": (sparse.csr_matrix(ROWS + 1j), ValueError, "Complex data"),
    "matrix": (np.matrix(ROWS), TypeError, "np.matrix is not supported"),
    "no rows": (X[:0], ValueError, "0 sample"),
    "no sparse rows": (sparse.csr_matrix(X[:0]), ValueError, "0 sample"),
    "object integers beyond range": (np.full((2, 4), 10**400, object), ValueError, "too large"),
    "missing in objects": (np.array([[pd.NA, 1, 2, 3]], object), TypeError, "NAType"),
    "words": (np.full((2, 4), "word"), ValueError, "must hold numbers"),
    "words in objects": (np.full((2, 4), "word", object), ValueError, "could not convert"),
    "duplicate names": (pd.DataFrame(ROWS, columns=list("abca")), ValueError, "unique column"),
    "some names are no texts": (
        pd.DataFrame(ROWS, columns=["a", "b", "c", 3]),
        TypeError,
        "all input features have string names",
    ),
    "one row": (X[0], ValueError, "must have the shape"),
    "ragged": ([[1, 2, 3, 4], [1]], ValueError, "inhomogeneous"),
    "dict": ({"a": 1}, ValueError, "must be a sequence of values"),
}

#: What linear parents refuse, and trees convert to floats.
NO_NUMBERS = {
    "dates": np.full((2, 4), np.datetime64("2020-01-01")),
    "durations": np.full((2, 4), np.timedelta64(3, "D")),
    "dates in a dataframe": pd.DataFrame(dict.fromkeys(NAMES, DATES)),
    "texts of numbers": ROWS.astype(str),
    "bytes of numbers": ROWS.astype("S"),
}

#: What is taken, with the same numbers as a plain table.
TAKEN = {
    "wide floats": (ROWS.astype(np.longdouble), ROWS),
    "half floats": (ROWS.astype(np.float16), ROWS.astype(np.float16).astype(np.float64)),
    "objects": (ROWS.astype(object), ROWS),
    "large integers": (np.full((2, 4), 10**30, object), np.full((2, 4), 1e30)),
    "texts in objects": (ROWS.astype(str).astype(object), ROWS),
    "nullable columns": (
        pd.DataFrame({n: pd.array([1, 2], dtype="Int64") for n in NAMES}),
        np.array([[1.0] * 4, [2.0] * 4]),
    ),
    "numbered columns": (pd.DataFrame(ROWS), ROWS),
    "sparse": (sparse.csc_matrix(ROWS), ROWS),
    "sparse array": (sparse.coo_array(ROWS), ROWS),
}


@pytest.fixture(scope="module", params=[LogisticRegression, RandomForestClassifier])
def models(request, tmp_path_factory):
    """An estimator, its parent, and its saved model; fitted without names."""
    given = {"n_estimators": 3, "random_state": 0} if "Forest" in request.param.__name__ else {}
    path = tmp_path_factory.mktemp("models") / "model.skq"
    model = request.param(**given).fit(X, Y)
    skq.save(model, path)
    return model, request.param._parent(**given).fit(X, Y), skq.load(path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_parents_refuse_is_refused(name, models):
    rows, error, message = REFUSED[name]
    model, parent, loaded = models
    with pytest.raises(error, match=message):
        loaded.predict(rows)
    with pytest.raises(Exception, match=".") as expected:
        parent.predict(rows)
    with pytest.raises((type(expected.value), TypeError)):
        model.predict(rows)


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_texts_and_dates_are_no_numbers(name, models):
    rows = NO_NUMBERS[name]
    model, parent, loaded = models
    with pytest.raises(ValueError, match="must hold numbers; got the dtype"):
        loaded.predict(rows)
    if isinstance(model, LogisticRegression):
        with pytest.raises(ValueError, match="LogisticRegression takes numbers; X has the dtype"):
            model.predict(rows)
    else:
        np.testing.assert_array_equal(model.predict(rows), parent.predict(rows))


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("name", TAKEN)
def test_numbers_of_any_kind_are_taken(name, models):
    rows, plain = TAKEN[name]
    model, _, loaded = models
    np.testing.assert_array_equal(loaded.predict(rows), loaded.predict(plain))
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))


def test_wide_floats_beyond_float64_are_infinite(models):
    _, _, loaded = models
    with pytest.raises(ValueError, match="infinity or a value too large"):
        loaded.predict(np.full((2, 4), np.longdouble("1e400")))


@pytest.mark.parametrize("dtype", ["Int64", "Float64"])
def test_missing_values_of_nullable_columns_are_nan(dtype, models):
    model, _, loaded = models
    frame = pd.DataFrame(ROWS.round(), columns=NAMES).astype({"b": dtype})
    frame.loc[1, "b"] = pd.NA
    plain = frame.to_numpy(np.float64, na_value=np.nan)
    if loaded.takes_missing[1]:
        np.testing.assert_array_equal(loaded.predict(frame), model.predict(plain))
    else:
        for rows in (frame, plain):
            with pytest.raises(ValueError, match="NaN in the columns 1"):
                loaded.predict(rows)


def test_missing_values_and_infinity_of_sparse_rows(models):
    _, _, loaded = models
    rows = ROWS.copy()
    rows[0, 2] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        loaded.predict(sparse.csr_matrix(rows))
    rows[0, 2] = np.nan
    if not loaded.takes_missing[2]:
        with pytest.raises(ValueError, match="NaN in the columns 2"):
            loaded.predict(sparse.csr_matrix(rows))
    else:
        np.testing.assert_array_equal(loaded.predict(sparse.csr_matrix(rows)), loaded.predict(rows))


@pytest.mark.parametrize("columns", [NAMES[::-1], list("abce")])
def test_other_names_are_refused(columns, tmp_path):
    frame = pd.DataFrame(X, columns=NAMES)
    skq.save(LogisticRegression(max_iter=500).fit(frame, Y), tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    with pytest.raises(ValueError, match="must have the columns"):
        loaded.predict(pd.DataFrame(ROWS, columns=columns))
    np.testing.assert_array_equal(loaded.predict(pd.DataFrame(ROWS)), loaded.predict(ROWS))
