"""Columns of texts and categories, as a Pipeline's transformers read them.

The *points* of such a feature are the values that the transformers distinguish: the categories
that they were fitted on or that are in the calibration data, a missing value, and `UNKNOWN` for
every other value. scikit-learn's transformers are run on each point; for some points they raise an
error. Points with the same results get the same code; the program reads the codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.preprocessing import Column, Floats, Preprocessing


class TextColumn(UnsupportedModelError):
    """A transformer was fitted on texts of a feature that was assumed to be numeric.

    Parameters
    ----------
    transformer : estimator
    feature : int
    values : sequence of object
        The categories of the transformer.
    """

    def __init__(self, transformer: Any, feature: int, values: Sequence[Any]) -> None:
        super().__init__(
            f"{type(transformer).__name__} cannot be quantized: its categories are texts, and X "
            "holds numbers. Pass the table that it was fitted on"
        )
        self.feature, self.values = feature, list(values)


class _Unknown(str):
    """A text that is none of the categories."""

    __slots__ = ()


UNKNOWN = _Unknown("\x00unknown category")


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or `pandas.NA`."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and value != value


class Labels:
    """The points of features that are not numeric, and the code of each.

    Parameters
    ----------
    values : mapping of int to list
        Feature → distinct values; missing values among them.
    base : mapping of int to object
        The values of one row that the transformers accept.
    names : sequence of str or None
        Names of all features.

    Attributes
    ----------
    points : dict of int to ndarray of object
        Feature → known categories, then markers of missing values, then `UNKNOWN`.
    refused : set of (int, int)
        Feature and point for which a transformer raises.
    codes : dict of int to ndarray of float64
        Feature → code of each point; NaN where it is read as a missing value. Filled by `assign`.
    """

    def __init__(
        self,
        values: Mapping[int, list[Any]],
        base: Mapping[int, Any],
        names: Sequence[str] | None = None,
    ) -> None:
        self._values = {feature: list(v) for feature, v in values.items()}
        self._base, self.names = dict(base), names
        self.points = {feature: _points(v) for feature, v in values.items()}
        self.base = {f: _position(self.points[f], base[f]) for f in self.points}
        self.refused: set[tuple[int, int]] = set()
        self.codes: dict[int, Floats] = {}
        self._known: dict[int, list[Any]] = {feature: [] for feature in values}

    def name(self, feature: int) -> Any:
        """Name of a feature, or its number."""
        return feature if self.names is None else self.names[feature]

    def know(self, feature: int, values: Iterable[Any]) -> None:
        """Add values that a transformer distinguishes from others."""
        self._known[feature] += list(values)

    def grown(self) -> Labels | None:
        """The same with all values that transformers have noted; None if there are no more."""
        values = {f: _distinct([*v, *self._known[f]]) for f, v in self._values.items()}
        if all(len(values[f]) == len(_distinct(v)) for f, v in self._values.items()):
            return None
        return Labels(values, self._base, self.names)

    def column(self, feature: int) -> Column:
        """A feature as it comes: each point is its own value."""
        points = self.points[feature]
        return Column(feature, edges=_edges(len(points)), values=points)

    def columns(self, preprocessing: Preprocessing) -> Preprocessing:
        """A preprocessing that returns X itself, with the features here as they come."""
        columns = tuple(
            self.column(c.feature) if c.feature in self.points else c for c in preprocessing.columns
        )
        return replace(preprocessing, columns=columns, labels=self)

    def base_value(self, column: Column) -> Any:
        """Value of a column of one of the features here, in the base row."""
        assert column.values is not None
        return column.values[self.base[column.feature]]

    def in_numbers(self, column: Column, owner: Any) -> Column:
        """A column for a step that computes with numbers.

        Raises
        ------
        UnsupportedModelError
            If it has texts.
        """
        values = column.values
        if values is None or values.dtype != object or column.feature not in self.points:
            return column
        base = self.base_value(column)
        numbers = np.zeros(len(values))
        for k, value in enumerate(values):
            if is_missing(value):
                numbers[k] = np.nan
            elif value is UNKNOWN:
                self.refused.add((column.feature, k))
                numbers[k] = np.nan if is_missing(base) else base
            elif isinstance(value, str):
                raise UnsupportedModelError(
                    f"{type(owner).__name__} computes with numbers, and column "
                    f"{self.name(column.feature)!r} holds texts ({str(value)!r:.40}). Put an "
                    "encoder for it into the pipeline, such as OneHotEncoder, or convert it to "
                    "numbers before."
                )
            else:
                numbers[k] = float(value)
        return replace(column, values=numbers)

    def assign(self, preprocessings: Sequence[Preprocessing]) -> None:
        """Choose the codes: points that all columns of a feature treat alike share one.

        Codes rise with the first of the columns, so that neighbours are alike. A point that some
        column reads as a missing value has the code NaN.

        Raises
        ------
        UnsupportedModelError
            If different points would have to be NaN.
        """
        for feature, points in self.points.items():
            columns = [c for p in preprocessings for c in p.columns if c.feature == feature]
            rows = np.zeros((len(points), len(columns)))
            for k, column in enumerate(columns):
                rows[:, k] = column.values
            rows += 0.0  # -0.0 becomes 0.0
            refused = [(feature, k) in self.refused for k in range(len(points))]
            groups = {row.tobytes(): row for row, r in zip(rows, refused, strict=True) if not r}
            whole = [row for row in groups.values() if not np.isnan(row).any()]
            if len(groups) > len(whole) + 1:
                raise UnsupportedModelError(
                    f"column {self.name(feature)!r} has several kinds of values that encoders "
                    "turn into NaN. Set their unknown_value and encoded_missing_value to numbers."
                )
            whole.sort(key=lambda row: row.tolist())
            number = {row.tobytes(): float(k) for k, row in enumerate(whole)}
            keys = [row.tobytes() for row in rows]
            self.codes[feature] = np.array([number.get(key, np.nan) for key in keys])

    def recoded(self, preprocessing: Preprocessing) -> Preprocessing:
        """A preprocessing of the points as one of their codes."""
        columns = tuple(
            self._recoded(c) if c.feature in self.points else c for c in preprocessing.columns
        )
        return replace(preprocessing, columns=columns, labels=None)

    def _recoded(self, column: Column) -> Column:
        assert column.values is not None
        representatives = self.representatives(column.feature)
        missing = representatives.pop(np.nan, None)
        values = column.values[[representatives[float(k)] for k in range(len(representatives))]]
        if len(values) == 0:  # every value counts as missing
            values = np.array([np.nan])
        at_missing = np.nan if missing is None else float(column.values[missing])
        return Column(
            column.feature,
            edges=_edges(len(values)),
            values=values.astype(float),
            missing=at_missing,
        )

    def representatives(self, feature: int) -> dict[float, int]:
        """A point for each code, one that no transformer refuses; `numpy.nan` is the key of NaN."""
        result: dict[float, int] = {}
        for k, code in enumerate(self.codes[feature].tolist()):
            if (feature, k) not in self.refused:
                result.setdefault(np.nan if code != code else code, k)
        return result


def _points(values: Iterable[Any]) -> NDArray[Any]:
    """Categories, markers of missing values (NaN where there is none), and `UNKNOWN`."""
    distinct = _distinct(values)
    categories = [value for value in distinct if not is_missing(value)]
    missing = [value for value in distinct if is_missing(value)] or [np.nan]
    points = np.empty(len(categories) + len(missing) + 1, dtype=object)
    points[:] = [*categories, *missing, UNKNOWN]
    return points


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Different values, in order; NaN and `pandas.NA` count as the same, and None as another."""
    result: dict[Any, Any] = {}
    for value in values:
        key = ("missing", value is None) if is_missing(value) else value
        result.setdefault(key, value.item() if isinstance(value, np.generic) else value)
    return list(result.values())


def _position(points: NDArray[Any], value: Any) -> int:
    for k, point in enumerate(points):
        if is_missing(value) and is_missing(point) and (value is None) == (point is None):
            return k
        if not is_missing(point) and not is_missing(value) and point == value:
            return k
    return 0


def _edges(n_points: int) -> Floats:
    """Half way between the codes 0, 1, 2 ..."""
    return np.arange(max(n_points, 1) - 1, dtype=np.float64) + np.float64(0.5)


def in_numbers(preprocessing: Preprocessing, owner: Any) -> Preprocessing:
    """The preprocessing for a step that computes with numbers; raises where it has texts."""
    labels = preprocessing.labels
    if labels is None:
        return preprocessing
    columns = tuple(labels.in_numbers(column, owner) for column in preprocessing.columns)
    return replace(preprocessing, columns=columns)
