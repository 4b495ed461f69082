"""What goes into a document comes out of it."""

import json
import math
import os
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skq.serialization import dumps, from_document, loads, serializable, to_document
from tests.serialization.serialization_cases import ROOT, Instruction, Model, model, same, sealed

PLAIN = [
    None,
    True,
    False,
    0,
    -(2**53),
    2**53 + 1,
    -(2**300),
    1.0,
    -0.0,
    0.1,
    5e-324,
    1.7976931348623157e308,
    1e16,
    math.inf,
    -math.inf,
    math.nan,
    struct.unpack(">d", bytes.fromhex("fff800000000beef"))[0],
    "",
    "grüß \x00 \ud800 🎉",
    b"",
    b"\x00\xff",
    [],
    [1, [2, [3.0, None]]],
    (),
    (1, (2.0, "x")),
    {},
    {"b": 1, "a": [2]},
    {"$object": 1, "$": 2},
    {1: "a", (2, "b"): {None: 1.5}, "c": frozenset({1})},
    set(),
    {3, 1, "x", (1, 2)},
    frozenset({1.5}),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_round_trip(value):
    assert same(loads(dumps(value)), value)
    assert same(from_document(to_document(value)), value)
    assert same(from_document(json.loads(json.dumps(to_document(value)))), value)
    assert dumps(loads(dumps(value))) == dumps(value)


NUMERIC = ["bool", *(f"{s}int{w}" for s in ("", "u") for w in (8, 16, 32, 64))]
NUMERIC += ["float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", NUMERIC)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3, 4), (5000,)])
def test_arrays_round_trip(dtype, shape):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        array = rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)
    else:
        array = rng.normal(size=shape).astype(dtype)
    array = np.asarray(array)
    back = loads(dumps(array))
    assert same(back, array)
    assert back.flags.writeable
    for scalar in array.ravel()[:5]:
        assert same(loads(dumps(scalar)), scalar)


@pytest.mark.parametrize(
    "array",
    [
        np.array([np.nan, -0.0, np.inf, -np.inf]),
        np.frombuffer(bytes.fromhex("efbe00000000f8ff")),
        np.array(["a", "", "gr\u00fc\u00df"]),
        np.array([b"ab", b""]),
        np.array(["a", None, 1.5, (1, 2)], dtype=object),
        np.array([["x", "y"]], dtype=object),
        np.array([[], []], dtype=object),
        np.array([2**64 - 1, 0], dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.zeros((0, 3), dtype="<U4"),
    ],
    ids=repr,
)
def test_unusual_arrays_round_trip(array):
    assert same(loads(dumps(array)), array)


@pytest.mark.parametrize("text", [np.str_(""), np.str_("ab"), np.bytes_(b"a\0"), np.bytes_(b"")])
def test_text_scalars_round_trip(text):
    assert same(loads(dumps(text)), text)


def test_memory_layout_and_byte_order_are_normalized():
    array = np.arange(12).reshape(3, 4)
    for odd in (
        np.asfortranarray(array),
        array[::-1, ::2],
        array.astype(">i8"),
        array.astype(">i2"),
    ):
        back = loads(dumps(odd))
        np.testing.assert_array_equal(back, odd)
        assert back.dtype == odd.dtype.newbyteorder("=")
        assert back.flags.c_contiguous


@pytest.mark.parametrize(
    ("values", "wire"),
    [
        ([0, 255], "uint8"),
        ([-1, 127], "int8"),
        ([0, 256], "uint16"),
        ([-(2**31)], "int32"),
        ([0, 2**32], None),
    ],
)
def test_integers_travel_in_the_smallest_dtype(values, wire):
    node = to_document(np.array(values, dtype=np.int64))["content"]
    assert node.get("wire") == wire
    assert node["dtype"] == "int64"


def test_compression_where_it_pays():
    regular = np.tile(np.arange(16.0), 1000)
    noise = np.random.default_rng(0).normal(size=200_000)
    assert to_document(regular)["content"]["zlib"] is True
    assert "zlib" not in to_document(noise)["content"]
    assert "zlib" not in to_document(np.arange(4.0))["content"]
    for array in (regular, noise):
        assert same(loads(dumps(array)), array)


def test_registered_objects_round_trip():
    original = model()
    for back in (loads(dumps(original)), Model.loads(original.dumps())):
        assert same(back, original)
        assert back.program.instructions[1].total == original.program.instructions[1].total
    assert dumps(loads(dumps(original))) == dumps(original)


def test_a_plain_subclass_of_a_dataclass_is_written_like_it():
    @serializable("test.subclass")
    class Special(Instruction):
        pass

    original = Special("s", np.eye(2), 3)
    back = loads(dumps(original))
    assert type(back) is Special
    assert same(vars(back), vars(original))


def test_missing_fields_with_defaults_are_filled_in():
    node = {"$object": "test.program", "fields": {"instructions": []}}
    assert from_document(sealed(node)).version == 1


def test_the_same_set_gives_the_same_text_in_every_process():
    code = "from skq.serialization import dumps; print(dumps({'b', 'a', 'xyz', ('k', 1), 3.5}))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1


def test_reading_imports_no_frontend():
    heavy = "{'torch', 'onnx', 'hummingbird', 'matplotlib'}"
    code = (
        "import sys\nfrom skq.quantization.quantizers import QuantizedArray\n"
        "QuantizedArray.loads(QuantizedArray(4, [0.0, 1.0]).dumps())\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_ten_million_elements_take_seconds():
    array = np.random.default_rng(0).integers(-8, 8, 10_000_000)
    start = time.perf_counter()
    text = dumps(array)
    np.testing.assert_array_equal(loads(text), array)
    assert time.perf_counter() - start < 20
    assert len(text) < 14_000_000


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | hnp.arrays(
        st.sampled_from([np.dtype(d) for d in NUMERIC]), hnp.array_shapes(min_dims=0, min_side=0)
    ),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers() | st.tuples(st.text(), st.integers()), inner)
        | st.sets(st.integers() | st.text())
    ),
    max_leaves=12,
)


@given(JSON_LIKE)
@settings(max_examples=150, deadline=None)
def test_anything_round_trips(value):
    text = dumps(value)
    assert same(loads(text), value)
    assert dumps(loads(text)) == text
