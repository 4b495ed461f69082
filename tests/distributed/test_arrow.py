"""Parquet files and Arrow data: batches with the results appended, in bounded memory."""

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.dataset
import pyarrow.parquet
import pytest

import skq
from skq.distributed import predict
from tests.distributed import cases
from tests.distributed.cases import FRAME, NAMES, X


def table(frame=FRAME):
    return pyarrow.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture
def path(tmp_path):
    """A file of several row groups, with another order of the columns and one more."""
    frame = FRAME[NAMES[::-1]].assign(comment="x")
    pyarrow.parquet.write_table(table(frame), tmp_path / "rows.parquet", row_group_size=40)
    return tmp_path / "rows.parquet"


def results(read, stem):
    """Columns of the results as the method returns them."""
    columns = [name for name in read.column_names if name.startswith(stem)]
    arrays = [read[name].to_numpy() for name in columns]
    return arrays[0] if columns == [stem] else np.stack(arrays, axis=1)


@pytest.mark.parametrize("batch_rows", [7, None])
@pytest.mark.parametrize(
    ("method", "stem"), [("predict", "prediction"), ("predict_proba", "probability")]
)
def test_a_file(path, tmp_path, method, stem, batch_rows):
    model, out = cases.named(), tmp_path / "out.parquet"
    assert predict(model, path, method, output=out, batch_rows=batch_rows) == 150
    read = pyarrow.parquet.read_table(out)
    np.testing.assert_array_equal(results(read, stem), getattr(model, method)(FRAME))
    assert read.select(range(5)).equals(pyarrow.parquet.read_table(path))


def test_a_reader_is_lazy(path):
    reader = predict(cases.named(), path, batch_rows=50)
    assert reader.schema.names[-1] == "prediction"
    batches = list(reader)
    assert max(batch.num_rows for batch in batches) <= 50
    found = np.concatenate(
        [batch["prediction"].to_numpy(zero_copy_only=False) for batch in batches]
    )
    np.testing.assert_array_equal(found, cases.named().predict(FRAME))


def test_folders(path, tmp_path, monkeypatch):
    """Partitioned folders are read, and folders are written in files of some rows."""
    frame = FRAME.assign(year=np.repeat([2024, 2025], 75))
    folder, out = tmp_path / "rows", tmp_path / "out"
    pyarrow.parquet.write_to_dataset(table(frame), folder, partition_cols=["year"])
    monkeypatch.setattr("skq.distributed.parquet_files.ROWS_A_FILE", 60)
    predict(cases.named(), folder, output=out, batch_rows=20)
    read = pyarrow.dataset.dataset(out).to_table()
    assert len(list(out.iterdir())) == 3
    assert read["year"].to_pylist() == frame["year"].tolist()
    np.testing.assert_array_equal(results(read, "prediction"), cases.named().predict(FRAME))
    with pytest.raises(FileExistsError, match="not empty"):
        predict(cases.named(), folder, output=out)


@pytest.mark.parametrize("wrapped", [lambda t: t, pyarrow.dataset.dataset, lambda t: t.to_reader()])
def test_data_in_memory(wrapped):
    model, rows = cases.unnamed(), table()
    found = predict(model, wrapped(rows), "decision_function", name="margin").read_all()
    np.testing.assert_array_equal(results(found, "margin"), model.decision_function(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_data_types(dtype):
    model, frame = cases.regressor(), FRAME.astype(dtype)
    found = results(predict(model, table(frame)).read_all(), "prediction")
    expected = model.predict(frame.to_numpy())
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_missing_values_and_integers():
    frame = pd.DataFrame(X, columns=NAMES).round()
    frame = frame.astype({NAMES[0]: int, NAMES[1]: np.int8})
    nulls = frame.astype({NAMES[0]: "Int64"})
    nulls.loc[::7, NAMES[0]] = pd.NA
    rows = X.round()
    model = skq.ensemble.HistGradientBoostingClassifier(max_iter=5)
    holes = rows.copy()
    holes[::7, 0] = np.nan
    model.fit(holes, cases.LABELS)
    for given, expected in ((frame, rows), (nulls, holes)):
        found = predict(model, table(given), "predict_proba").read_all()
        np.testing.assert_array_equal(results(found, "probability"), model.predict_proba(expected))


def test_texts(tmp_path):
    frame, model = cases.table_of_texts()
    rows = table(frame)
    rows = rows.set_column(4, "colour", rows["colour"].dictionary_encode())
    found = results(predict(model, rows, "predict_proba", batch_rows=64).read_all(), "probability")
    np.testing.assert_array_equal(found, model.predict_proba(frame))


def test_several_outputs():
    model = cases.several_outputs()
    found = predict(model, table(), "predict_proba").read_all()
    expected = np.concatenate(model.predict_proba(X), axis=1)
    np.testing.assert_array_equal(results(found, "probability"), expected)
    assert found.column_names[4:6] == ["probability_0_0", "probability_0_1"]


def test_memory_does_not_grow_with_the_rows(tmp_path):
    """Arrow holds some batches of a file of 40 MB at a time, not the file."""
    rows = pyarrow.table(
        {name: np.tile(column, 8000) for name, column in zip(NAMES, X.T, strict=True)}
    )
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(rows, path, row_group_size=50_000, use_dictionary=False)
    size, n_rows = rows.nbytes, rows.num_rows
    del rows
    pool = pyarrow.default_memory_pool()
    before, most = pool.bytes_allocated(), 0
    reader = predict(cases.regressor(), path, batch_rows=5000)
    for batch in reader:
        n_rows -= batch.num_rows
        most = max(most, pool.bytes_allocated() - before)
    assert n_rows == 0
    assert 0 < most < size / 4


def test_progress(path, tmp_path, capsys):
    predict(cases.named(), path, output=tmp_path / "out.parquet", progress=True)
    assert "100% 150 rows" in capsys.readouterr().err


def test_nothing_is_left_half_written(path, tmp_path):
    bad = FRAME.copy()
    bad.loc[100, NAMES[0]] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        predict(cases.named(), table(bad), output=tmp_path / "out.parquet", batch_rows=30)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME[NAMES[:3]], "the table has no column petal width"),
        (FRAME.assign(prediction=0), "has a column prediction already: name the results, name="),
        (FRAME.astype({NAMES[0]: str}).replace("5.1", "x"), "sepal length: .* is not a number"),
    ],
)
def test_refusals(frame, message):
    with pytest.raises(ValueError, match=message) as raised:
        predict(cases.named(), table(frame)).read_all()
    assert "\n" not in str(raised.value)


def test_refused_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        predict(cases.named(), tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(ValueError, match="is not a Parquet file"):
        predict(cases.named(), tmp_path / "text.parquet")
    with pytest.raises(TypeError, match="a QuantizedModule reads arrays"):
        predict(cases.regressor().quantized_module_, table(), "forward")
    with pytest.raises(ValueError, match="batch_rows must be at least 1"):
        predict(cases.named(), table(), batch_rows=0)
