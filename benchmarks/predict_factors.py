"""Ratios of prediction time: one row to peers, float32, one pass over X, two threads, a first call.

Run it with ``python benchmarks/predict_factors.py [--quick] [--models NAME ...]``.

All ratios of a table are of one run, the least of many short turns of each call; processor time,
since other processes then count little, but wall time for two threads. Peers: ONNX Runtime on the
float model from skl2onnx, and lleaves on the same trees as a file of LightGBM, where they are
installed (``pip install onnxruntime skl2onnx lleaves "llvmlite<0.45"``).
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lightgbm_text import lightgbm_text
from predict import MODELS, N_FEATURES, fitted_pair, float_session
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from tables import line, print_header

import skq
from skq import ensemble

MORE: dict[str, Callable[[], Any]] = {
    "RandomForestRegressor": lambda: ensemble.RandomForestRegressor(50, max_depth=8),
    "GradientBoostingClassifier": lambda: ensemble.GradientBoostingClassifier(n_estimators=50),
    "HistGradientBoostingClassifier": lambda: ensemble.HistGradientBoostingClassifier(max_iter=50),
}
ALL: dict[str, Callable[[], Any]] = {name: make for name, (make, *_) in MODELS.items()} | MORE
WIDTHS = (31, 9, 9, 8, 9, 8, 9, 9, 8, 9, 8, 8)
HEADER = (
    "model", "one, us", "ORT, us", "ratio", "lleaves", "ratio", "f64, ms", "f32, ms", "ratio",
    "wall, ms", "2 thr.", "to read",
)  # fmt: skip
AT_MOST = ("to reach", "", "", 0.6, "", 0.6, "", "", 0.7, "", "1.7", "1.3 (LR)")
LOAD_SECONDS = 0.15
FIRST_CALL = """
import time
import numpy
x = numpy.zeros((1, {n}))
start = time.process_time()
import skq
skq.load({path!r}).predict(x)
print(time.process_time() - start)
"""


def least(
    calls: dict[str, Callable[[], Any]], turns: int, clock: Callable[[], float], repeats: int
) -> dict[str, float]:
    """Least time of each call, in seconds; the calls take turns."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(turns):
        for name, call in calls.items():
            call()
            start = clock()
            for _ in range(repeats):
                call()
            best[name] = min(best[name], (clock() - start) / repeats)
    return best


def lleaves_call(parent: Any, row: Any) -> Callable[[], Any] | None:
    """Prediction of one row by lleaves; None where it is missing, or has no such model."""
    try:
        import lleaves

        text = lightgbm_text(parent)
    except (ImportError, AttributeError, ValueError):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        path.write_text(text)
        model = lleaves.Model(str(path))
        model.compile(raw_score=True, fblocksize=model.num_trees())
    return lambda: model.predict(row, n_jobs=1)


def ort_call(parent: Any, row: Any) -> Callable[[], Any] | None:
    """Prediction of one row by ONNX Runtime; None where it is missing, or has no such model."""
    try:
        session = float_session(parent, 1)
        if session is None:
            return None
        session(row)
    except Exception as error:  # what skl2onnx raises for what it does not know
        print(f"ONNX Runtime has no such model: {error!s:.70}")
        return None
    return functools.partial(session, row)


def measure(name: str, X: Any, y: Any, table: Any, turns: int) -> tuple[Any, ...]:
    """A row of the table."""
    model, parent = fitted_pair(ALL[name], X, y)
    for estimator in (model, parent):
        if "n_jobs" in estimator.get_params():
            estimator.set_params(n_jobs=1)
    row = table[:1].copy()
    peers = {"ort": ort_call(parent, row), "lleaves": None}
    if name.endswith(("Boosting", "BoostingClassifier", "ForestRegressor")):
        peers["lleaves"] = lleaves_call(parent, row)
    calls = {k: call for k, call in peers.items() if call is not None}
    one = least(calls | {"skq": lambda: model.predict(row)}, 10 * turns, time.process_time, 100)

    narrow = table.astype(np.float32)
    calls = {
        "f64": lambda: model.predict(table),
        "f32": lambda: model.predict(narrow),
        "read": lambda: table.sum(),
    }
    with skq.config_context(n_threads=1):
        many = least(calls, turns, time.process_time, 1)
    run = model.quantized_module_.session.route(("predict",)).prepare()
    threads = {n: functools.partial(run, [table], len(table), n, 3) for n in (1, 2)}
    wall = least({str(n): call for n, call in threads.items()}, 2 * turns, time.perf_counter, 1)
    shown: list[Any] = [name, f"{one['skq'] * 1e6:.2f}"]
    for peer in ("ort", "lleaves"):
        known = peer in one
        shown += [f"{one[peer] * 1e6:.2f}" if known else "-"]
        shown += [one["skq"] / one[peer] if known else "-"]
    shown += [f"{many['f64'] * 1e3:.2f}", f"{many['f32'] * 1e3:.2f}", many["f32"] / many["f64"]]
    shown += [f"{wall['1'] * 1e3:.2f}", wall["1"] / wall["2"], many["f64"] / many["read"]]
    return tuple(shown)


def first_calls(X: Any, y: Any, repeats: int) -> None:
    """Processor seconds from NumPy's import to the first prediction of a loaded model."""
    widths = (31, 10, 10)
    # with byte code, as installed packages have it: the first process writes it
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    print_header(("load and predict", "seconds", "at most"), widths)
    for name in ("LogisticRegression", "RandomForest depth 6"):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.skq")
            skq.save(ALL[name]().fit(X, y), path)
            code = FIRST_CALL.format(path=path, n=N_FEATURES)
            times = [
                float(subprocess.check_output([sys.executable, "-c", code], text=True, env=env))
                for _ in range(repeats)
            ]
        print(line((name, f"{min(times):.3f}", LOAD_SECONDS), widths))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns and rows")
    parser.add_argument("--models", nargs="*", choices=ALL, default=list(ALL))
    options = parser.parse_args()
    X, y = make_classification(
        3000, N_FEATURES, n_informative=20, n_classes=4, flip_y=0.05, random_state=0
    )
    rng = np.random.default_rng(1)
    n_rows = 20_000 if options.quick else 100_000
    table = rng.normal(size=(n_rows, N_FEATURES)) * X.std(axis=0) + X.mean(axis=0)
    skq.show_versions()
    print(f"\n{n_rows} rows of {N_FEATURES} columns; one row of them")
    print_header(HEADER, WIDTHS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name in options.models:
            shown = measure(name, X, y, table, 3 if options.quick else 10)
            print(line(shown, WIDTHS), flush=True)
        print(line(AT_MOST, WIDTHS), "\n")
        first_calls(X, y, 3 if options.quick else 9)


if __name__ == "__main__":
    main()
