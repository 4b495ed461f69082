"""JSON nodes to Python values: the inverse of the encoder, for untrusted input."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Container
from typing import Any

import numpy as np

from skq.exceptions import SerializationError
from skq.serialization.arrays import decode_array, decode_base64, parse_dtype
from skq.serialization.budget import Budget
from skq.serialization.limits import BYTES_A_VALUE, MAX_DEPTH, MAX_DIMENSIONS
from skq.serialization.location import Location, Malformed
from skq.serialization.registry import Entry, entry_named, registered_names

Node = Any
TaggedNode = dict[str, Any]

_HEX_INT = re.compile(r"-?0x[0-9a-f]+")
_HEX_FLOAT = re.compile(r"[0-9a-f]{16}")


def decode(
    node: Node,
    max_bytes: int,
    expected: type | tuple[type, ...] | None = None,
    classes: Container[type] | None = None,
) -> Any:
    """Turn a JSON node into the value that was written.

    Parameters
    ----------
    node : object
        Parsed JSON.
    max_bytes : int
        Most bytes that all its arrays may need, and most that all its objects may declare.
    expected : type or tuple of types, optional
        Class of the value. An object of another class is not built.
    classes : container of types, optional
        Registered classes that may be built; by default all.

    Raises
    ------
    SerializationError
        If anything is not as the encoder writes it. The message names the location.
    """
    location = Location()
    budget = Budget(max_bytes)
    try:
        with budget.reading():
            return _Decoder(location, budget, classes).root(node, expected)
    except Malformed as error:
        raise SerializationError(f"{location}: {error}") from error.__cause__


class _Decoder:
    def __init__(self, location: Location, budget: Budget, classes: Container[type] | None) -> None:
        self.location = location
        self.budget = budget
        self.classes = classes

    def root(self, node: Node, expected: type | tuple[type, ...] | None) -> Any:
        if expected is None:
            return self.value(node)
        if type(node) is dict and "$object" in node:
            cls = self._entry(node).cls
            if not issubclass(cls, expected):
                raise Malformed(f"expected {_names(expected)}, got {cls.__name__}.")
            return self.value(node)
        value = self.value(node)
        if not isinstance(value, expected):
            raise Malformed(f"expected {_names(expected)}, got {type(value).__name__}.")
        return value

    def value(self, node: Node) -> Any:
        if len(self.location.keys) > MAX_DEPTH:
            raise Malformed(f"nested deeper than {MAX_DEPTH} levels.")
        self.budget.take(BYTES_A_VALUE, "one more value")
        kind = type(node)
        if node is None or kind in (bool, int, float, str):
            return node
        if kind is list:
            return self.items(node)
        if kind is not dict:
            raise Malformed(f"expected JSON, got {kind.__name__}.")
        tags = [key for key in node if type(key) is str and key.startswith("$")]
        if not tags:
            return self.mapping(node)
        decoder = _DECODERS.get(tags[0])
        if decoder is None or len(tags) > 1:
            raise Malformed(f"expected one of {', '.join(_DECODERS)}, got {tags!r:.80}.")
        return decoder(self, node)

    def child(self, key: str | int, node: Node) -> Any:
        self.location.keys.append(key)
        value = self.value(node)
        self.location.keys.pop()
        return value

    def items(self, nodes: list[Node]) -> list[Any]:
        return [self.child(i, node) for i, node in enumerate(nodes)]

    def mapping(self, node: TaggedNode) -> dict[str, Any]:
        if not all(type(key) is str for key in node):
            raise Malformed("the keys of a JSON object must be texts.")
        return {key: self.child(key, item) for key, item in node.items()}

    def integer(self, node: TaggedNode) -> int:
        (text,) = _fields(node, "$int")
        if not isinstance(text, str) or not _HEX_INT.fullmatch(text):
            raise Malformed(f"expected a hexadecimal integer, got {text!r:.60}.")
        return int(text, 16)

    def real(self, node: TaggedNode) -> float:
        (text,) = _fields(node, "$float")
        if not isinstance(text, str) or not _HEX_FLOAT.fullmatch(text):
            raise Malformed(f"expected the 16 hexadecimal digits of a float, got {text!r:.60}.")
        return float(struct.unpack(">d", bytes.fromhex(text))[0])

    def raw(self, node: TaggedNode) -> bytes:
        (text,) = _fields(node, "$bytes")
        return decode_base64(text)

    def pair(self, node: TaggedNode) -> tuple[Any, ...]:
        return tuple(self._list(node, "$tuple"))

    def set_(self, node: TaggedNode) -> set[Any] | frozenset[Any]:
        (tag,) = node
        values = self._list(node, tag)
        try:
            unique = frozenset(values)
        except TypeError as error:
            raise Malformed(f"an element of a set is not hashable: {error}.") from error
        if len(unique) != len(values):
            raise Malformed("a set contains a value twice.")
        return unique if tag == "$frozenset" else set(unique)

    def pairs(self, node: TaggedNode) -> dict[Any, Any]:
        (items,) = _fields(node, "$dict")
        if not isinstance(items, list):
            raise Malformed(f"expected a list of pairs, got {type(items).__name__}.")
        result: dict[Any, Any] = {}
        for i, item in enumerate(items):
            if not isinstance(item, list) or len(item) != 2:
                raise Malformed(f"expected a list of pairs, got {item!r:.60} at {i}.")
            key = self.child(f"<key {i}>", item[0])
            value = self.child(str(key), item[1])
            try:
                known = key in result
            except TypeError as error:
                raise Malformed(f"a key is not hashable: {error}.") from error
            if known:
                raise Malformed(f"the key {key!r:.60} occurs twice.")
            result[key] = value
        return result

    def array(self, node: TaggedNode) -> Any:
        return decode_array(node, self.budget)

    def objects(self, node: TaggedNode) -> Any:
        nodes, shape = _fields(node, "$objects", "shape")
        if not isinstance(nodes, list) or not isinstance(shape, list):
            raise Malformed("expected a list of values and a shape.")
        if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
            raise Malformed(f"the sizes of a shape must be integers >= 0, got {shape!r:.80}.")
        if math.prod(shape) != len(nodes) or math.prod(max(n, 1) for n in shape) >= 2**59:
            raise Malformed(f"{len(nodes)} values do not fill the shape {shape!r:.80}.")
        array = np.empty(len(nodes), dtype=object)
        array[:] = self.items(nodes)
        return array.reshape(shape)

    def scalar(self, node: TaggedNode) -> Any:
        inner, name = _fields(node, "$scalar", "dtype")
        dtype = parse_dtype(name)
        value = self.child("<value>", inner)
        if type(value) not in _SCALARS[dtype.kind]:
            raise Malformed(f"a {dtype} cannot be made of {type(value).__name__}.")
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            if not info.min <= value <= info.max:
                raise Malformed(f"{value!r:.60} does not fit into {dtype}.")
        with np.errstate(over="ignore"):
            scalar = dtype.type(value)
        is_text = dtype.kind in "US"
        is_nan = value != value
        if scalar.dtype != dtype or not (is_text or is_nan or scalar.item() == value):
            raise Malformed(f"{value!r:.60} is not exactly a {dtype}.")
        return scalar

    def registered(self, node: TaggedNode) -> Any:
        entry = self._entry(node)
        fields = self.mapping(node["fields"])
        try:
            return entry.build(fields)
        except Exception as error:
            raise Malformed(f"not a valid {entry.name}: {error}") from error

    def _entry(self, node: TaggedNode) -> Entry:
        name, fields = _fields(node, "$object", "fields")
        entry = entry_named(name) if isinstance(name, str) else None
        if entry is None:
            raise Malformed(
                f"unknown class {name!r:.80}; known here: {', '.join(registered_names())}. "
                "Import the module that registers it, or upgrade skq."
            )
        if self.classes is not None and entry.cls not in self.classes:
            raise Malformed(f"an object of class {name} is not allowed in this file.")
        if type(fields) is not dict or any(not isinstance(key, str) for key in fields):
            raise Malformed("the fields of an object must be a JSON object.")
        return entry

    def _list(self, node: TaggedNode, tag: str) -> list[Any]:
        (nodes,) = _fields(node, tag)
        if not isinstance(nodes, list):
            raise Malformed(f"expected a list, got {type(nodes).__name__}.")
        return self.items(nodes)


def _fields(node: TaggedNode, *keys: str) -> list[Any]:
    if node.keys() != set(keys):
        raise Malformed(f"expected the keys {list(keys)}, got {list(node)!r:.80}.")
    return [node[key] for key in keys]


def _names(expected: type | tuple[type, ...]) -> str:
    classes = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join(cls.__name__ for cls in classes)


#: The exact Python types from which a scalar is built, by kind of its dtype.
_SCALARS: dict[str, tuple[type, ...]] = {
    "b": (bool,),
    "i": (int,),
    "u": (int,),
    "f": (float,),
    "U": (str,),
    "S": (bytes,),
}

_DECODERS: dict[str, Callable[[_Decoder, TaggedNode], Any]] = {
    "$int": _Decoder.integer,
    "$float": _Decoder.real,
    "$bytes": _Decoder.raw,
    "$tuple": _Decoder.pair,
    "$set": _Decoder.set_,
    "$frozenset": _Decoder.set_,
    "$dict": _Decoder.pairs,
    "$array": _Decoder.array,
    "$objects": _Decoder.objects,
    "$scalar": _Decoder.scalar,
    "$object": _Decoder.registered,
}
