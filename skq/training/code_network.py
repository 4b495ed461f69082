"""A network of integer layers in plain NumPy: what training for few bits begins and ends with.

Everything is counted in codes. Input feature ``j`` has the code
``q = clip(rint(x / scale + zero_point), 0, top)``; a layer gives
``scale * (q @ integers) + offset`` in float64, with one scale and offset per output. Hidden layers
give codes again: ``clip(rint(result), 0, top)``, so a ReLU is the saturation at code 0 and each
unit has its own step, which is part of the layer's scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.predictors import Layers
from skq.program import IntegerProgram, MatMul, Quantize, Requantize
from skq.quantization.search.ranges import find_range
from skq.quantization.search.weights import quantize_weights

Floats = NDArray[np.float64]

#: Elementwise functions between layers whose codes are not codes of the sums themselves.
FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "tanh": np.tanh,
    "logistic": lambda x: np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(x)))),
}
#: Range of the results of each function, which its codes cover.
FUNCTION_RANGES = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0)}

#: Steps of columns that are constant in calibration are larger than this.
LARGEST_STEP = 1e300


@dataclass(frozen=True, eq=False)
class CodeLayer:
    """Integer weights of a layer, and the real values of its sums.

    Parameters
    ----------
    integers : ndarray of shape (n_in, n_out), int64
    scale, offset : ndarray of shape (n_out,)
        The layer gives ``scale * (codes @ integers) + offset``.
    unit, base : ndarray of shape (n_out,)
        A code of the result, if there is one, represents ``base + unit * code``.
    """

    integers: NDArray[np.int64]
    scale: Floats
    offset: Floats
    unit: Floats
    base: Floats

    def __call__(self, codes: Floats) -> Floats:
        """The results for rows of codes."""
        return np.asarray(self.scale * (codes @ self.integers) + self.offset)


@dataclass(frozen=True, eq=False)
class CodeNetwork:
    """Input grids and layers; see the module's docstring.

    Parameters
    ----------
    input_scale, input_zero : ndarray of shape (n_features,)
        Grid of each feature; the zero point need not be whole.
    input_top, hidden_top : int
        Greatest code of the features, and of hidden units.
    weight_top : int
        Greatest integer weight; with 1 bit, weights are -1 and 1.
    weight_bits : int
    layers : tuple of CodeLayer
    activation : {"identity", "relu", "tanh", "logistic"}
        Between layers.
    """

    input_scale: Floats
    input_zero: Floats
    input_top: int
    hidden_top: int
    weight_bits: int
    layers: tuple[CodeLayer, ...]
    activation: str = "identity"

    @property
    def weight_top(self) -> int:
        """Greatest integer weight."""
        return max(1, 2 ** (self.weight_bits - 1) - 1)

    def input_codes(self, X: Floats) -> Floats:
        """Codes of rows of features."""
        with np.errstate(over="ignore"):
            codes = np.rint(X / self.input_scale + self.input_zero)
        return np.asarray(np.clip(codes, 0, self.input_top))

    def hidden_codes(self, results: Floats, layer: CodeLayer) -> Floats:
        """Codes of the results of a layer that is not the last."""
        if self.activation in FUNCTIONS:
            results = (FUNCTIONS[self.activation](results) - layer.base) / layer.unit
        return np.asarray(np.clip(np.rint(results), 0, self.hidden_top))

    def scores(self, X: Floats) -> Floats:
        """Results of the last layer."""
        codes = self.input_codes(X)
        for layer in self.layers[:-1]:
            codes = self.hidden_codes(layer(codes), layer)
        return self.layers[-1](codes)

    def float_layers(self) -> tuple[list[Floats], list[Floats]]:
        """Weights and biases of the float network whose integers these are.

        It differs from the integers by the rounding and the saturation of the codes.
        """
        weights, biases = [], []
        step, start = self.input_scale, -self.input_zero * self.input_scale
        for index, layer in enumerate(self.layers):
            scale, offset = layer.scale, layer.offset
            is_last = index == len(self.layers) - 1
            if not is_last and self.activation not in FUNCTIONS:  # from codes to reals
                scale, offset = scale * layer.unit, offset * layer.unit + layer.base
            weight = layer.integers * scale / step[:, None]
            weights.append(weight)
            biases.append(offset - start @ weight)
            step, start = layer.unit, layer.base
        return weights, biases


def activated(values: Floats, activation: str) -> Floats:
    """The function between layers."""
    if activation in FUNCTIONS:
        return np.asarray(FUNCTIONS[activation](values))
    return np.maximum(values, 0.0) if activation == "relu" else values


def float_scores(layers: Layers, X: Floats) -> list[Floats]:
    """Results of each layer of a float network."""
    results = []
    for weights, bias in zip(layers.weights, layers.biases, strict=True):
        results.append(X @ weights + bias)
        X = activated(results[-1], layers.activation)
    return results


def starting_network(
    program: IntegerProgram,
    layers: Layers,
    X: Floats,
    row_weight: Floats,
    n_bits: Mapping[str, int],
    *,
    has_bias: bool = True,
) -> CodeNetwork:
    """The network that post-training quantization has found, or min-max grids where it is another.

    Parameters
    ----------
    program : IntegerProgram
        Of post-training quantization.
    layers : Layers
        The float network.
    X : ndarray of shape (n_rows, n_features)
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.
    n_bits : mapping of str to int
        The widths by role.
    has_bias : bool, default=True
        False for a single layer that gives exactly 0 for features of 0, which have a code then.
    """
    input_top, hidden_top = (2 ** n_bits[name] - 1 for name in ("model_inputs", "op_inputs"))
    found = _found(program, len(layers.weights), input_top, hidden_top)
    bits = n_bits["model_inputs"]
    scale, zero = found[0] if found else _min_max(X, row_weight, bits, holds_zero=not has_bias)
    scale, zero = (
        np.where(scale < LARGEST_STEP, scale, 1.0),
        np.where(scale < LARGEST_STEP, zero, 0.0),
    )
    parts: dict[str, Any] = {
        "input_scale": scale,
        "input_zero": zero,
        "input_top": input_top,
        "hidden_top": hidden_top,
        "weight_bits": n_bits["op_weights"],
        "activation": layers.activation,
    }
    network = CodeNetwork(**parts, layers=())
    codes = network.input_codes(X)
    constant = np.ptp(codes, axis=0) == 0
    step = scale
    result = []
    reals = float_scores(layers, X)
    for index, target in enumerate(reals):
        is_last = index == len(reals) - 1
        if found:
            integers, of_codes = found[1][index]
        else:
            folded = layers.weights[index] * step[:, None]
            integers = quantize_weights(folded, codes, n_bits["op_weights"], row_weight)[0]
            of_codes = None
        if index == 0:
            integers = np.where(constant[:, None], 0, integers)
        if has_bias:
            layer = _fitted(integers, codes @ integers, target, row_weight)
        else:
            layer = _through_zero(integers, (codes - zero) @ integers, target, row_weight, zero)
        if not is_last:
            layer = _in_codes(layer, target, of_codes, layers.activation, hidden_top)
            codes = network.hidden_codes(layer(codes), layer)
            step = layer.unit
        result.append(layer)
    return CodeNetwork(**parts, layers=tuple(result))


def _fitted(
    integers: NDArray[np.int64], sums: Floats, target: Floats, row_weight: Floats
) -> CodeLayer:
    """The layer with the scale and offset that fit a target best, by least squares."""
    mean, wanted = row_weight @ sums, row_weight @ target
    deviation = sums - mean
    power = row_weight @ (deviation * deviation)
    agreement = row_weight @ (deviation * (target - wanted))
    scale = _slope(agreement, power, target - wanted, row_weight)
    one = np.ones_like(scale)
    return CodeLayer(integers, scale, wanted - scale * mean, one, 0.0 * one)


def _through_zero(
    integers: NDArray[np.int64], sums: Floats, target: Floats, row_weight: Floats, zero: Floats
) -> CodeLayer:
    """The same without an offset for features of 0, whose codes are `zero`."""
    scale = _slope(row_weight @ (sums * target), row_weight @ (sums * sums), target, row_weight)
    one = np.ones_like(scale)
    return CodeLayer(integers, scale, -scale * (zero @ integers), one, 0.0 * one)


def _slope(agreement: Floats, power: Floats, target: Floats, row_weight: Floats) -> Floats:
    """Scales by least squares; a small one if the integers are constant."""
    useful = (power > 0) & (agreement > 0)
    spread = np.sqrt(row_weight @ target**2)
    scale = np.where(useful, agreement / np.where(useful, power, 1.0), 0.1 * spread)
    return np.asarray(np.where(scale > 0, scale, 1.0))


def _in_codes(
    layer: CodeLayer,
    target: Floats,
    of_codes: tuple[Floats, Floats] | None,
    activation: str,
    top: int,
) -> CodeLayer:
    """A hidden layer whose results are in steps of codes; `of_codes`: its known scale and offset.

    Functions have codes over their range.
    """
    if activation in FUNCTIONS:
        first, last = FUNCTION_RANGES[activation]
        one = np.ones_like(layer.scale)
        unit, base = one * (last - first) / top, one * first
        return CodeLayer(layer.integers, layer.scale, layer.offset, unit, base)
    if of_codes is not None:
        scale, offset = of_codes
        unit = layer.scale / scale
        base = np.zeros_like(unit) if activation == "relu" else layer.offset - unit * offset
        return CodeLayer(layer.integers, scale, offset, unit, base)
    lo = np.zeros(target.shape[1]) if activation == "relu" else np.quantile(target, 0.002, axis=0)
    hi = np.quantile(target, 0.998, axis=0)
    unit = np.maximum(hi - lo, 1e-6 * np.abs(target).max() + np.finfo(np.float64).tiny) / top
    return CodeLayer(layer.integers, layer.scale / unit, (layer.offset - lo) / unit, unit, lo)


_Found = tuple[tuple[Floats, Floats], list[tuple[NDArray[np.int64], tuple[Floats, Floats] | None]]]


def _found(
    program: IntegerProgram, n_layers: int, input_top: int, hidden_top: int
) -> _Found | None:
    """Grids and layers of a program of Quantize, MatMul, Requantize, … MatMul; None for others."""
    steps = [(number, step) for number, step, _ in program.steps()]
    value, quantizer = steps[0] if steps else (0, None)
    if not isinstance(quantizer, Quantize) or (quantizer.lo, quantizer.hi) != (0, input_top):
        return None
    shape = program.inputs[0].shape
    grids = (
        np.broadcast_to(np.asarray(part, np.float64), shape).copy()
        for part in (quantizer.scale, quantizer.zero_point)
    )
    layers: list[tuple[NDArray[np.int64], tuple[Floats, Floats] | None]] = []
    for index in range(n_layers):
        product = _reader(steps, value, MatMul)
        if product is None:
            return None
        value, matmul = product
        integers = np.asarray(matmul.weights, np.int64)
        if index == n_layers - 1:
            layers.append((integers, None))
            continue
        requantized = _reader(steps, value, Requantize)
        if requantized is None:
            return None
        value, requantize = requantized
        if (requantize.lo, requantize.hi) != (0, hidden_top):
            return None
        n_out = integers.shape[1]
        scale, offset = (
            np.broadcast_to(np.asarray(part, np.float64) / 2.0**requantize.shift, (n_out,))
            for part in (requantize.multiplier, requantize.offset)
        )
        if np.any(scale <= 0):
            return None
        layers.append((integers, (scale.copy(), offset - 0.5)))  # it is rounded half up
    scale, zero = grids
    return (scale, zero), layers


def _reader(steps: Sequence[tuple[int, Any]], value: int, kind: type) -> tuple[int, Any] | None:
    """The one instruction that reads a value, if it is of a kind."""
    readers = [(number, step) for number, step in steps if value in step.inputs]
    return readers[0] if len(readers) == 1 and isinstance(readers[0][1], kind) else None


def _min_max(
    X: Floats, row_weight: Floats, n_bits: int, *, holds_zero: bool
) -> tuple[Floats, Floats]:
    """Grids from the least to the greatest value; with few bits by the least squared error."""
    lo, hi = X.min(axis=0), X.max(axis=0)
    lo, hi = find_range(X, row_weight, lo, hi, n_bits, "mse" if n_bits <= 4 else "minmax")
    if holds_zero:
        lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
    top = 2**n_bits - 1
    scale = np.where(hi > lo, hi / top - lo / top, np.maximum(np.abs(hi), 1.0) * 2.0)
    return scale, np.rint(-lo / scale)
