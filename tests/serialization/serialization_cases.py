"""Registered classes, documents and a comparison for the tests of the serializer."""

import base64
import dataclasses
import hashlib
import json
import pathlib
import struct

import numpy as np

from skq.serialization import Serializable, serializable

ROOT = pathlib.Path(__file__).resolve().parents[2]


@serializable("test.instruction")
@dataclasses.dataclass(frozen=True)
class Instruction(Serializable):
    name: str
    weights: np.ndarray
    shift: int = 0
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        if self.weights.ndim != 2:
            raise ValueError(f"weights must have 2 dimensions, got {self.weights.ndim}")
        object.__setattr__(self, "total", int(self.weights.sum()))


@serializable("test.program", fields=("instructions", "version"))
class Program(Serializable):
    def __init__(self, instructions, version=1):
        self.instructions = instructions
        self.version = version
        self.cache = object()


@serializable("test.model", as_dict=True)
class Model(Serializable):
    def __init__(self, program):
        self.program = program
        self.classes_ = np.array(["a", "bc"])

    def __skq_validate__(self):
        if "program" not in vars(self):
            raise ValueError("a model has a program")


class Unregistered(Program):
    pass


def model():
    instructions = [Instruction(f"layer{i}", np.arange(6 * (i + 1)).reshape(2, -1)) for i in (0, 1)]
    return Model(Program([*instructions, Instruction("last", np.ones((3, 3)), 7)]))


def same(a, b):
    """Equal to the last bit and of equal types, whatever is inside."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and a.dtype != object:
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and same(a.ravel().tolist(), b.ravel().tolist())
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, Instruction | Model):
        return same(vars(a), vars(b))
    if isinstance(a, Program):
        return same((a.instructions, a.version), (b.instructions, b.version))
    return a == b


def sealed(content, /, **envelope):
    """A document whose checksum is right, whatever is in it."""
    text = json.dumps(content, separators=(",", ":"))
    checksum = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    document = {"format": "skq", "version": 1, "checksum": checksum, "content": content}
    return document | envelope


def array_node(**changes):
    raw = np.arange(6, dtype="<i4").tobytes()
    node = {"$array": base64.b64encode(raw).decode(), "dtype": "int32", "shape": [2, 3]} | changes
    return {key: value for key, value in node.items() if value is not None}
