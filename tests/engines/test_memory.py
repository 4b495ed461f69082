"""Memory: bounded beyond input and output for any number of rows; plans within twice `nbytes`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skq import ensemble, linear_model, neural_network
from skq.engines import native

ROOT = Path(__file__).parent.parent.parent
N_FEATURES = 20
#: Descriptors of steps and values, and parameters repeated to fill vectors: whatever the model.
FIXED_BYTES = 4096
#: The same for a program and its plan together, with the descriptors of 50 small trees.
FIXED_BYTES_OF_BOTH = 16 * 1024

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
        capture_output=True, text=True, timeout=250,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) <= 64


def models():
    return {
        "full-depth forest": ensemble.RandomForestClassifier(20, random_state=0),
        "depth-6 forest": ensemble.RandomForestClassifier(20, max_depth=6, random_state=0),
        "boosting": ensemble.GradientBoostingRegressor(n_estimators=50, random_state=0),
        "network": neural_network.MLPClassifier((256, 256), max_iter=3, random_state=0),
        "linear": linear_model.Ridge(),
    }


@pytest.fixture(scope="module", params=models())
def program(request):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    y = (X[:, 0] * X[:, 1] + rng.normal(size=2000) > 0).astype(int)
    model = models()[request.param].fit(X, y)
    return model.quantized_module_.program


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_plan_takes_at_most_twice_the_bytes_of_its_program(program):
    plan = native.NativePlan(program, [0], [program.outputs["predict"]])
    assert plan.nbytes <= 2 * program.nbytes + FIXED_BYTES


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_program_and_its_plan_take_at_most_twice_its_bytes(program):
    constants = [a for step in program.instructions for a in vars(step).values()]
    plan = native.NativePlan(program, [0], [program.outputs["predict"]])
    owners = {}  # an array that both hold counts once
    for array in [*constants, *plan._keep]:
        while isinstance(getattr(array, "base", None), np.ndarray):
            array = array.base
        owners[id(array)] = getattr(array, "nbytes", 0)
    assert sum(owners.values()) <= 2 * program.nbytes + FIXED_BYTES_OF_BOTH


def test_pure_leaves_are_kept_once_a_tree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(X, rng.integers(0, 2, 2000))
    program = forest.quantized_module_.program
    plan = native.NativePlan(program, [0], [program.outputs["predict"]])
    assert plan.nbytes < program.nbytes
