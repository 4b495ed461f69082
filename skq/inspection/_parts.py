"""The error of each part of a quantized module on given rows: features, then layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import dispatch
from skq.inspection._layers import float_results, layers_of
from skq.program import Bin, Quantize
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]


#: Ratio of parts without error, in dB.
EXACT_DB = float("inf")


@dataclass(frozen=True)
class Part:
    """One feature or layer.

    Parameters
    ----------
    kind : {"feature", "layer"}
    name : str
    sqnr_db : float
        Signal-to-quantization-noise ratio, ``10 log10(var(real) / mean(error**2))``, in dB. For a
        layer it is that of the worst output, after the best affine map of each output. NaN for
        binned features, whose codes represent no real number.
    saturated : float
        Share of values that lie outside the grid and get the first or the last code.
    used_codes, codes : int
        Number of codes that occur, and number of all codes; for a layer, of weights or leaf values.
    bits : int
        Width of the codes; for a layer, width of its exact sum.
    columns : int
        Number of columns of codes of the feature; 1 for layers. Each column of a binned feature is
        a separate part.
    node : str
        For a layer, name of its node in the float graph; "" if it is not known.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.inspection import quantization_report
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000, n_bits=4).fit(X, y)
    >>> layer = quantization_report(model, X, y).parts[-1]
    >>> layer.kind, layer.name
    ('layer', 'MatMul 1')
    """

    kind: str
    name: str
    sqnr_db: float
    saturated: float
    used_codes: int
    codes: int
    bits: int
    columns: int = 1
    node: str = ""
    sensitivity: float = float("nan")


def parts(
    module: QuantizedModule, X: Sequence[Array], feature_names: list[list[str]]
) -> Iterator[Part]:
    """Every feature that the program reads and every layer, with their errors on given rows.

    Parameters
    ----------
    module : QuantizedModule
    X : sequence of ndarray of shape (n_rows, ...)
        One array for each input.
    feature_names : list of list of str
        Of each input: names of its features, or one name for an input of more than two axes.
    """
    program = module.program
    feeds = dict(enumerate(X))
    layers = layers_of(module)
    codes = [(n, step, t) for n, step, t in program.steps() if isinstance(step, Quantize | Bin)]
    wanted = [n for n, _, _ in codes] + [layer.number for layer in layers]
    values = dict(zip(wanted, dispatch.run(program, feeds, wanted), strict=True))
    for number, step, type_ in codes:
        source = step.inputs[0]
        names = feature_names[source]
        if isinstance(step, Quantize):
            width = module.n_bits["model_inputs"]
            columns = -(-type_.bits // width)
            for part in _quantized_features(step, feeds[source], values[number], names, type_.bits):
                yield replace(part, bits=min(part.bits, width), columns=columns)
        else:
            yield from _binned_features(step, values[number], names)
    reals = float_results(module, feeds, layers)
    for layer, real in zip(layers, reals, strict=True):
        sums, constants = values[layer.number], layer.constants
        yield Part(
            "layer",
            layer.name,
            float("nan") if real is None else _affine_sqnr(real, sums),
            0.0,
            len(np.unique(constants)),
            int(constants.max()) - int(constants.min()) + 1,
            program.types[layer.number].bits,
            node=layer.node,
        )


def _quantized_features(
    step: Quantize, X: Array, codes: Array, names: list[str], bits: int
) -> Iterator[Part]:
    shape, joint = X.shape[1:], X.ndim != 2
    scale = np.broadcast_to(np.asarray(step.scale, np.float64), shape)
    zero_point = np.broadcast_to(np.asarray(step.zero_point, np.float64), shape)
    position = X / scale + zero_point
    outside = (position < step.lo - 0.5) | (position > step.hi + 0.5)
    error = X - (codes - zero_point) * scale
    for j, name in enumerate(names):
        # the elements of an image are one part
        part = (slice(None),) if joint else (slice(None), j)
        reals, errors = X[part], error[part]
        if not joint and np.ptp(reals) > 0 and scale[j] > 1e300:
            errors = reals - reals.mean()  # a feature of weight 0 has a single code
        yield Part(
            "feature",
            name,
            _ratio_db(float(reals.var()), float(np.mean(errors**2))),
            float(outside[part].mean()),
            len(np.unique(codes[part])),
            step.hi - step.lo + 1,
            bits,
        )


def _binned_features(step: Bin, codes: Array, names: list[str]) -> Iterator[Part]:
    counts = np.diff(step.offsets)
    features = np.asarray(step.feature)
    for c, feature in enumerate(features):
        n_codes, n_columns = int(counts[c]) + 1, int((features == feature).sum())
        nth = int((features[: c + 1] == feature).sum())
        yield Part(
            "feature",
            names[feature] + (f" ({nth} of {n_columns})" if n_columns > 1 else ""),
            float("nan"),
            0.0,
            len(np.unique(codes[:, c])),
            n_codes,
            max(1, (n_codes - 1).bit_length()),
        )


def _affine_sqnr(reals: Array, sums: Array) -> float:
    """Ratio after the best affine map from sums to reals; that of the worst output."""
    reals, sums = _rows_of_channels(reals), _rows_of_channels(sums)
    if reals.shape != sums.shape or len(reals) < 2:
        return float("nan")
    real, integer = reals - reals.mean(axis=0), sums - sums.mean(axis=0)
    power = (integer**2).sum(axis=0)
    slope = (real * integer).sum(axis=0) / np.where(power > 0, power, 1.0)
    noise = ((real - slope * integer) ** 2).mean(axis=0)
    signal = (real**2).mean(axis=0)
    matters = signal > 0
    ratios = [_ratio_db(s, n) for s, n in zip(signal[matters], noise[matters], strict=True)]
    return min(ratios, default=float("nan"))


def _rows_of_channels(array: Array) -> Array:
    """All positions below one another: an array of shape (n_positions, n_channels)."""
    last = array.shape[-1] if array.ndim > 1 else 1
    return array.reshape(-1, last).astype(np.float64)


def _ratio_db(signal: float, noise: float) -> float:
    if signal <= 0:
        return float("nan")
    return EXACT_DB if noise <= signal * 1e-24 else float(10 * np.log10(signal / noise))
