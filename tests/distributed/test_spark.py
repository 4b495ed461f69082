"""Spark dataframes, by `make test-distributed`: lazy, with the results appended."""

import importlib.util
import os
import shutil
import sys

import numpy as np
import pytest

from skq.distributed import predict
from tests.distributed import cases
from tests.distributed.cases import FRAME, NAMES, X

MISSING = [
    name
    for name, is_there in (
        ("pyspark", importlib.util.find_spec("pyspark")),
        ("a Java runtime", shutil.which("java")),
    )
    if not is_there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"Spark needs {' and '.join(MISSING)}")


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "16")
        .getOrCreate()
    )
    yield session
    session.stop()


def frame_of(spark, frame, n_partitions=3):
    """A Spark dataframe with a column of the rows' numbers."""
    return spark.createDataFrame(frame.assign(row=np.arange(len(frame)))).repartition(n_partitions)


def collected(result):
    return result.toPandas().sort_values("row", ignore_index=True)


@pytest.mark.parametrize(
    ("method", "stem", "kind"),
    [
        ("predict", "prediction", "string"),
        ("predict_proba", "probability", "double"),
        ("decision_function", "score", "double"),
    ],
)
def test_dataframes(spark, method, stem, kind):
    model, data = cases.named(), frame_of(spark, FRAME[NAMES[::-1]])
    result = predict(model, data, method)
    added = [field for field in result.schema if field.name.startswith(stem)]
    assert result.schema[:5] == data.schema
    assert {field.dataType.typeName() for field in added} == {kind}
    found = collected(result)
    values = found[[field.name for field in added]].to_numpy().squeeze()
    np.testing.assert_array_equal(values, getattr(model, method)(FRAME))
    np.testing.assert_array_equal(found[NAMES].to_numpy(), X)


def test_columns_of_models_without_names(spark):
    model, data = cases.regressor(), frame_of(spark, FRAME.astype(np.float32))
    found = collected(predict(model, data, features=NAMES, name="value"))
    expected = model.predict(X.astype(np.float32))
    assert found["value"].dtype == expected.dtype
    np.testing.assert_array_equal(found["value"], expected)


def test_texts_and_other_types(spark):
    import pyspark.sql.functions as functions

    frame, model = cases.table_of_texts()
    data = frame_of(spark, frame).withColumn("day", functions.current_date())
    data = data.withColumn("list", functions.array("row"))
    found = collected(predict(model, data, "predict_proba"))
    values = found[[name for name in found if name.startswith("probability")]].to_numpy()
    np.testing.assert_array_equal(values, model.predict_proba(frame))


def test_partitions_without_rows(spark):
    data = frame_of(spark, FRAME, 8)
    found = collected(predict(cases.named(), data.where("row < 2")))
    np.testing.assert_array_equal(found["prediction"], cases.named().predict(FRAME[:2]))


def test_a_worker_that_dies_does_not_change_the_result(spark, tmp_path):
    """Spark runs the task again: a session that allows one failure."""
    from pyspark.sql import SparkSession

    spark.stop()
    retrying = SparkSession.builder.master("local[2,3]").getOrCreate()
    flag = str(tmp_path / "died")

    def dies_once(batches):
        for batch in batches:
            if not os.path.exists(flag):
                open(flag, "w").close()
                os._exit(1)
            yield batch

    try:
        data = frame_of(retrying, FRAME)
        data = data.mapInArrow(dies_once, data.schema)
        found = collected(predict(cases.named(), data))
    finally:
        retrying.stop()
    assert os.path.exists(flag)
    np.testing.assert_array_equal(found["prediction"], cases.named().predict(FRAME))


def test_refusals(spark):
    data = frame_of(spark, FRAME)
    with pytest.raises(ValueError, match="the dataframe has no column petal width"):
        predict(cases.named(), data.drop("petal width"))
    with pytest.raises(ValueError, match="has a column row already"):
        predict(cases.named(), data, name="row")
    with pytest.raises(ValueError, match="data of pyspark take no batch_rows"):
        predict(cases.named(), data, batch_rows=10)
