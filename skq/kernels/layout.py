"""The structs and constants of ``csrc/skq_kernels.h``, which documents them, for Python.

`check` compares the structs with those of the compiled module, so that a change of only one side is
an error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

#: Fields of the structs in descriptors, in the order of the C lists; arrays have an asterisk.
FIELDS = {
    "program": "n_values n_steps n_inputs n_outputs block laid_out scratch "
    "n_forests n_bins arranged more_products",
    "value": "size dtype slot",
    "step": "op workspace in out in2",
    "quantize": "row n_channels *scale *zero_point zero_point_dtype kind lo hi",
    "matmul": "n_inputs n_outputs *weights weights_dtype kind panel",
    "linear": "n_inputs n_outputs *scale *zero_point zero_point_dtype *weights weights_dtype lo hi",
    "requantize": "row n_channels *multiplier multiplier_dtype *offset offset_dtype "
    "shift kind lo hi",
    "table": "row *table table_dtype n_entries lo n_tables",
    "elementwise": "row *index index_dtype *index2 index2_dtype",
    "reduction": "length n_runs",
    "median": "length n_runs *weights weights_dtype threshold",
    "gather": "n_read row *index index_dtype laid_out fill",
    "copy": "n_read row first",
    "dequantize": "row n_channels *scale *zero_point",
    "argument": "value lo hi",
    "bins": "*edges *feature *offsets *base *nan_code n "
    "offsets_dtype feature_dtype base_dtype nan_code_dtype",
    "forest": "n_trees n_columns n_outputs n_words lane_bits tree_layout *trees "
    "*nodes *leaves *bias bias_dtype binned codes *exits "
    "code_lo *edges width *output *multiplier",
}


def _fields(names: str, kind: type) -> list[tuple[str, type]]:
    return [(name, kind) for name in names.split()]


TINY_NODE = np.dtype([*_fields("feature threshold", np.uint8), ("child", np.uint8, 2)])
SMALL_NODE = np.dtype(
    [*_fields("feature threshold", np.uint8), ("child", np.uint16, 2)], align=True
)
NODE = np.dtype([*_fields("feature threshold", np.uint16), ("child", np.uint16, 2)], align=True)
BIG_NODE = np.dtype([*_fields("feature threshold", np.uint16), ("child", np.uint32, 2)], align=True)
TREE = np.dtype(
    [
        *_fields("n_nodes leaf_bytes", np.uint32),
        *_fields("n_top word n_words", np.uint16),
        *_fields("item shift", np.uint8),
    ],
    align=True,
)
SMALL_TREE = np.dtype(
    [("leaf_bytes", np.uint16), *_fields("n_nodes n_top word n_words item shift", np.uint8)]
)
WIDE_NODE = np.dtype(
    [("threshold", np.int64), ("feature", np.int32), ("child", np.int32, 2)], align=True
)

#: Storage dtypes of values; the index is the number in C.
DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "float64")
#: Number in C of each dtype that arrays of constants may have.
CONSTANTS = {**{name: number for number, name in enumerate(DTYPES)}, "uint32": 8}
U8, I8, U16, I16, I32, I64, F64 = range(7)
ITEM_BYTES = (1, 1, 2, 2, 4, 8, 8)
#: The dtype of packed arrays is ``PACKED + bits``, or ``-bits`` if they are signed.
PACKED = 9

#: Operations of steps, in the order of the header, and the struct of the parameters of each.
PARAMETERS = {
    "Quantize": "quantize",
    "Bin": "bins",
    "MatMul": "matmul",
    "Requantize": "requantize",
    "Table": "table",
    "Trees": "forest",
    **dict.fromkeys(("Add", "Sub", "Mul", "Maximum", "Minimum"), "elementwise"),
    **dict.fromkeys(("Sum", "Max", "Min", "ArgMax"), "reduction"),
    "WeightedMedian": "median",
    "Gather": "gather",
    "Concat": "copy",
    "Dequantize": "dequantize",
    "Linear": "linear",
}
OPS = {name: number for number, name in enumerate(PARAMETERS)}
RECIPROCAL, DIVIDE, WIDE_CODES = range(3)
NARROW_FACTORS, ANY_FACTORS, UNCLIPPED = 0, 1, 2
DOT_U8_I8, DOT_I16_I16, DOT_I32_I32, DOT_I64_I64, PAIRS_I16_I8, PAIRS_I16_I16, QUADS_U8_I8 = range(
    7
)
PORTABLE, AVX2, AVX512, AVX512_VNNI = range(4)
ISA_NAMES = ("portable C99", "AVX2", "AVX-512", "AVX-512 VNNI")
#: Instruction sets as the environment variable `native.ISA_VARIABLE` names them.
ISA_VALUES = ("portable", "avx2", "avx512", "avx512-vnni")
REFUSE = {None: 0, "infinite": 1, "nonfinite": 3}
OK, NOT_FINITE, OUT_OF_RANGE = range(3)
UNREADABLE = -2

#: Parameters of channels are repeated to at least this many numbers.
PERIOD = 128
#: Bytes of a cache line, and of the widest vector.
LINE_BYTES = 64
#: Bytes of weights that a matmul unpacks at a time: well within a level-1 cache.
PANEL_BYTES = 16384
#: Least rows of a matmul for which its weights are arranged, and outputs of the largest group.
FEW_PRODUCTS, GROUP_OUTPUTS = 16, 16
#: Added to the shift of a tree for each halving of the lanes of its leaf values.
HALVED = 64
#: Words of leaf values that a vector reads at a time.
LEAF_WORDS = 8
#: Layouts of the trees of a forest.
TREES, SMALL_TREES, ALIKE_TREES = range(3)
#: Forests: rows of a column of codes, marks of leaves, marks of nodes where NaN goes right.
ROWS = 256
TINY_LEAF, LEAF, BIG_LEAF = 2**7, 2**15, 2**31
TINY_NAN_RIGHT, BIG_NAN_RIGHT = 2**7, 2**15
(
    CODES_8_TINY,
    CODES_8_SMALL,
    CODES_8,
    CODES_16,
    CODES_16_BIG,
    REALS_TINY,
    REALS,
    CODES_WIDE,
) = range(8)


def check(compiled: Mapping[str, int | str]) -> None:
    """Raise ImportError if a struct of the compiled module differs from that of this file."""
    arrays = {
        "tree": TREE,
        "small_tree": SMALL_TREE,
        "tiny_node": TINY_NODE,
        "small_node": SMALL_NODE,
        "node": NODE,
        "big_node": BIG_NODE,
        "wide_node": WIDE_NODE,
    }
    ours = FIELDS | {name: dtype.itemsize for name, dtype in arrays.items()}
    wrong = [name for name, struct in ours.items() if compiled.get(name) != struct]
    if wrong:
        raise ImportError(
            f"the compiled kernels lay out the structs {', '.join(wrong)} differently: they belong "
            "to another version of skq; install skq again"
        )
