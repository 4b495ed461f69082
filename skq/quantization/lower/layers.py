"""Layers: a tensor times constant weights, with parameters chosen by the error at the output.

Ways of quantizing the layer are written side by side: each range of
`skq.quantization.search.ranges` with plainly rounded weights, and what
`skq.quantization.search.fit_layer` or `skq.quantization.search.weights` find.
The one whose output is off least on the calibration rows is kept; the program drops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from skq.numerics import dequantize, quantize
from skq.program import MatMul, Quantize, Reshape
from skq.quantization.lower.lowering import FROZEN_SCALE, Lowering
from skq.quantization.lower.missing_codes import filled, unseen_fill, with_fill
from skq.quantization.lower.operands import Array, Features, QuantizedTensor
from skq.quantization.lower.views import arranged, elements, gather
from skq.quantization.search.fit_layer import FittedLayer, LayerData, fit_layer
from skq.quantization.search.ranges import RANGE_METHODS, percentiles

#: Widths above this are left to one grid for all inputs of a layer, and so are wider layers.
MAX_FITTED_BITS = 8
MAX_FITTED_INPUTS = 1500

#: Layers with more weights than this are not fitted: the cost grows with the weights times the
#: rows, and takes tens of seconds a layer from here on.
MAX_FITTED_WEIGHTS = 40_000

#: Room beyond the range of an inner input for other rows, in standard deviations in front of its
#: clip, and the width from which on: the most that costs no more than the better grids gain. So a
#: neuron behind a ReLU that few calibration rows reach, and these barely, has as much as others.
HEADROOMS = (1.0, 0.6, 0.3)
HEADROOM_BITS = 7

#: Layers with more weights are fitted for clipped inputs alone, where clipping is better.
MAX_TRIED_WEIGHTS = 4000

#: Shares that may be cut off at either end of all inputs of a layer.
TAILS = (0.0, 0.001, 0.003, 0.01, 0.02, 0.04, 0.08)

#: Share of the error that has to be left for it: other rows may lie further out.
NEEDED_GAIN = 0.8

#: Relative squared errors that differ by less come from the rounding of floats.
NEGLIGIBLE = 1e-20


def layer(
    low: Lowering,
    x: Features | QuantizedTensor,
    weights: Array,
    reals: Array,
    target: Array,
    *,
    name: str = "",
) -> QuantizedTensor:
    """``x @ weights`` over the last axis of `x`, with the bias that `target` calls for.

    Parameters
    ----------
    low : Lowering
    x : Features or QuantizedTensor
    weights : ndarray of shape (n_in, n_out)
    reals : ndarray of shape (n_rows, ..., n_in)
        What `x` stands for on the calibration rows.
    target : ndarray of shape (n_rows, ..., n_out)
        What the float layer gives.
    name : str
        The result's name in the float graph, for the weights of errors.
    """

    def write(range_method: str, weight_method: str) -> QuantizedTensor:
        n_bits = low.settings.n_bits
        codes = low.codes(x, reals, n_bits=n_bits["op_inputs"], method=range_method)
        rows, order = _rows(low, codes, reals, range_method)
        real = np.asarray(weights, dtype=np.float64)[order]
        return low.matmul(rows, real, target, n_bits=n_bits["op_weights"], method=weight_method)

    data = _layer_data(low, x, weights, target, name) if low.settings.searches else None
    if data is None:
        return least_error(low, write, target, name)
    roomy = () if isinstance(x, Features) else _with_headroom(data, _spread(low, x))
    preferred = _written(low, x, roomy)
    fitted = _written(low, x, _problems(low, x, data, name))
    return least_error(low, write, target, name, fitted, preferred)


def least_error(
    low: Lowering,
    write: Callable[[str, str], QuantizedTensor],
    target: Array,
    name: str,
    fitted: Iterable[QuantizedTensor] | None = None,
    preferred: Iterable[QuantizedTensor] = (),
) -> QuantizedTensor:
    """Of the ways of quantizing a layer, the one with the least error.

    Parameters
    ----------
    low : Lowering
    write : callable
        Writes the layer, by a method for the range of its inputs and one for its weights.
    target : ndarray of shape (n_rows, ...)
        What the float layer gives.
    name : str
        The result's name in the float graph.
    fitted : iterable of QuantizedTensor, default=None
        Further ways. None: weights by "auto", on the best range.
    preferred : iterable of QuantizedTensor
        Ways of which the first that is no worse than the named ones is taken before all others.
    """
    if not low.settings.searches:
        return write(low.settings.range_method, low.settings.range_method)
    options = [write(method, method) for method in RANGE_METHODS]
    errors = [output_error(low, option, target, name) for option in options]
    for option in preferred:
        if output_error(low, option, target, name) <= min(errors) + NEGLIGIBLE:
            return option
    if fitted is None:
        fitted = [write(RANGE_METHODS[_first_least(errors)], "auto")]
    for option in fitted:
        options.append(option)
        errors.append(output_error(low, option, target, name))
    return options[_first_least(errors)]


def _first_least(errors: list[float]) -> int:
    return int((np.array(errors) <= min(errors) + NEGLIGIBLE).argmax())


def output_error(low: Lowering, x: QuantizedTensor, target: Array, name: str = "") -> float:
    """Relative squared error on calibration rows: of the model's outputs, or else of the tensor.

    Parameters
    ----------
    low : Lowering
    x : QuantizedTensor
    target : ndarray of shape (n_rows, ...)
        What the tensor stands for.
    name : str
        Its name in the float graph.
    """
    reals = x.reals(low.sample(x.value)).reshape(len(target), -1)
    return _error_of(low, reals[:, elements(low, x).ravel()].reshape(target.shape), target, name)


def _error_of(low: Lowering, reals: Array, target: Array, name: str) -> float:
    if low.model_error is not None:
        error = low.model_error.of(name, reals)
        if error is not None:
            return error
    size = float(np.abs(target).max(initial=0.0)) or 1.0
    with np.errstate(over="ignore"):
        return float((low.error_weight(name, target) * ((reals - target) / size) ** 2).sum())


def _rows(
    low: Lowering, x: QuantizedTensor, reals: Array, method: str
) -> tuple[QuantizedTensor, Array | slice]:
    """Codes arranged for a product over the last axis, and the order of the inputs in it."""
    if x.view is not None and x.view.ndim == 1 and x.view.size == low.type(x.value).size:
        order = np.argsort(x.view)
        if np.array_equal(x.view[order], np.arange(x.view.size)):
            # a vector in another order: the weights are put into that order instead
            parameters = [
                p if np.ndim(p) == 0 else np.resize(p, x.view.size) for p in (x.scale, x.zero_point)
            ]
            shape = low.type(x.value).shape
            value = x.value if len(shape) == 1 else low.add(Reshape((x.value,), x.view.shape))
            return QuantizedTensor(value, parameters[0], parameters[1]), order
    found = gather(low, x, elements(low, x))
    if found.view is not None:
        n_bits = low.settings.n_bits["op_inputs"]
        found = arranged(low, low.materialize(x, *low.range(reals, n_bits, method=method), n_bits))
    return found, slice(None)


def _layer_data(
    low: Lowering, x: Features | QuantizedTensor, weights: Array, target: Array, name: str
) -> LayerData | None:
    """The layer as `fit_layer` takes it; None where grids cannot be fitted one by one."""
    settings = low.settings
    is_input = isinstance(x, Features)
    input_bits = settings.n_bits["model_inputs" if is_input else "op_inputs"]
    if not is_input:
        input_bits = settings.rounding.limit(input_bits)
    weight_bits = settings.n_bits["op_weights"]
    if (
        not settings.signed_weights
        or max(input_bits, weight_bits) > MAX_FITTED_BITS
        or len(weights) > MAX_FITTED_INPUTS
        or np.size(weights) > MAX_FITTED_WEIGHTS
        or target.ndim != 2
    ):
        return None
    values = _reals(low, x, input_bits)
    if values is None or not np.all(np.isfinite(values)):
        return None
    lo, hi = _range(x, values)
    raw_weights = np.asarray(weights, dtype=np.float64)
    if isinstance(x, Features):
        raw_weights = raw_weights * x.affine()[0][:, None]
        if not np.all(np.isfinite(raw_weights)):
            return None
    return LayerData(
        values,
        raw_weights,
        np.asarray(target, dtype=np.float64),
        low.row_weight,
        low.error_weight(name, target) / low.row_weight[:, None],
        lo=lo,
        hi=hi,
        input_bits=input_bits,
        weight_bits=weight_bits,
        starts_at_zero=isinstance(x, QuantizedTensor) and x.clip is not None,
    )


def _spread(low: Lowering, x: QuantizedTensor) -> Array:
    """Standard deviation of each input in front of its clip."""
    values = replace(x, clip=None).reals(low.sample(x.value))
    deviation = values - low.row_weight @ values
    return np.asarray(np.sqrt(low.row_weight @ (deviation * deviation)))


def _with_headroom(data: LayerData, spread: Array) -> Iterator[LayerData]:
    """The layer with room beyond the ranges of its inputs, from much to little."""
    if data.input_bits < HEADROOM_BITS:
        return
    for share in HEADROOMS:
        room = share * spread
        lo = np.where(data.lo < 0, data.lo - room, data.lo)
        yield replace(data, lo=lo, hi=data.hi + room, clips=False)


def _problems(
    low: Lowering, x: Features | QuantizedTensor, data: LayerData, name: str
) -> Iterator[LayerData]:
    """The layer clipped where the model's outputs allow for it, and as it is."""
    if isinstance(x, Features) and np.any(data.weights[~np.isnan(unseen_fill(x))]):
        yield replace(data, clips=False)
    clipped = _clipped(low, data, name)
    if clipped is not None:
        yield clipped
    if clipped is None or data.weights.size <= MAX_TRIED_WEIGHTS:
        yield data


def _clipped(low: Lowering, data: LayerData, name: str) -> LayerData | None:
    """The layer behind clipped inputs; None if that is no better.

    The share that is cut off at either end, of every input alike, is chosen by the error of the
    model with codes in front of the float layer. Where labels are decided it is enough that the
    layer does what the float layer would do behind clipped inputs.
    """
    errors, tried = [], []
    for share in TAILS:
        shares = np.array([0.0 if data.starts_at_zero else share, 1 - share])
        first, last = percentiles(data.x, data.row_weight, shares) if share else (data.lo, data.hi)
        first, last = np.maximum(first, data.lo), np.minimum(last, data.hi)
        narrow = ~(last > first)
        first, last = np.where(narrow, data.lo, first), np.where(narrow, data.hi, last)
        top = 2**data.input_bits - 1
        scale = np.where(last > first, last / top - first / top, 1.0)
        zero_point = np.rint(-first / scale)
        x = dequantize(quantize(data.x, scale, zero_point, 0, top), scale, zero_point)
        reals = data.target + (x - data.x) @ data.weights
        errors.append(_error_of(low, reals, data.target, name))
        tried.append((first, last))
    best = int(np.argmin(errors))
    if best == 0 or errors[best] > NEEDED_GAIN * errors[0]:
        return None
    first, last = tried[best]
    x, target = np.clip(data.x, first, last), data.target
    if low.model_error is not None and low.model_error.decides:
        target = target + (x - data.x) @ data.weights
    return replace(data, x=x, target=target, lo=first, hi=last)


def _written(
    low: Lowering, x: Features | QuantizedTensor, problems: Iterable[LayerData]
) -> Iterator[QuantizedTensor]:
    """The layer as it is fitted to each problem, but for grids that an unseen filler is not on."""
    hold = unseen_fill(x) if isinstance(x, Features) else None
    for data in problems:
        fitted = fit_layer(data)
        if hold is None or _holds(fitted, hold, data.input_bits):
            yield _as_fitted(low, x, data, fitted)


def _holds(fitted: FittedLayer, values: Array, n_bits: int) -> bool:
    """Whether values of the inputs are within their grids; those that are NaN are not looked at."""
    looked_at = ~np.isnan(values) & (fitted.input_scale > 0)
    scale = np.where(looked_at, fitted.input_scale, 1.0)
    code = np.where(looked_at, np.rint(values / scale + fitted.zero_point), 0.0)
    return bool(np.all((code >= 0) & (code <= 2**n_bits - 1)))


def _as_fitted(
    low: Lowering, x: Features | QuantizedTensor, data: LayerData, fitted: FittedLayer
) -> QuantizedTensor:
    """The instructions of a fitted layer."""
    top = 2**data.input_bits - 1
    frozen = fitted.input_scale == 0
    if isinstance(x, Features):
        scale = np.where(frozen, FROZEN_SCALE, fitted.input_scale)
        zero_point = fitted.zero_point
        codes = low.add(Quantize((x.value,), scale, zero_point.astype(np.int64), lo=0, hi=top))
        codes = filled(low, x, codes, scale, zero_point, top)
    else:
        scale = np.where(frozen, np.maximum(np.abs(data.hi), 1.0) * 2.0, fitted.input_scale)
        # code 0 is real 0: saturating there is the ReLU
        codes = low.on_grid(replace(x, clip=None), scale, fitted.zero_point, 0, top).value
    value = low.add(MatMul((codes,), fitted.integers))
    share = data.error_weight * data.row_weight[:, None]
    share = share / share.sum(axis=0)
    mean_error = (share * (low.sample(value) - data.target / fitted.scale)).sum(axis=0)
    return QuantizedTensor(value, fitted.scale, mean_error)


def _reals(low: Lowering, x: Features | QuantizedTensor, input_bits: int) -> Array | None:
    """What the calibration rows give there, as (n_rows, n_in); None if the form does not fit."""
    if isinstance(x, Features):
        return with_fill(x, x.raw.astype(np.float64), x.lo, x.hi)[0] if x.raw.ndim == 2 else None
    if x.function is not None or x.view is not None or len(low.type(x.value).shape) != 1:
        return None
    if x.is_plain and low.type(x.value).bits <= input_bits:
        return None  # narrow codes already: nothing is to be chosen
    if x.clip is not None and x.clip != (0.0, float(np.inf)):
        return None
    return x.reals(low.sample(x.value))


def _range(x: Features | QuantizedTensor, values: Array) -> tuple[Array, Array]:
    if isinstance(x, Features):
        return with_fill(x, values, np.asarray(x.lo, np.float64), np.asarray(x.hi, np.float64))[1:]
    return values.min(axis=0), values.max(axis=0)
