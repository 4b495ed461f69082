"""Python values to JSON nodes. The table of nodes is in docs/concepts/file-format.md."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import SerializationError
from skq.serialization.arrays import dtype_name, encode_array
from skq.serialization.limits import MAX_DEPTH
from skq.serialization.location import Location, Malformed
from skq.serialization.registry import entry_of

Node = Any

#: Integers up to this magnitude survive a JSON reader that supports only float64.
LARGEST_PLAIN_INT = 2**53


def canonical(node: Node) -> str:
    """The canonical text of a node, for the checksum: strict JSON in ASCII without spaces."""
    return json.dumps(node, separators=(",", ":"), allow_nan=False)


def encode(value: object) -> Node:
    """Turn a value into a JSON node.

    Raises
    ------
    SerializationError
        For a value of a class that is not registered, and for one nested deeper than `MAX_DEPTH`
        (a value that contains itself is). The message names the location.
    """
    location = Location()
    try:
        return _Encoder(location).node(value)
    except Malformed as error:
        raise SerializationError(f"{location}: {error}") from error.__cause__


class _Encoder:
    def __init__(self, location: Location) -> None:
        self.location = location

    def node(self, value: Any) -> Node:
        if len(self.location.keys) > MAX_DEPTH:
            raise Malformed(f"nested deeper than {MAX_DEPTH} levels; does it contain itself?")
        encoder = _ENCODERS.get(type(value))
        if encoder is not None:
            return encoder(self, value)
        if isinstance(value, np.generic):
            return self.scalar(value)
        return self.registered(value)

    def child(self, key: str | int, value: object) -> Node:
        self.location.keys.append(key)
        node = self.node(value)
        self.location.keys.pop()
        return node

    def items(self, values: Iterable[object]) -> list[Node]:
        return [self.child(i, value) for i, value in enumerate(values)]

    def plain(self, value: Node) -> Node:
        return value

    def integer(self, value: int) -> Node:
        return value if abs(value) <= LARGEST_PLAIN_INT else {"$int": hex(value)}

    def real(self, value: float) -> Node:
        return value if math.isfinite(value) else {"$float": struct.pack(">d", value).hex()}

    def raw(self, value: bytes) -> Node:
        return {"$bytes": base64.b64encode(value).decode("ascii")}

    def array(self, value: NDArray[Any]) -> Node:
        if value.dtype == object:
            return {"$objects": self.items(value.ravel().tolist()), "shape": list(value.shape)}
        return encode_array(value)

    def scalar(self, value: np.generic) -> Node:
        name = dtype_name(value.dtype)
        if isinstance(value, np.bytes_):  # item() would drop trailing zeros of a text
            item: object = bytes(value)
        elif isinstance(value, np.str_):
            item = str(value)
        else:
            item = value.item()
        return {"$scalar": self.node(item), "dtype": name}

    def sequence(self, value: list[object]) -> Node:
        return self.items(value)

    def pair(self, value: tuple[object, ...]) -> Node:
        return {"$tuple": self.items(value)}

    def set_(self, value: set[object] | frozenset[object]) -> Node:
        return {f"${type(value).__name__}": sorted(self.items(value), key=canonical)}

    def mapping(self, value: dict[object, object]) -> Node:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self.child(str(key), item) for key, item in value.items()}
        return {
            "$dict": [
                [self.child(f"<key {i}>", key), self.child(str(key), item)]
                for i, (key, item) in enumerate(value.items())
            ]
        }

    def registered(self, value: object) -> Node:
        entry = entry_of(type(value))
        if entry is None:
            cls = type(value)
            raise Malformed(
                f"an object of class {cls.__module__}.{cls.__qualname__} cannot be written; "
                "use plain values and arrays, or register the class with @serializable."
            )
        fields = {name: self.child(name, field) for name, field in entry.state(value).items()}
        return {"$object": entry.name, "fields": fields}


_ENCODERS: dict[type, Callable[[_Encoder, Any], Node]] = {
    type(None): _Encoder.plain,
    bool: _Encoder.plain,
    int: _Encoder.integer,
    float: _Encoder.real,
    str: _Encoder.plain,
    bytes: _Encoder.raw,
    list: _Encoder.sequence,
    tuple: _Encoder.pair,
    set: _Encoder.set_,
    frozenset: _Encoder.set_,
    dict: _Encoder.mapping,
    np.ndarray: _Encoder.array,
    np.memmap: _Encoder.array,
}
