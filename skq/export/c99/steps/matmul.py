"""Matrix products: exact sums over constant weights, with a Requantize of them fused into the loop.

For size, weights of less than 8 bits (and of 9 to 15) are packed in the bits that they need::

    for each output:                      bits, n_bits = stream of the weights
        sum = 0
        for each input: sum += x[i] * (next field - bias)

For speed they are plain arrays, and inputs are taken four at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.export.c99.ctypes import counter, literal, unsigned, working_type
from skq.export.c99.steps.rescale import Rescaling
from skq.numerics import bit_width

#: Weights are packed if that saves at least this many bytes: about the code size of unpacking.
LEAST_SAVED = 48


def matmul(body: Any, value: int, rescaled: int | None) -> None:
    """Write a product, and the Requantize that is fused with it.

    Parameters
    ----------
    body : Body
    value : int
        Number of the product.
    rescaled : int or None
        Number of the rescaling.
    """
    unit, step = body.unit, body.unit.step(value)
    operand = unit.type(step.inputs[0])
    weights = np.asarray(step.weights).astype(np.int64)
    n_in, n_out = weights.shape
    rows = math.prod(operand.shape[:-1])
    x = body.buffer(step.inputs[0])
    target = body.buffer(value if rescaled is None else rescaled)
    kind = _accumulator(weights, *operand.interval)
    at = "o" if rows == 1 else f"r * {n_out}u + o"
    setup, advance = _products(body, weights, x, "i" if rows == 1 else f"r * {n_in}u + i", kind)
    if rescaled is None:
        end = [f"{target.at(at)} = ({target.ctype})sum;"]
    else:
        result = unit.type(rescaled)
        form = Rescaling.of(unit.step(rescaled), unit.type(value), result)
        end = form.lines(unit, "sum", "o", target.at(at), target.ctype, result.interval[0])
    lines = [f"{kind} sum = 0;", *advance, *end]
    lines = [*setup, *body.loop("o", n_out, lines)]
    body.write(*(["{", *_indented(lines), "}"] if rows == 1 else body.loop("r", rows, lines)))


def _accumulator(weights: NDArray[np.int64], lo: int, hi: int) -> str:
    """Type that holds every partial sum, in any order of addition."""
    exact = weights.astype(object)
    products = [exact * lo, exact * hi]
    high = np.maximum(np.maximum(*products), 0).sum(axis=0).max(initial=0)
    low = np.minimum(np.minimum(*products), 0).sum(axis=0).min(initial=0)
    return working_type(int(low), int(high), lo, hi, int(weights.min(initial=0)),
                        int(weights.max(initial=0)))  # fmt: skip


def _products(
    body: Any, weights: NDArray[np.int64], x: Any, index: str, kind: str
) -> tuple[list[str], list[str]]:
    """Statements before the loop over outputs, and those that sum for one output."""
    unit = body.unit
    n_in, n_out = weights.shape
    flat = weights.T.ravel()  # the weights of an output are contiguous
    bits = bit_width(int(flat.min(initial=0)), int(flat.max(initial=0)))
    plain = len(flat) * (1 if bits <= 8 else 2 if bits <= 16 else 4)
    packed = -(-len(flat) * bits // 8)
    comment = f"weights, {n_out} times {n_in}"
    k = counter(len(flat))
    if not unit.small or bits > 16 or plain - packed < LEAST_SAVED:
        table = unit.tables.integers(flat, comment)
        term = f"sum += ({kind}){x.at(index)} * ({kind}){table.at('k')};"
        width = 1 if unit.small or n_in % 4 else 4
        if width == 1:
            return [f"{k} k = 0u;"], body.loop("i", n_in, [term, "k++;"])
        terms = [
            f"sum += ({kind}){x.at(_plus(index, d))} * ({kind}){table.at(_plus('k', d))};"
            for d in range(width)
        ]
        loop = f"for ({counter(n_in)} i = 0u; i < {unsigned(n_in)}; i += {width}u) {{"
        return [f"{k} k = 0u;"], [loop, *_indented([*terms, f"k += {width}u;"]), "}"]
    bias = -int(flat.min()) if flat.min() < 0 else 0
    bias = 2 ** (bits - 1) if bias else 0
    codes = flat + bias
    if 8 % bits == 0 and n_in % (8 // bits) == 0:
        return _whole_bytes(body, codes, bits, bias, x, index, kind, comment, n_in)
    table = unit.tables.bits(codes.tolist(), bits, comment, spare=0)
    less = f" - {literal(bias)}" if bias else ""
    reading = [
        f"while (n_bits < {bits}u) {{",
        f"    bits |= (uint32_t){table.at('k')} << n_bits;",
        "    k++;",
        "    n_bits = (uint8_t)(n_bits + 8u);",
        "}",
        f"sum += ({kind}){x.at(index)} * (({kind})(bits & {2**bits - 1}u){less});",
        f"bits >>= {bits};",
        f"n_bits = (uint8_t)(n_bits - {bits}u);",
    ]
    setup = [f"{k} k = 0u;", "uint32_t bits = 0u;", "uint8_t n_bits = 0u;"]
    return setup, body.loop("i", n_in, reading)


def _whole_bytes(
    body: Any, codes: NDArray[np.int64], bits: int, bias: int, x: Any, index: str, kind: str,
    comment: str, n_in: int,
) -> tuple[list[str], list[str]]:  # fmt: skip
    """Fields of 1, 2 or 4 bits, a byte at a time."""
    width = 8 // bits
    table = body.unit.tables.bits(codes.tolist(), bits, comment, spare=0)
    k = counter(table.size)
    less = f" - {literal(bias)}" if bias else ""
    terms = []
    for d in range(width):
        field = "w" if d == 0 else f"(w >> {bits * d})"
        masked = field if d == width - 1 else f"({field} & {2**bits - 1}u)"
        terms.append(f"sum += ({kind}){x.at(_plus(index, d))} * (({kind}){masked}{less});")
    lines = [f"const uint_fast8_t w = {table.at('k')};", *terms, "k++;"]
    loop = f"for ({counter(n_in)} i = 0u; i < {unsigned(n_in)}; i += {width}u) {{"
    return [f"{k} k = 0u;"], [loop, *_indented(lines), "}"]


def _plus(index: str, offset: int) -> str:
    return index if offset == 0 else f"{index} + {offset}u"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
