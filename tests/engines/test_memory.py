"""Memory: bounded beyond input and output for any number of rows; plans within `nbytes`."""

import os
import subprocess
import sys
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

import skq
from skq import ensemble, linear_model, neural_network, tree
from skq.engines import dispatch, native
from skq.engines.footprint import program_bytes
from skq.estimators.requantize import requantized
from skq.quantization.n_bits import KEYS
from skq.serving.outputs import has_output

ROOT = Path(__file__).parent.parent.parent
N_FEATURES = 50
#: Bytes of a plan beyond its model's `nbytes`: descriptors, and arrays that are not worth packing.
PLAN_BYTES = 1024
#: Bytes of program and plan beyond twice `nbytes`, at 8 bits.
SPARE_BYTES = 8 * 1024

pytestmark = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))

# Resident memory of the predicting process, so that what the kernels allocate counts. The table is
# one row repeated by a stride of 0: it takes no memory, so all that grows is ours or the output.
PEAK = """
import sys
import numpy as np
from skq import ensemble, linear_model

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
model = {
    "forest": ensemble.RandomForestRegressor(10, random_state=0),
    "logistic": linear_model.LogisticRegression(),
}[sys.argv[1]]
model.fit(X, X[:, 0] > 0)
dtype = np.dtype(sys.argv[2])
few = np.broadcast_to(X[:1].astype(dtype), (1000, 20))
many = np.broadcast_to(X[:1].astype(dtype), (1_000_000, 20))
if "n_jobs" in model.get_params():
    model.set_params(n_jobs=2)
model.predict(few)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = status("VmRSS")
result = model.predict(many)
print(status("VmHWM") - before - result.nbytes / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["forest", "logistic"])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_million_rows_take_little_beyond_input_and_output(kind, dtype):
    done = subprocess.run(
        [sys.executable, "-c", PEAK, kind, dtype],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) <= 64


MODELS = {
    "Ridge": linear_model.Ridge(),
    "LogisticRegression": linear_model.LogisticRegression(),
    "MLP (100)": neural_network.MLPClassifier((100,), max_iter=3, random_state=0),
    "MLP (256, 256)": neural_network.MLPClassifier((256, 256), max_iter=3, random_state=0),
    "tree": tree.DecisionTreeClassifier(max_depth=8, random_state=0),
    "depth-6 forest": ensemble.RandomForestClassifier(50, max_depth=6, random_state=0),
    "full-depth forest": ensemble.RandomForestClassifier(20, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=30, random_state=0),
    "histogram boosting": ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0),
}


def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    y = np.digitize(X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=2000), [-0.5, 0, 0.5])
    return X, y


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MODELS[request.param].fit(*table())


def assert_small(model):
    """A plan within `nbytes`; with the program, at 8 bits, within twice of them."""
    module = model.quantized_module_
    program = module.program
    plans = module.session.plans
    assert len(plans) == 0
    row = np.zeros((1, *program.inputs[0].shape))
    for method in ("predict", "predict_proba", "decision_function"):
        if has_output(module, method):
            getattr(model, method)(row)
    assert len(plans) == 1
    assert plans.nbytes <= program.nbytes + PLAN_BYTES
    if module.n_bits["op_weights"] == 8:
        assert program_bytes(program) + plans.nbytes <= 2 * program.nbytes + SPARE_BYTES


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("n_bits", range(2, 9))
def test_a_plan_takes_no_more_than_the_bits_of_its_model(model, n_bits, strict, tmp_path):
    widths = dict.fromkeys(KEYS, n_bits) if strict else n_bits
    narrow = requantized(model, table()[0][:100], widths)
    skq.save(narrow, tmp_path / "model.skq")
    assert_small(narrow)
    assert_small(skq.load(tmp_path / "model.skq"))


@pytest.mark.parametrize("n_bits", [2, 8])
@pytest.mark.parametrize(
    "model",
    [
        linear_model.LogisticRegression(),
        linear_model.Ridge(),
        linear_model.RidgeClassifier(),
        neural_network.MLPClassifier((3,), max_iter=20, random_state=0),
        ensemble.RandomForestClassifier(10, max_depth=3, random_state=0),
        tree.DecisionTreeClassifier(random_state=0),
        tree.DecisionTreeRegressor(max_depth=1),
    ],
)
def test_the_smallest_models_too(model, n_bits, tmp_path):
    """Of four features: all constants of a linear model take less than a hundred bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = clone(model).set_params(n_bits=n_bits).fit(*load_iris(return_X_y=True))
    assert model.quantized_module_.program.nbytes < 1000
    skq.save(model, tmp_path / "model.skq")
    assert_small(model)
    assert_small(skq.load(tmp_path / "model.skq"))


def test_the_numpy_engine_keeps_nothing(model):
    program = requantized(model, table()[0][:100], 4).quantized_module_.program
    before = program_bytes(program)
    with skq.config_context(engine="numpy"):
        dispatch.run(program, {0: np.zeros((3, N_FEATURES))}, list(program.outputs.values()))
    assert program_bytes(program) == before
    for step in program.instructions:
        assert set(vars(step)) == {field.name for field in fields(step)}
    assert set(vars(program)) == {"inputs", "instructions", "outputs", "types"}


def test_pure_leaves_are_kept_once_a_tree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(X, rng.integers(0, 2, 2000))
    program = forest.quantized_module_.program
    plan = native.NativePlan(program, [0], [program.outputs["predict"]])
    assert plan.nbytes < program.nbytes
