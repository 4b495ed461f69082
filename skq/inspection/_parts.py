"""The error of each part of a quantized module on given rows: features, then layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import dispatch
from skq.graph.evaluator import GraphEvaluator
from skq.program import Bin, MatMul, Quantize, Trees
from skq.quantization.lower.digits import joined_sums
from skq.quantization.operator_facts import has_fact
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
        Signal-to-quantization-noise ratio, ``10 log10(var(real) / mean(error**2))``; of a layer
        after the best affine map of each output, worst output first. NaN for binned features, whose
        codes stand for no real number.
    saturated : float
        Share of values on the first or last code that lie beyond the grid.
    used_codes, codes : int
        Number of codes that occur, and of all codes; of a layer: weights or leaf values.
    bits : int
        Width of the codes; of a layer, of its exact sum.
    columns : int
        Columns of codes of this width that the feature stands in; 1 for layers. Each column of a
        binned feature is a part by itself.

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


def parts(module: QuantizedModule, X: Array, feature_names: list[str]) -> Iterator[Part]:
    """Every feature that the program reads and every layer, with their errors on rows X."""
    program = module.program
    steps = list(program.steps())
    joined = joined_sums(program)
    # columns of digits that are multiplied one by one are one layer
    layers = {joined.get(n, n): step for n, step, _ in steps if isinstance(step, MatMul | Trees)}
    wanted = [n for n, step, _ in steps if isinstance(step, Quantize | Bin)] + list(layers)
    values = dict(zip(wanted, dispatch.run(program, {0: X}, wanted), strict=True))
    for number, step, type_ in steps:
        if isinstance(step, Quantize):
            width = module.n_bits["model_inputs"]
            columns = -(-type_.bits // width)
            for part in _quantized_features(step, X, values[number], feature_names, type_.bits):
                yield replace(part, bits=min(part.bits, width), columns=columns)
        elif isinstance(step, Bin):
            yield from _binned_features(step, values[number], feature_names)
    reals = _layer_outputs(module, X)
    for k, (number, step) in enumerate(layers.items()):
        sqnr = float("nan")
        if len(reals) == len(layers):
            sqnr = _affine_sqnr(reals[k], values[number])
        constants = step.weights if isinstance(step, MatMul) else step.leaf_values
        name = f"{type(step).__name__} {k + 1}"
        lo, hi = int(constants.min()), int(constants.max())
        used = len(np.unique(constants))
        yield Part("layer", name, sqnr, 0.0, used, hi - lo + 1, program.types[number].bits)


def _quantized_features(
    step: Quantize, X: Array, codes: Array, names: list[str], bits: int
) -> Iterator[Part]:
    shape = X.shape[1:]
    scale = np.broadcast_to(np.asarray(step.scale, np.float64), shape)
    zero_point = np.broadcast_to(np.asarray(step.zero_point, np.float64), shape)
    for j in range(X.shape[1]):
        position = X[:, j] / scale[j] + zero_point[j]
        outside = (position < step.lo - 0.5) | (position > step.hi + 0.5)
        error = X[:, j] - (codes[:, j] - zero_point[j]) * scale[j]
        if np.ptp(X[:, j]) > 0 and scale[j] > 1e300:
            error = X[:, j] - X[:, j].mean()  # a feature of weight 0 has a single code
        yield Part(
            "feature",
            names[j],
            _ratio_db(float(X[:, j].var()), float(np.mean(error**2))),
            float(outside.mean()),
            len(np.unique(codes[:, j])),
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


def _layer_outputs(module: QuantizedModule, X: Array) -> list[Array]:
    """Values of the float graph after each layer."""
    if module.graph is None:
        return []
    graph = GraphEvaluator(module.graph)
    names = [node.outputs[0] for node in module.graph.nodes if has_fact(node.op_type, "is_layer")]
    values = graph.run({graph.inputs[0].name: X}, names)
    return [values[name] for name in names]


def _affine_sqnr(reals: Array, sums: Array) -> float:
    """Ratio after the best affine map from sums to reals; that of the worst output."""
    reals = reals.reshape(len(reals), -1).astype(np.float64)
    sums = sums.reshape(len(sums), -1).astype(np.float64)
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


def _ratio_db(signal: float, noise: float) -> float:
    if signal <= 0:
        return float("nan")
    return EXACT_DB if noise <= signal * 1e-24 else float(10 * np.log10(signal / noise))
