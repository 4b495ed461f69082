"""The opt-in warning of rows that saturate."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import skq
from skq.ensemble import RandomForestRegressor
from skq.exceptions import CalibrationWarning
from skq.linear_model import LogisticRegression, Ridge
from skq.serving.saturation import saturated

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, size=(400, 3))
BEYOND = X[:100].copy()
BEYOND[:20, 1] = 3.0
BEYOND[:5, 2] = -1.5


def test_it_names_the_share_of_rows_the_features_and_what_to_do():
    model = Ridge().fit(X, X[:, 0])
    with (
        skq.config_context(saturation_warning=0.1),
        pytest.warns(
            CalibrationWarning,
            match=r"^20\.0% of the rows .* feature 1 \(20\.0%\), feature 2 \(5\.0%\).*quantize on",
        ),
    ):
        warned = model.predict(BEYOND)
    np.testing.assert_array_equal(model.predict(BEYOND), warned)


def test_columns_are_named_where_they_have_names():
    frame = pd.DataFrame(X, columns=["age", "dose", "time"])
    model = LogisticRegression().fit(frame, X[:, 0] > 0)
    rows = pd.DataFrame(BEYOND, columns=frame.columns)
    with (
        skq.config_context(saturation_warning=0.0),
        pytest.warns(CalibrationWarning, match=r"dose \(2\d\.\d%\), time"),
    ):
        model.predict_proba(rows)


def test_sparse_rows_wrappers_and_loaded_models_warn(tmp_path):
    model = skq.QuantizedRegressor(Ridge._parent()).fit(X, X[:, 0])
    skq.save(model, tmp_path / "model.skq")
    sparse_model = Ridge(fit_intercept=False).fit(sparse.csr_array(X), X[:, 0])
    with skq.config_context(saturation_warning=0.1):
        for predictor, rows in (
            (model, BEYOND),
            (skq.load(tmp_path / "model.skq"), BEYOND),
            (sparse_model, sparse.csr_array(BEYOND)),
        ):
            with pytest.warns(CalibrationWarning, match="feature 1"):
                predictor.predict(rows)


def test_silent_by_default_below_the_share_and_for_trees():
    model = Ridge().fit(X, X[:, 0])
    forest = RandomForestRegressor(3, random_state=0).fit(X, X[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(BEYOND)
        with skq.config_context(saturation_warning=0.2):
            model.predict(BEYOND)
            forest.predict(BEYOND * 10)
            model.predict(X)
        with (
            skq.config_context(saturation_warning=0.1),
            skq.config_context(saturation_warning=None),
        ):
            model.predict(BEYOND)


def test_a_row_saturates_where_its_code_is_clipped():
    model = Ridge(n_bits=4).fit(X, X[:, 0])
    module = model.quantized_module_
    (quantize,) = (s for s in module.program.instructions if type(s).__name__ == "Quantize")
    rows = RNG.uniform(-1.4, 1.4, size=(3000, 3))
    codes = np.rint(rows / quantize.scale + quantize.zero_point)
    clipped = (codes < quantize.lo) | (codes > quantize.hi)
    found, by_feature = saturated(module.program, rows)
    np.testing.assert_array_equal(found, clipped.any(axis=1))
    np.testing.assert_allclose(by_feature, clipped.mean(axis=0))
    assert 0 < found.mean() < 1


def test_the_setting_is_checked_and_kept():
    for wrong in (1.0, -0.1, "5%", [0.1]):
        with pytest.raises(
            ValueError, match=r"saturation_warning must be a share of rows in \[0, 1"
        ):
            skq.set_config(saturation_warning=wrong)
    skq.set_config(saturation_warning=0.3)
    try:
        with skq.config_context(engine="numpy"):
            changed = {"engine": "numpy", "saturation_warning": 0.3}
            assert skq.get_config() == changed | {"n_threads": None, "lazy_fit": False}
        skq.set_config(engine="auto")
        assert skq.get_config()["saturation_warning"] == 0.3
    finally:
        skq.set_config(saturation_warning=None)
    assert skq.get_config()["saturation_warning"] is None
