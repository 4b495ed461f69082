"""XGBoost's scikit-learn classes in `quantize` and the meta-estimators."""

import subprocess
import sys

import numpy as np
import pytest

import skq
from skq.exceptions import UnsupportedModelError

xgboost = pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    X[:, 2] = np.round(X[:, 2])
    y = np.abs(2 * X[:, 0] + X[:, 1] * X[:, 2] + 5.0)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def labels_of(y, n_classes):
    return np.digitize(y, [5.0, 7.0][: n_classes - 1])


def check_values(model, X, y):
    """16 and 8 bits against the parent, and the same integers on every engine."""
    for n_bits, error in ((16, 1e-3), (8, 2e-2)):
        quantized = skq.quantize(model, X, n_bits=n_bits)
        got, wanted = quantized.predict(X), model.predict(X)
        assert got.shape == wanted.shape
        assert np.sqrt(np.mean((got - wanted) ** 2)) <= error * np.std(y)
    for engine in ("numpy", "reference"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(quantized.predict(X), got)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"objective": "reg:absoluteerror"},
        {"objective": "reg:pseudohubererror"},
        {"objective": "count:poisson"},
        {"objective": "reg:gamma"},
        {"objective": "reg:tweedie"},
        {"booster": "dart", "rate_drop": 0.3},
        {"num_parallel_tree": 3, "subsample": 0.7},
        {"gamma": 3.0, "grow_policy": "lossguide", "max_leaves": 9},
        {"tree_method": "exact", "gamma": 50.0},
        {"base_score": 3.0, "max_depth": 0, "max_leaves": 7},
    ],
    ids=str,
)
def test_regressor(parameters, data):
    X, y = data
    model = xgboost.XGBRegressor(n_jobs=1, n_estimators=12, random_state=0, **parameters).fit(X, y)
    check_values(model, X, y)


def test_regressor_of_probabilities(data):
    X, y = data
    share = np.clip(y / 15, 0.0, 1.0)
    check_values(
        xgboost.XGBRegressor(n_jobs=1, n_estimators=12, objective="reg:logistic").fit(X, share),
        X,
        share,
    )


def test_regressor_of_several_targets(data):
    X, y = data
    Y = np.stack([y, np.nan_to_num(X[:, 0])], axis=1)
    check_values(xgboost.XGBRegressor(n_jobs=1, n_estimators=8).fit(X, Y), X, Y)


def test_random_forests(data):
    X, y = data
    check_values(xgboost.XGBRFRegressor(n_jobs=1, n_estimators=6, max_depth=4).fit(X, y), X, y)
    forest = xgboost.XGBRFClassifier(n_jobs=1, n_estimators=6, max_depth=4).fit(X, labels_of(y, 3))
    quantized = skq.quantize(forest, X, n_bits=16)
    assert np.mean(quantized.predict(X) == forest.predict(X)) >= 0.999


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("parameters", [{}, {"booster": "dart"}, {"early_stopping_rounds": 2}])
def test_classifier(n_classes, parameters, data):
    X, y = data
    labels = labels_of(y, n_classes)
    model = xgboost.XGBClassifier(
        n_jobs=1, n_estimators=30, learning_rate=0.7, max_depth=4, random_state=0, **parameters
    )
    if "early_stopping_rounds" in parameters:
        model.fit(X[:400], labels[:400], eval_set=[(X[400:], labels[400:])], verbose=False)
        assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    else:
        model.fit(X, labels)
    for n_bits, agreement in ((16, 0.999), (8, 0.99)):
        quantized = skq.quantize(model, X, n_bits=n_bits)
        assert np.mean(quantized.predict(X) == model.predict(X)) >= agreement
    fine = skq.quantize(model, X, n_bits=16)
    np.testing.assert_allclose(fine.predict_proba(X), model.predict_proba(X), atol=1e-3)


def test_in_the_meta_estimator_and_in_a_file(data, tmp_path):
    X, y = data
    model = xgboost.XGBClassifier(n_jobs=1, n_estimators=5)
    quantized = skq.QuantizedClassifier(model, n_bits=6).fit(X, labels_of(y, 2))
    skq.save(quantized, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(X), quantized.predict(X))


def test_thresholds_are_compared_as_float32():
    X = np.repeat(np.float32(1.0) + np.arange(40, dtype=np.float32) * 2.0**-23, 5)[:, np.newaxis]
    y = (np.arange(200) >= 90).astype(float)
    model = xgboost.XGBRegressor(n_jobs=1, n_estimators=3, tree_method="exact").fit(X, y)
    around = np.unique([X, np.nextafter(X, np.float32(9)), np.nextafter(X, np.float32(-9))])
    for rows in (around[:, np.newaxis], around[:, np.newaxis].astype(float) + 2.0**-26):
        np.testing.assert_allclose(
            skq.quantize(model, X, n_bits=16).predict(rows), model.predict(rows), atol=1e-4
        )


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"booster": "gblinear"}, "Ridge"),
        ({"missing": -1.0}, "missing=nan"),
        ({"objective": "reg:expectileerror", "expectile_alpha": 0.5}, "objective"),
    ],
    ids=str,
)
def test_refusals_name_the_alternative(parameters, reason, data):
    X, y = data
    try:
        model = xgboost.XGBRegressor(n_jobs=1, n_estimators=2, **parameters).fit(
            np.nan_to_num(X), y
        )
    except xgboost.core.XGBoostError:  # an objective that this version does not know
        model = xgboost.XGBRegressor(n_jobs=1, n_estimators=2, objective="survival:cox").fit(X, y)
    with pytest.raises(UnsupportedModelError, match=f"^XGBRegressor cannot be .*{reason}"):
        skq.quantize(model, np.nan_to_num(X))


def test_vector_leaves_and_categories_are_refused(data):
    X, y = data
    Y = np.stack([y, -y], axis=1)
    model = xgboost.XGBRegressor(n_jobs=1, n_estimators=2, multi_strategy="multi_output_tree").fit(
        X, Y
    )
    with pytest.raises(UnsupportedModelError, match="one_output_per_tree"):
        skq.quantize(model, X)
    codes = np.stack([X[:, 0], np.arange(len(X)) % 9], axis=1)
    model = xgboost.XGBRegressor(
        n_jobs=1, n_estimators=3, enable_categorical=True, feature_types=["q", "c"]
    ).fit(codes, np.where(codes[:, 1] == 4, 5.0, y * 0.1))
    with pytest.raises(UnsupportedModelError, match="splits by category"):
        skq.quantize(model, codes)


def test_it_is_imported_by_its_own_models_only():
    code = "import sys, skq, skq.frontend.equivalents; sys.exit('xgboost' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_objectives_of_each_class_are_named_before_training(monkeypatch):
    monkeypatch.setattr(xgboost.XGBModel, "fit", None)
    monkeypatch.setattr(xgboost.XGBClassifier, "fit", None)
    pairs = [
        (skq.QuantizedClassifier(xgboost.XGBClassifier(objective="binary:hinge")), "softprob"),
        (skq.QuantizedRegressor(xgboost.XGBRegressor(objective="rank:pairwise")), "reg:gamma"),
    ]
    for model, offered in pairs:
        with pytest.raises(UnsupportedModelError, match=f"its objective '.*use one of.*{offered}"):
            model.fit(np.eye(4), np.arange(4) % 2)
    with pytest.raises(UnsupportedModelError) as info:
        pairs[0][0].fit(np.eye(4), np.arange(4) % 2)
    assert "reg:" not in str(info.value)  # what a classifier would refuse


def test_probabilities_of_a_regressor():
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(float)
    fitted = xgboost.XGBRegressor(objective="binary:logistic", n_estimators=5).fit(X, y)
    model = skq.quantize(fitted, X, n_bits=16)
    np.testing.assert_allclose(model.predict(X), fitted.predict(X), atol=1e-4)
