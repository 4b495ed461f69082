"""Prediction time of skq beside scikit-learn and ONNX Runtime, medians of pairs, in one run.

Run it with ``python benchmarks/predict.py [--quick] [--models NAME ...] [--growth]``.

A pair is one call of each, one straight after the other; the ratio printed is the median over the
pairs. `skq` is the estimator's own predict at 8 bits, validation included; `engine` is the native
engine alone, finding NaN and infinity in the same pass. ONNX Runtime runs the float model on a
float32 table, from skl2onnx; histogram boosting, which that refuses, is written as one
TreeEnsembleRegressor here. A last table says which ratios reach what they should.
"""

from __future__ import annotations

import argparse
import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from tables import line, print_header
from threadpoolctl import threadpool_limits

import skq
from skq import ensemble, linear_model, neural_network, tree

N_FEATURES, N_ROWS = 50, 100_000
#: Model, the most that skq / scikit-learn may be for many rows and for one row.
MODELS: dict[str, tuple[Callable[[], Any], float, float]] = {
    "LogisticRegression": (lambda: linear_model.LogisticRegression(max_iter=100), 0.7, 0.3),
    "Ridge": (linear_model.Ridge, 0.7, 0.3),
    "MLP (100)": (lambda: neural_network.MLPClassifier((100,), max_iter=5), 0.5, 0.3),
    "MLP (256, 256)": (lambda: neural_network.MLPClassifier((256, 256), max_iter=5), 0.5, 0.3),
    "DecisionTree depth 8": (lambda: tree.DecisionTreeClassifier(max_depth=8), 0.5, 0.3),
    "RandomForest depth 6": (
        lambda: ensemble.RandomForestClassifier(max_depth=6, random_state=0), 0.15, 0.01,
    ),
    "RandomForest": (lambda: ensemble.RandomForestClassifier(random_state=0), 0.3, 0.01),
    "GradientBoosting": (lambda: ensemble.GradientBoostingRegressor(max_depth=3), 0.2, 0.05),
    "HistGradientBoosting": (ensemble.HistGradientBoostingRegressor, 0.2, 0.05),
}  # fmt: skip
#: The most that skq / ONNX Runtime may be, for forests and boosting.
AT_MOST_ORT = 0.5
WIDTHS = (22, 8, 8, 12, 10, 8, 8, 8, 10, 8, 10, 10)
HEADER = (
    "model", "rows", "threads", "sklearn us", "skq us", "ratio", "at most", "engine", "ORT us",
    "to ORT", "same", "extra MiB",
)  # fmt: skip


def seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    """Seconds of one call, the mean of `repeats`."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def in_turns(calls: dict[str, Callable[[], Any]], budget: float) -> dict[str, np.ndarray]:
    """Times of each call, taken in turns for about `budget` seconds, at least three rounds."""
    first = {name: seconds(call) for name, call in calls.items()}
    repeats = {name: max(1, math.ceil(0.002 / t)) for name, t in first.items()}
    a_round = sum(first[name] * n for name, n in repeats.items())
    rounds = max(3, min(50, int(budget / a_round)))
    times = [{name: seconds(calls[name], repeats[name]) for name in calls} for _ in range(rounds)]
    return {name: np.array([t[name] for t in times]) for name in calls}


def extra_mebibytes(call: Callable[[], Any]) -> float:
    """Peak of resident memory over what stood before, result included; NaN outside of Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        before = _status("VmRSS")
        call()
        return (_status("VmHWM") - before) / 1024
    except OSError:
        return math.nan


def _status(name: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(row.split()[1]) for row in file if row.startswith(name))


def float_session(parent: Any, n_threads: int) -> Callable[[Any], Any] | None:
    """Predict of the float model on ONNX Runtime; None where it is missing."""
    try:
        import onnxruntime
    except ImportError:
        return None
    try:
        graph = float_onnx(parent)
    except ImportError as error:
        print(f"no float model for ONNX Runtime: {error}")
        return None
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = n_threads
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    dtype = np.float64 if "double" in session.get_inputs()[0].type else np.float32
    # the float32 table is made outside of the clock: ONNX Runtime's best case
    tables: dict[int, Any] = {}

    def predict(X: Any) -> Any:
        if id(X) not in tables:
            tables[id(X)] = X.astype(dtype)
        return session.run(None, {name: tables[id(X)]})

    return predict


def float_onnx(parent: Any) -> Any:
    """The float model as ONNX, for a float32 table."""
    if hasattr(parent, "_predictors"):
        return hist_boosting_onnx(parent)
    from skl2onnx import to_onnx

    options = {id(parent): {"zipmap": False}} if hasattr(parent, "classes_") else None
    return to_onnx(parent, np.zeros((1, N_FEATURES), np.float32), options=options)


def hist_boosting_onnx(parent: Any) -> Any:
    """A HistGradientBoostingRegressor without categories as one TreeEnsembleRegressor."""
    from onnx import TensorProto, helper

    trees = [predictor.nodes for (predictor,) in parent._predictors]
    at = np.concatenate([np.arange(len(tree)) for tree in trees])
    tree_ids = np.repeat(np.arange(len(trees)), [len(tree) for tree in trees])
    nodes = np.concatenate(trees)
    leaf = nodes["is_leaf"] != 0
    ensemble_node = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["predict"],
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=parent._baseline_prediction.ravel().tolist(),
        nodes_treeids=tree_ids.tolist(),
        nodes_nodeids=at.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, nodes["feature_idx"]).tolist(),
        nodes_values=np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        nodes_truenodeids=np.where(leaf, 0, nodes["left"]).astype(int).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, nodes["right"]).astype(int).tolist(),
        nodes_missing_value_tracks_true=nodes["missing_go_to_left"].astype(int).tolist(),
        target_treeids=tree_ids[leaf].tolist(),
        target_nodeids=at[leaf].tolist(),
        target_ids=[0] * int(leaf.sum()),
        target_weights=nodes["value"][leaf].tolist(),
    )
    table = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, N_FEATURES])
    result = helper.make_tensor_value_info("predict", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([ensemble_node], "boosting", [table], [result])
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def fitted_pair(make: Callable[[], Any], X: Any, y: Any) -> tuple[Any, Any]:
    """The estimator of skq, and its parent trained on the same data from the same seed."""
    model = make()
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    parent_class = next(c for c in type(model).__mro__ if c.__module__.startswith("sklearn."))
    known = inspect.signature(parent_class).parameters
    parameters = {k: v for k, v in model.get_params(deep=False).items() if k in known}
    parent = parent_class(**parameters)
    return model.fit(X, y), parent.fit(X, y)


def measure(name: str, X: Any, y: Any, big: Any, budget: float) -> Iterator[tuple[object, ...]]:
    """Rows of the table for one model."""
    make, at_most_many, at_most_one = MODELS[name]
    model, parent = fitted_pair(make, X, y)
    run_engine = model.quantized_module_.session.route(("predict",)).prepare()
    same = _sameness(model.predict(big), parent.predict(big))
    for table, at_most in ((big, at_most_many), (big[:1].copy(), at_most_one)):
        for n_threads in (1, 2) if len(table) > 1 else (1,):
            for estimator in (model, parent):
                if "n_jobs" in estimator.get_params():
                    estimator.set_params(n_jobs=n_threads)
            calls: dict[str, Callable[[], Any]] = {
                "sklearn": lambda t=table: parent.predict(t),
                "skq": lambda t=table: model.predict(t),
                "engine": lambda t=table, n=n_threads: run_engine([t], len(t), n, 3),
            }
            session = float_session(parent, n_threads)
            if session is not None:
                calls["ORT"] = lambda t=table, s=session: s(t)
            with threadpool_limits(n_threads):
                times = in_turns(calls, budget)
                extra = extra_mebibytes(calls["skq"]) if len(table) > 1 else math.nan
            mid = {k: float(np.median(t)) for k, t in times.items()}
            ratio = {k: float(np.median(times["skq"] / t)) for k, t in times.items()}
            yield (
                name, len(table), n_threads, f"{mid['sklearn'] * 1e6:.1f}",
                f"{mid['skq'] * 1e6:.1f}", ratio["sklearn"], at_most,
                float(np.median(times["engine"] / times["sklearn"])),
                f"{mid['ORT'] * 1e6:.1f}" if "ORT" in mid else "-",
                ratio["ORT"] if "ORT" in mid else "-", same,
                f"{extra:.1f}" if extra == extra else "-",
            )  # fmt: skip


def _sameness(found: Any, expected: Any) -> float:
    """Share of equal labels, or R² to the float predictions of a regression."""
    if found.dtype.kind == "f":
        return float(1 - np.var(found - expected) / np.var(expected))
    return float(np.mean(found == expected))


def print_verdicts(rows: list[tuple[Any, ...]]) -> None:
    """Which ratios reach what they should."""
    widths = (22, 8, 8, 10, 10, 8, 10, 10, 8)
    print("\nRatios to reach")
    print_header(
        ("model", "rows", "threads", "sklearn", "at most", "", "to ORT", "at most", ""), widths
    )
    for name, n_rows, n_threads, _, _, ratio, at_most, _, _, to_ort, *_ in rows:
        # the others have no number to reach against ONNX Runtime
        ort_counts = to_ort != "-" and name.endswith(("Boosting", "Forest", "Forest depth 6"))
        print(
            line(
                (
                    name, n_rows, n_threads, ratio, at_most, _verdict(ratio, at_most), to_ort,
                    AT_MOST_ORT if ort_counts else "-",
                    _verdict(to_ort, AT_MOST_ORT) if ort_counts else "-",
                ),
                widths,
            )
        )  # fmt: skip


def _verdict(ratio: float, at_most: float) -> str:
    return "met" if ratio <= at_most else "missed"


def growth(X: Any, y: Any, quick: bool) -> None:
    """Cost as the work grows; the rate is d log(time) / d log(size) between two rows."""
    rng = np.random.default_rng(0)

    def forest(n: int, **more: Any) -> Any:
        return ensemble.RandomForestClassifier(n, max_depth=6, random_state=0, **more)

    fixed = forest(100).fit(X, y)
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    rows = {n: (fixed, rng.normal(size=(n, N_FEATURES))) for n in sizes}
    table = rows[10_000][1]
    trees = {n: (forest(n).fit(X, y), table) for n in ((10, 100) if quick else (10, 100, 1000))}
    features = {}
    for n in (10, 100) if quick else (10, 100, 1000):
        wide = rng.normal(size=(2000, n))
        model = linear_model.LogisticRegression(max_iter=50)
        features[n] = (model.fit(wide, wide[:, 0] > 0), rng.normal(size=(10_000, n)))
    bits = {n: (forest(100, n_bits=n).fit(X, y), table) for n in (2, 4, 8, 16)}
    print_header(("grows", "size", "ms", "rate"), (24, 10, 12, 8))
    for name, cases in (
        ("rows (forest)", rows), ("trees (forest)", trees), ("features (logistic)", features),
        ("n_bits (forest)", bits),
    ):  # fmt: skip
        before: tuple[int, float] | None = None
        for size, (model, data) in cases.items():
            model.predict(data)
            t = float(np.median([seconds(lambda m=model, d=data: m.predict(d)) for _ in range(5)]))
            rate = ""
            if before is not None:
                rate = f"{math.log(t / before[1]) / math.log(size / before[0]):.2f}"
            print(line((name, size, f"{t * 1e3:.3f}", rate), (24, 10, 12, 8)))
            before = size, t


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer pairs and rows")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--growth", action="store_true", help="only how cost grows with work")
    options = parser.parse_args()
    X, y = make_classification(
        5000, N_FEATURES, n_informative=20, n_classes=4, flip_y=0.05, random_state=0
    )
    rng = np.random.default_rng(1)
    n_rows = 10_000 if options.quick else N_ROWS
    big = rng.normal(size=(n_rows, N_FEATURES)) * X.std(axis=0) + X.mean(axis=0)
    skq.show_versions()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if not options.growth:
            print(f"\nTrained on {len(X)} rows of {N_FEATURES} float64 columns, 4 classes")
            print_header(HEADER, WIDTHS)
            rows = []
            for name in options.models:
                for row in measure(name, X, y, big, 0.5 if options.quick else 5.0):
                    print(line(row, WIDTHS), flush=True)
                    rows.append(row)
            print_verdicts(rows)
        print("\nCost as work grows")
        growth(X, y, options.quick)


if __name__ == "__main__":
    main()
