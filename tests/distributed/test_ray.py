"""Ray datasets, by `make test-distributed`: lazy, with the results appended."""

import importlib.util
import os

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from skq.distributed import predict
from tests.distributed import cases
from tests.distributed.cases import FRAME, NAMES, X

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray needs ray")


@pytest.fixture(scope="module")
def ray():
    import ray

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=200 * 2**20,
        configure_logging=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.getcwd()}},
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


def rows_of(result):
    return result.to_pandas().sort_values("row", ignore_index=True)


def numbered(frame):
    return frame.assign(row=np.arange(len(frame)))


def from_pandas(ray, frame):
    return ray.data.from_pandas([numbered(frame)[k : k + 40] for k in range(0, 150, 40)])


def from_arrow(ray, frame):
    return ray.data.from_arrow(pyarrow.Table.from_pandas(numbered(frame), preserve_index=False))


@pytest.mark.parametrize("make", [from_pandas, from_arrow])
@pytest.mark.parametrize(
    ("method", "stem"), [("predict", "prediction"), ("predict_proba", "probability")]
)
def test_datasets(ray, make, method, stem):
    model = cases.named()
    found = rows_of(predict(model, make(ray, FRAME[NAMES[::-1]]), method, batch_rows=16))
    columns = [name for name in found if name.startswith(stem)]
    values = found[columns].to_numpy().squeeze()
    np.testing.assert_array_equal(values, getattr(model, method)(FRAME))
    np.testing.assert_array_equal(found[NAMES].to_numpy(), X)


def test_parquet_and_models_without_names(ray, tmp_path):
    model, path = cases.regressor(), tmp_path / "rows.parquet"
    frame = numbered(FRAME.astype(np.float32))
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame), path, row_group_size=30)
    data = ray.data.read_parquet(str(path))
    found = rows_of(predict(model, data, features=NAMES, name="value"))
    expected = model.predict(X.astype(np.float32))
    assert found["value"].to_numpy().dtype == expected.dtype
    np.testing.assert_array_equal(found["value"], expected)


def test_texts(ray):
    frame, model = cases.table_of_texts()
    found = rows_of(predict(model, from_pandas(ray, frame), "predict_proba"))
    values = found[[name for name in found if name.startswith("probability")]].to_numpy()
    np.testing.assert_array_equal(values, model.predict_proba(frame))


def test_batches_without_rows(ray):
    data = from_arrow(ray, FRAME).filter(lambda row: row["row"] < 2)
    found = rows_of(predict(cases.named(), data))
    np.testing.assert_array_equal(found["prediction"], cases.named().predict(FRAME[:2]))


def test_a_worker_that_dies_does_not_change_the_result(ray, tmp_path):
    flag = str(tmp_path / "died")

    def dies_once(batch):
        if not os.path.exists(flag):
            open(flag, "w").close()
            os._exit(1)
        return batch

    data = from_pandas(ray, FRAME).map_batches(dies_once, batch_format="pandas")
    found = rows_of(predict(cases.named(), data))
    assert os.path.exists(flag)
    np.testing.assert_array_equal(found["prediction"], cases.named().predict(FRAME))


def test_refusals(ray):
    data = from_pandas(ray, FRAME)
    with pytest.raises(ValueError, match="the dataset has no column petal width"):
        predict(cases.named(), data.drop_columns(["petal width"]))
    with pytest.raises(ValueError, match="has a column row already"):
        predict(cases.named(), data, name="row")
    with pytest.raises(ValueError, match="data of ray take no output"):
        predict(cases.named(), data, output="x.parquet")
