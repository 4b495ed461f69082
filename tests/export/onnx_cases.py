"""Run exported models, and compare them with the reference engine."""

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator

import skq

#: Method of an estimator by ONNX output.
METHODS = {
    "label": "predict",
    "variable": "predict",
    "probabilities": "predict_proba",
    "scores": "decision_function",
    "score_samples": "score_samples",
}

#: Most units in the last place by which a function computed in floats may differ from NumPy's.
MOST_ULP = 4


def session(proto):
    """ONNX Runtime on the CPU, one thread, nodes of ``form="qdq"`` as they are written."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.log_severity_level = 3  # no warnings of unused initializers
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def outputs_of(proto_or_session, x):
    """Outputs by name, from ONNX Runtime."""
    run = proto_or_session if hasattr(proto_or_session, "run") else session(proto_or_session)
    names = [info.name for info in run.get_outputs()]
    return dict(zip(names, run.run(None, {"X": x}), strict=True))


def outputs_of_evaluator(proto, x):
    """Outputs by name, from onnx's own reference evaluator."""
    names = [info.name for info in proto.graph.output]
    return dict(zip(names, ReferenceEvaluator(proto).run(None, {"X": x}), strict=True))


def expected_of(model, names, x):
    """What the estimator's methods return on the reference engine, by ONNX output."""
    with skq.config_context(engine="reference"):
        return {name: getattr(model, METHODS[name])(x) for name in names}


def assert_follows(outputs, model, x):
    """Equal to what the model's methods return on the reference engine; see `assert_equal_to`."""
    assert_equal_to(outputs, expected_of(model, list(outputs), x), model)


def assert_equal_to(outputs, expected_outputs, model):
    """Equal outputs; those that a function in floats computes within `MOST_ULP`.

    A difference of two such outputs (1 - p, or a score less its offset) has the error of its
    terms: its unit in the last place is that of the largest term, which is at most 1.
    """
    tail = model.quantized_module_.epilogue
    computed = {name for node in tail.nodes for name in node.outputs}
    operators = {node.op_type for node in tail.nodes}
    assert set(outputs) == set(expected_outputs)
    for name, expected in expected_outputs.items():
        found = outputs[name]
        assert found.shape == expected.shape, name
        assert found.dtype.kind in ("OU" if expected.dtype.kind in "OU" else expected.dtype.kind)
        if METHODS[name] not in computed or expected.dtype.kind != "f":
            np.testing.assert_array_equal(found, expected, err_msg=name)
            continue
        unit = np.spacing(np.maximum(np.abs(found), np.abs(expected)))
        if "Sub" in operators:
            unit = np.maximum(unit, np.spacing(0.5))
        assert np.all(np.abs(found - expected) <= MOST_ULP * unit), name
