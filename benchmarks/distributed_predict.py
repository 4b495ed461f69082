"""Rows per second and memory of `skq.distributed` through Dask, beside scikit-learn.

    python benchmarks/distributed_predict.py                  2e7 rows of 20 columns, some minutes
    python benchmarks/distributed_predict.py --rows 1000000

The files are made on the spot, in a folder that is removed. Both models predict the same files
through the same engine: two processes of Dask, one thread each; each partition of 2**17 rows is
read, predicted and reduced to the number of rows of the class "yes". Memory is the most that the
scheduler and both workers hold at a time (proportional set size: shared pages count once).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import dask.dataframe
import numpy as np
import pandas as pd
import psutil
import pyarrow
import pyarrow.parquet
from distributed import Client, LocalCluster
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import skq
from skq.distributed import predict

COLUMNS = [f"x{k}" for k in range(20)]
PARTITION = 1 << 17
#: Files have so many partitions, each a row group.
GROUPS = 8


def rows_of(seed: int, n_rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_rows, len(COLUMNS))).astype(np.float32)


def labels_of(rows: np.ndarray) -> np.ndarray:
    score = rows[:, :5].sum(axis=1) + rows[:, 5] * rows[:, 6] + np.abs(rows[:, 7]) * 2
    return np.array(["no", "yes"])[(score > 1.5).astype(int)]


def write_files(folder: Path, n_rows: int) -> None:
    """Write the rows, one row group in memory at a time."""
    schema = pyarrow.schema([(name, pyarrow.float32()) for name in COLUMNS])
    for first in range(0, n_rows, PARTITION * GROUPS):
        path = folder / f"part-{first:010}.parquet"
        with pyarrow.parquet.ParquetWriter(path, schema, use_dictionary=False) as writer:
            for start in range(first, min(first + PARTITION * GROUPS, n_rows), PARTITION):
                rows = rows_of(start + 1, min(PARTITION, n_rows - start))
                writer.write_batch(
                    pyarrow.RecordBatch.from_arrays(list(rows.T.copy()), schema=schema)
                )


class Memory:
    """Samples the memory of this process and all below it; `most` in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._stop = threading.Event()

    def __enter__(self) -> Memory:
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def _sample(self) -> None:
        while not self._stop.wait(0.25):
            processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
            held = 0
            for process in processes:
                try:
                    held += process.memory_full_info().pss
                except psutil.Error:  # it has ended
                    continue
            self.most = max(self.most, held)

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()


def predicted_by_sklearn(rows: Any, model: Any) -> Any:
    labels = model.predict(rows)
    return pd.Series(labels, index=rows.index, name="prediction").astype("str")


def through_dask(model: Any, folder: Path) -> tuple[int, float, float]:
    """Rows of the class "yes", seconds, and bytes held at most."""
    frame = dask.dataframe.read_parquet(folder, split_row_groups=1)
    if isinstance(model, skq.QuantizedClassifier):
        labels = predict(model, frame)
    else:
        meta = pd.Series([], dtype="str", name="prediction")
        shared = dask.delayed(model)
        labels = frame.map_partitions(predicted_by_sklearn, shared, meta=meta)
    with Memory() as memory:
        started = time.perf_counter()
        n_yes = int((labels == "yes").sum().compute())
        seconds = time.perf_counter() - started
    return n_yes, seconds, memory.most


def main() -> None:
    parser = argparse.ArgumentParser(description="rows per second through Dask")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--models", nargs="*", default=["logistic", "boosting", "forest"])
    options = parser.parse_args()
    models = {
        "logistic": LogisticRegression(),
        "boosting": HistGradientBoostingClassifier(max_iter=50, random_state=0),
        "forest": RandomForestClassifier(20, max_depth=8, random_state=0),
    }
    train = pd.DataFrame(rows_of(0, 20_000), columns=COLUMNS)
    y = labels_of(train.to_numpy())
    fitted = {name: models[name].fit(train, y) for name in options.models}
    quantized = {name: skq.quantize(model, train) for name, model in fitted.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        write_files(folder, options.rows)
        size = sum(os.path.getsize(path) for path in folder.iterdir())
        print(
            f"{options.rows} rows x {len(COLUMNS)} columns of float32, {size / 2**20:.0f} MiB of "
            f"Parquet, made in {time.perf_counter() - started:.0f} s"
        )
        print(
            f"{'model':<10} {'library':<13} {'rows/s':>10} {'seconds':>8} {'MiB held':>9} "
            f"{'yes':>10}"
        )
        print("-" * 78)
        for name, float_model in fitted.items():
            for library, model in (("skq", quantized[name]), ("scikit-learn", float_model)):
                with (
                    LocalCluster(
                        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
                    ) as cluster,
                    Client(cluster),
                ):
                    n_yes, seconds, held = through_dask(model, folder)
                rate = options.rows / seconds
                print(
                    f"{name:<10} {library:<13} {rate:>10.0f} {seconds:>8.1f} "
                    f"{held / 2**20:>9.0f} {n_yes:>10}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
