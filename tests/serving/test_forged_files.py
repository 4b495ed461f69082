"""Files with right checksums and wrong contents: refused with a place, in little memory."""

import base64
import copy
import zlib

import numpy as np
import pytest

import skq
from skq.exceptions import SerializationError
from skq.serialization.arrays import decode_array, encode_array
from skq.serialization.budget import Budget
from skq.serialization.files import _check_values
from tests.fuzz import __main__ as fuzz
from tests.fuzz.sanitized import run_sanitized, runtime

ORIGINALS = fuzz.contents()
TUPLE = "$tuple"


def objects(node, name):
    """Fields of all objects of a class in a document."""
    if isinstance(node, dict):
        if node.get("$object") == f"skq.{name}":
            yield node["fields"]
        for child in node.values():
            yield from objects(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child, name)


def forged(model, name, **fields):
    """The content of a file in which the first object of a class has other fields."""
    content = copy.deepcopy(ORIGINALS[model])
    next(objects(content, name)).update(fields)
    return content


def load(content, tmp_path, **options):
    path = tmp_path / "model.skq"
    path.write_text(fuzz.json.dumps(fuzz.sealed(content), separators=(",", ":")))
    return skq.load(path, **options)


def refusal(content, tmp_path):
    with pytest.raises(SerializationError, match=r"model\.skq: \$") as error:
        load(content, tmp_path)
    return str(error.value)


def array(*values, dtype=np.int64):
    return encode_array(np.array(values, dtype=dtype))


def packed_zeros(*shape):
    """Zeros that take next to nothing in a file."""
    raw = zlib.compress(bytes(int(np.prod(shape))), 9)
    text = base64.b64encode(raw).decode()
    return {"$array": text, "dtype": "uint8", "shape": list(shape), "zlib": True}


def instructions(content):
    return next(objects(content, "IntegerProgram"))["instructions"][TUPLE]


def step(name, inputs, **fields):
    return {"$object": f"skq.{name}", "fields": {"inputs": {TUPLE: inputs}, **fields}}


def test_the_originals_load(tmp_path):
    for content in ORIGINALS.values():
        load(content, tmp_path)


@pytest.mark.parametrize("dtype", ["float64", "bool", "uint64", "float16"])
@pytest.mark.parametrize(
    ("model", "name", "field"),
    [
        ("forest_8", "Bin", "feature"),
        ("forest_8", "Bin", "offsets"),
        ("forest_8", "Bin", "base"),
        ("forest_8", "Bin", "nan_code"),
        ("forest_8", "Trees", "roots"),
        ("forest_8", "Trees", "feature"),
        ("forest_8", "Trees", "threshold"),
        ("forest_8", "Trees", "left"),
        ("forest_8", "Trees", "right"),
        ("forest_8", "Trees", "leaf_values"),
        ("forest_8", "Trees", "output"),
        ("forest_8", "Trees", "multiplier"),
        ("mlp_8", "Quantize", "zero_point"),
        ("mlp_8", "MatMul", "weights"),
        ("mlp_8", "Requantize", "multiplier"),
        ("mlp_8", "Requantize", "offset"),
        ("convolutions_8", "Gather", "indices"),
    ],
)
def test_arrays_of_other_dtypes_are_refused(model, name, field, dtype, tmp_path):
    node = next(objects(ORIGINALS[model], name))[field]
    if "$scalar" in node:
        changed = encode_array(np.ones((), dtype))
    else:
        changed = encode_array(decode_array(node, Budget(2**24)).astype(dtype))
    content = forged(model, name, **{field: changed})
    assert f"{field} must be an array of integers" in refusal(content, tmp_path)


@pytest.mark.parametrize(
    "value",
    [{"$scalar": 100, "dtype": "int8"}, 1.0, True, None, "1", {}, [1], {"$int": hex(2**70)}],
    ids=str,
)
@pytest.mark.parametrize(
    ("model", "name", "field"),
    [
        ("mlp_8", "Quantize", "lo"),
        ("mlp_8", "Quantize", "hi"),
        ("mlp_8", "Requantize", "lo"),
        ("mlp_8", "Requantize", "hi"),
        ("mlp_8", "Requantize", "shift"),
        ("convolutions_8", "Gather", "fill"),
        ("forest_8", "Trees", "n_outputs"),
    ],
)
def test_scalars_that_are_no_ints_in_range_are_refused(model, name, field, value, tmp_path):
    message = refusal(forged(model, name, **{field: value}), tmp_path)
    assert f"{field} must be an int in" in message


@pytest.mark.parametrize("item", [{"$scalar": 1, "dtype": "int64"}, 1.0, True, -1])
def test_shapes_and_operands_are_tuples_of_ints(item, tmp_path):
    for shape in ({TUPLE: [item]}, {"a": 1}, [4]):
        assert "a shape must be a tuple of ints" in refusal(
            forged("mlp_8", "TensorType", shape=shape), tmp_path
        )
        assert "inputs must be a tuple of ints" in refusal(
            forged("mlp_8", "MatMul", inputs=shape), tmp_path
        )


def test_a_base_that_would_wrap_is_refused(tmp_path):
    n = len(decode_array(next(objects(ORIGINALS["forest_8"], "Bin"))["base"], Budget(2**24)))
    content = forged("forest_8", "Bin", base=array(*[2**63 - 1] * n))
    assert "more than 63 bits" in refusal(content, tmp_path)


def test_small_files_that_declare_much_are_refused(tmp_path):
    forest, ridge = "forest_8", "ridge_8"
    roots = dict.fromkeys(["roots", "output", "multiplier"], packed_zeros(3 * 10**7))
    contents = {
        "outputs": forged(forest, "Trees", n_outputs=10**9),
        "roots": forged(forest, "Trees", **roots),
    }
    content = copy.deepcopy(ORIGINALS[ridge])
    steps = instructions(content)
    n = 1 + len(steps)
    steps += [
        step("Gather", [1], indices=packed_zeros(40000, 1), fill=0),
        step("Gather", [1], indices=packed_zeros(1, 50000), fill=0),
        step("Add", [n, n + 1]),
    ]
    contents["broadcast"] = content
    content = copy.deepcopy(ORIGINALS[ridge])
    last = 1
    for _ in range(50):
        instructions(content).append(step("Concat", [last] * 2))
        last = len(instructions(content))
    contents["doubling"] = content
    content = copy.deepcopy(ORIGINALS[ridge])
    outputs = next(objects(content, "IntegerProgram"))["outputs"]
    instructions(content).append(step("Gather", [1], indices=packed_zeros(10**6), fill=0))
    outputs.update({f"y{k}": len(instructions(content)) for k in range(100)})
    contents["many outputs"] = content
    for what, content in contents.items():
        message = refusal(content, tmp_path)
        assert "exceeds the limit" in message, what
        assert "larger max_bytes" in message, what


def test_the_limit_that_the_error_names_can_be_raised(tmp_path):
    content = copy.deepcopy(ORIGINALS["ridge_8"])
    instructions(content).append(step("Gather", [1], indices=packed_zeros(9 * 10**6), fill=0))
    with pytest.raises(SerializationError, match="max_bytes=8000000"):
        load(content, tmp_path, max_bytes=8 * 10**6)
    load(content, tmp_path, max_bytes=10**8)


def test_many_values_of_a_plain_text_are_refused():
    with pytest.raises(SerializationError, match="exceeds the limit"):
        _check_values(b"0," * 10**7, 1000)


def node(op_type, inputs, **attributes):
    fields = {"op_type": op_type, "inputs": {TUPLE: inputs}, "outputs": {TUPLE: ["more"]},
              "attributes": attributes}  # fmt: skip
    return {"$object": "skq.Node", "fields": fields}


@pytest.mark.parametrize(
    ("added", "constants", "message"),
    [
        (node("Pad", ["decision_function", "c"]), array(0, 0, 0, 10**10), "operators"),
        (node("Expand", ["decision_function", "c"]), array(3, 10**10), "operators"),
        (node("MatMul", ["decision_function", "c"]), array(1), "operators"),
        (node("Softmax", ["decision_function"], axis=0), array(1), "axis of rows"),
        (node("Softmax", ["decision_function"], axis=7), array(1), "the axis 7"),
        (node("Softmax", ["decision_function"], axis="1"), array(1), "the axis '1'"),
        (node("ReduceSum", ["decision_function", "c"]), array(0), "each row"),
        (node("Add", ["decision_function", "c"]), array(1, 2), "broadcast"),
        (node("Add", ["decision_function", "predict"]), array(1), "broadcast|each row"),
        (node("Gather", ["decision_function", "c"], axis=1), array(3), "out of bounds"),
        (node("Gather", ["c", "predict"], axis=0), array(1, 2), "do not lie in 2 constants"),
        (node("Cast", ["decision_function"], to=8), array(1), "dtype object"),
        (node("Slice", ["decision_function", "c", "c"]), array(1), "selects rows"),
        (node("Reshape", ["decision_function", "c"]), array(3, -1), "each row"),
        (node("Add", ["decision_function", "c"]), array("a", dtype="<U1"), "hold numbers"),
    ],
)
def test_an_epilogue_that_cannot_run_is_refused(added, constants, message, tmp_path):
    content = copy.deepcopy(ORIGINALS["logistic_regression_8"])
    graph = next(objects(content, "FloatGraph"))
    graph["nodes"][TUPLE].append(added)
    graph["initializers"]["c"] = constants
    found = refusal(content, tmp_path)
    assert any(part in found for part in message.split("|")), found


def test_an_epilogue_that_doubles_is_refused(tmp_path):
    content = copy.deepcopy(ORIGINALS["logistic_regression_8"])
    nodes = next(objects(content, "FloatGraph"))["nodes"][TUPLE]
    last = "decision_function"
    for k in range(40):
        nodes.append(node("Concat", [last, last], axis=1))
        last = f"more{k}"
        nodes[-1]["fields"]["outputs"] = {TUPLE: [last]}
    assert "exceeds the limit" in refusal(content, tmp_path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes_": None}, "classes_ is None"),
        ({"classes_": array()}, "0 labels"),
        ({"classes_": array(0, 1)}, "2 labels"),
        ({"classes_": array(0, 1, 2, 3)}, "4 labels"),
        ({"classes_": [array(0, 1, 2)] * 2}, "2 parts for 1 outputs"),
        ({"classes_": encode_array(np.zeros((3, 3)))}, "one dimension"),
        ({"classes_": {"$objects": [[1], [2], [3]], "shape": [3]}}, "texts or numbers"),
        ({"quantized_module_": None}, "must be a QuantizedModule"),
        ({"n_features_in_": 5}, "n_features_in_ is 5"),
        ({"n_features_in_": 4.0}, "must be an int"),
        ({"takes_missing": array(0, 0, 0, 0)}, "array of bool"),
        ({"takes_missing": encode_array(np.zeros(3, bool))}, r"shape (4,)"),
        ({"feature_names_in_": array("a", "b", dtype="<U1")}, "feature_names_in_"),
        ({"estimator": 3}, "must be a text"),
        ({"n_bits": 0}, "n_bits"),
        ({"n_bits": None}, "n_bits"),
    ],
    ids=str,
)
def test_what_surrounds_the_module_is_checked(fields, message, tmp_path):
    found = refusal(forged("logistic_regression_8", "IntegerPredictor", **fields), tmp_path)
    assert message in found


def test_no_other_class_is_built(tmp_path):
    other = {"$object": "quantization_options", "fields": {"n_bits": 3}}
    content = forged("ridge_8", "IntegerPredictor", classes_=other)
    assert "quantization_options is not allowed in this file" in refusal(content, tmp_path)


def test_mutants_are_refused_or_well_defined_on_sanitized_kernels(tmp_path, capfd):
    """No crash, no hang, no difference between engines, no error without a place."""
    if runtime() is None:
        pytest.skip("the compiler has no shared AddressSanitizer runtime")
    status = run_sanitized(tmp_path, ["--first", "10000000", "--count", "3000"])
    out = capfd.readouterr().out
    assert status == 0, out
    assert "3000 mutants" in out
