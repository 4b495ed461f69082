"""``skq predict``: predictions of a table's rows, a batch at a time."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

import numpy as np

from skq.cli.formats import open_table, open_writer
from skq.cli.models import load_predictor
from skq.cli.progress import ProgressBar
from skq.cli.table_files import TableReader
from skq.serving.saved_model import IntegerPredictor

#: Rows that are read, predicted and written at a time.
BATCH_ROWS = 65_536

#: Output columns by method.
COLUMNS = {
    "predict": "prediction",
    "predict_proba": "probability",
    "decision_function": "score",
    "score_samples": "score",
}


def add_predict(commands: Any) -> None:
    """Declare the command ``predict``."""
    parser = commands.add_parser(
        "predict",
        help="predict the rows of a table",
        description=(
            "Predict the rows of a CSV or Parquet table, in batches. If the model has feature "
            "names, it reads the columns of these names; otherwise it reads all columns in their "
            "order. An empty cell is a missing value."
        ),
    )
    parser.add_argument("model", metavar="MODEL", help="file that skq.save wrote")
    parser.add_argument("table", metavar="TABLE", help="*.csv or *.parquet")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="*.csv or *.parquet")
    parser.add_argument("--method", choices=tuple(COLUMNS), default="predict")
    parser.add_argument("--batch-rows", type=int, default=BATCH_ROWS, metavar="N")
    parser.add_argument(
        "--progress",
        choices=("auto", "always", "never"),
        default="auto",
        help="show a progress bar on standard error; auto: if standard error is a terminal",
    )
    parser.set_defaults(run=_predict)


def _predict(options: Namespace) -> None:
    if options.batch_rows < 1:
        raise ValueError(f"--batch-rows must be at least 1; got {options.batch_rows}")
    model = load_predictor(options.model)
    names = _column_names(model, options.method)
    with open_table(options.table) as table:
        columns = _columns_of(model, table)
        partial = f"{options.output}.partial"
        try:
            with (
                open_writer(options.output, partial, names) as writer,
                ProgressBar(options.progress) as bar,
            ):
                for rows in table.batches(columns, options.batch_rows):
                    writer.write(_as_columns(_predict_batch(model, options, table, rows)))
                    bar.show(table.part_read, table.rows_read)
            os.replace(partial, options.output)
        finally:
            if os.path.exists(partial):
                os.remove(partial)


def _predict_batch(
    model: IntegerPredictor, options: Namespace, table: TableReader, rows: Any
) -> Any:
    try:
        return getattr(model, options.method)(rows)
    except ValueError as error:
        first = table.rows_read - len(rows) + 1
        raise ValueError(f"{options.table}, rows {first} to {table.rows_read}: {error}") from error


def _columns_of(model: IntegerPredictor, table: TableReader) -> list[int]:
    """Numbers of the table's columns that the model reads, in its order."""
    wanted = model.feature_names_in_
    if wanted is not None and table.names is not None:
        number = {name: k for k, name in enumerate(table.names)}
        missing = [str(name) for name in wanted if str(name) not in number]
        if missing:
            raise ValueError(f"{table.path} has no column {', '.join(missing)}")
        return [number[str(name)] for name in wanted]
    if table.n_columns != model.n_features_in_:
        raise ValueError(
            f"{table.path} has {table.n_columns} columns; the model reads {model.n_features_in_}"
        )
    return list(range(table.n_columns))


def _column_names(model: IntegerPredictor, method: str) -> list[str]:
    """Names of the output's columns, from predictions of one row of zeros."""
    row = np.zeros((1, model.n_features_in_))
    result, stem = getattr(model, method)(row), COLUMNS[method]
    classes = model.classes_
    if isinstance(result, list):  # probabilities of several outputs
        return [
            f"{stem}_{k}_{label}" for k, labels in enumerate(classes) for label in labels.tolist()
        ]
    if result.ndim == 1:
        return [stem]
    n_columns = result.shape[1]
    if method != "predict" and isinstance(classes, np.ndarray) and len(classes) == n_columns:
        return [f"{stem}_{label}" for label in classes.tolist()]
    return [f"{stem}_{k}" for k in range(n_columns)]


def _as_columns(result: Any) -> list[Any]:
    """Arrays of shape (n_rows,)."""
    if isinstance(result, list):
        return [column for part in result for column in part.T]
    return [result] if result.ndim == 1 else list(result.T)
