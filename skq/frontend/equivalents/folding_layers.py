"""Fold preprocessing into layers: scalers into the first weights, stepwise columns into bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.categories import Memberships
from skq.frontend.predictors import Floats, LayerInputs, Layers
from skq.graph.preprocessing import Column, Preprocessing

#: Fill values whose difference, relative to the terms that they are computed from, is less than
#: this count as equal.
ROUNDING = 1e-12

#: Factors of a product, at most.
MAX_DEGREE = 3


def fold_layers(preprocessing: Preprocessing, layers: Layers) -> Layers:
    """Layers on X, equal to the given ones on the outputs of the preprocessing.

    Parameters
    ----------
    preprocessing : Preprocessing
    layers : Layers
    """
    if layers.inputs is not None:
        raise UnsupportedModelError("layers after two preprocessings")
    matrix, offset = preprocessing.as_matrix()
    weights = matrix @ layers.weights[0]
    bias = layers.biases[0] + offset @ layers.weights[0]
    if preprocessing.powers is None:
        inputs, weights, more = _linear_inputs(preprocessing, weights)
    else:
        inputs, weights, more = _product_inputs(preprocessing, weights)
    return replace(
        layers,
        weights=(weights, *layers.weights[1:]),
        biases=(bias + more, *layers.biases[1:]),
        inputs=inputs,
    )


def _linear_inputs(
    preprocessing: Preprocessing, weights: Floats
) -> tuple[LayerInputs, Floats, Floats]:
    """Inputs of the first layer (X with missing values filled, and bits), its weights and bias."""
    fill = _fill(preprocessing)
    of_features = np.zeros((preprocessing.n_features, weights.shape[1]))
    bits = _Bits(preprocessing.n_features, weights.shape[1])
    bias = np.zeros(weights.shape[1])
    for column, weight in zip(preprocessing.columns, weights, strict=True):
        if column.values is not None:
            bits.add(column, weight)
            continue
        factor, offset = column.affine
        of_features[column.feature] += factor * weight
        bias += offset * weight
        scaled_fill = factor * fill[column.feature]
        rest = column.missing - (scaled_fill + offset)
        if np.isfinite(rest) and abs(rest) > ROUNDING * max(abs(scaled_fill), abs(offset)):
            bits.add_missing(column.feature, rest * weight)
    trees = bits.memberships.ensemble()
    if trees is not None and not of_features.any():
        return LayerInputs(bits=trees, bits_alone=True), bits.weights, bias + bits.bias
    inputs = LayerInputs(fill=_none_if_all_missing(fill), bits=trees)
    return inputs, np.concatenate([of_features, bits.weights]), bias + bits.bias


class _Bits:
    """Bits whose weighted sum is a stepwise column, and their weights."""

    def __init__(self, n_features: int, width: int) -> None:
        self.memberships = Memberships(n_features)
        self.bias = np.zeros(width)
        self._n_features = n_features
        self._weights: list[Floats] = []

    @property
    def weights(self) -> Floats:
        """The weights, of shape (n_bits, width)."""
        return np.array(self._weights).reshape(len(self._weights), len(self.bias))

    def add(self, column: Column, weight: Floats) -> None:
        """Add a weighted column: one bit if it has two values, else one bit for each edge."""
        column = self._without_special_value(column, weight)
        assert column.values is not None
        assert column.edges is not None
        values, missing = column.values, column.missing
        first = values[0] if np.isnan(missing) else missing
        different = np.unique(np.append(values, first))
        self.bias += first * weight
        if len(different) == 2:
            (other,) = different[different != first]
            self._put(
                column.feature, column.edges, values == other, False, (other - first) * weight
            )
            return
        self.bias += (values[0] - first) * weight
        if values[0] != first:
            self.add_missing(column.feature, (first - values[0]) * weight)
        for edge, rise in zip(column.edges, np.diff(values), strict=True):
            if rise:
                bits = np.array([False, True])
                self._put(column.feature, np.array([edge]), bits, False, rise * weight)

    def _without_special_value(self, column: Column, weight: Floats) -> Column:
        """The column without its special value, which gets separate bits.

        Segments of the special value take the value of the segment before them. So a value such as
        ``unknown_value=9999`` is in the weight of no other bit.
        """
        assert column.values is not None
        assert column.edges is not None
        values = column.values
        special = _special_value(values)
        if special is None:
            return column
        is_special = values == special
        source = np.maximum.accumulate(np.where(is_special, -1, np.arange(len(values))))
        source[source < 0] = np.argmin(is_special)  # segments before the first other value take it
        others = values[source]
        missing = column.missing
        for other in np.unique(others[is_special]):
            for_missing = missing == special
            missing = float(other) if for_missing else missing
            bits = is_special & (others == other)
            self._put(column.feature, column.edges, bits, for_missing, (special - other) * weight)
        return replace(column, values=others, missing=missing)

    def add_missing(self, feature: int, weight: Floats) -> None:
        """Add the bit of a missing value of a feature."""
        self._put(feature, np.zeros(0), np.zeros(1, dtype=bool), True, weight)

    def _put(self, feature: int, edges: Any, bits: Any, missing: bool, weight: Floats) -> None:
        index = self.memberships.segments(feature, edges, bits, missing) - self._n_features
        if index == len(self._weights):
            self._weights.append(np.zeros(len(self.bias)))
        self._weights[index] = self._weights[index] + weight


def _special_value(values: Floats) -> float | None:
    """The value of unknown categories, or a value that is far from all others; None without one.

    The first occurs below, above and between the known categories. The second is an end of the
    values whose distance to its neighbour is greater than the range of all others.
    """
    known = np.unique(values)
    if len(known) < 3:
        return None
    if values[0] == values[-1] and np.any(values[1:-1] == values[0]):
        return float(values[0])
    below, above = known[1] - known[0], known[-1] - known[-2]
    if max(below, above) <= known[-1] - known[0] - max(below, above):
        return None
    return float(known[0] if below > above else known[-1])


def _fill(preprocessing: Preprocessing) -> Floats:
    """For each feature the value that replaces NaN, from its first imputed column; else NaN.

    Features that no affine column reads may be missing too. Their fill value is the least value:
    NaN has its code already, so no instruction is needed.
    """
    fill = np.full(preprocessing.n_features, np.nan)
    for column in preprocessing.columns:
        if column.values is None and np.isnan(fill[column.feature]):
            factor, offset = column.affine
            if np.isfinite(column.missing) and factor:
                fill[column.feature] = (column.missing - offset) / factor
    read = {column.feature for column in preprocessing.columns if column.values is None}
    unread = [f for f in range(preprocessing.n_features) if f not in read]
    fill[unread] = (
        0.0 if preprocessing.bounds is None else np.nan_to_num(preprocessing.bounds[0][unread])
    )
    return fill


def _none_if_all_missing(fill: Floats) -> Floats | None:
    return None if np.isnan(fill).all() else fill


def _product_inputs(
    preprocessing: Preprocessing, weights: Floats
) -> tuple[LayerInputs, Floats, Floats]:
    """Inputs of the first layer: products of columns scaled to [-1, 1]; constants go to the bias.

    With a feature x in [m - h, m + h] and ``z = (x - m) / h``, a column ``a * x + b`` is
    ``a * h * z + a * m + b``. Products of columns are expanded into products of z, so that no large
    terms cancel.
    """
    assert preprocessing.powers is not None
    degree = _degree(preprocessing.powers)
    fill, bits = _fill(preprocessing), _Bits(preprocessing.n_features, 1)
    middle, half = preprocessing.middle_and_half()
    columns = [_in_unit(c, preprocessing, fill, bits, middle, half) for c in preprocessing.columns]
    products: dict[tuple[int, ...], Floats] = {}
    for row, weight in zip(preprocessing.powers, weights, strict=True):
        polynomial: dict[tuple[int, ...], float] = {(): 1.0}
        for k in np.repeat(np.arange(len(row)), row):
            j, factor, offset = columns[k]
            polynomial = _times(polynomial, j, factor, offset, j >= preprocessing.n_features)
        for product, factor in polynomial.items():
            products[product] = products.get(product, 0.0) + factor * weight
    bias = products.pop((), np.zeros(weights.shape[1]))
    by_degree = [
        [product for product in products if len(product) == d] for d in range(1, degree + 1)
    ]
    source = np.unique([k for product in products for k in product]).astype(np.int64)
    is_bit = source >= preprocessing.n_features
    at = np.minimum(source, preprocessing.n_features - 1)
    inputs = LayerInputs(
        fill=_none_if_all_missing(fill),
        bits=bits.memberships.ensemble(),
        source=source,
        factor=np.where(is_bit, 1.0, 1.0 / half[at]),
        offset=np.where(is_bit, 0.0, -middle[at] / half[at]),
        products=tuple(np.searchsorted(source, np.array(part)) for part in by_degree if part),
    )
    return inputs, np.array([products[key] for part in by_degree for key in part]), bias


def fold_products(preprocessing: Preprocessing) -> tuple[LayerInputs, Floats]:
    """Products of columns, all of one degree, as derived columns.

    Each factor is divided by its greatest magnitude, so that one scale suits columns of any unit.

    Returns
    -------
    inputs : LayerInputs
    size : ndarray of shape (n_products,)
        What each product is divided by.
    """
    assert preprocessing.powers is not None
    _degree(preprocessing.powers)
    fill, bits = _fill(preprocessing), _Bits(preprocessing.n_features, 1)
    middle, half = preprocessing.middle_and_half()
    terms = []
    for column in preprocessing.columns:
        j, factor, offset = _in_unit(column, preprocessing, fill, bits, middle, half)
        size = abs(factor) + abs(offset) or 1.0
        if j < preprocessing.n_features:  # in terms of the feature, which is not scaled to [-1, 1]
            factor, offset = factor / half[j], offset - factor * middle[j] / half[j]
        terms.append((j, factor / size, offset / size, size))
    source, factors, offsets, sizes = (np.array(values) for values in zip(*terms, strict=True))
    products = [np.repeat(np.arange(len(row)), row) for row in preprocessing.powers]
    inputs = LayerInputs(
        fill=_none_if_all_missing(fill),
        bits=bits.memberships.ensemble(),
        source=source,
        factor=factors,
        offset=offsets,
        products=(np.array(products),),
    )
    return inputs, np.prod(sizes**preprocessing.powers, axis=1)


def _degree(powers: Any) -> int:
    """Greatest number of factors of a product; raises if it is above `MAX_DEGREE`."""
    degree = int(powers.sum(axis=1).max(initial=0))
    if degree > MAX_DEGREE:
        raise UnsupportedModelError(
            f"PolynomialFeatures cannot be quantized: it multiplies {degree} features; use "
            f"degree={MAX_DEGREE} at most."
        )
    return degree


def _in_unit(
    column: Column,
    preprocessing: Preprocessing,
    fill: Floats,
    bits: _Bits,
    middle: Floats,
    half: Floats,
) -> tuple[int, float, float]:
    """``(j, a, b)``: the column is ``a * z + b``, z being feature j scaled to [-1, 1], or bit j."""
    if column.values is None:
        factor, offset = column.affine
        f = column.feature
        if np.isfinite(column.missing) and not np.isclose(
            column.missing, factor * fill[f] + offset
        ):
            raise UnsupportedModelError(
                "PolynomialFeatures cannot be quantized: a feature is imputed in two ways; use "
                "one SimpleImputer."
            )
        return f, factor * float(half[f]), factor * float(middle[f]) + offset
    known = [column.missing] if np.isfinite(column.missing) else []
    different = np.unique([*column.values, *known])
    if len(different) > 2:
        raise UnsupportedModelError(
            "PolynomialFeatures cannot be quantized after columns of several values; encode them "
            "with OneHotEncoder, or put it before them."
        )
    if len(different) == 1:
        return 0, 0.0, float(different[0])
    lowest, rise = float(different[0]), float(different[1] - different[0])
    assert column.edges is not None
    missing = bool(known) and column.missing > lowest
    j = bits.memberships.segments(column.feature, column.edges, column.values > lowest, missing)
    return j, rise, lowest


def _times(
    polynomial: dict[tuple[int, ...], float], j: int, factor: float, offset: float, is_bit: bool
) -> dict[tuple[int, ...], float]:
    """A polynomial times ``factor * z + offset``; the square of a bit is the bit."""
    result: dict[tuple[int, ...], float] = {}
    for product, weight in polynomial.items():
        more = product if is_bit and j in product else tuple(sorted((*product, j)))
        for key, value in ((product, weight * offset), (more, weight * factor)):
            if value:
                result[key] = result.get(key, 0.0) + value
    return result
