"""Memory: bounded beyond input and output for any number of rows; programs in twice `nbytes`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skq import ensemble, linear_model, neural_network, tree
from skq.engines import native

ROOT = Path(__file__).parent.parent.parent
N_FEATURES = 20
#: Descriptors of steps and values, whatever the model.
FIXED_BYTES = 512

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


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    y = np.digitize(X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=2000), [-0.5, 0, 0.5])
    return MODELS[request.param].fit(X, y)


def bytes_of(arrays):
    """Bytes of the memory that stands behind arrays; what they share counts once."""
    owners = {}
    for array in arrays:
        while isinstance(getattr(array, "base", None), np.ndarray):
            array = array.base
        owners[id(array)] = getattr(array, "nbytes", 0)
    return sum(owners.values())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_program_with_its_plans_takes_at_most_twice_its_nbytes(model):
    program = model.quantized_module_.program
    constants = [a for step in program.instructions for a in vars(step).values()]
    assert bytes_of(constants) <= 1.5 * program.nbytes
    row = np.zeros((1, N_FEATURES))
    model.predict(row)
    plans = list(program._plan.values())
    assert len(plans) == 1
    assert bytes_of([*constants, *plans[0]._keep]) <= 2 * program.nbytes + FIXED_BYTES
    if hasattr(model, "predict_proba"):
        model.predict_proba(row)
        plans = list(program._plan.values())
        assert len(plans) == 2
        kept = [array for plan in plans for array in plan._keep]
        assert bytes_of([*constants, *kept]) <= 2 * program.nbytes + 3 * FIXED_BYTES


def test_pure_leaves_are_kept_once_a_tree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, N_FEATURES))
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(X, rng.integers(0, 2, 2000))
    program = forest.quantized_module_.program
    plan = native.NativePlan(program, [0], [program.outputs["predict"]])
    assert plan.nbytes < program.nbytes
