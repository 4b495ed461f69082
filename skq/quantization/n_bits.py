"""The parameter `n_bits`: one width, or a width for each role."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

#: Width of the model's inputs and outputs where `n_bits` alone would be less.
DEFAULT_MODEL_BITS = 5

#: Widest `n_bits` of estimators and converters.
MAX_N_BITS = 16

#: `n_bits` of tree ensembles: the least width at which no split changes.
LOSSLESS = "lossless"

REQUIRED_KEYS = ("op_inputs", "op_weights")
OPTIONAL_KEYS = ("model_inputs", "model_outputs")
KEYS = ("model_inputs", "op_inputs", "op_weights", "model_outputs")


def get_n_bits_dict(n_bits: int | str | Mapping[str, int]) -> dict[str, int]:
    """Spell out `n_bits` as a width for each role.

    Parameters
    ----------
    n_bits : int, "lossless" or dict of str to int
        An int n in [1, 16] gives n bits to ``op_inputs`` and ``op_weights``, and ``max(n, 5)`` to
        ``model_inputs`` and ``model_outputs``. A dict must have ``op_inputs`` and ``op_weights``;
        ``model_inputs`` and ``model_outputs`` default to 5. "lossless", for trees, gives the widest
        to all; of ``model_inputs`` only what the splits need remains after conversion.

    Returns
    -------
    dict of str to int
        With the keys ``model_inputs`` (codes of X), ``op_inputs`` (inputs of inner layers),
        ``op_weights`` (weights and leaf values) and ``model_outputs`` (outputs that need a
        quantizer).

    Raises
    ------
    ValueError
        If a width is not an int in [1, 16], or a key is missing or unknown.

    Examples
    --------
    >>> get_n_bits_dict(3)
    {'model_inputs': 5, 'op_inputs': 3, 'op_weights': 3, 'model_outputs': 5}
    >>> get_n_bits_dict({"op_inputs": 4, "op_weights": 2})
    {'model_inputs': 5, 'op_inputs': 4, 'op_weights': 2, 'model_outputs': 5}
    """
    if isinstance(n_bits, Mapping):
        return _from_mapping(n_bits)
    if is_lossless(n_bits):
        return dict.fromkeys(KEYS, MAX_N_BITS)
    width = check_width(n_bits, "n_bits", f", or a dict of them; for trees also {LOSSLESS!r}")
    model_width = max(width, DEFAULT_MODEL_BITS)
    return {
        "model_inputs": model_width,
        "op_inputs": width,
        "op_weights": width,
        "model_outputs": model_width,
    }


def _from_mapping(n_bits: Mapping[str, int]) -> dict[str, int]:
    missing = [key for key in REQUIRED_KEYS if key not in n_bits]
    unknown = [key for key in n_bits if key not in REQUIRED_KEYS + OPTIONAL_KEYS]
    if missing or unknown:
        raise ValueError(
            f"An n_bits dict must have the keys {list(REQUIRED_KEYS)} and may have "
            f"{list(OPTIONAL_KEYS)}. Got {list(n_bits)}"
            + (f"; {missing} missing" if missing else "")
            + (f"; {unknown} unknown" if unknown else "")
            + "."
        )
    widths = {key: check_width(n_bits[key], f"n_bits[{key!r}]") for key in n_bits}
    defaults = dict.fromkeys(OPTIONAL_KEYS, DEFAULT_MODEL_BITS)
    return {key: widths.get(key, defaults.get(key, 0)) for key in KEYS}


def is_lossless(n_bits: Any) -> bool:
    """Whether `n_bits` is "lossless"."""
    return isinstance(n_bits, str) and n_bits == LOSSLESS


def check_width(value: Any, name: str, alternative: str = "") -> int:
    """Return `value` as an int in [1, 16]; bools, strings and floats are refused.

    `alternative` says in the message what else the argument may be.
    """
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if is_integer and 1 <= int(value) <= MAX_N_BITS:
        return int(value)
    raise ValueError(
        f"{name} must be an int from 1 to {MAX_N_BITS}{alternative}. Got {value!r} instead."
    )
