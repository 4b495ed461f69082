"""The lookup stage: tables of every kind become the same codes, and errors name what is wrong."""

import datetime
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skq.serialization.document import dumps, loads
from skq.serving.lookup_stage import CategoryCodes, TableLookup
from skq.serving.table_columns import Table, as_numbers

COLOR = CategoryCodes(0, ("blue", "green", "red"), np.array([2.0, 0, 1]), 3.0, 4.0, 4.0)
FLAG = CategoryCodes(2, (False, True), np.array([0.0, 1.0]), None, np.nan, np.nan)
LOOKUP = TableLookup(
    4, (COLOR, FLAG), np.array([False, False, False, True]), ("color", "size", "flag", "note")
)

COLORS = ["red", "blue", None, "purple", "green"]
SIZES = [1.5, 2.0, 3.0, None, 5.0]
FLAGS = [True, False, True, None, False]
COLUMNS = {"color": COLORS, "size": SIZES, "flag": FLAGS}
EXPECTED = np.array(
    [[1, 1.5, 1, 0], [2, 2, 0, 0], [4, 3, 1, 0], [3, np.nan, np.nan, 0], [0, 5, 0, 0]]
)

TABLES = {
    "dict of lists": COLUMNS,
    "dict of arrays": {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
    "pandas": pd.DataFrame(COLUMNS),
    "pandas, categories": pd.DataFrame(COLUMNS).astype({"color": "category"}),
    "pandas, nullable": pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas, objects": pd.DataFrame(COLUMNS, dtype=object),
    "pandas, Arrow": pd.DataFrame(COLUMNS).astype({"color": "string[pyarrow]"}),
    "polars": pl.DataFrame(COLUMNS),
    "polars, categories": pl.DataFrame(COLUMNS).with_columns(pl.col("color").cast(pl.Categorical)),
    "Arrow": pa.table(COLUMNS),
    "Arrow, batch": pa.RecordBatch.from_pydict(COLUMNS),
    "Arrow, dictionary": pa.table({**COLUMNS, "color": pa.array(COLORS).dictionary_encode()}),
    "Arrow, chunks": pa.concat_tables(
        [
            pa.table({**COLUMNS, "color": pa.array(COLORS).dictionary_encode()}).slice(0, 2),
            pa.table({**COLUMNS, "color": pa.array(COLORS[::-1]).dictionary_encode()}).slice(0, 0),
            pa.table({**COLUMNS, "color": pa.array(COLORS).dictionary_encode()}).slice(2),
        ]
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_the_same_codes(kind):
    np.testing.assert_array_equal(LOOKUP(TABLES[kind]), EXPECTED)


@pytest.mark.parametrize("kind", ["dict of lists", "pandas", "polars", "Arrow"])
def test_columns_are_found_by_name(kind):
    table = TABLES[kind]
    order = ["flag", "size", "color"]
    if kind == "dict of lists":
        other = {"more": [0] * 5, **{name: table[name] for name in order}}
    elif kind == "pandas":
        other = table[order].assign(more=0)
    elif kind == "polars":
        other = table.select(["flag", pl.lit(0).alias("more"), "size", "color"])
    else:
        other = table.select(order).append_column("more", [[0] * 5])
    np.testing.assert_array_equal(LOOKUP(other), EXPECTED)
    with pytest.raises(ValueError, match=r"columns are missing: \['color'\]"):
        LOOKUP({"size": SIZES, "flag": FLAGS})


def test_arrays_have_the_features_in_order():
    rows = [[c, s, f, "a note"] for c, s, f in zip(COLORS, SIZES, FLAGS, strict=True)]
    np.testing.assert_array_equal(LOOKUP(rows), EXPECTED)
    np.testing.assert_array_equal(LOOKUP(np.array(rows, dtype=object)), EXPECTED)
    with pytest.raises(ValueError, match="X has 3 features, but the model expects 4"):
        LOOKUP([row[:3] for row in rows])


def test_texts_in_an_array_of_fixed_width():
    codes = COLOR.encode(np.array(["red", "green", "white"]), "color")
    np.testing.assert_array_equal(codes, [1, 0, 3])


def test_categories_of_numbers_match_any_number_type():
    sizes = CategoryCodes(0, (1, 2.5, 3), np.array([0.0, 1, 2]))
    for dtype in (np.float64, np.float32, object):
        np.testing.assert_array_equal(
            sizes.encode(np.array([3, 1, 2.5], dtype=dtype), "size"), [2, 0, 1]
        )
    np.testing.assert_array_equal(sizes.encode(np.array([3, 1], dtype=np.int8), "size"), [2, 0])


def test_an_unused_category_of_a_pandas_column_is_no_error():
    sizes = CategoryCodes(0, ("S", "L"), np.array([0.0, 1]))
    column = pd.Series(pd.Categorical(["L", "S"], categories=["S", "M", "L"]))
    table = Table({"size": column})
    np.testing.assert_array_equal(sizes.encode(table.column("size"), "size"), [1, 0])


def test_an_unknown_category_names_column_value_and_what_is_known():
    strict = replace(COLOR, unknown=None)
    for column in (np.array(["red", "pink"], dtype=object), pd.Series(["red", "pink"]).to_numpy()):
        with pytest.raises(
            ValueError, match=r"'pink' in column 'color' of X \(row 1\).*'blue', 'green', 'red'"
        ):
            strict.encode(column, "color")
    with pytest.raises(ValueError, match="'pink' in column 'color'"):
        strict.encode(
            Table({"color": pd.Series(["red", "pink"], dtype="category")}).column("color"), "color"
        )


def test_a_missing_value_where_none_is_taken():
    strict = replace(COLOR, missing=None, none=None)
    for value in (None, np.nan, pd.NA):
        with pytest.raises(ValueError, match=r"NaN in the column 'color' \(row 1\)"):
            strict.encode(np.array(["red", value], dtype=object), "color")
    with pytest.raises(ValueError, match="NaN in the column 'color'"):
        strict.encode(
            Table({"color": pd.Series(["red", None], dtype="category")}).column("color"), "color"
        )


def test_none_and_nan_may_differ():
    apart = replace(COLOR, missing=5.0, none=6.0)
    values = np.array([None, np.nan, pd.NA, float("nan")], dtype=object)
    np.testing.assert_array_equal(apart.encode(values, "color"), [6, 5, 5, 5])


DATES = {
    "NumPy": np.array(["2024-01-02"], dtype="datetime64[D]"),
    "durations": np.array([3], dtype="timedelta64[s]"),
    "objects": [datetime.date(2024, 1, 2)],
    "pandas": pd.Series(pd.to_datetime(["2024-01-02"])),
    "pandas, with a zone": pd.Series(pd.to_datetime(["2024-01-02"], utc=True)),
}


@pytest.mark.parametrize("column", ["color", "size"])
@pytest.mark.parametrize("kind", DATES)
def test_dates_are_refused_with_advice(column, kind):
    table = {"color": ["red"], "size": [1.0], "flag": [True]}
    with pytest.raises(ValueError, match=f"column '{column}' of X holds dates.*year, month"):
        LOOKUP({**table, column: DATES[kind]})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {**COLUMNS, "size": ["a", "2", "3", "4", "5"]},
            "column 'size' of X holds numbers; got 'a'",
        ),
        ({**COLUMNS, "size": [1j, 2, 3, 4, 5]}, "column 'size' of X holds numbers"),
        ({**COLUMNS, "color": [[1], [2], [3], [4], [5]]}, "'color'.*not texts or numbers"),
        ({**COLUMNS, "color": ["red"]}, "different lengths"),
        ({"color": "red", "size": 1.0, "flag": True}, "must be a sequence of values"),
        ({"color": [], "size": [], "flag": []}, "0 sample"),
        ({**COLUMNS, "size": np.zeros((5, 2))}, "one dimension"),
        (pd.DataFrame([["red", 1.0, 2.0]], columns=["color", "color", "flag"]), "several times"),
        (["red", 1.0, True, ""], "shape"),
    ],
    ids=str,
)
def test_what_is_no_such_table_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        LOOKUP(table)


def test_a_lazy_frame_is_refused():
    with pytest.raises(TypeError, match="collect"):
        LOOKUP(pl.DataFrame(COLUMNS).lazy())


def test_numbers_of_nullable_columns():
    column = pd.Series([1, None, 3], dtype="Int64")
    np.testing.assert_array_equal(as_numbers(column.to_numpy(), "n"), [1, np.nan, 3])


@pytest.mark.parametrize("dtype", ["object", "str", "string", "U8"])
def test_numbers_as_text_are_converted_as_in_scikit_learn(dtype):
    texts = [" 1.5", "2e3", "-inf", "7"]
    column = np.array(texts) if dtype == "U8" else pd.Series(texts, dtype=dtype).to_numpy()
    np.testing.assert_array_equal(as_numbers(column, "n"), [1.5, 2e3, -np.inf, 7])


def test_it_is_written_and_read_whole():
    again = loads(dumps(LOOKUP))
    np.testing.assert_array_equal(again(COLUMNS), EXPECTED)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(LOOKUP))(COLUMNS), EXPECTED)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"feature": -1}, "feature"),
        ({"feature": True}, "feature"),
        ({"categories": ["blue", "green", "red"]}, "categories must be a tuple"),
        ({"categories": ("blue", "green", "green")}, "not unique"),
        ({"categories": ("blue", "green", None)}, "text or number"),
        ({"categories": ("blue", "green", float("nan"))}, "text or number"),
        ({"categories": ("blue", "green")}, "2 categories have codes"),
        ({"codes": np.array([0, 1, 2])}, "float64"),
        ({"codes": np.array([0.0, 1, 2.5])}, "whole numbers"),
        ({"codes": np.array([0.0, 1, -1])}, "whole numbers"),
        ({"codes": np.array([0.0, 1, np.inf])}, "whole numbers"),
        ({"codes": np.array([0.0, 1, 2.0**24])}, "whole numbers"),
        ({"unknown": 3}, "a code must be a float"),
        ({"missing": -1.0}, "whole numbers"),
    ],
    ids=str,
)
def test_forged_codes_are_refused(fields, message):
    with pytest.raises((TypeError, ValueError), match=message):
        replace(COLOR, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_features": 2.0}, "n_features"),
        ({"n_features": 2, "names": None, "unread": np.zeros(2, bool)}, "sorted features below 2"),
        ({"columns": (FLAG, COLOR)}, "sorted"),
        ({"columns": (COLOR, COLOR)}, "sorted"),
        ({"columns": [COLOR]}, "tuple of CategoryCodes"),
        ({"unread": np.zeros(4)}, "4 bools"),
        ({"unread": np.zeros(3, bool)}, "4 bools"),
        ({"names": ("a", "b", "c")}, "4 different texts"),
        ({"names": ("a", "b", "c", "c")}, "4 different texts"),
        ({"names": ("a", "b", "c", 4)}, "4 different texts"),
    ],
    ids=str,
)
def test_a_forged_lookup_is_refused(fields, message):
    with pytest.raises((TypeError, ValueError), match=message):
        replace(LOOKUP, **fields)


def test_no_library_of_tables_is_imported():
    code = (
        "import sys, numpy as np; from skq.serving.lookup_stage import *; "
        "c = CategoryCodes(0, ('a', 'b'), np.array([0.0, 1])); "
        "print(TableLookup(1, (c,), np.zeros(1, bool), ('x',))({'x': ['b', 'a']}).tolist(), "
        "[m for m in ('pandas', 'polars', 'pyarrow', 'sklearn', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[1.0], [0.0]] []"
