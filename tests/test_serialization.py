"""The generic encoder: what goes in comes out, and nothing else gets in."""

import base64
import dataclasses
import doctest
import hashlib
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skq.exceptions import SerializationError
from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizer,
)
from skq.serialization import (
    Serializable,
    dumps,
    from_document,
    load,
    loads,
    save,
    serializable,
    to_document,
)

ROOT = pathlib.Path(__file__).resolve().parents[1]


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


# --- round trips --------------------------------------------------------------------------------

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


# --- what cannot be written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, object()]}, r"\$\.a\[1\]: an object of class builtins\.object"),
        (Model(Unregistered([])), r"\$\.program: an object of class .*Unregistered cannot"),
        ({"a b": {1: 1j}}, r"\$\['a b'\]\['1'\]: an object of class builtins\.complex"),
        ([np.zeros(2, dtype=complex)], r"\$\[0\]: arrays of dtype complex128"),
        ([np.zeros(2, dtype="M8[s]")], r"\$\[0\]: arrays of dtype datetime64"),
        ((np.zeros(2, dtype=[("a", int)]),), r"\$\[0\]: arrays of dtype"),
        (np.ma.masked_array([1]), r"\$: an object of class numpy\.ma"),
        (np.array([1, object()], dtype=object), r"\$\[1\]: an object of class builtins\.object"),
        (int, r"\$: an object of class builtins\.type"),
    ],
)
def test_unknown_values_are_named_with_their_place(value, place):
    for write in (dumps, to_document):
        with pytest.raises(SerializationError, match=place):
            write(value)


def test_a_value_that_contains_itself():
    loop = []
    loop.append(loop)
    with pytest.raises(SerializationError, match=r"\$\[0\].*: nested deeper than 100 levels"):
        dumps(loop)


def test_a_class_that_is_defined_again_takes_the_place_of_the_former():
    def define():
        @serializable("test.notebook-cell")
        @dataclasses.dataclass(frozen=True)
        class Cell(Serializable):
            width: int

        return Cell

    former, cls = define(), define()
    assert type(cls.loads(cls(3).dumps())) is cls is not former


def test_a_name_and_a_class_are_registered_once():
    with pytest.raises(ValueError, match="cannot register .*Other.* as 'test.program'"):

        @serializable("test.program", fields=())
        class Other:
            pass

    with pytest.raises(ValueError, match="is registered as 'test.program'"):
        serializable("test.program2", fields=())(Program)


def test_a_class_says_what_to_write():
    class Odd(Instruction):
        def __init__(self, size):
            super().__init__("odd", np.zeros((size, size)))

    with pytest.raises(TypeError, match="Odd.* does not say what to write"):
        serializable("test.odd")(Odd)
    with pytest.raises(TypeError, match="does not say what to write"):
        serializable("test.silent")(type("Silent", (), {}))


# --- what is not read ---------------------------------------------------------------------------


def packed(size):
    return base64.b64encode(zlib.compress(b"\x00" * size)).decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"$object": "os.system", "fields": {}}, r"\$: unknown class 'os\.system'"),
        ({"$object": ["test.model"], "fields": {}}, r"\$: unknown class"),
        ({"$object": "test.model"}, r"\$: expected the keys"),
        ({"$object": "test.model", "fields": {}, "x": 1}, r"\$: expected the keys"),
        ({"$object": "test.model", "fields": []}, r"\$: the fields of an object"),
        ({"$object": "test.model", "fields": {}}, r"\$: not a valid test\.model: a model has"),
        ({"$object": "test.instruction", "fields": {"x": 1}}, r"\$: not a valid test\.instruction"),
        ({"$what": 1}, r"\$: expected one of .*, got \['\$what'\]"),
        ({"$tuple": [], "$set": []}, r"\$: expected one of"),
        ({"$tuple": 1}, r"\$: expected a list, got int"),
        ({"a": {"$set": [1, 1]}}, r"\$\.a: a set contains a value twice"),
        ({"$set": [[]]}, r"\$: a member of a set is not hashable"),
        ({"$dict": [[1, 2], [1, 3]]}, r"\$: the key 1 is there twice"),
        ({"$dict": [[[], 2]]}, r"\$: a key is not hashable"),
        ({"$dict": [[1]]}, r"\$: expected a list of pairs"),
        ({"$dict": 1}, r"\$: expected a list of pairs"),
        ({"$int": "12"}, r"\$: expected a hexadecimal integer"),
        ({"$int": 12}, r"\$: expected a hexadecimal integer"),
        ({"$float": "nan"}, r"\$: expected the 16 hexadecimal digits"),
        ({"$bytes": "*"}, r"\$: not valid base64"),
        ({"$bytes": "é"}, r"\$: not valid base64"),
        ({"$bytes": None}, r"\$: expected base64 text, got NoneType"),
        ({"$scalar": 300, "dtype": "int8"}, r"\$: 300 does not fit into int8"),
        ({"$scalar": -1, "dtype": "uint64"}, r"\$: -1 does not fit into uint64"),
        ({"$scalar": True, "dtype": "int8"}, r"\$: a int8 cannot be made of bool"),
        ({"$scalar": 0.1, "dtype": "float32"}, r"\$: 0\.1 is not exactly a float32"),
        ({"$scalar": 1e300, "dtype": "float32"}, r"\$: 1e\+300 is not exactly a float32"),
        ({"$scalar": "abc", "dtype": "<U2"}, r"\$: 'abc' is not exactly a <U2"),
        ({"$scalar": 1.0, "dtype": "complex128"}, r"\$: unknown dtype 'complex128'"),
        ({"$objects": [1], "shape": [2]}, r"\$: 1 values do not fill"),
        ({"$objects": [], "shape": [0, 2**62]}, r"\$: 0 values do not fill"),
        ({"$objects": [1], "shape": [True]}, r"\$: the sizes of a shape"),
        ({"$objects": 1, "shape": []}, r"\$: expected a list of values"),
        (array_node(shape=[2, 4]), r"\$: dtype and shape need 32 bytes, got 24"),
        (array_node(shape=[2, 2]), r"\$: dtype and shape need 16 bytes, got 24"),
        (array_node(shape=[-2, -3]), r"\$: the sizes of a shape are integers >= 0"),
        (array_node(shape=[True, 6]), r"\$: the sizes of a shape are integers >= 0"),
        (array_node(shape=[6.0]), r"\$: the sizes of a shape are integers >= 0"),
        (array_node(shape=6), r"\$: a shape is a list"),
        (array_node(shape=[1] * 33), r"\$: a shape is a list of at most 32"),
        (array_node(shape=[2**40, 2**40]), r"\$: a shape of .* does not fit into any memory"),
        (array_node(shape=[0, 2**63]), r"\$: a shape of .* does not fit into any memory"),
        (array_node(shape=[2**35]), r"\$: an array .* passes the limit"),
        (array_node(shape=None), r"\$: an array has the keys"),
        (array_node(extra=1), r"\$: an array has the keys"),
        (array_node(dtype="object"), r"\$: unknown dtype 'object'"),
        (array_node(dtype="O"), r"\$: unknown dtype 'O'"),
        (array_node(dtype=">i4"), r"\$: unknown dtype '>i4'"),
        (array_node(dtype=["int32"]), r"\$: unknown dtype"),
        (array_node(dtype="i4,i4"), r"\$: unknown dtype"),
        (array_node(wire="int32"), r"\$: values of dtype int32 cannot be stored as int32"),
        (array_node(wire="int64"), r"\$: values of dtype int32 cannot be stored as int64"),
        (array_node(wire="float16"), r"\$: values of dtype int32 cannot be stored as float16"),
        (array_node(dtype="uint32", wire="int8"), r"\$: values of dtype uint32 cannot"),
        (array_node(wire="int16"), r"\$: dtype and shape need 12 bytes, got 24"),
        (array_node(dtype="bool", shape=[24]), r"\$: a bool is stored as 0 or 1"),
        (array_node(dtype="<U1", shape=[1], **{"$array": "////fw=="}), r"\$: text contains"),
        (array_node(**{"$array": "AAA"}), r"\$: not valid base64"),
        (array_node(**{"$array": "AA\nAA"}), r"\$: not valid base64"),
        (array_node(**{"$array": 5}), r"\$: expected base64 text, got int"),
        (array_node(zlib=1), r"\$: zlib is true or absent"),
        (array_node(zlib=True), r"\$: the compressed bytes are damaged"),
        (array_node(zlib=True, **{"$array": packed(25)}), r"\$: dtype and shape need 24 bytes"),
        (array_node(zlib=True, **{"$array": packed(23)}), r"\$: dtype and shape need 24 bytes"),
        (
            array_node(zlib=True, **{"$array": packed(10**7)}),
            r"\$: the compressed bytes do not end",
        ),
        (
            array_node(zlib=True, shape=[10**8], **{"$array": packed(24)}),
            r"\$: \d+ compressed bytes cannot hold the 400000000 declared",
        ),
        (
            array_node(zlib=True, **{"$array": packed(24)[:-8]}),
            r"\$: the compressed bytes do not end",
        ),
        (
            array_node(
                zlib=True,
                **{"$array": base64.b64encode(zlib.compress(bytes(24)) + b"more").decode()},
            ),
            r"\$: the compressed bytes do not end",
        ),
        ({"$array": "", "dtype": "<U99999999", "shape": [2**40, 0]}, r"\$: a shape of"),
    ],
)
def test_malformed_contents_are_refused_with_their_place(content, message):
    nested = message.replace(r"\$", r"\$\.x\[1\]", 1)
    for document, expected in ((sealed(content), message), (sealed({"x": [0, content]}), nested)):
        with pytest.raises(SerializationError, match="^" + expected):
            from_document(document)
        with pytest.raises(SerializationError, match="^" + expected):
            loads(json.dumps(document))


def test_errors_of_constructors_carry_the_place():
    document = to_document(model())
    layers = document["content"]["fields"]["program"]["fields"]["instructions"]
    layers[1]["fields"]["weights"] = {"$array": "AA==", "dtype": "int8", "shape": [1]}
    with pytest.raises(SerializationError) as caught:
        from_document(sealed(document["content"]))
    assert str(caught.value) == (
        "$.program.instructions[1]: not a valid test.instruction: "
        "weights must have 2 dimensions, got 1"
    )
    assert isinstance(caught.value.__cause__, ValueError)
    layers[1]["fields"]["weights"]["shape"] = [2]
    with pytest.raises(
        SerializationError, match=r"^\$\.program\.instructions\[1\]\.weights: dtype"
    ):
        from_document(sealed(document["content"]))


@pytest.mark.parametrize(
    ("envelope", "message"),
    [
        ({"format": "pickle"}, "not an skq document"),
        ({"version": 2}, "written in version 2 of the format; this skq reads up to 1. Upgrade"),
        ({"version": 0}, "the version is an integer >= 1, got 0"),
        ({"version": True}, "the version is an integer"),
        ({"version": "1"}, "the version is an integer"),
        ({"extra": 1}, "expected the keys"),
        ({"checksum": None}, "the checksum does not match"),
        ({"content": 2}, "the checksum does not match"),
        ({"content": math.nan}, "not strict JSON"),
        ({"content": {1: {2, 3}}}, "not strict JSON"),
    ],
)
def test_bad_envelopes(envelope, message):
    with pytest.raises(SerializationError, match=message):
        from_document(sealed(1, **envelope))


@pytest.mark.parametrize("document", [None, [], "skq", {}])
def test_what_is_no_document(document):
    with pytest.raises(SerializationError, match="not an skq document"):
        from_document(document)


def test_python_objects_that_only_look_like_json():
    with pytest.raises(SerializationError, match=r"\$: the keys of a JSON object are texts"):
        from_document(sealed({1: 2}))
    with pytest.raises(SerializationError, match=r"\$\.a: expected JSON, got tuple"):
        from_document(sealed({"a": (1, 2)}))


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"format": Infinity}', "[" * 100_000, "1" * 5000, "nul"]
)
def test_texts_that_are_no_documents(text):
    with pytest.raises(SerializationError):
        loads(text)


def test_only_texts_are_parsed():
    with pytest.raises(TypeError, match="expected a text"):
        loads(dumps(1).encode())


def test_deep_nesting_is_refused():
    content = 1
    for _ in range(101):
        content = [content]
    with pytest.raises(SerializationError, match="nested deeper than 100 levels"):
        from_document(sealed(content))
    with pytest.raises(SerializationError):
        from_document(sealed(1, content=json.loads("[" * 900 + "]" * 900)))


def test_the_limit_holds_for_all_arrays_together():
    arrays = [np.zeros(1000), np.zeros(1000)]
    text = dumps(arrays)
    assert len(text) < 400
    assert same(loads(text, max_bytes=16_000), arrays)
    with pytest.raises(SerializationError, match=r"\$\[1\]: an array .* 7999 bytes left"):
        loads(text, max_bytes=15_999)


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        (model(), Program, r"\$: expected Program, got Model"),
        (model(), (Program, dict), r"\$: expected Program or dict, got Model"),
        ([1], Program, r"\$: expected Program, got list"),
    ],
)
def test_expected_class(value, expected, message):
    with pytest.raises(SerializationError, match=message):
        loads(dumps(value), expected=expected)
    assert loads(dumps(value), expected=(type(value), int)) is not None


def test_an_unexpected_class_is_not_built():
    class Trap:
        pass

    def explode(**_):
        raise AssertionError("built")

    Trap.__skq_build__ = explode
    serializable("test.trap", as_dict=True)(Trap)
    with pytest.raises(SerializationError, match="expected Program, got Trap"):
        loads(dumps(Trap()), expected=Program)


TEXT = dumps(model())


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_text_is_refused_or_the_same(data):
    place = data.draw(st.integers(0, len(TEXT) - 1))
    length = data.draw(st.integers(0, 8))
    inserted = data.draw(st.text(alphabet='0123456789abcABC"{}[],:$.-+eE \\/=', max_size=8))
    check_mutant(TEXT[:place] + inserted + TEXT[place + length :])


@pytest.mark.parametrize("keep", range(0, len(TEXT), 37))
def test_a_truncated_text_is_refused(keep):
    with pytest.raises(SerializationError):
        loads(TEXT[:keep])


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_content_with_a_right_checksum_never_fails_otherwise(data):
    """Without the checksum's help: an error of ours or some object, but nothing else."""
    document = json.loads(TEXT)
    node, key = document, "content"
    while True:
        child = node[key]
        keys = list(child) if isinstance(child, dict) else []
        keys = list(range(len(child))) if isinstance(child, list) else keys
        if not keys or data.draw(st.integers(0, 4)) == 0:
            break
        node, key = child, data.draw(st.sampled_from(keys))
    junk = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["$array", "$object", "$tuple", "dtype", "shape", "fields", "a"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=4,
    )
    node[key] = data.draw(junk)
    message = refusal_of(sealed(document["content"]))
    assert message is None or message.startswith("$")


def refusal_of(document):
    try:
        from_document(document)
    except SerializationError as error:
        return str(error)
    return None


def check_mutant(text):
    try:
        back = loads(text)
    except SerializationError:
        return
    assert same(back, model())


# --- files --------------------------------------------------------------------------------------


def test_files_round_trip(tmp_path):
    path = tmp_path / "model.skq"
    save([1], path)
    save(model(), str(path))
    assert same(load(path, expected=Model), model())
    assert path.read_text() == dumps(model())
    assert os.listdir(tmp_path) == ["model.skq"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.skq"
    save([1], path)
    with pytest.raises(SerializationError):
        save(object(), path)

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save([2], path)
    assert load(path) == [1]
    assert os.listdir(tmp_path) == ["model.skq"]


def test_errors_of_files_name_the_file(tmp_path):
    path = tmp_path / "bad.skq"
    path.write_bytes(b"\x80\x04\x95")
    with pytest.raises(SerializationError, match=r"bad\.skq: not a text file"):
        load(path)
    path.write_text(json.dumps(sealed({"a": {"$tuple": 1}})))
    with pytest.raises(SerializationError, match=r"bad\.skq: \$\.a: expected a list"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.skq")


def golden_value():
    """What tests/data/format-v1.json was written from."""
    options, stats = QuantizationOptions(2, is_signed=True), MinMaxQuantizationStats(2, -1)
    return {
        "plain": [None, True, 2**60, 0.1, math.inf, "é"],
        "more": ((1,), {2}, frozenset(), b"\x00", {1: -0.0}),
        "arrays": [
            np.array([[1, -2], [3, 400]]),
            np.array([0.5]),
            np.array(["ab"]),
            np.array([True]),
            np.array(["x", None], dtype=object),
            np.float32(0.5),
        ],
        "quantizer": UniformQuantizer(options, stats, no_clipping=True),
        "array": QuantizedArray(2, [0, 3], value_is_float=False, scale=0.5, zero_point=1),
    }


def test_files_of_version_1_stay_readable_and_are_what_is_written():
    path = ROOT / "tests" / "data" / "format-v1.json"
    assert same(load(path), golden_value())
    assert dumps(golden_value()) == path.read_text(encoding="ascii").strip()


# --- the page -----------------------------------------------------------------------------------


def test_the_page_on_the_file_format_runs():
    page = ROOT / "docs" / "concepts" / "file-format.md"
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert result.attempted > 5
    assert result.failed == 0
