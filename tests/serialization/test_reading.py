"""What is not read: each malformed document is refused with its place."""

import base64
import json
import math
import zlib

import numpy as np
import pytest

from skq.exceptions import SerializationError
from skq.serialization import dumps, from_document, loads, serializable, to_document
from tests.serialization.serialization_cases import (
    Program,
    array_node,
    model,
    same,
    sealed,
)


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
        ({"$set": [[]]}, r"\$: an element of a set is not hashable"),
        ({"$dict": [[1, 2], [1, 3]]}, r"\$: the key 1 occurs twice"),
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
        (array_node(shape=[-2, -3]), r"\$: the sizes of a shape must be integers >= 0"),
        (array_node(shape=[True, 6]), r"\$: the sizes of a shape must be integers >= 0"),
        (array_node(shape=[6.0]), r"\$: the sizes of a shape must be integers >= 0"),
        (array_node(shape=6), r"\$: a shape must be a list"),
        (array_node(shape=[1] * 33), r"\$: a shape must be a list of at most 32"),
        (array_node(shape=[2**40, 2**40]), r"\$: a shape of .* does not fit into any memory"),
        (array_node(shape=[0, 2**63]), r"\$: a shape of .* does not fit into any memory"),
        (array_node(shape=[2**35]), r"\$: an array .* exceeds the limit"),
        (array_node(shape=None), r"\$: an array must have the keys"),
        (array_node(extra=1), r"\$: an array must have the keys"),
        (array_node(dtype="object"), r"\$: unknown dtype 'object'"),
        (array_node(dtype="O"), r"\$: unknown dtype 'O'"),
        (array_node(dtype=">i4"), r"\$: unknown dtype '>i4'"),
        (array_node(dtype=["int32"]), r"\$: unknown dtype"),
        (array_node(dtype="i4,i4"), r"\$: unknown dtype"),
        (array_node(wire="int32"), r"\$: values of dtype int32 cannot be stored as 'int32'"),
        (array_node(wire="int64"), r"\$: values of dtype int32 cannot be stored as 'int64'"),
        (array_node(wire="float16"), r"\$: values of dtype int32 cannot be stored as 'float16'"),
        (array_node(dtype="uint32", wire="int8"), r"\$: values of dtype uint32 cannot"),
        (array_node(dtype="float64", wire="int8"), r"\$: values of dtype float64 cannot"),
        (array_node(dtype="bool", wire="uint1"), r"\$: values of dtype bool cannot"),
        (array_node(dtype="uint64", wire="int3"), r"\$: values of dtype uint64 cannot"),
        (array_node(wire="uint0"), r"\$: values of dtype int32 cannot be stored as 'uint0'"),
        (array_node(wire="int33"), r"\$: values of dtype int32 cannot be stored as 'int33'"),
        (array_node(wire="int3 "), r"\$: values of dtype int32 cannot be stored as 'int3 '"),
        (array_node(wire=3), r"\$: values of dtype int32 cannot be stored as 3"),
        (array_node(wire="int16"), r"\$: dtype and shape need 12 bytes, got 24"),
        (array_node(wire="uint5"), r"\$: dtype and shape need 4 bytes, got 24"),
        (array_node(dtype="bool", shape=[24]), r"\$: a bool must be stored as 0 or 1"),
        (array_node(dtype="<U1", shape=[1], **{"$array": "////fw=="}), r"\$: text contains"),
        (array_node(**{"$array": "AAA"}), r"\$: not valid base64"),
        (array_node(**{"$array": "AA\nAA"}), r"\$: not valid base64"),
        (array_node(**{"$array": 5}), r"\$: expected base64 text, got int"),
        (array_node(zlib=1), r"\$: zlib must be true or absent"),
        (array_node(zlib=True), r"\$: the compressed bytes are damaged"),
        (array_node(zlib=True, **{"$array": packed(25)}), r"\$: dtype and shape need 24 bytes"),
        (array_node(zlib=True, **{"$array": packed(23)}), r"\$: dtype and shape need 24 bytes"),
        (
            array_node(zlib=True, **{"$array": packed(10**7)}),
            r"\$: the compressed bytes do not end",
        ),
        (
            array_node(zlib=True, shape=[10**7], **{"$array": packed(24)}),
            r"\$: \d+ compressed bytes cannot hold the 40000000 declared",
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
        ({"version": 0}, "the version must be an integer >= 1, got 0"),
        ({"version": True}, "the version must be an integer"),
        ({"version": "1"}, "the version must be an integer"),
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
    with pytest.raises(SerializationError, match=r"\$: the keys of a JSON object must be texts"):
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
    with pytest.raises(
        SerializationError, match=r"\$\[1\]: an array .* max_bytes=15999 allows 15999"
    ):
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
