"""`OnCodes`: a fitted model of texts and categories, as one that reads their codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.category_columns import Labels
from skq.graph.preprocessing import Preprocessing

_METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")

_READING: ContextVar[Labels | None] = ContextVar("skq_labels", default=None)


class OnCodes:
    """A fitted model that reads codes instead of texts, and predicts for the decoded table.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Fitted on a table with texts or categories.
    labels : Labels
        With codes.
    feature_names : sequence of str or None
        Names of the columns of the table; None where it is an array.
    unread : mapping of int to object
        Values of the features that are texts and are not read.
    """

    def __init__(
        self,
        estimator: Any,
        labels: Labels,
        feature_names: Sequence[str] | None,
        unread: dict[int, Any],
    ) -> None:
        self.estimator = estimator
        self.labels = labels
        self.display_name = type(estimator).__name__
        self._names, self._unread = feature_names, unread

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The model, as scikit-learn's meta-estimators name it."""
        return {"estimator": self.estimator}

    def __getattr__(self, name: str) -> Any:
        """Methods that predict, and labels of the classes."""
        if name == "classes_":
            return self.estimator.classes_
        if name not in _METHODS:
            raise AttributeError(name)
        method = getattr(self.estimator, name)
        return lambda X: method(self.decoded(X))

    def decoded(self, rows: NDArray[Any]) -> Any:
        """The table of rows of codes and numbers."""
        rows = np.asarray(rows, dtype=np.float64)
        columns: list[Any] = []
        for j in range(rows.shape[1]):
            if j in self._unread:
                column = np.empty(len(rows), dtype=object)
                column[:] = self._unread[j]
                columns.append(column)
            elif j in self.labels.points:
                points = self.labels.points[j]
                of_code = self.labels.representatives(j)
                keys = (np.nan if code != code else code for code in rows[:, j].tolist())
                columns.append(points[[of_code[key] for key in keys]])
            else:
                columns.append(rows[:, j])
        return _table(columns, self._names)


def _table(columns: list[Any], names: Sequence[str] | None) -> Any:
    if names is None:
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for j, column in enumerate(columns):
            table[:, j] = column
        return table
    try:
        import pandas
    except ImportError:
        import polars

        return polars.DataFrame(
            {name: column.tolist() for name, column in zip(names, columns, strict=True)}
        )
    series = {
        name: pandas.Series(column, dtype=column.dtype)
        for name, column in zip(names, columns, strict=True)
    }
    return pandas.DataFrame(series)


@contextmanager
def reading(labels: Labels) -> Iterator[None]:
    """Within the block, Pipelines are converted as readers of codes."""
    token = _READING.set(labels)
    try:
        yield
    finally:
        _READING.reset(token)


def reads_codes() -> bool:
    """Whether Pipelines are converted as readers of codes."""
    return _READING.get() is not None


def of_points(preprocessing: Preprocessing) -> Preprocessing:
    """X with its texts instead of its codes; see `Labels.columns`."""
    labels = _READING.get()
    return preprocessing if labels is None else labels.columns(preprocessing)


def in_codes(preprocessing: Preprocessing) -> Preprocessing:
    """The result of `of_points` after all transformers, as one that reads codes."""
    labels = preprocessing.labels
    return preprocessing if labels is None else labels.recoded(preprocessing)
