"""Dask collections: lazy results equal to the local ones, on threads and on two processes."""

import os
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

import skq
from skq.distributed import predict
from skq.ensemble import RandomForestClassifier
from skq.linear_model import LogisticRegression
from tests.distributed import cases, on_workers
from tests.distributed.cases import FRAME, LABELS, NAMES, X, Y

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


def in_blocks(array, n_rows=40, n_columns=2):
    return da.from_array(array, chunks=(n_rows, n_columns))


def computed(result):
    """A computed result, of the data type that it had before."""
    value = result.compute()
    assert value.dtype == result.dtype
    return value


# ---------------------------------------------------------------------- arrays, on threads


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("make", "method"),
    [
        (cases.unnamed, "predict"),
        (cases.unnamed, "predict_proba"),
        (cases.unnamed, "decision_function"),
        (cases.regressor, "predict"),
    ],
)
def test_arrays(make, method, dtype):
    model, rows = make(), X.astype(dtype)
    result = predict(model, in_blocks(rows), method)
    expected = getattr(model, method)(rows)
    found = computed(result)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert result.chunks[0] == (40, 40, 40, 30)


def test_probabilities_of_several_outputs_are_a_list():
    model = cases.several_outputs()
    results = predict(model, in_blocks(X), "predict_proba")
    for result, expected in zip(results, model.predict_proba(X), strict=True):
        np.testing.assert_array_equal(computed(result), expected)
    np.testing.assert_array_equal(computed(predict(model, in_blocks(X))), model.predict(X))


def test_unknown_chunk_sizes_and_empty_blocks():
    model, rows = cases.unnamed(), in_blocks(X)
    some = rows[rows[:, 0] > 7.0]
    result = predict(model, some)
    assert np.isnan(result.shape[0])
    np.testing.assert_array_equal(computed(result), model.predict(X[X[:, 0] > 7.0]))
    none = predict(model, rows[rows[:, 0] > 100.0], "predict_proba")
    assert computed(none).shape == (0, 3)


def test_methods_that_a_file_does_not_hold():
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(computed(predict(forest, in_blocks(X), "apply")), forest.apply(X))


def test_paths_searches_and_modules(tmp_path):
    model, rows = cases.named(), in_blocks(X)
    skq.save(model, tmp_path / "iris.skq")
    expected = model.predict(FRAME)
    np.testing.assert_array_equal(predict(tmp_path / "iris.skq", rows).compute(), expected)
    np.testing.assert_array_equal(predict(str(tmp_path / "iris.skq"), rows).compute(), expected)
    loaded = skq.load(tmp_path / "iris.skq")
    np.testing.assert_array_equal(predict(loaded, rows).compute(), expected)
    search = GridSearchCV(LogisticRegression(max_iter=1000), {"n_bits": [8]}).fit(FRAME, LABELS)
    np.testing.assert_array_equal(predict(search, rows).compute(), search.predict(FRAME))
    module = cases.regressor().quantized_module_
    np.testing.assert_array_equal(predict(module, rows, "forward").compute(), module.forward(X))


# ---------------------------------------------------------------------- dataframes, on threads


def partitioned(frame, n=4):
    return dd.from_pandas(frame, npartitions=n)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_dataframes(method):
    model = cases.named()
    frame = FRAME[NAMES[::-1]].assign(comment="x")  # another order, and a column more
    frame.index = pd.Index(np.arange(150) * 3, name="id")
    result = predict(model, partitioned(frame), method)
    assert result.divisions == partitioned(frame).divisions
    found = result.compute()
    assert found.index.equals(frame.index)
    np.testing.assert_array_equal(np.asarray(found), getattr(model, method)(FRAME))
    if method == "predict":
        assert (result.name, result.dtype) == ("prediction", found.dtype)
    else:
        assert list(result.columns) == [f"probability_{label}" for label in model.classes_]
        assert result.dtypes.equals(found.dtypes)


def test_columns_of_models_without_names():
    model, frame = cases.unnamed(), partitioned(FRAME.assign(comment="x"))
    result = predict(model, frame, features=NAMES, name="label")
    assert result.name == "label"
    np.testing.assert_array_equal(result.compute(), model.predict(X))
    with pytest.raises(ValueError, match=r"5 columns; the model reads 4.*features"):
        predict(model, frame)


def test_partitions_without_rows():
    frame = partitioned(FRAME)
    few = predict(cases.named(), frame[frame["sepal length"] > 7.0]).compute()
    assert few.index.equals(FRAME.index[FRAME["sepal length"] > 7.0])


def test_texts():
    frame, model = cases.table_of_texts()
    result = predict(model, partitioned(frame), "predict_proba")
    np.testing.assert_array_equal(result.compute().to_numpy(), model.predict_proba(frame))


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "score_samples"}, AttributeError, "LogisticRegression has no score_samples"),
        ({"method": "guess"}, ValueError, "method must be one of predict, "),
        ({"data": X}, TypeError, "got ndarray: for data in memory"),
        ({"data": in_blocks(X)[:, :3]}, ValueError, r"shape \(n_rows, 4\); got \(150, 3\)"),
        ({"data": partitioned(FRAME)[NAMES[:3]]}, ValueError, "has no column petal width"),
        ({"data": partitioned(FRAME)[NAMES[0]]}, TypeError, "array or dataframe; got Series"),
        ({"data": in_blocks(X), "name": "x"}, ValueError, "arrays have no column names"),
        ({"output": "x.parquet"}, ValueError, "data of dask take no output"),
        ({"model": LogisticRegression()}, TypeError, "not fitted: call fit first"),
        ({"model": {}}, TypeError, "obj must be a fitted estimator of skq"),
    ],
)
def test_refusals_come_before_any_work(arguments, error, message):
    given = {"model": cases.named(), "data": partitioned(FRAME), **arguments}
    with pytest.raises(error, match=message) as raised:
        predict(**given)
    assert "\n" not in str(raised.value)


def test_a_missing_package_names_the_extra(monkeypatch):
    rows = in_blocks(X)
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(ImportError, match=r'pip install "skq\[dask\]"'):
        predict(cases.unnamed(), rows)


# ---------------------------------------------------------------------- two processes


def test_workers_get_the_model_once_and_need_no_scikit_learn(client):
    client.restart()
    client.run(on_workers.count_models)
    model, rows = cases.unnamed(), in_blocks(np.tile(X, (8, 1)), 25, 4)
    result = predict(model, rows)
    assert sum("skq-model" in str(key) for key in dict(result.__dask_graph__())) == 1
    np.testing.assert_array_equal(result.compute(), np.tile(model.predict(X), 8))
    for arrived, n_models, modules in client.run(on_workers.models_and_modules).values():
        assert arrived <= 2, "with its task, and as data of the other worker; 48 blocks"
        assert n_models <= 1
        assert modules.isdisjoint({"sklearn", "torch", "hummingbird", "onnx"})


def test_a_worker_that_dies_does_not_change_the_result(client, tmp_path):
    model = cases.unnamed()
    flag = str(tmp_path / "died")
    blocks = [
        da.from_delayed(
            dask.delayed(on_workers.dies_once)(X[k * 30 : k * 30 + 30], k, flag), (30, 4), float
        )
        for k in range(5)
    ]
    result = predict(model, da.concatenate(blocks), "predict_proba").compute()
    assert os.path.exists(flag)
    np.testing.assert_array_equal(result, model.predict_proba(X))


def test_dataframes_on_two_processes(client):
    frame, model = cases.table_of_texts()
    result = predict(model, partitioned(frame)).compute()
    np.testing.assert_array_equal(result, model.predict(frame))
