"""Models that number the categories of a frame, inside votes, calibrations and Pipelines."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skq
from skq.exceptions import UnsupportedModelError

lightgbm = pytest.importorskip("lightgbm")
pandas = pytest.importorskip("pandas")


def frame(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return pandas.DataFrame(
        {
            "color": pandas.Categorical(
                rng.choice(["red", "green", "blue"], n), categories=["red", "blue", "green"]
            ),
            "number": rng.normal(size=n),
            "letter": pandas.Categorical(rng.choice(["u", "v"], n)),
        }
    )


X = frame()
Y = np.where((X.number > 0) ^ (X.color == "red"), "yes", "no")


def boosted(**options):
    return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1, **options)


def hist(**options):
    return HistGradientBoostingClassifier(max_iter=4, **options)


CONTAINERS = {
    "pipeline": lambda kind: make_pipeline("passthrough", kind()),
    "frozen": lambda kind: make_pipeline(FrozenEstimator(kind().fit(X, Y))),
    "votes": lambda kind: VotingClassifier([("a", kind()), ("b", kind(learning_rate=0.5))]),
    "soft votes": lambda kind: VotingClassifier(
        [("a", make_pipeline(kind())), ("b", kind(learning_rate=0.5))], voting="soft"
    ),
    "calibrated": lambda kind: CalibratedClassifierCV(kind(), cv=2),
    "calibrated once": lambda kind: CalibratedClassifierCV(kind(), cv=2, ensemble=False),
}


@pytest.mark.parametrize("kind", [boosted, hist])
@pytest.mark.parametrize("container", CONTAINERS)
def test_classifiers_inside_others(container, kind, tmp_path):
    model = CONTAINERS[container](kind).fit(X, Y)
    rows = frame(100, seed=1)
    quantized = skq.quantize(model, X, n_bits=16)
    np.testing.assert_array_equal(quantized.predict(rows), model.predict(rows))
    if hasattr(model, "predict_proba"):
        expected = model.predict_proba(rows)
        np.testing.assert_allclose(quantized.predict_proba(rows), expected, atol=1e-3)
    skq.save(quantized, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    shuffled = rows[["letter", "color", "number"]].astype({"color": str})  # found by name
    np.testing.assert_array_equal(loaded.predict(shuffled), model.predict(rows))


@pytest.mark.parametrize(
    "kind",
    [
        lambda: lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1),
        lambda: HistGradientBoostingRegressor(max_iter=4),
    ],
)
def test_a_mean_of_regressors(kind):
    y = X.number + (X.color == "red")
    model = skq.QuantizedRegressor(VotingRegressor([("a", kind())]), n_bits=16).fit(X, y)
    expected = model.estimator_.predict(X)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-3)


def test_different_numbers_of_one_category_are_refused():
    mixed = VotingClassifier([("a", boosted()), ("b", hist())]).fit(X, Y)
    with pytest.raises(UnsupportedModelError, match="number the categories of X alike, but Hist"):
        skq.quantize(mixed, X)
    encoded = make_pipeline(OneHotEncoder(), LogisticRegression())
    mixed = VotingClassifier([("a", encoded), ("b", boosted())]).fit(X, Y)
    with pytest.raises(UnsupportedModelError, match="but Pipeline does not do it as the others"):
        skq.quantize(mixed, X)


def test_stacking_is_refused_before_training():
    with pytest.raises(UnsupportedModelError, match="StackingClassifier cannot be quantized"):
        skq.QuantizedClassifier(StackingClassifier([("a", boosted())])).fit(X, Y)
