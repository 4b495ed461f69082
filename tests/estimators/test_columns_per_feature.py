"""`columns_per_feature`: a feature stands in several columns of codes."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_friedman1
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.exceptions import UnsupportedModelError
from skq.export import to_c, to_onnx
from skq.inspection import quantization_report
from skq.linear_model import LogisticRegression, Ridge
from skq.model_selection._costs import bits_moved
from skq.neural_network import MLPRegressor
from skq.program import Bin, MatMul
from skq.quantization.n_bits import KEYS
from skq.tree import DecisionTreeRegressor
from tests.export.host import Batch, compilers
from tests.export.onnx_cases import assert_follows, outputs_of
from tests.export.test_c99_estimators import check, rows_with_limits

pytestmark = [
    pytest.mark.filterwarnings("ignore::skq.exceptions.PrecisionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X, Y = make_friedman1(400, noise=0.5, random_state=0)
LABELS = np.digitize(Y, np.quantile(Y, [0.3, 0.7]))
X_CANCER, Y_CANCER = load_breast_cancer(return_X_y=True)


def strict(n_bits):
    return dict.fromkeys(KEYS, n_bits)


MODELS = [
    DecisionTreeRegressor(max_depth=7, random_state=0),
    RandomForestRegressor(8, random_state=0),
    RandomForestClassifier(8, random_state=0),
    HistGradientBoostingRegressor(max_iter=8),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    Ridge(),
    LogisticRegression(max_iter=500),
    MLPRegressor(hidden_layer_sizes=(6,), max_iter=50, random_state=0),
]


def target(model):
    return LABELS if hasattr(model, "predict_proba") else Y


def fitted(model, **parameters):
    parameters = {"n_bits": strict(2), "columns_per_feature": 3, **parameters}
    model = clone(model).set_params(**parameters)
    return model.fit(X, target(model))


each = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


@each
def test_engines_agree_and_a_saved_model_predicts_the_same(model, tmp_path):
    fit = fitted(model)
    rows = rows_with_limits(X, np.random.default_rng(0)).astype(np.float64)
    skq.save(fit, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    with skq.config_context(engine="reference"):
        expected = fit.predict(rows)
    for engine in ("native", "numpy"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(fit.predict(rows), expected)
            np.testing.assert_array_equal(loaded.predict(rows), expected)
    assert loaded.quantized_module_.columns_of_features.tolist() == (
        fit.quantized_module_.columns_of_features.tolist()
    )


@each
def test_exports_equal_the_reference(model, tmp_path):
    fit = fitted(model)
    rows = rows_with_limits(X, np.random.default_rng(1))
    assert_follows(outputs_of(to_onnx(fit), rows.astype(np.float64)), fit, rows.astype(np.float64))
    if not compilers():
        pytest.skip("needs gcc or clang")
    batch = Batch(tmp_path)
    files = to_c(fit, name="model")
    batch.add(files, X.shape[1])
    check(fit, batch.build().run("model", rows), rows)


@each
def test_all_factors_codes_and_leaves_keep_their_width(model):
    fit = fitted(model)
    program = fit.quantized_module_.program
    for _, step, type_ in program.steps():
        if isinstance(step, Bin):
            assert type_.bits <= 2
        if isinstance(step, MatMul):
            assert program.types[step.inputs[0]].bits <= 2
            assert np.abs(step.weights).max() <= 2
    columns = fit.quantized_module_.columns_of_features
    assert columns.max() == fit.columns_per_feature_ == 3


@pytest.mark.parametrize(
    "model", [MODELS[1], MODELS[3], MODELS[5]], ids=["forest", "hist", "ridge"]
)
def test_more_columns_come_closer_to_the_float_model(model):
    errors = []
    for columns in (1, 2, 4):
        fit = fitted(model, columns_per_feature=columns)
        with fit._answering_in_float():
            exact = fit.predict(X)
        errors.append(np.mean((fit.predict(X) - exact) ** 2))
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.5 * errors[0]


@each
def test_one_column_is_the_default_and_changes_nothing(model):
    plain = clone(model).set_params(n_bits=strict(3))
    assert plain.get_params()["columns_per_feature"] == 1
    one = fitted(model, n_bits=strict(3), columns_per_feature=1)
    plain.fit(X, target(model))
    assert str(plain.quantized_module_.program) == str(one.quantized_module_.program)


# ------------------------------------------------------------------ lossless


@pytest.mark.parametrize("model", MODELS[:5], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("n_bits", [2, 4])
def test_as_many_columns_as_the_splits_need(model, n_bits):
    fit = fitted(
        model, n_bits={**strict(16), "model_inputs": n_bits}, columns_per_feature="lossless"
    )
    rows = np.random.default_rng(0).uniform(-0.5, 1.5, (500, X.shape[1]))
    bins = [s for _, s, _ in fit.quantized_module_.program.steps() if isinstance(s, Bin)]
    assert max(np.diff(step.offsets).max() for step in bins) <= 2**n_bits - 1
    n_edges = np.zeros(X.shape[1])
    for step in bins:
        np.add.at(n_edges, step.feature, np.diff(step.offsets))
    assert fit.columns_per_feature_ == np.ceil(n_edges.max() / (2**n_bits - 1))
    with fit._answering_in_float():
        exact = fit.predict(rows)
    if exact.dtype.kind == "f":
        np.testing.assert_allclose(fit.predict(rows), exact, rtol=0, atol=2e-3 * np.ptp(exact))
    else:
        assert np.mean(fit.predict(rows) == exact) > 0.99


def test_lossless_width_with_several_columns_is_narrower():
    one = fitted(MODELS[0], n_bits="lossless", columns_per_feature=1)
    three = fitted(MODELS[0], n_bits="lossless", columns_per_feature=3)
    assert three.n_bits_["model_inputs"] < one.n_bits_["model_inputs"]
    rows = np.random.default_rng(0).uniform(-0.5, 1.5, (500, X.shape[1]))
    np.testing.assert_array_equal(three.apply(rows), one.apply(rows))
    np.testing.assert_array_equal(three.apply(rows), three.tree_.apply(rows.astype(np.float32)))


def test_lossless_is_for_trees():
    with pytest.raises(ValueError, match="columns_per_feature='lossless' keeps the splits"):
        fitted(Ridge(), columns_per_feature="lossless")
    with pytest.raises(ValueError, match="columns_per_feature='lossless' keeps the splits"):
        skq.QuantizedClassifier(
            FloatLogisticRegression(), n_bits=4, columns_per_feature="lossless"
        ).fit(X, LABELS)
    with pytest.raises(ValueError, match="needs a width"):
        fitted(MODELS[0], n_bits="lossless", columns_per_feature="lossless")


# ------------------------------------------------------------------ around it


@each
@pytest.mark.parametrize("value", [0, 2.0, "2", None])
def test_a_wrong_number_is_refused_before_training(model, value):
    wrong = clone(model).set_params(columns_per_feature=value)
    with pytest.raises(ValueError, match=r"columns_per_feature must be an int from 1 to 64.*Got"):
        wrong.fit(X, target(model))
    assert not hasattr(wrong, "n_features_in_")


def test_missing_values_have_codes_in_every_column():
    rows = X.copy()
    rows[::7, 0] = np.nan
    rows[::5, 3] = np.nan
    model = HistGradientBoostingRegressor(max_iter=8, n_bits=strict(2), columns_per_feature=2)
    model.fit(rows, Y)
    assert all(
        t.bits <= 2 for _, s, t in model.quantized_module_.program.steps() if isinstance(s, Bin)
    )
    with skq.config_context(engine="reference"):
        expected = model.predict(rows)
    np.testing.assert_array_equal(model.predict(rows), expected)
    lossless = HistGradientBoostingRegressor(
        max_iter=8, n_bits={**strict(16), "model_inputs": 2}, columns_per_feature="lossless"
    ).fit(rows, Y)
    with lossless._answering_in_float():
        exact = lossless.predict(rows)
    np.testing.assert_allclose(lossless.predict(rows), exact, atol=1e-3 * np.ptp(exact))


def test_one_bit_has_no_code_for_splits_beside_missing_values():
    rows = X.copy()
    rows[::7, 0] = np.nan
    model = HistGradientBoostingRegressor(max_iter=3, n_bits=strict(1))
    with pytest.raises(UnsupportedModelError, match="give 2 bits or more"):
        model.set_params(columns_per_feature="lossless").fit(rows, Y)


def test_trees_are_trained_on_the_bins_of_all_columns():
    model = fitted(MODELS[0], fit_on_bins=True, columns_per_feature=2)
    assert {len(edges) for edges in model.bin_edges_} == {6}
    rows = np.random.default_rng(0).uniform(-0.5, 1.5, (500, X.shape[1]))
    np.testing.assert_array_equal(model.apply(rows), model.tree_.apply(rows.astype(np.float32)))
    with pytest.raises(ValueError, match="fit_on_bins=True needs the number of bins"):
        fitted(MODELS[0], fit_on_bins=True, columns_per_feature="lossless")


def test_wrappers_and_quantize_take_it():
    pipe = make_pipeline(StandardScaler(), FloatLogisticRegression(max_iter=2000))
    wrapped = skq.QuantizedClassifier(pipe, n_bits=strict(2), columns_per_feature=3)
    wrapped.fit(X_CANCER, Y_CANCER)
    assert wrapped.columns_per_feature_ == 3
    direct = skq.quantize(wrapped.estimator_, X_CANCER, n_bits=strict(2), columns_per_feature=3)
    np.testing.assert_array_equal(wrapped.predict(X_CANCER), direct.predict(X_CANCER))


def test_it_is_a_hyperparameter_like_any_other():
    search = GridSearchCV(
        HistGradientBoostingRegressor(max_iter=5, n_bits=strict(2)),
        {"columns_per_feature": [1, 3]},
        cv=2,
    ).fit(X, Y)
    assert search.best_params_ == {"columns_per_feature": 3}


@pytest.mark.parametrize("model", [MODELS[1], MODELS[5]], ids=["forest", "ridge"])
def test_reports_and_costs_count_the_columns(model):
    one, three = (fitted(model, columns_per_feature=k) for k in (1, 3))
    reports = [quantization_report(fit, X, Y) for fit in (one, three)]
    assert reports[0].columns == 10
    assert reports[1].columns == three.quantized_module_.columns_of_features.sum() == 30
    assert all(part.bits <= 2 for part in reports[1].parts if part.kind == "feature")
    layers = [[part for part in report.parts if part.kind == "layer"] for report in reports]
    assert len(layers[0]) == len(layers[1])
    assert layers[1][0].sqnr_db > layers[0][0].sqnr_db
    assert "columns of codes" in str(reports[1])
    assert bits_moved(three.quantized_module_) > bits_moved(one.quantized_module_)


def test_it_is_not_combined_with_training_of_integers():
    with pytest.raises(ValueError, match="columns_per_feature must be 1. Got 3"):
        fitted(Ridge(), qat_epochs=5)
