"""The transformers before a model, as arrays: scalers, imputers, encoders, projections, products.

A `Preprocessing` is the chain

    X → columns, each a function of one feature → products of columns → a matrix and an offset

Every part may be absent. Transformers are composed into one `Preprocessing`
(`skq.frontend.equivalents.transformers`), which is folded into the model after it
(`skq.frontend.equivalents.folding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.serialization import serializable

Floats = NDArray[np.float64]


@serializable("skq.Column")
@dataclass(frozen=True, eq=False)
class Column:
    """A function of one feature: affine, or constant between edges.

    Parameters
    ----------
    feature : int
    steps : tuple of (function, constant)
        Of an affine column: NumPy functions "subtract", "divide", "multiply" and "add", in order.
    edges : ndarray of shape (n_edges,), rising, or None
        Of a stepwise column: segment k ends with ``edges[k]``, which belongs to it.
    values : ndarray of shape (n_edges + 1,) or None
    missing : float
        Result for NaN; NaN where it stays missing.
    """

    feature: int
    steps: tuple[tuple[str, float], ...] = ()
    edges: Floats | None = None
    values: Floats | None = None
    missing: float = np.nan

    def __call__(self, x: Any) -> Any:
        """Values of the column where the feature is not missing."""
        if self.values is not None and self.edges is not None:
            return self.values[np.searchsorted(self.edges, x, side="left")]
        return _run(self.steps, x)

    def at(self, x: Floats) -> Floats:
        """Values of the column, also where the feature is missing."""
        return np.where(np.isnan(x), self.missing, self(x))

    def then(self, function: str, constant: float) -> Column:
        """The column followed by one more affine step."""
        step = ((function, float(constant)),)
        missing = float(_run(step, np.float64(self.missing)))
        if self.values is not None:
            return replace(self, values=_run(step, self.values), missing=missing)
        return replace(self, steps=self.steps + step, missing=missing)

    def filled(self, value: float) -> Column:
        """The column with a value for what is still missing."""
        column = replace(self, missing=value) if np.isnan(self.missing) else self
        if self.values is not None and np.isnan(self.values).any():
            return replace(column, values=np.where(np.isnan(self.values), value, self.values))
        return column

    def reach(self, lo: float, hi: float) -> tuple[float, float]:
        """Greatest magnitudes of the column, and of its terms, over a range of the feature."""
        known = 0.0 if np.isnan(self.missing) else abs(self.missing)
        if self.values is not None:
            largest = float(np.abs(self.values).max(initial=known))
            return largest, largest
        factor, offset = self.affine
        size = max(known, abs(factor * lo + offset), abs(factor * hi + offset))
        return size, max(size, abs(factor) * max(abs(lo), abs(hi)) + abs(offset))

    @property
    def affine(self) -> tuple[float, float]:
        """``(a, b)`` with ``a * x + b`` what the steps compute."""
        linear = tuple(step for step in self.steps if step[0] in ("multiply", "divide"))
        return float(_run(linear, np.float64(1.0))), float(_run(self.steps, np.float64(0.0)))


def _run(steps: Sequence[tuple[str, float]], x: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        for function, constant in steps:
            x = getattr(np, function)(x, constant)
    return x


@serializable("skq.Preprocessing", fields=("n_features", "columns", "powers", "matrix", "offset"))
@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Columns, their products, and a matrix; see the module's docstring.

    Parameters
    ----------
    n_features : int
        Of X.
    columns : tuple of Column
    powers : ndarray of shape (n_products, n_columns), int, or None
        Exponents of each product; None if the columns are used without products.
    matrix : ndarray of shape (n_products, n_outputs) or None
    offset : ndarray of shape (n_outputs,) or None
    bounds : (lo, hi), each an ndarray of shape (n_features,), or None
        Least and greatest value of each feature of X, if known.
    labels : Labels or None
        Of features that are texts or categories; see `skq.frontend.category_columns`.
    """

    n_features: int
    columns: tuple[Column, ...]
    powers: NDArray[np.int64] | None = None
    matrix: Floats | None = None
    offset: Floats | None = None
    bounds: tuple[Floats, Floats] | None = None
    labels: Any = None

    @classmethod
    def identity(
        cls, n_features: int, bounds: tuple[Floats, Floats] | None = None
    ) -> Preprocessing:
        """X itself."""
        return cls(n_features, tuple(Column(j) for j in range(n_features)), bounds=bounds)

    def __call__(self, X: Floats) -> Floats:
        """The outputs, in float64, for X of shape (n_rows, n_features)."""
        result = np.empty((len(X), len(self.columns)))
        for k, column in enumerate(self.columns):
            result[:, k] = column.at(X[:, column.feature])
        if self.powers is not None:
            products = np.empty((len(X), len(self.powers)))
            for k, exponents in enumerate(self.powers):
                products[:, k] = np.prod(result**exponents, axis=1)
            result = products
        if self.matrix is None or self.offset is None:
            return result
        return np.asarray(result @ self.matrix + self.offset)

    def middle_and_half(self) -> tuple[Floats, Floats]:
        """Middle and half width of the range of each feature; 0 and 1 if unknown."""
        if self.bounds is None:
            return np.zeros(self.n_features), np.ones(self.n_features)
        lo, hi = (np.nan_to_num(bound) for bound in self.bounds)
        half = (hi - lo) / 2
        return (lo + hi) / 2, np.where(half > 0, half, 1.0)

    @property
    def is_columns(self) -> bool:
        """Whether every output is a function of one feature."""
        return self.powers is None and self.matrix is None

    @property
    def n_outputs(self) -> int:
        """Columns that the model after it reads."""
        if self.matrix is not None:
            return int(self.matrix.shape[1])
        return len(self.columns if self.powers is None else self.powers)

    def column(self, output: int) -> Column | None:
        """An output as a stepwise or rising function of one feature; None for other outputs."""
        term = self.term(output)
        if term is None:
            return None
        index, factor, constant = term
        if self.powers is not None:
            if self.powers[index].sum() != 1:
                return None
            index = int(np.argmax(self.powers[index]))
        column = self.columns[index]
        if column.values is None and factor * column.affine[0] <= 0:
            return None
        if factor == 1 and constant == 0:
            return column
        return column.then("multiply", factor).then("add", constant)

    def term(self, output: int) -> tuple[int, float, float] | None:
        """``(k, a, b)`` of an output that is ``a * product k + b``; None for other outputs."""
        if self.matrix is None or self.offset is None:
            return output, 1.0, 0.0
        terms = np.flatnonzero(self.matrix[:, output])
        if len(terms) != 1:
            return None
        return int(terms[0]), float(self.matrix[terms[0], output]), float(self.offset[output])

    def without_unread(self) -> Preprocessing:
        """The same outputs, without products and columns that none of them reads."""
        columns, powers, matrix = self.columns, self.powers, self.matrix
        if matrix is not None:
            used = np.flatnonzero(matrix.any(axis=1))
            matrix = matrix[used]
            if powers is None:
                columns = tuple(columns[k] for k in used)
            else:
                powers = powers[used]
        if powers is not None:
            used = np.flatnonzero(powers.any(axis=0))
            powers = powers[:, used]
            columns = tuple(columns[k] for k in used)
        return replace(self, columns=columns, powers=powers, matrix=matrix)

    def reach(self) -> Floats:
        """Estimated greatest magnitude of each output's terms: the scale of its rounding.

        A column that is a small difference of large terms passes their rounding on to products.
        """
        zeros = np.zeros(self.n_features)
        lo, hi = (zeros, zeros) if self.bounds is None else map(np.nan_to_num, self.bounds)
        pairs = [column.reach(lo[column.feature], hi[column.feature]) for column in self.columns]
        size, terms = (np.maximum(part, 1e-300) for part in np.array(pairs).reshape(-1, 2).T)
        if self.powers is None:
            products = terms
        else:
            worst = np.where(self.powers > 0, terms / size, 1.0).max(axis=1, initial=1.0)
            products = np.prod(size**self.powers, axis=1) * worst
        if self.matrix is None or self.offset is None:
            return np.asarray(products)
        return np.asarray(np.abs(self.offset) + products @ np.abs(self.matrix))

    def selected(self, outputs: Any) -> Preprocessing:
        """Some of the outputs, in a given order."""
        outputs = np.asarray(outputs)
        if self.matrix is not None and self.offset is not None:
            return replace(self, matrix=self.matrix[:, outputs], offset=self.offset[outputs])
        if self.powers is not None:
            return replace(self, powers=self.powers[outputs])
        return replace(self, columns=tuple(self.columns[j] for j in outputs))

    def scaled(self, function: str, constants: Any) -> Preprocessing:
        """Outputs followed by one affine step each."""
        constants = np.broadcast_to(np.asarray(constants, dtype=np.float64), (self.n_outputs,))
        if self.is_columns:
            pairs = zip(self.columns, constants, strict=True)
            return replace(self, columns=tuple(c.then(function, k) for c, k in pairs))
        matrix, offset = self.as_matrix()
        if function in ("multiply", "divide"):
            matrix = getattr(np, function)(matrix, constants)
        return replace(self, matrix=matrix, offset=getattr(np, function)(offset, constants))

    def projected(self, matrix: Floats, offset: Floats) -> Preprocessing:
        """``outputs @ matrix + offset``."""
        current, constant = self.as_matrix()
        return replace(self, matrix=current @ matrix, offset=constant @ matrix + offset)

    def multiplied(self, powers: Any) -> Preprocessing:
        """Products of outputs; exponents of shape (n_products, n_outputs)."""
        if not self.is_columns:
            raise UnsupportedModelError(
                "products of sums of features have no integer representation"
            )
        return replace(self, powers=np.asarray(powers, dtype=np.int64))

    def as_matrix(self) -> tuple[Floats, Floats]:
        """Matrix and offset; identity and zeros where there are none."""
        if self.matrix is not None and self.offset is not None:
            return self.matrix, self.offset
        return np.eye(self.n_outputs), np.zeros(self.n_outputs)

    def as_powers(self) -> NDArray[np.int64]:
        """Exponents; identity where there are none."""
        if self.powers is not None:
            return self.powers
        return np.eye(len(self.columns), dtype=np.int64)


def joined(several: Sequence[Preprocessing]) -> Preprocessing:
    """Outputs of several preprocessings of the same X, side by side."""
    from scipy.linalg import block_diag  # not needed to load a model

    columns = tuple(column for preprocessing in several for column in preprocessing.columns)
    first = replace(several[0], columns=columns, powers=None, matrix=None, offset=None)
    if all(preprocessing.is_columns for preprocessing in several):
        return first
    powers = None
    if any(preprocessing.powers is not None for preprocessing in several):
        powers = block_diag(*(preprocessing.as_powers() for preprocessing in several)).astype(
            np.int64
        )
        powers = powers.reshape(-1, len(columns))
    if all(preprocessing.matrix is None for preprocessing in several):
        return replace(first, powers=powers)
    parts = [preprocessing.as_matrix() for preprocessing in several]
    matrix = block_diag(*(m for m, _ in parts))
    offset = np.concatenate([b for _, b in parts])
    return replace(first, powers=powers, matrix=matrix, offset=offset)
