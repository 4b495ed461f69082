"""Exports with the newest onnx and onnxruntime, which Hummingbird does not work with.

Saves models here, then loads, exports and runs them in an environment of its own that has the
newest onnx, onnxruntime, NumPy and scikit-learn, and this source tree: no Hummingbird, no torch.
Run it with ``python benchmarks/newest_onnx.py [--environment DIR]``; DIR is made if it is missing.
Without it, the environment is temporary. The exit status is 1 if an output differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
import warnings
from itertools import product
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
PACKAGES = ("onnx", "onnxruntime", "numpy", "scikit-learn")
METHODS = {
    "label": "predict",
    "variable": "predict",
    "probabilities": "predict_proba",
    "scores": "decision_function",
}
#: Outputs that ONNX computes by functions in float differ by some units in the last place.
MOST_ULP = 4


def save_models(folder: Path) -> None:
    """Write models, rows, and the results of the reference engine."""
    from sklearn.datasets import make_classification

    import skq

    X, y = make_classification(
        600, 8, n_informative=6, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
    )
    gaps = X.copy()
    gaps[::5, 3] = np.nan
    texts = np.array(["red", "green", "blue"])[y]
    models = {
        "logistic": (skq.linear_model.LogisticRegression(), X, texts),
        "ridge": (skq.linear_model.Ridge(n_bits=4), X, y),
        "network": (skq.neural_network.MLPClassifier((12,), max_iter=30, random_state=0), X, y),
        "network, 16 bits": (
            skq.neural_network.MLPRegressor(hidden_layer_sizes=(12,), max_iter=30, n_bits=16), X, y,
        ),
        "forest": (skq.ensemble.RandomForestClassifier(10, random_state=0), X, texts),
        "forest, regression": (skq.ensemble.RandomForestRegressor(10, random_state=0), X, y),
        "boosting": (skq.ensemble.GradientBoostingClassifier(n_estimators=5), X, y),
        "missing values": (skq.ensemble.HistGradientBoostingClassifier(max_iter=5), gaps, texts),
    }  # fmt: skip
    for name, (model, rows, target) in models.items():
        model.fit(rows, target)
        skq.save(model, folder / f"{name}.skq")
        for dtype in ("float64", "float32"):
            x = rows.astype(dtype)
            with skq.config_context(engine="reference"):
                results = {m: getattr(model, m)(x) for m in METHODS.values() if hasattr(model, m)}
            np.savez(folder / f"{name}.{dtype}.npz", X=x, **results)


def check(folder: Path) -> int:
    """Export and run the saved models with the onnx that is installed; number of differences."""
    import onnx
    import onnxruntime

    import skq
    from skq.export import to_onnx

    newest = onnx.defs.onnx_opset_version()
    print(
        f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}; "
        f"operator sets 17 (default), 21 and {newest}"
    )
    failures = exported = 0
    without_kernel = set()
    choices = product(("integer", "fast", "qdq"), (None, 21, newest), ("float64", "float32"))
    for path, (form, opset, dtype) in product(sorted(folder.glob("*.skq")), list(choices)):
        with np.load(folder / f"{path.stem}.{dtype}.npz") as stored:
            expected = dict(stored)
        proto = to_onnx(skq.load(path), form=form, input_dtype=dtype, target_opset=opset)
        run = _session(onnxruntime, proto)
        if run is None:
            without_kernel.add((form, opset))
            continue
        names = [info.name for info in run.get_outputs()]
        for name, found in zip(names, run.run(None, {"X": expected["X"]}), strict=True):
            if not _agrees(found, expected[METHODS[name]], form, path.stem):
                failures += 1
                print(f"differs: {path.stem}, {form}, {dtype}, operator set {opset}: {name}")
        exported += 1
    for form, opset in sorted(without_kernel):
        print(f"onnxruntime has no kernel for some operator: {form}, operator set {opset}")
    print(f"{exported} exports checked, {failures} outputs differ")
    return failures


def _session(onnxruntime, proto):
    """A session that runs the nodes of ``form="qdq"`` as they are; None where kernels lack."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # of a type of the runtime's own
        if "NOT_IMPLEMENTED" in str(error) or "is under development" in str(error):
            return None
        raise


def _agrees(found, expected, form: str, name: str) -> bool:
    if form == "qdq" and "network" in name:  # a code between layers may differ by one
        return found.dtype.kind != "f" or bool(np.abs(found - expected).max() < 0.1)
    if np.array_equal(found, expected):
        return True
    if found.dtype.kind != "f":
        return False
    unit = np.spacing(np.maximum(np.maximum(np.abs(found), np.abs(expected)), 0.5))
    return bool(np.all(np.abs(found - expected) <= MOST_ULP * unit))


def main() -> None:
    """Make the environment, save models, and check them there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", type=Path, help="folder of the environment to use")
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.check:
        sys.exit(check(options.check) > 0)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        environment = options.environment or Path(folder) / "environment"
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-qq", *PACKAGES], check=True)
        models = Path(folder) / "models"
        models.mkdir()
        save_models(models)
        run = subprocess.run([python, __file__, "--check", models], check=False)
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
