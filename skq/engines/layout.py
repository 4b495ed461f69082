"""The structs and numbers of ``kernels/skq_kernels.h``, as NumPy dtypes.

`check` compares their sizes with the compiled module, so a change on one side alone is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_POINTER = np.uintp


def _fields(names: str, kind: type) -> list[tuple[str, type]]:
    return [(name, kind) for name in names.split()]


PROGRAM = np.dtype(
    [
        *_fields("n_values n_steps n_slots n_inputs n_outputs unused", np.int32),
        *_fields("block scratch", np.int64),
        *_fields("values steps slot_bytes inputs outputs", _POINTER),
    ],
    align=True,
)
VALUE = np.dtype(
    [*_fields("size lo hi", np.int64), *_fields("dtype slot checked unused", np.int32)], align=True
)
STEP = np.dtype(
    [
        *_fields("op in in2 out kind shift", np.int32),
        *_fields("n m runs lo hi", np.int64),
        *_fields("a b c d", _POINTER),
    ],
    align=True,
)
NODE = np.dtype([*_fields("feature threshold", np.uint16), ("child", np.uint16, 2)], align=True)
TREE = np.dtype(
    [
        *_fields("node leaf top exit", np.int64),
        *_fields("n_nodes n_top whole unused word n_words", np.int32),
    ],
    align=True,
)
WIDE_NODE = np.dtype(
    [("threshold", np.int64), ("feature", np.int32), ("child", np.int32, 2), ("unused", np.int32)],
    align=True,
)
FLOAT_NODE = np.dtype(
    [("threshold", np.float64), *_fields("feature child nan_right leaf", np.int32)], align=True
)
FOREST = np.dtype(
    [
        *_fields("codes n_trees n_columns n_outputs n_words lane_bits width stack", np.int32),
        ("code_lo", np.int64),
        *_fields(
            "trees nodes exits leaves bias output multiplier feature edges offsets base", _POINTER
        ),
    ],
    align=True,
)

#: Storage dtypes of values, by name; the number is their place.
DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "float64")
U8, I8, U16, I16, I32, I64, F64 = range(7)
ITEM_BYTES = (1, 1, 2, 2, 4, 8, 8)

#: Steps, in the order of the header.
_NAMES = (
    "Quantize Bin MatMul Requantize Table Trees Add Sub Mul Maximum Minimum "
    "Sum Max Min ArgMax Gather Concat Dequantize Linear"
)
OPS = {name: number for number, name in enumerate(_NAMES.split())}
RECIPROCAL, DIVIDE, WIDE_CODES = range(3)
NARROW_FACTORS, ANY_FACTORS = range(2)
DOT_U8_I8, DOT_I16_I16, DOT_I32_I32, DOT_I64_I64, PAIRS_I16, QUADS_U8_I8 = range(6)
PORTABLE, AVX2, AVX512, AVX512_VNNI = range(4)
ISA_NAMES = ("portable C99", "AVX2", "AVX-512", "AVX-512 VNNI")
#: The same as `native.ISA_VARIABLE` takes them.
ISA_VALUES = ("portable", "avx2", "avx512", "avx512-vnni")
REFUSE = {None: 0, "infinite": 1, "nonfinite": 3}
OK, NOT_FINITE, OUT_OF_RANGE = range(3)
UNREADABLE = -2

#: Rows of a column of codes, and the mark of a leaf, in a forest.
ROWS = 256
LEAF = 32768
CODES_8, CODES_16, CODES_WIDE, CODES_FLOAT = range(4)


def check(sizes: Mapping[str, int]) -> None:
    """Raise ImportError where the compiled module lays out a struct differently."""
    ours = {
        "program": PROGRAM,
        "value": VALUE,
        "step": STEP,
        "forest": FOREST,
        "tree": TREE,
        "node": NODE,
        "wide_node": WIDE_NODE,
        "float_node": FLOAT_NODE,
    }
    wrong = [name for name, dtype in ours.items() if sizes.get(name) != dtype.itemsize]
    if wrong:
        raise ImportError(
            f"the compiled kernels lay out {', '.join(wrong)} differently: they belong to another "
            "version of skq; install it again"
        )
