"""``skq predict``: predictions of a table's rows, a batch at a time."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from skq.cli.formats import open_table, open_writer
from skq.cli.models import load_predictor
from skq.cli.table_files import TableReader
from skq.distributed.columns import columns_read
from skq.distributed.on_arrow import BATCH_ROWS
from skq.distributed.progress import ProgressBar
from skq.distributed.results import columns_of, form_of
from skq.serialization.replacing import whole_file
from skq.serving.saved_model import METHODS, IntegerPredictor


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
    parser.add_argument("--method", choices=METHODS, default="predict")
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
    form = form_of(model, options.method)
    with open_table(options.table) as table:
        columns = _columns_of(model, table)
        with (
            whole_file(options.output) as partial,
            open_writer(options.output, partial, form) as writer,
            ProgressBar(options.progress) as bar,
        ):
            texts = model.lookup is not None
            for rows in table.batches(columns, options.batch_rows, texts=texts):
                writer.write(columns_of(_predict_batch(model, options, table, rows)))
                bar.show(table.part_read, table.rows_read)


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
    if table.names is not None and model.feature_names_in_ is not None:
        return [
            table.names.index(name) for name in columns_read(model, table.names, what=table.path)
        ]
    if table.n_columns != model.n_features_in_:
        raise ValueError(
            f"{table.path} has {table.n_columns} columns; the model reads {model.n_features_in_}"
        )
    return list(range(table.n_columns))
