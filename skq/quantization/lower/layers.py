"""Layers: a tensor times constant weights, with parameters chosen by the output error.

Several candidates are written to the program: each range method of
`skq.quantization.search.ranges` with plainly rounded weights, and the results of
`skq.quantization.search.fit_layer` or `skq.quantization.search.weights`.
The candidate with the least error on the calibration rows is returned. Instructions of the others
are removed when the program is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skq.numerics import dequantize, quantize
from skq.program import Add, MatMul, Quantize, Reshape
from skq.program.instructions.reals import FROZEN_SCALE
from skq.quantization.lower.digits import code_bits, product
from skq.quantization.lower.feature_grids import integer_columns
from skq.quantization.lower.integer_weights import offsets
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.missing_codes import (
    far_fills,
    filled,
    missing_bits,
    unseen_fill,
    with_fill,
    with_near_fills,
)
from skq.quantization.lower.operands import Array, Features, QuantizedTensor
from skq.quantization.lower.trained import TrainedConstant, trained_codes, trained_product
from skq.quantization.lower.views import arranged, elements, gather
from skq.quantization.search.fit_layer import FittedLayer, LayerData, fit_layer
from skq.quantization.search.least import first_least
from skq.quantization.search.ranges import RANGE_METHODS, percentiles
from skq.quantization.search.settings import ERRORS, LAYERS


def layer(
    low: Lowering,
    x: Features | QuantizedTensor,
    weights: Array,
    reals: Array,
    target: Array,
    *,
    name: str = "",
    has_bias: bool = True,
) -> QuantizedTensor:
    """``x @ weights`` over the last axis of `x`, with the bias that follows from `target`.

    Where features are multiplied and nothing is added, each has a code for 0, for any range,
    and a row of zeros gives exactly 0.

    Parameters
    ----------
    low : Lowering
    x : Features or QuantizedTensor
    weights : ndarray of shape (n_in, n_out)
    reals : ndarray of shape (n_rows, ..., n_in)
        Real values of `x` on the calibration rows.
    target : ndarray of shape (n_rows, ..., n_out)
        Output of the float layer.
    name : str
        The result's name in the float graph, for the weights of errors.
    has_bias : bool, default=True
        Whether there may be a bias.
    """
    far = far_fills(x) if isinstance(x, Features) else np.zeros(0, dtype=np.int64)
    if len(far):
        assert isinstance(x, Features)
        return _with_far_fills(low, x, far, weights, reals, target, has_bias=has_bias)
    holds_zero = (
        isinstance(x, Features)
        and x.raw.ndim == 2
        and not (has_bias or low.settings.discrete or np.any(x.affine()[1]))
    )
    if holds_zero:
        assert isinstance(x, Features)
        x = x.holding_zero()

    def write(range_method: str, weight_method: str) -> QuantizedTensor:
        n_bits = low.settings.n_bits
        codes = low.codes(
            x, reals, n_bits=n_bits["op_inputs"], method=range_method, in_columns=True
        )
        rows, order = _rows(low, codes, reals, range_method)
        real = np.asarray(weights, dtype=np.float64)[order]
        return low.matmul(
            rows,
            real,
            target,
            n_bits=n_bits["op_weights"],
            method=weight_method,
            holds_zero=holds_zero,
        )

    if low.settings.monotonic:
        return write(low.settings.range_method, low.settings.range_method)
    data = _layer_data(low, x, weights, target, name) if low.settings.searches else None
    if data is None:
        result = least_error(low, write, target, name)
        return _with_whole_codes(low, x, result, write, data, target, name)
    roomy = () if isinstance(x, Features) else _with_headroom(data, _spread(low, x))
    preferred = _written(low, x, roomy)
    fitted = _written(low, x, _problems(low, x, data, name))
    result = least_error(low, write, target, name, fitted, preferred)
    return _with_whole_codes(low, x, result, write, data, target, name)


def _with_far_fills(
    low: Lowering,
    x: Features,
    far: NDArray[np.int64],
    weights: Array,
    reals: Array,
    target: Array,
    *,
    has_bias: bool,
) -> QuantizedTensor:
    """The layer with near fill values, plus a correction where a value is missing."""
    near = with_near_fills(x, far)
    assert x.fill is not None
    assert near.fill is not None
    change = (x.fill - near.fill)[far] * x.affine()[0][far]
    added = change[:, None] * np.asarray(weights, dtype=np.float64)[far]
    missing = np.isnan(x.raw[:, far]).astype(np.float64)
    result = layer(low, near, weights, reals, target - missing @ added, has_bias=has_bias)
    bits = low.add(missing_bits(x, far))
    more = low.add(MatMul((bits,), offsets(added, result.scale)))
    return replace(result, value=low.add(Add((result.value, more))))


def _with_whole_codes(
    low: Lowering,
    x: Features | QuantizedTensor,
    result: QuantizedTensor,
    write: Callable[[str, str], QuantizedTensor],
    data: LayerData | None,
    target: Array,
    name: str,
) -> QuantizedTensor:
    """The layer with scale 1 for integer columns, if its error is about that of `result`.

    Codes of scale 1 are exact and cost no arithmetic. But columns of a small range then have few
    codes, and need larger weights.
    """
    n_bits = low.settings.n_bits
    if (
        not (isinstance(x, Features) and low.settings.searches and x.raw.ndim == 2)
        or n_bits["op_weights"] < LAYERS.least_whole_weight_bits
    ):
        return result
    whole = integer_columns(x, code_bits(low.settings, x))
    if not np.any(whole):
        return result
    if data is None:
        option = write("whole", "auto")
    else:
        option = next(_written(low, x, [replace(data, whole=whole)]), result)
    decides = low.model_error is not None and low.model_error.decides
    allowed = LAYERS.whole_error * output_error(low, result, target, name) + LAYERS.negligible
    if decides:
        allowed += LAYERS.whole_labels * ERRORS.changed_label
    return option if output_error(low, option, target, name) <= allowed else result


def trained_layer(
    low: Lowering,
    x: Features | QuantizedTensor,
    weights: Array,
    scale: Array,
    bias: Array | TrainedConstant | None = None,
    *,
    name: str,
) -> QuantizedTensor:
    """A layer whose weights are integers in the graph, over the last axis of `x`.

    See `skq.quantization.lower.trained.trained_product` for the parameters.
    """
    rows, order = _rows(low, trained_codes(low, x, name), np.empty(0), "minmax")
    return trained_product(low, rows, weights[order], scale[order], bias, name=name)


def least_error(
    low: Lowering,
    write: Callable[[str, str], QuantizedTensor],
    target: Array,
    name: str,
    fitted: Iterable[QuantizedTensor] | None = None,
    preferred: Iterable[QuantizedTensor] = (),
) -> QuantizedTensor:
    """The candidate layer with the least error.

    Parameters
    ----------
    low : Lowering
    write : callable
        Writes a candidate: takes a method for the range of the inputs and one for the weights.
    target : ndarray of shape (n_rows, ...)
        Output of the float layer.
    name : str
        The result's name in the float graph.
    fitted : iterable of QuantizedTensor, default=None
        More candidates. None: weights by "auto", on the best range.
    preferred : iterable of QuantizedTensor
        Candidates that are taken first: the first one that is no worse than the named methods.
    """
    if not low.settings.searches:
        return write(low.settings.range_method, low.settings.range_method)
    options = [write(method, method) for method in RANGE_METHODS]
    errors = [output_error(low, option, target, name) for option in options]
    for option in preferred:
        if output_error(low, option, target, name) <= min(errors) + LAYERS.negligible:
            return option
    if fitted is None:
        fitted = [write(RANGE_METHODS[first_least(errors, margin=LAYERS.negligible)], "auto")]
    for option in fitted:
        options.append(option)
        errors.append(output_error(low, option, target, name))
    return options[first_least(errors, margin=LAYERS.negligible)]


def output_error(low: Lowering, x: QuantizedTensor, target: Array, name: str = "") -> float:
    """Relative squared error on calibration rows: of the model's outputs, or else of the tensor.

    Parameters
    ----------
    low : Lowering
    x : QuantizedTensor
    target : ndarray of shape (n_rows, ...)
        Real values of the tensor.
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
    """Codes whose last axis is multiplied, and the order of the inputs in it."""
    if x.view is not None and x.view.ndim == 1 and x.view.size == low.type(x.value).size:
        order = np.argsort(x.view)
        if np.array_equal(x.view[order], np.arange(x.view.size)):
            # a permuted vector: permute the weights instead
            parameters = [
                p if np.ndim(p) == 0 else np.resize(p, x.view.size) for p in (x.scale, x.zero_point)
            ]
            shape = low.type(x.value).shape
            value = x.value if len(shape) == 1 else low.add(Reshape((x.value,), x.view.shape))
            return QuantizedTensor(value, parameters[0], parameters[1]), order
    result = gather(low, x, elements(low, x))
    if result.view is not None:
        n_bits = low.settings.n_bits["op_inputs"]
        result = arranged(low, low.materialize(x, *low.range(reals, n_bits, method=method), n_bits))
    return result, slice(None)


def _layer_data(
    low: Lowering, x: Features | QuantizedTensor, weights: Array, target: Array, name: str
) -> LayerData | None:
    """The layer as `fit_layer` takes it; None where input grids cannot be fitted one by one."""
    settings = low.settings
    if isinstance(x, Features):
        column_bits, input_bits = settings.n_bits["model_inputs"], code_bits(settings, x)
    else:
        column_bits = input_bits = settings.rounding.limit(settings.n_bits["op_inputs"])
    weight_bits = settings.n_bits["op_weights"]
    if (
        not settings.signed_weights
        or max(column_bits, weight_bits) > LAYERS.max_fitted_bits
        or len(weights) > LAYERS.max_fitted_inputs
        or np.size(weights) > LAYERS.max_fitted_weights
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
        holds_zero=isinstance(x, Features) and x.holds_zero,
        are_digits=input_bits > column_bits,
    )


def _spread(low: Lowering, x: QuantizedTensor) -> Array:
    """Standard deviation of each input before its clip."""
    values = replace(x, clip=None).reals(low.sample(x.value))
    deviation = values - low.row_weight @ values
    return np.asarray(np.sqrt(low.row_weight @ (deviation * deviation)))


def _with_headroom(data: LayerData, spread: Array) -> Iterator[LayerData]:
    """The layer with input ranges that are widened, from much to little."""
    if data.input_bits < LAYERS.headroom_bits:
        return
    for share in LAYERS.headrooms:
        room = share * spread
        lo = np.where(data.lo < 0, data.lo - room, data.lo)
        yield replace(data, lo=lo, hi=data.hi + room, clips=False)


def _problems(
    low: Lowering, x: Features | QuantizedTensor, data: LayerData, name: str
) -> Iterator[LayerData]:
    """The layer with clipped inputs, where that lowers the model's error, and unchanged."""
    if isinstance(x, Features) and np.any(data.weights[~np.isnan(unseen_fill(x))]):
        yield replace(data, clips=False)
    clipped = _clipped(low, data, name)
    if clipped is not None:
        yield clipped
    if clipped is None or data.weights.size <= LAYERS.max_tried_weights:
        yield data


def _clipped(low: Lowering, data: LayerData, name: str) -> LayerData | None:
    """The layer with clipped inputs; None if that does not lower the error.

    The same share of rows is clipped at either end of every input. The share is chosen by the error
    of the model with quantized inputs of the float layer. Where labels are decided, the target is
    the result of the float layer for clipped inputs.
    """
    clipped = np.array(LAYERS.clipped_shares)
    errors, tried = [], []
    low_shares = np.zeros(len(clipped)) if data.starts_at_zero else clipped
    ends = percentiles(data.x, data.row_weight, np.concatenate([low_shares, 1 - clipped]))
    lows, highs = ends[: len(clipped)], ends[len(clipped) :]
    lows[clipped == 0], highs[clipped == 0] = data.lo, data.hi
    for first, last in zip(lows, highs, strict=True):
        first, last = np.maximum(first, data.lo), np.minimum(last, data.hi)
        if data.holds_zero:
            first, last = np.minimum(first, 0.0), np.maximum(last, 0.0)
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
    if best == 0 or errors[best] > LAYERS.needed_gain * errors[0]:
        return None
    first, last = tried[best]
    x, target = np.clip(data.x, first, last), data.target
    if low.model_error is not None and low.model_error.decides:
        target = target + (x - data.x) @ data.weights
    return replace(data, x=x, target=target, lo=first, hi=last)


def _written(
    low: Lowering, x: Features | QuantizedTensor, problems: Iterable[LayerData]
) -> Iterator[QuantizedTensor]:
    """The layer fitted to each problem whose grids hold the fill value of missing values."""
    hold = unseen_fill(x) if isinstance(x, Features) else None
    for data in problems:
        fitted = fit_layer(data)
        if hold is None or _holds(fitted, hold, data.input_bits):
            yield _as_fitted(low, x, data, fitted)


def _holds(fitted: FittedLayer, values: Array, n_bits: int) -> bool:
    """Whether the grids of the inputs have codes for these values; NaN is ignored."""
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
        codes = filled(low.add, x, codes, scale, zero_point, top)
    else:
        scale = np.where(frozen, np.maximum(np.abs(data.hi), 1.0) * 2.0, fitted.input_scale)
        # code 0 represents 0, so saturating at it is the ReLU
        codes = low.on_grid(replace(x, clip=None), scale, fitted.zero_point, 0, top).value
    value = product(low, low.settings, codes, fitted.integers)
    if data.holds_zero:
        return QuantizedTensor(value, fitted.scale, fitted.zero_point @ fitted.integers)
    share = data.error_weight * data.row_weight[:, None]
    share = share / share.sum(axis=0)
    mean_error = (share * (low.sample(value) - data.target / fitted.scale)).sum(axis=0)
    return QuantizedTensor(value, fitted.scale, mean_error)


def _reals(low: Lowering, x: Features | QuantizedTensor, input_bits: int) -> Array | None:
    """Inputs on the calibration rows, of shape (n_rows, n_in); None if they cannot be fitted."""
    if isinstance(x, Features):
        return with_fill(x, x.raw.astype(np.float64), x.lo, x.hi)[0] if x.raw.ndim == 2 else None
    if x.function is not None or x.view is not None or len(low.type(x.value).shape) != 1:
        return None
    if x.is_plain and low.type(x.value).bits <= input_bits:
        return None  # codes are narrow enough: there is nothing to choose
    if x.clip is not None and x.clip != (0.0, float(np.inf)):
        return None
    return x.reals(low.sample(x.value))


def _range(x: Features | QuantizedTensor, values: Array) -> tuple[Array, Array]:
    if isinstance(x, Features):
        return with_fill(x, values, np.asarray(x.lo, np.float64), np.asarray(x.hi, np.float64))[1:]
    return values.min(axis=0), values.max(axis=0)
