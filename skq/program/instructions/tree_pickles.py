"""How the node arrays of `Trees` are pickled: branches apart from leaves.

`left` holds nodes at branches and rows of `leaf_values` at leaves, and children are near their
parent. The two kinds alone, and children as distances from their parent, compress to a sixth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.bitpacking import Ints

#: Arrays with an element for each node.
OF_NODES = ("threshold", "left", "right")
#: Of these, those that hold nodes at branches.
OF_CHILDREN = ("left", "right")


def split(state: dict[str, Any]) -> dict[str, Any]:
    """The fields of a `Trees` with two arrays for each of `OF_NODES`."""
    state = dict(state)
    leaf = state["feature"] == -1
    for name in OF_NODES:
        array = state[name]
        if array.shape == leaf.shape:  # else it is in no program
            inner = array[~leaf]
            if name in OF_CHILDREN:  # differences modulo the range of the dtype
                inner = inner - np.flatnonzero(~leaf).astype(array.dtype)
            state[name] = inner, array[leaf]
    return state


def joined(state: dict[str, Any]) -> dict[str, Any]:
    """The fields that `split` took."""
    state = dict(state)
    leaf = state["feature"] == -1
    for name in OF_NODES:
        if isinstance(state[name], tuple):
            inner, at_leaves = state[name]
            array: Ints = np.empty(leaf.shape, dtype=at_leaves.dtype)
            array[leaf] = at_leaves
            if name in OF_CHILDREN:
                inner = inner + np.flatnonzero(~leaf).astype(array.dtype)
            array[~leaf] = inner
            state[name] = array
    return state
