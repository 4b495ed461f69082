"""Mutations of decoded documents: fields, dtypes, scalars, shapes, indices, nesting."""

from __future__ import annotations

import copy
import random

import numpy as np

from skq.serialization.arrays import decode_array, encode_array
from skq.serialization.budget import Budget

DTYPES = ["bool", "float16", "float32", "float64", "<U3", "|S2"]
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
INTEGERS = [0, 1, -1, 2, 3, 7, 31, 62, 63, 64, 100, 127, 128, 255, 256, 65536, 10**6, 10**9]
INTEGERS += [
    sign * 2**bits + d for sign in (1, -1) for bits in (31, 53, 62, 63) for d in (-1, 0, 1)
]
REALS = [0.0, -0.0, 0.5, -1.0, 1e-320, 1e308, 2.0**63, 3.0]
TEXTS = [
    "",
    "predict",
    "predict_proba",
    "float64",
    "int64",
    "Softmax",
    "Exp",
    "Concat",
    "axis",
    "é",
]


def leaf(rng: random.Random) -> object:
    """A value of some kind, as a node."""
    kind = rng.randrange(9)
    if kind < 3:
        value = rng.choice(INTEGERS)
        return value if abs(value) <= 2**53 else {"$int": hex(value)}
    if kind == 3:
        return rng.choice(REALS)
    if kind == 4:
        return {"$float": rng.choice(["7ff0000000000000", "fff0000000000000", "7ff8000000000000"])}
    if kind == 5:
        name = rng.choice(["int8", "uint8", "int64", "uint64", "bool", "float32", "float64"])
        value = {"b": True, "f": 1.0}.get(np.dtype(name).kind, rng.choice([0, 1, 100, 127]))
        return {"$scalar": value, "dtype": name}
    if kind == 6:
        return rng.choice(TEXTS)
    if kind == 7:
        return rng.choice([None, True, False, [], {}, {"$tuple": []}, {"$dict": []}])
    return array_node(rng)


def array_node(rng: random.Random) -> dict:
    """A small array of any dtype, or one that takes much memory and few bytes."""
    shape = rng.choice(
        [(), (0,), (1,), (2,), (3,), (1, 3), (3, 1), (2, 2), (0, 3), (1000,), (10**6,)]
    )
    dtype = np.dtype(rng.choice(DTYPES))
    return encode_array(np.full(shape, rng.choice([0, 0, 1, 3])).astype(dtype))


def changed_array(node: dict, rng: random.Random) -> object:
    """The same array with other elements, dtype or shape."""
    try:
        array = decode_array(node, Budget(2**24))
    except Exception:
        return leaf(rng)
    if array.dtype.kind not in "biuf":
        array = np.arange(array.size).reshape(array.shape)
    kind = rng.randrange(7)
    with np.errstate(all="ignore"):
        if kind == 0:
            return encode_array(array.astype(rng.choice(DTYPES)))
        if kind == 1 and array.size and array.dtype.kind in "iuf":
            flat = array.ravel()
            for _ in range(rng.randint(1, 3)):
                value = rng.choice(
                    INTEGERS if array.dtype.kind != "f" else [*REALS, np.nan, np.inf]
                )
                wide = flat.astype(object)
                wide[rng.randrange(flat.size)] = value
                for dtype in (array.dtype, np.int64, np.uint64, np.float64):
                    try:
                        flat = np.array(wide.tolist(), dtype=dtype)
                        break
                    except (OverflowError, TypeError, ValueError):
                        continue
            return encode_array(flat.reshape(array.shape))
        if kind == 2 and array.size:
            step = rng.choice([1, -1, 2])
            return encode_array(array[::step] if array.ndim else array.reshape(1))
        if kind == 3:
            times = rng.choice([0, 2, 3])
            return encode_array(np.concatenate([array.ravel()] * times) if times else array[..., :0]
                                if array.ndim else array.ravel()[:0])  # fmt: skip
        if kind == 4:
            shapes = [(-1,), (1, -1), (-1, 1), (*array.shape, 1), array.shape[::-1]]
            return encode_array(array.reshape(rng.choice(shapes)) if array.size else array)
        if kind == 5 and array.size:
            flat = array.ravel().copy()
            i, j = rng.randrange(flat.size), rng.randrange(flat.size)
            flat[[i, j]] = flat[[j, i]]
            return encode_array(flat.reshape(array.shape))
    changed = dict(node)
    changed[rng.choice(["dtype", "shape", "wire"])] = rng.choice(
        [rng.choice(DTYPES), [rng.choice(INTEGERS[:17])], [0, 10**12], "uint3", None]
    )
    return changed


def places(node: object) -> list[tuple[object, object]]:
    """Every container in a document with each of its keys."""
    found: list[tuple[object, object]] = []
    stack = [node]
    while stack:
        item = stack.pop()
        keys = (
            list(item)
            if isinstance(item, dict)
            else range(len(item))
            if isinstance(item, list)
            else []
        )
        for key in keys:
            found.append((item, key))
            if not (isinstance(item, dict) and "$array" in item):
                stack.append(item[key])
    return found


def is_value(holder: object, key: object) -> bool:
    """Whether a place holds a field's value, and not the notation around it."""
    if isinstance(holder, dict):
        if "$array" in holder or (
            isinstance(key, str) and key.startswith("$") and key != "$scalar"
        ):
            return False
        node = holder[key]
        return key != "fields" and not (isinstance(node, dict) and "$object" in node)
    node = holder[key]
    return not isinstance(node, dict) or "$array" in node


def nudged(old: object, rng: random.Random) -> object:
    """A value near the old one, of the same kind."""
    if isinstance(old, dict) and "$array" in old:
        try:
            array = decode_array(old, Budget(2**24))
        except Exception:
            return old
        if not array.size or array.dtype.kind not in "biuf":
            return changed_array(old, rng)
        flat = array.ravel()
        for _ in range(rng.choice([1, 1, 2, 5, flat.size])):
            k = rng.randrange(flat.size)
            if flat.dtype.kind == "f":
                flat[k] *= rng.choice([1.5, -1.0, 0.0, 1e-9, 1e300, 1e-310])
            elif flat.dtype.kind == "b":
                flat[k] = not flat[k]
            else:
                info = np.iinfo(flat.dtype)
                near = int(flat[k]) + rng.choice([-1, 1, 2, -5, 100])
                value = rng.choice([near, near, int(info.max), int(info.min), 0])
                flat[k] = min(max(value, int(info.min)), int(info.max))
        return encode_array(flat.reshape(array.shape))
    if type(old) is int:
        return old + rng.choice([-1, 1, -2, 2, 100, -old])
    if type(old) is float:
        return max(min(old * rng.choice([0.5, -1.0, 0.0, 1e9]), 1.7e308), -1.7e308)
    if type(old) is bool:
        return not old
    return leaf(rng) if not isinstance(old, str) else rng.choice([*TEXTS, old + "_"])


def mutate(content: object, rng: random.Random) -> object:
    """A changed copy of the content of a document."""
    root = [copy.deepcopy(content)]
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        found = places(root)
        values = [place for place in found if place[0] is not root and is_value(*place)]
        if values and rng.random() < 0.8:
            holder, key = rng.choice(values)
            if rng.random() < 0.6:
                holder[key] = nudged(holder[key], rng)
                continue
        else:
            holder, key = rng.choice(found)
        old = holder[key]
        kind = rng.randrange(10)
        if isinstance(old, dict) and "$array" in old and kind < 8:
            holder[key] = changed_array(old, rng)
        elif kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 0 and isinstance(holder, list) and holder is not root:
            holder.pop(key)
        elif kind == 1 and isinstance(holder, list) and holder is not root:
            holder.insert(key, copy.deepcopy(old))
        elif kind == 2:
            other, where = rng.choice(found)
            holder[key] = copy.deepcopy(other[where])
        elif kind == 3:
            holder[key] = rng.choice([[old], {"$tuple": [old]}, {"$tuple": [old, old]}, {"a": old}])
        elif kind == 4 and isinstance(old, int) and type(old) is int:
            holder[key] = old + rng.choice([-1, 1, -2, 2, 10**6])
        elif kind == 5 and isinstance(old, list):
            rng.shuffle(old)
        elif kind == 6 and isinstance(holder, dict):
            holder[rng.choice([*TEXTS, "lo", "hi", "shape", "inputs"])] = leaf(rng)
        else:
            holder[key] = leaf(rng)
    return root[0]
