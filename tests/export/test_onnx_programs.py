"""Random programs as ONNX graphs give what the reference engine gives, in every form."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skq.engines import reference
from skq.export.onnx_integer.builder import GraphBuilder
from skq.export.onnx_integer.fast import FAST_RULES
from skq.export.onnx_integer.program_graph import add_program
from skq.export.onnx_integer.rules import INTEGER_RULES
from skq.graph.graph import TensorInfo
from skq.graph.onnx_proto import graph_to_proto
from skq.program import INSTRUCTIONS, IntegerProgram, TensorType
from skq.program import instructions as ins
from tests.program.random_programs import random_inputs, random_program

RULES = {"integer": INTEGER_RULES, "fast": FAST_RULES}


def proto_of(program, rules, opset=17, dtype="float64"):
    g = GraphBuilder(opset)
    inputs = [
        g.input(f"X_{k}", "int64" if type_.is_integer else dtype, type_.shape)
        for k, type_ in enumerate(program.inputs)
    ]
    infos = []
    for name, value in add_program(g, program, inputs, rules).items():
        type_ = program.types[program.outputs[name]]
        wanted = "int64" if type_.is_integer else "float64"
        g.node("Identity", [g.cast(value, wanted)], wanted, name=name)
        infos.append(TensorInfo(name, wanted, (None, *type_.shape)))
    domains = {node.domain for node in g.nodes if node.domain}
    return graph_to_proto(g.graph(infos, dict.fromkeys(domains, 3)))


def run(proto, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {f"X_{k}": array for k, array in inputs.items()})


@pytest.mark.parametrize("form", RULES)
def test_every_instruction_has_a_rule(form):
    assert set(RULES[form]) == set(INSTRUCTIONS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(st.sampled_from(list(INSTRUCTIONS)), max_size=12),
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.sampled_from([1, 7, 65]),
    form=st.sampled_from(list(RULES)),
    dtype=st.sampled_from(["float64", "float32"]),
    opset=st.sampled_from([13, 17, 18, 21]),
)
def test_random_programs(kinds, seed, n_rows, form, dtype, opset):
    program = random_program(kinds, seed)
    inputs = random_inputs(program, n_rows, np.random.default_rng(seed))
    with np.errstate(over="ignore"):
        inputs = {
            k: x if program.inputs[k].is_integer else x.astype(dtype) for k, x in inputs.items()
        }
    proto = proto_of(program, RULES[form], opset, dtype)
    onnx.checker.check_model(proto, full_check=True)
    expected = reference.evaluate(program, inputs, program.outputs.values())
    for name, a, b in zip(program.outputs, run(proto, inputs), expected, strict=True):
        assert a.shape == b.shape, name
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_products_of_more_than_53_bits_whose_sums_have_less():
    """``x * multiplier`` rounds in float64, though ``x * multiplier + offset`` would fit."""
    multiplier = np.array([2**28 - 57, 2**28 - 57], dtype=np.uint32)
    offset = np.array([-(2**53), 1 - 2**53])
    steps = (
        ins.Quantize((0,), np.ones(2), np.zeros(2, dtype=np.int64), 0, 2**16 - 1),
        ins.MatMul((1,), np.array([[1023, 3], [1, 1021]])),
        ins.Requantize((2,), multiplier, offset, 0, -(2**53), 2**53),
        ins.Dequantize((3,), np.array(1.0), np.array(0.0)),
    )
    program = IntegerProgram((TensorType((2,)),), steps, {"y": 4})
    x = np.random.default_rng(0).integers(2**15, 2**16, (200, 2)).astype(float)
    (expected,) = reference.evaluate(program, {0: x}, [4])
    for form, rules in RULES.items():
        (found,) = run(proto_of(program, rules), {0: x})
        assert np.array_equal(found, expected), form
