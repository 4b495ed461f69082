"""Threads: one estimator from many of them, and no more of them than there should be."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier as ForestClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import skq
from skq import ensemble, linear_model, neural_network, tree
from skq.engines import native
from skq.estimators import threads

ROOT = Path(__file__).parent.parent.parent
N_FEATURES = 8
needs_native = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, N_FEATURES))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    "model",
    [
        ensemble.RandomForestClassifier(20, random_state=0, n_jobs=2),
        linear_model.LogisticRegression(),
    ],
)
def test_eight_python_threads_predict_with_one_estimator(model, data):
    X, y = data
    model.fit(X[:500], y[:500])
    parts = [X[k * 2000 : k * 2000 + 9000] for k in range(8)]
    expected = [(model.predict(part), model.predict_proba(part)) for part in parts]
    # nothing is prepared: all threads ask for the first plan at the same time
    model.quantized_module_ = replace(model.quantized_module_)
    assert len(model.quantized_module_.session.plans) == 0
    found = [[] for _ in parts]
    ready = threading.Barrier(len(parts))

    def predict(k):
        ready.wait()
        for _ in range(3):
            found[k].append((model.predict(parts[k]), model.predict_proba(parts[k])))

    workers = [threading.Thread(target=predict, args=(k,)) for k in range(len(parts))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for answers, (labels, probabilities) in zip(found, expected, strict=True):
        assert len(answers) == 3
        for some_labels, some_probabilities in answers:
            np.testing.assert_array_equal(some_labels, labels)
            np.testing.assert_array_equal(some_probabilities, probabilities)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_one_thread_inside_joblib_workers(backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        seen = joblib.Parallel()(joblib.delayed(threads.threads_for)(4) for _ in range(4))
    assert seen == [1, 1, 1, 1]


def test_n_jobs_means_what_joblib_says():
    assert threads.threads_for(1) == threads.threads_for(None) == 1
    assert threads.threads_for(3) == 3
    assert threads.threads_for(-1) == joblib.cpu_count()
    with joblib.parallel_config(n_jobs=2):
        assert threads.threads_for(None) == 2


@pytest.fixture
def asked(monkeypatch):
    """Threads that the engine is asked for, call by call."""
    seen = []
    prepare = native.NativePlan.prepare

    def spy(self, wanted):
        run = prepare(self, wanted)

        def counted(inputs, n_rows, n_threads, refuse):
            seen.append(n_threads)
            return run(inputs, n_rows, n_threads, refuse)

        return counted

    monkeypatch.setattr(native.NativePlan, "prepare", spy)
    return seen


def float_forest(n_jobs):
    return ForestClassifier(5, random_state=0, n_jobs=n_jobs)


@needs_native
@pytest.mark.parametrize(
    "make",
    [
        lambda n_jobs, X, y: ensemble.RandomForestClassifier(5, n_jobs=n_jobs).fit(X, y),
        lambda n_jobs, X, y: skq.QuantizedClassifier(float_forest(n_jobs)).fit(X, y),
        lambda n_jobs, X, y: skq.QuantizedClassifier(
            make_pipeline(StandardScaler(), float_forest(n_jobs))
        ).fit(X, y),
        lambda n_jobs, X, y: skq.quantize(float_forest(n_jobs).fit(X, y), X),
    ],
    ids=["estimator", "wrapper", "pipeline", "quantized"],
)
def test_n_jobs_of_the_parent_counts_wherever_it_stands(make, asked, data):
    X, y = data
    model = make(3, X[:500], y[:500])
    asked.clear()
    model.predict(X)
    model.predict(X[:10])
    with joblib.parallel_config(backend="threading", n_jobs=2):
        joblib.Parallel()(joblib.delayed(model.predict)(X) for _ in range(2))
    assert asked == [3, 1, 1, 1]


@needs_native
def test_sparse_rows_take_the_same_threads(asked, data):
    X, y = data
    model = ensemble.RandomForestClassifier(5, random_state=0, n_jobs=3).fit(X[:500], y[:500])
    asked.clear()
    model.predict(sparse.csr_array(X))
    assert asked == [3]


@needs_native
def test_n_jobs_of_none_is_left_to_joblib(asked, data):
    X, y = data
    model = ensemble.RandomForestClassifier(5, random_state=0).fit(X[:500], y[:500])
    asked.clear()
    with threadpool_limits(2):
        model.predict(X)
        with joblib.parallel_config(n_jobs=3):
            model.predict(X)
    assert asked == [1, 3]


@needs_native
@pytest.mark.parametrize(
    "model",
    [
        linear_model.Ridge(),
        linear_model.LogisticRegression(),
        neural_network.MLPClassifier((5,), max_iter=5),
        tree.DecisionTreeClassifier(max_depth=3),
        ensemble.HistGradientBoostingClassifier(max_iter=3),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_models_without_n_jobs_take_what_libraries_may(model, asked, data):
    X, y = data
    model.fit(X[:500], y[:500])
    asked.clear()
    for limit in (1, 2):
        with threadpool_limits(limit):
            model.predict(X)
            model.predict(X[:10])
    with threadpool_limits(2), joblib.parallel_config(backend="threading", n_jobs=2):
        joblib.Parallel()(joblib.delayed(model.predict)(X) for _ in range(2))
    assert asked == [1, 1, 2, 1, 1, 1]


@needs_native
def test_libraries_give_a_thread_for_many_values(asked, data, monkeypatch):
    X, y = data
    model = linear_model.Ridge().fit(X[:500], y[:500])
    monkeypatch.setattr(threads, "library_threads", lambda: 64)
    asked.clear()
    for n_rows in (8191, 8192, 12288, 20000):
        model.predict(X[:n_rows])
    assert asked == [1, 2, 3, 4]


@needs_native
def test_the_setting_decides_for_estimators_loaded_models_and_modules(asked, data, tmp_path):
    X, y = data
    model = ensemble.RandomForestClassifier(5, random_state=0, n_jobs=2).fit(X[:500], y[:500])
    skq.save(model, tmp_path / "forest.skq")
    loaded = skq.load(tmp_path / "forest.skq")
    asked.clear()
    expected = model.predict(X)
    for n_threads in (None, 3):
        with skq.config_context(n_threads=n_threads):
            for predict in (model.predict, loaded.predict):
                np.testing.assert_array_equal(predict(X), expected)
            model.quantized_module_.forward(X)
    assert asked == [2, 2, 1, 1, 3, 3, 3]


# A child has none of its parent's threads, but their memory; it forks while another one predicts.
FORKED = """
import os
import threading
import numpy as np
import skq
from skq.linear_model import Ridge

X = np.random.default_rng(0).normal(size=(30_000, 5))
model = Ridge().fit(X[:100], X[:100].sum(axis=1))
with skq.config_context(n_threads=1):
    expected = model.predict(X)
skq.set_config(n_threads=3)
stop = threading.Event()

def predict():
    while not stop.is_set():
        assert np.array_equal(model.predict(X), expected)

other = threading.Thread(target=predict)
other.start()
for _ in range(5):
    assert np.array_equal(model.predict(X), expected)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(model.predict(X), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
other.join()
"""


@needs_native
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_threads_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("wrong", [0, -1, 1.0, True, "two"])
def test_a_wrong_number_of_threads_is_refused(wrong):
    with (
        pytest.raises(ValueError, match=f"n_threads must be an integer of at least 1.*{wrong!r}"),
        skq.config_context(n_threads=wrong),
    ):
        pass
    assert skq.get_config()["n_threads"] is None


def test_cross_validation_in_parallel_gives_the_same(data):
    X, y = data[0][:1000], data[1][:1000]
    model = ensemble.RandomForestClassifier(5, random_state=0, n_jobs=2)
    alone = cross_val_predict(model, X, y, cv=2, n_jobs=1)
    np.testing.assert_array_equal(cross_val_predict(model, X, y, cv=2, n_jobs=2), alone)
