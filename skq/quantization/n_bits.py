"""The parameter `n_bits`: one width, or a width for each role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


#: Key of the widths of single layers.
LAYERS = "layers"

#: What `n_bits` may be other than an int, for messages.
OTHER_FORMS = (
    f", a sequence with a width for each layer, a dict with the keys {list(REQUIRED_KEYS)} "
    f"(and {list(OPTIONAL_KEYS)}, {LAYERS!r}), or {LOSSLESS!r} for trees"
)


def get_n_bits_dict(n_bits: int | str | Sequence[int] | Mapping[str, Any]) -> dict[str, Any]:
    """Return the width of each role for a value of `n_bits`.

    Parameters
    ----------
    n_bits : int, "lossless", sequence of int or dict
        An int n in [1, 16] gives n bits to ``op_inputs`` and ``op_weights``, and ``max(n, 5)`` to
        ``model_inputs`` and ``model_outputs``. A dict must have ``op_inputs`` and ``op_weights``;
        ``model_inputs`` and ``model_outputs`` default to 5. "lossless", for trees, gives 16 bits
        to all; the conversion reduces ``model_inputs`` to the bits that the splits need.

        A dict may also have the key ``layers`` with widths of single layers: a dict by the number
        of the layer, from 0, or by the name of its ONNX node, or a sequence with one entry for each
        layer. Each entry is an int, for the inputs and the weights of the layer, or a dict with
        ``op_inputs`` or ``op_weights`` or both; missing keys have the widths of all layers. Inputs
        of a layer that reads X have the width ``model_inputs``. If `n_bits` is a sequence, its
        entries are ``layers``; the other widths are its greatest entry, ``max(first, 5)`` for
        ``model_inputs`` and ``max(last, 5)`` for ``model_outputs``.

    Returns
    -------
    dict
        Dict with the keys ``model_inputs`` (codes of X), ``op_inputs`` (inputs of inner layers),
        ``op_weights`` (weights and leaf values) and ``model_outputs`` (outputs that need a
        quantizer), and ``layers``, a dict or list of dicts of ``op_inputs`` and ``op_weights``, if
        it was given.

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
    >>> get_n_bits_dict({"op_inputs": 4, "op_weights": 4, "layers": {1: 2}})["layers"]
    {1: {'op_inputs': 2, 'op_weights': 2}}
    """
    if isinstance(n_bits, Mapping):
        return _from_mapping(n_bits)
    if is_lossless(n_bits):
        return dict.fromkeys(KEYS, MAX_N_BITS)
    if isinstance(n_bits, Sequence) and not isinstance(n_bits, str):
        return _from_sequence(n_bits)
    width = check_width(n_bits, "n_bits", OTHER_FORMS)
    model_width = max(width, DEFAULT_MODEL_BITS)
    return {
        "model_inputs": model_width,
        "op_inputs": width,
        "op_weights": width,
        "model_outputs": model_width,
    }


def has_layers(n_bits: Any) -> bool:
    """Whether `n_bits`, in any form, has widths of single layers."""
    if isinstance(n_bits, Mapping):
        return LAYERS in n_bits
    return isinstance(n_bits, Sequence) and not isinstance(n_bits, str)


def _from_sequence(widths: Sequence[int]) -> dict[str, Any]:
    if not widths:
        raise ValueError("A list of widths in n_bits must have one for each layer. Got none.")
    checked = [check_width(width, f"n_bits[{i}]") for i, width in enumerate(widths)]
    return _from_mapping(
        {
            "model_inputs": max(checked[0], DEFAULT_MODEL_BITS),
            "op_inputs": max(checked),
            "op_weights": max(checked),
            "model_outputs": max(checked[-1], DEFAULT_MODEL_BITS),
            LAYERS: checked,
        }
    )


def _from_mapping(n_bits: Mapping[str, Any]) -> dict[str, Any]:
    missing = [key for key in REQUIRED_KEYS if key not in n_bits]
    unknown = [key for key in n_bits if key not in (*REQUIRED_KEYS, *OPTIONAL_KEYS, LAYERS)]
    if missing or unknown:
        raise ValueError(
            f"An n_bits dict must have the keys {list(REQUIRED_KEYS)} and may have "
            f"{list(OPTIONAL_KEYS)} and {LAYERS!r}. Got {list(n_bits)}"
            + (f"; {missing} missing" if missing else "")
            + (f"; {unknown} unknown" if unknown else "")
            + "."
        )
    widths = {key: check_width(n_bits[key], f"n_bits[{key!r}]") for key in n_bits if key in KEYS}
    defaults = dict.fromkeys(OPTIONAL_KEYS, DEFAULT_MODEL_BITS)
    result: dict[str, Any] = {key: widths.get(key, defaults.get(key, 0)) for key in KEYS}
    if LAYERS in n_bits:
        result[LAYERS] = _of_layers(n_bits[LAYERS], widths)
    return result


def _of_layers(layers: Any, widths: Mapping[str, int]) -> dict[Any, Any] | list[Any]:
    """The entry "layers" with both widths of each layer; `widths`: those of all layers."""
    name = f"n_bits[{LAYERS!r}]"
    if isinstance(layers, Mapping):
        for key in layers:
            if not isinstance(key, Integral | str) or isinstance(key, bool):
                raise ValueError(
                    f"The keys of {name} must be numbers of layers or names of ONNX nodes. "
                    f"Got {key!r}."
                )
        return {key: _of_layer(of, widths, f"{name}[{key!r}]") for key, of in layers.items()}
    if isinstance(layers, Sequence) and not isinstance(layers, str):
        return [_of_layer(of, widths, f"{name}[{i}]") for i, of in enumerate(layers)]
    raise ValueError(f"{name} must be a dict by layer, or a list. Got {layers!r:.80} instead.")


def _of_layer(of: Any, widths: Mapping[str, int], name: str) -> dict[str, int]:
    if not isinstance(of, Mapping):
        width = check_width(of, name, f", or a dict with some of {list(REQUIRED_KEYS)}")
        return dict.fromkeys(REQUIRED_KEYS, width)
    if not of or not set(of) <= set(REQUIRED_KEYS):
        raise ValueError(f"{name} must have some of the keys {list(REQUIRED_KEYS)}. Got {of!r}.")
    return {key: check_width(of.get(key, widths[key]), f"{name}[{key!r}]") for key in REQUIRED_KEYS}


def is_lossless(n_bits: Any) -> bool:
    """Whether `n_bits` is "lossless"."""
    return isinstance(n_bits, str) and n_bits == LOSSLESS


def check_width(value: Any, name: str, alternative: str = "") -> int:
    """Return `value` as an int in [1, 16]; bools, strings and floats are refused.

    `alternative` is added to the message: other values that the argument may have.
    """
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if is_integer and 1 <= int(value) <= MAX_N_BITS:
        return int(value)
    raise ValueError(
        f"{name} must be an int from 1 to {MAX_N_BITS}{alternative}. Got {value!r} instead."
    )
