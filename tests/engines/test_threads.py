"""Threads: one estimator from many of them, and no more of them than there should be."""

import threading

import joblib
import numpy as np
import pytest
from sklearn.model_selection import cross_val_predict

from skq import ensemble, linear_model
from skq.engines import dispatch

N_FEATURES = 8


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
    model.quantized_module_.program.__dict__.pop("_plan", None)
    found = [[] for _ in parts]
    ready = threading.Barrier(len(parts))

    def predict(k):
        ready.wait()
        for _ in range(3):
            found[k].append((model.predict(parts[k]), model.predict_proba(parts[k])))

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers, (labels, probabilities) in zip(found, expected, strict=True):
        assert len(answers) == 3
        for some_labels, some_probabilities in answers:
            np.testing.assert_array_equal(some_labels, labels)
            np.testing.assert_array_equal(some_probabilities, probabilities)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_one_thread_inside_joblib_workers(backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        seen = joblib.Parallel()(joblib.delayed(dispatch.threads_for)(4) for _ in range(4))
    assert seen == [1, 1, 1, 1]


def test_n_jobs_means_what_joblib_says():
    assert dispatch.threads_for(1) == dispatch.threads_for(None) == 1
    assert dispatch.threads_for(3) == 3
    assert dispatch.threads_for(-1) == joblib.cpu_count()
    with joblib.parallel_config(n_jobs=2):
        assert dispatch.threads_for(None) == 2


def test_estimators_ask_for_the_threads_of_their_n_jobs(monkeypatch, data):
    X, y = data
    model = ensemble.RandomForestClassifier(5, random_state=0, n_jobs=3).fit(X[:500], y[:500])
    asked = []
    run = dispatch.TableRun.run

    def spy(self, X, n_threads, *more):
        asked.append(n_threads)
        return run(self, X, n_threads, *more)

    monkeypatch.setattr(dispatch.TableRun, "run", spy)
    model.predict(X)
    model.predict(X[:10])
    with joblib.parallel_config(backend="threading", n_jobs=2):
        joblib.Parallel()(joblib.delayed(model.predict)(X) for _ in range(2))
    assert asked == [3, 1, 1, 1]


def test_cross_validation_in_parallel_gives_the_same(data):
    X, y = data[0][:1000], data[1][:1000]
    model = ensemble.RandomForestClassifier(5, random_state=0, n_jobs=2)
    alone = cross_val_predict(model, X, y, cv=2, n_jobs=1)
    np.testing.assert_array_equal(cross_val_predict(model, X, y, cv=2, n_jobs=2), alone)
