"""Which tests are collected, and the cluster that those of Dask share."""

import os

import pytest

#: Spark and Ray are for `make test-distributed`, which installs them.
collect_ignore = [] if os.environ.get("SKQ_TEST_DISTRIBUTED") else ["test_ray.py", "test_spark.py"]


@pytest.fixture(scope="session")
def client():
    """A client of Dask with two processes of one thread."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
