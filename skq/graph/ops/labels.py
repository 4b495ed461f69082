"""LabelEncoder of ai.onnx.ml: values looked up by keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError
from skq.graph.graph import ML_DOMAIN
from skq.graph.ops.binding import Implementation, numpy_op

Array = NDArray[Any]

#: Kinds of attributes: their suffix, and the default of a value that is not a key.
_KINDS: Mapping[str, Any] = {
    "strings": np.array("_Unused", object),
    "int64s": np.array(-1, np.int64),
    "floats": np.array(-0.0, np.float32),
}
_ATTRIBUTES = {"classes_strings"}.union(
    *(
        {f"keys_{kind}", f"values_{kind}", f"default_{kind.rstrip('s')}"}
        for kind in (*_KINDS, "tensor")
    )
)


def label_table(attributes: Mapping[str, Any]) -> tuple[Array, Array, Array]:
    """Keys, values and the default of a LabelEncoder.

    Parameters
    ----------
    attributes : mapping
        Of LabelEncoder-1 (``classes_strings``), -2 or -4.

    Returns
    -------
    keys, values : ndarray of shape (n,)
    default : ndarray of shape ()

    Raises
    ------
    ConversionError
        If an attribute is unknown, or there are not as many keys as values.
    """
    unknown = sorted(set(attributes) - _ATTRIBUTES)
    if unknown:
        raise ConversionError(f"it has the unknown attributes {unknown}")
    if np.size(attributes.get("classes_strings", ())):
        keys = _flat(attributes["classes_strings"])
        return keys, np.arange(len(keys)), np.asarray(attributes.get("default_int64", -1))
    keys, _ = _given(attributes, "keys")
    values, kind = _given(attributes, "values")
    if len(keys) != len(values) or not len(keys):
        raise ConversionError(f"it has {len(keys)} keys and {len(values)} values")
    usual = _KINDS[kind] if kind in _KINDS else _usual(values)
    given = attributes.get("default_tensor", attributes.get(f"default_{kind.rstrip('s')}", usual))
    return keys, values, np.asarray(_flat(given)[0], dtype=values.dtype)


def _given(attributes: Mapping[str, Any], role: str) -> tuple[Array, str]:
    for kind in (*_KINDS, "tensor"):
        found = attributes.get(f"{role}_{kind}", ())
        if np.size(found):
            return _flat(found), kind
    return np.empty(0), "floats"


def _flat(values: Any) -> Array:
    array = np.ravel(np.asarray(values))
    return array.astype(object) if array.dtype.kind in "UST" else array


def _usual(values: Array) -> Any:
    return _KINDS[{"O": "strings", "f": "floats"}.get(values.dtype.kind, "int64s")]


def _bind(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    keys, values, default = label_table(attributes)

    def encode(x: Array) -> Array:
        return encoded(x, keys, values, default)

    return encode


def encoded(x: Array, keys: Array, values: Array, default: Array) -> Array:
    """The value of the key that each element equals, or the default; the first of equal keys.

    NaN equals NaN.
    """
    result = np.full(x.shape, default, dtype=values.dtype)
    for key, value in zip(keys[::-1], values[::-1], strict=True):
        result[(x == key) | ((x != x) & (key != key))] = value
    return result


@numpy_op("LabelEncoder", domain=ML_DOMAIN, bind=_bind)
def label_encoder(x: Array, **attributes: Any) -> Array:
    """The value of the key that each element equals, or the default.

    Parameters
    ----------
    x : ndarray
        Numbers, or text.
    **attributes
        Of LabelEncoder-1, -2 or -4, such as ``keys_int64s`` and ``values_floats``.
    """
    result: Array = _bind(attributes, 1)(x)
    return result
