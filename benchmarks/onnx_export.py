"""Exported models next to the float models of skl2onnx, on ONNX Runtime: bytes and time.

Run it with ``python benchmarks/onnx_export.py [--models NAME ...] [--dtype float64 float32]`` where
onnxruntime and skl2onnx are installed (``pip install skl2onnx onnxruntime``).

`bytes` is the size of the file of ``to_onnx(model, form="fast")`` by that of skl2onnx; `batch` and
`one` are the times of 100 000 rows and of one row by those of skl2onnx, the best of several runs
that take turns. Both use the same number of threads, and both give labels and probabilities. The
time is processor time, so that other processes count little; of several threads it is the sum.
"not run": skl2onnx does not write the model, or ONNX Runtime does not load what it writes.
The first lines are the floor of a quantizer: the time of one operator over the table.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from sklearn.datasets import make_classification
from tables import line, print_header

import skq
from skq.export import to_onnx

try:
    import onnxruntime
    import skl2onnx
except ImportError as error:
    sys.exit(f"This benchmark needs {error.name}: pip install skl2onnx onnxruntime")

MODELS: dict[str, Callable[[], Any]] = {
    "LogisticRegression": lambda: skq.linear_model.LogisticRegression(max_iter=300),
    "Ridge": lambda: skq.linear_model.Ridge(),
    "MLPClassifier": lambda: skq.neural_network.MLPClassifier((100,), max_iter=10, random_state=0),
    "RandomForestClassifier": lambda: skq.ensemble.RandomForestClassifier(100, random_state=0),
    "RandomForestClassifier, depth 8": lambda: skq.ensemble.RandomForestClassifier(
        100, max_depth=8, random_state=0
    ),
    "RandomForestRegressor, depth 8": lambda: skq.ensemble.RandomForestRegressor(
        100, max_depth=8, random_state=0
    ),
    "GradientBoostingClassifier": lambda: skq.ensemble.GradientBoostingClassifier(random_state=0),
    "HistGradientBoostingClassifier": lambda: skq.ensemble.HistGradientBoostingClassifier(
        random_state=0
    ),
}
N_TRAINING, N_ROWS, N_FEATURES = 5000, 100_000, 20
WIDTHS = (34, 9, 11, 8, 11, 8, 8, 8)
HEADER = ("model", "dtype", "bytes", "ratio", "batch, ms", "ratio", "one, µs", "ratio")


def session(proto: onnx.ModelProto, n_threads: int) -> Any:
    """A session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = n_threads, 3
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def float_proto(model: Any, x: Any) -> onnx.ModelProto:
    """The float parent of an estimator by skl2onnx, with labels and probabilities as tensors."""
    cls = type(model)._parent
    known = model.get_params()
    parent = cls(**{name: known[name] for name in cls().get_params()})
    names = [name for name in vars(model) if name.endswith("_") or name.startswith("_")]
    parent.__dict__.update({name: vars(model)[name] for name in names})
    options = {"zipmap": False} if hasattr(parent, "classes_") else None
    versions = {"": 17, "ai.onnx.ml": 3}
    return skl2onnx.to_onnx(parent, x, options=options, target_opset=versions)


def times(sessions: list[Any], x: Any, n_turns: int) -> list[float]:
    """Best processor time of each session, which take turns, for labels and probabilities."""
    outputs = [[info.name for info in run.get_outputs()] for run in sessions]
    asked = [[name for name in names if name != "scores"] for names in outputs]
    best = [np.inf] * len(sessions)
    for _ in range(n_turns):
        for k, run in enumerate(sessions):
            start = time.process_time()
            run.run(asked[k], {"X": x})
            best[k] = min(best[k], time.process_time() - start)
    return best


def measure(name: str, dtype: str, n_threads: int) -> tuple[object, ...]:
    """A row of the table."""
    X, y = make_classification(
        N_TRAINING + N_ROWS, N_FEATURES, n_informative=10, n_classes=3, random_state=0
    )
    model = MODELS[name]().fit(X[:N_TRAINING], y[:N_TRAINING])
    x = X[N_TRAINING:].astype(dtype)
    ours = to_onnx(model, form="fast", input_dtype=dtype)
    try:
        protos = [ours, float_proto(model, x[:1])]
    except ValueError:  # of skl2onnx, when it writes an attribute in a type that onnx refuses
        return (name, dtype, ours.ByteSize(), *("not run",) * 5)
    sizes = [len(proto.SerializeToString()) for proto in protos]
    try:
        sessions = [session(proto, n_threads) for proto in protos]
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        return (name, dtype, sizes[0], f"{sizes[0] / sizes[1]:.2f}", *("not run",) * 4)
    batch, one = times(sessions, x, 7), times(sessions, x[:1], 2000)
    return (
        name, dtype, sizes[0], f"{sizes[0] / sizes[1]:.2f}", f"{batch[0] * 1e3:.1f}",
        f"{batch[0] / batch[1]:.2f}", f"{one[0] * 1e6:.1f}", f"{one[0] / one[1]:.2f}",
    )  # fmt: skip


def floor(dtype: str, n_threads: int) -> float:
    """Milliseconds of one Add of a row to a table of `N_ROWS` rows, in ONNX Runtime."""
    helper, element = onnx.helper, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    x = np.ones((N_ROWS, N_FEATURES), dtype)
    info = [helper.make_tensor_value_info(name, element, ["n", N_FEATURES]) for name in "XY"]
    row = onnx.numpy_helper.from_array(x[0], "row")
    node = helper.make_node("Add", ["X", "row"], ["Y"])
    graph = helper.make_graph([node], "floor", info[:1], info[1:], [row])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return times([session(proto, n_threads)], x, 7)[0] * 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--dtype", nargs="*", default=["float64", "float32"])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for dtype in options.dtype:
        print(f"one operator over the table, {dtype}: {floor(dtype, options.threads):.1f} ms")
    print_header(HEADER, WIDTHS)
    for name in options.models:
        for dtype in options.dtype:
            print(line(measure(name, dtype, options.threads), WIDTHS), flush=True)


if __name__ == "__main__":
    main()
