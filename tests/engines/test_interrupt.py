"""SIGINT stops a long prediction of the native engine, and the estimator predicts on."""

import subprocess
import sys

import pytest

from skq.engines import native

pytestmark = [
    pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE)),
    pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process on Windows"),
]

# The table is one block of rows repeated by a stride of 0: all of its rows would take minutes.
PREDICT = """
import os, signal, sys, threading
import numpy as np
from skq.ensemble import RandomForestRegressor

handled = []
if sys.argv[2] == "raises":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored in the background
else:
    signal.signal(signal.SIGINT, lambda *_: handled.append(1))
rng = np.random.default_rng(0)
X = rng.normal(size=(500, 8))
model = RandomForestRegressor(50, random_state=0, n_jobs=int(sys.argv[1])).fit(X, X.sum(axis=1))
before = model.predict(X)
n_rows = 50_000_000 if sys.argv[2] == "raises" else 1_000_000
many = np.broadcast_to(X[:1], (n_rows, 8))
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    result = model.predict(many)
    print("ended", len(handled), bool(np.all(result == before[0])))
except KeyboardInterrupt:
    print("interrupted")
print(np.array_equal(model.predict(X), before), np.array_equal(model.predict(X[:1]), before[:1]))
"""


def run(n_jobs: int, what: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(n_jobs), what],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_ends_a_long_prediction(n_jobs):
    assert run(n_jobs, "raises") == ["interrupted", "True True"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_handler_that_returns_leaves_the_prediction_whole(n_jobs):
    assert run(n_jobs, "returns") == ["ended 1 True", "True True"]
