"""The columns of the lookup stage, from the results of a Pipeline's transformers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.category_columns import UNKNOWN, Labels
from skq.serving.lookup_stage import CategoryCodes, TableLookup
from skq.serving.table_columns import is_missing


def lookup_of(
    labels: Labels, n_features: int, read: Collection[int], names: Sequence[str] | None
) -> TableLookup:
    """The lookup stage of a Pipeline.

    Parameters
    ----------
    labels : Labels
        With codes.
    n_features : int
    read : collection of int
        Features that the Pipeline reads.
    names : sequence of str or None
    """
    columns = tuple(category_codes(j, labels) for j in sorted(labels.points))
    unread = np.array([j not in read for j in range(n_features)], dtype=bool)
    return TableLookup(n_features, columns, unread, None if names is None else tuple(names))


def category_codes(feature: int, labels: Labels) -> CategoryCodes:
    """What the lookup stage does with each value of a feature.

    Raises
    ------
    UnsupportedModelError
        For categories that are neither texts nor numbers.
    """
    known: list[Any] = []
    codes: list[float] = []
    others: dict[str, float | None] = {"unknown": None}
    points = zip(labels.points[feature], labels.codes[feature].tolist(), strict=True)
    for k, (point, code) in enumerate(points):
        accepted = None if (feature, k) in labels.refused else code
        if point is UNKNOWN:
            others["unknown"] = accepted
        elif is_missing(point):
            others["none" if point is None else "missing"] = accepted
        elif accepted is not None:
            if type(point) not in (str, int, float, bool):
                raise UnsupportedModelError(
                    f"column {labels.name(feature)!r} holds {type(point).__name__} values. Convert "
                    "them to texts or numbers before fit."
                )
            known.append(point)
            codes.append(accepted)
    for marker, other in (("missing", "none"), ("none", "missing")):
        others.setdefault(marker, others.get(other))
    return CategoryCodes(feature, tuple(known), np.array(codes, dtype=np.float64), **others)
