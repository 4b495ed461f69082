"""Pipelines that read texts and categories, quantized as a whole."""

import subprocess
import sys
import warnings
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    StandardScaler,
    TargetEncoder,
)

import skq
from skq.exceptions import UnsupportedModelError

WIDE = {"model_inputs": 16, "op_inputs": 16, "op_weights": 16}


@cache
def table():
    """Texts of five frequent and three rare categories, texts with missing ones, a number."""
    rng = np.random.default_rng(0)
    n = 240
    color = rng.choice([*"abcde", "rare", "rarer", "rarest"], n, p=[0.19] * 5 + [0.02, 0.02, 0.01])
    size = rng.choice(["S", "M", "L", "?"], n).astype(object)
    size[rng.random(n) < 0.15] = np.nan
    weight = rng.normal(size=n)
    X = pd.DataFrame({"color": color, "weight": weight, "size": size})
    y = weight + np.isin(color, ["a", "d"]) + 0.5 * (X["size"] == "S") + 0.3 * X["size"].isna()
    return X, y.to_numpy()


def columns(texts, **options):
    """A ColumnTransformer with an encoder for the texts."""
    parts = [("texts", texts, ["color", "size"]), ("numbers", StandardScaler(), ["weight"])]
    return ColumnTransformer(parts, sparse_threshold=0, **options)


def saved(model, tmp_path):
    skq.save(model, tmp_path / "model.skq")
    return skq.load(tmp_path / "model.skq")


IGNORE = {"handle_unknown": "ignore"}
NUMBER = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
ENCODERS = {
    "one-hot": OneHotEncoder(),
    "one-hot, ignore": OneHotEncoder(**IGNORE),
    "one-hot, drop": OneHotEncoder(drop="first", **IGNORE),
    "one-hot, drop if binary": OneHotEncoder(drop="if_binary"),
    "one-hot, infrequent": OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20),
    "one-hot, most": OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3),
    "one-hot, infrequent, error": OneHotEncoder(min_frequency=20),
    "ordinal": OrdinalEncoder(encoded_missing_value=9),
    "ordinal, unknown": OrdinalEncoder(encoded_missing_value=-2, **NUMBER),
    "ordinal, infrequent": OrdinalEncoder(min_frequency=20, encoded_missing_value=-2, **NUMBER),
    "ordinal, given": OrdinalEncoder(
        categories=[["rare", *"edcba", "rarer", "rarest"], ["S", "M", "L", "?", np.nan]],
        encoded_missing_value=-2,
    ),
    "target": TargetEncoder(random_state=0),
    "imputed": make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(**IGNORE)),
    "constant": make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"), OrdinalEncoder(**NUMBER)
    ),
    "another marker": make_pipeline(
        SimpleImputer(missing_values="?", strategy="most_frequent"), OneHotEncoder(**IGNORE)
    ),
    "indicators": make_union(
        MissingIndicator(features="all"),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(**IGNORE)),
    ),
    "ordinal, NaN, imputed": make_pipeline(OrdinalEncoder(), SimpleImputer(), StandardScaler()),
    "one-hot, scaled, products": make_pipeline(
        OneHotEncoder(drop="first", sparse_output=False, **IGNORE), PolynomialFeatures(2)
    ),
    "one-hot, PCA": make_pipeline(OneHotEncoder(sparse_output=False, **IGNORE), PCA(4)),
    "ordinal, bins": make_pipeline(
        OrdinalEncoder(encoded_missing_value=-2, **NUMBER),
        KBinsDiscretizer(3, encode="ordinal", quantile_method="linear"),
    ),
}
SPECIAL = pd.DataFrame(
    {
        "color": ["a", "new", "rare", np.nan, "d", "e"],
        "weight": [0.5, 0.0, -0.5, 1.0, 0.2, 0.1],
        "size": ["new", "S", np.nan, "?", None, pd.NA],
    },
    dtype=object,
).astype({"weight": float})


def answers(predict, rows):
    """The prediction for each row; None where it raises."""
    results = []
    for k in range(len(rows)):
        try:
            results.append(float(predict(rows.iloc[k : k + 1])[0]))
        except (ValueError, TypeError):
            results.append(None)
    return results


@pytest.mark.parametrize("name", ENCODERS)
def test_every_value_is_treated_as_the_encoder_does(name, tmp_path):
    X, y = table()
    X = X.fillna({"size": "L"}) if name == "another marker" else X
    models = [Ridge()] if "products" in name or "PCA" in name else [Ridge(), FOREST]
    for model in models:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pipeline = make_pipeline(columns(ENCODERS[name]), model).fit(X, y)
            quantized = skq.quantize(pipeline, X, n_bits=16)
            loaded = saved(quantized, tmp_path)
            wanted = answers(pipeline.predict, SPECIAL.iloc[:4])
        np.testing.assert_allclose(quantized.predict(X), pipeline.predict(X), atol=2e-3)
        np.testing.assert_array_equal(loaded.predict(X), quantized.predict(X))
        for got in (answers(quantized.predict, SPECIAL), answers(loaded.predict, SPECIAL)):
            for w, g in zip(wanted, got, strict=False):
                assert (w is None) == (g is None), (wanted, got)
                assert w is None or abs(w - g) < 2e-3, (wanted, got)
        for engine in ("numpy", "reference"):
            with skq.config_context(engine=engine):
                np.testing.assert_array_equal(loaded.predict(X[:20]), quantized.predict(X[:20]))


FOREST = RandomForestRegressor(5, max_leaf_nodes=40, random_state=0)


def test_markers_of_missing_values_count_as_the_one_of_the_training_data(tmp_path):
    X, y = table()
    pipeline = make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge()).fit(X, y)
    loaded = saved(skq.quantize(pipeline, X, n_bits=16), tmp_path)
    rows = pd.DataFrame({"color": ["a"] * 3, "weight": [0.1] * 3, "size": [np.nan, None, pd.NA]})
    values = loaded.predict(rows.astype({"size": object}))
    assert len(set(values)) == 1
    np.testing.assert_allclose(values[0], pipeline.predict(rows[:1])[0], atol=1e-3)


def test_none_and_nan_are_different_categories_where_the_encoder_says_so():
    size = np.array(["S", None, np.nan, "M"] * 30, dtype=object)
    X = pd.DataFrame({"size": pd.Series(size, dtype=object)})
    y = np.tile([0.0, 1.0, 2.0, 3.0], 30)
    pipeline = make_pipeline(OneHotEncoder(), Ridge(alpha=1e-6)).fit(X, y)
    quantized = skq.quantize(pipeline, X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), y, atol=1e-2)


def test_the_first_row_may_miss_its_text():
    X, y = table()
    X = X.assign(color=X["color"].where(np.arange(len(X)) % 10 != 0))
    for encoder in (OneHotEncoder(**IGNORE), ENCODERS["imputed"], ENCODERS["ordinal, unknown"]):
        parts = [("t", encoder, ["color"]), ("n", StandardScaler(), ["weight"])]
        pipeline = make_pipeline(ColumnTransformer(parts, sparse_threshold=0), Ridge()).fit(X, y)
        quantized = skq.quantize(pipeline, X, n_bits=16)
        np.testing.assert_allclose(quantized.predict(X), pipeline.predict(X), atol=2e-3)


def test_an_unknown_category_is_an_error_that_tells_what_is_known():
    X, y = table()
    pipeline = make_pipeline(columns(OneHotEncoder()), Ridge()).fit(X, y)
    quantized = skq.quantize(pipeline, X)
    with pytest.raises(ValueError, match=r"'XXL' in column 'size' of X \(row 0\).*'L'"):
        quantized.predict(X[:3].assign(size="XXL"))
    with pytest.raises(ValueError, match="NaN in the column 'color'"):
        quantized.predict(X[:3].assign(color=None))


KINDS = {
    "pandas, other order": lambda X: X[["size", "color", "weight"]],
    "pandas, more columns": lambda X: X.assign(more="text"),
    "pandas, categories": lambda X: X.astype({"color": "category", "size": "category"}),
    "pandas, nullable": lambda X: X.convert_dtypes(),
    "polars": pl.from_pandas,
    "polars, categories": lambda X: pl.from_pandas(X).with_columns(
        pl.col("color").cast(pl.Categorical)
    ),
    "Arrow": pa.Table.from_pandas,
    "dict": lambda X: {name: X[name].tolist() for name in ("size", "weight", "color")},
}


@pytest.mark.parametrize("fitted_on", ["pandas", "pandas, categories", "polars"])
def test_a_loaded_model_takes_every_kind_of_table(fitted_on, tmp_path):
    X, y = table()
    given = KINDS[fitted_on](X) if fitted_on in KINDS else X
    pipeline = make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge()).fit(given, y)
    quantized = skq.quantize(pipeline, given)
    loaded = saved(quantized, tmp_path)
    expected = quantized.predict(given)
    np.testing.assert_allclose(expected, pipeline.predict(given), atol=0.05)
    for kind, convert in KINDS.items():
        np.testing.assert_array_equal(loaded.predict(convert(X)), expected, err_msg=kind)


def test_a_loaded_model_of_numbers_takes_dicts_and_arrow_tables(tmp_path):
    X, y = table()
    numbers = pd.DataFrame({"weight": X["weight"], "twice": 2 * X["weight"] + 1})
    quantized = skq.QuantizedRegressor(make_pipeline(StandardScaler(), Ridge())).fit(numbers, y)
    loaded = saved(quantized, tmp_path)
    expected = quantized.predict(numbers)
    for other in (
        {"twice": numbers["twice"].tolist(), "weight": numbers["weight"].tolist()},
        pa.Table.from_pandas(numbers[["twice", "weight"]]),
    ):
        np.testing.assert_array_equal(loaded.predict(other), expected)
    with pytest.raises(ValueError, match=r"columns are missing: \['twice'\]"):
        loaded.predict({"weight": [1.0]})
    with pytest.raises(ValueError, match="column 'twice' of X holds dates"):
        loaded.predict({"weight": [1.0], "twice": np.array(["2024-01-01"], "datetime64[D]")})


def test_arrays_of_objects_are_read_by_position(tmp_path):
    X, y = table()
    rows = X.to_numpy(dtype=object)
    parts = [("texts", OneHotEncoder(**IGNORE), [0, 2])]
    pipeline = make_pipeline(ColumnTransformer(parts, remainder="passthrough"), Ridge())
    quantized = skq.QuantizedRegressor(pipeline, n_bits=16).fit(rows, y)
    np.testing.assert_allclose(
        quantized.predict(rows), quantized.estimator_.predict(rows), atol=2e-3
    )
    loaded = saved(quantized, tmp_path)
    np.testing.assert_array_equal(loaded.predict(rows.tolist()), quantized.predict(rows))
    numbered = X.set_axis([0, 1, 2], axis=1)
    np.testing.assert_array_equal(loaded.predict(numbered), quantized.predict(rows))


def test_columns_that_are_dropped_need_not_be_there(tmp_path):
    X, y = table()
    dated = X.assign(when=pd.Timestamp("2024-01-01"), note="text")
    pipeline = make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge()).fit(dated, y)
    quantized = skq.quantize(pipeline, dated)
    loaded = saved(quantized, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), quantized.predict(dated))


def test_dates_are_refused_with_advice():
    X, y = table()
    dated = X.assign(when=pd.Timestamp("2024-01-01"))
    for reader in (OneHotEncoder(**IGNORE), "passthrough"):
        parts = [("d", OneHotEncoder(**IGNORE), ["when", "color"])]
        pipeline = make_pipeline(ColumnTransformer(parts), Ridge()).fit(dated, y)
        with pytest.raises(ValueError, match="column 'when' of X holds dates.*year, month"):
            skq.quantize(pipeline, dated)
        del reader


def test_what_cannot_read_texts_is_refused_by_name():
    X, y = table()
    parts = [("t", OneHotEncoder(**IGNORE), ["color"]), ("n", PowerTransformer(), ["weight"])]
    pipeline = make_pipeline(ColumnTransformer(parts, sparse_threshold=0), Ridge()).fit(X, y)
    with pytest.raises(UnsupportedModelError, match="ColumnTransformer"):
        skq.quantize(pipeline, X)
    digits = pd.DataFrame({"a": ["1", "2"] * 20, "b": ["x", "y"] * 20})
    parts = [("n", StandardScaler(), ["a"]), ("t", OneHotEncoder(), ["b"])]
    pipeline = make_pipeline(ColumnTransformer(parts), Ridge())
    pipeline.fit(digits.assign(a=digits["a"].astype(float)), np.arange(40) % 2)
    with pytest.raises(UnsupportedModelError, match="column 'a' holds texts"):
        skq.quantize(pipeline, digits)


def test_models_inside_which_pipelines_read_texts():
    X, y = table()
    voting = VotingRegressor(
        [
            ("linear", make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge())),
            ("forest", make_pipeline(columns(ENCODERS["ordinal, unknown"]), FOREST)),
        ]
    ).fit(X, y)
    quantized = skq.quantize(voting, X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), voting.predict(X), atol=5e-3)
    labels = np.where(y > np.median(y), "high", "low")
    linear = make_pipeline(columns(OneHotEncoder(**IGNORE)), LogisticRegression())
    calibrated = CalibratedClassifierCV(linear, cv=3).fit(X, labels)
    quantized = skq.quantize(calibrated, X, n_bits=16)
    np.testing.assert_array_equal(quantized.predict(X), calibrated.predict(X))


# ------------------------------------------------------------------ categories of the trees


def categories():
    X, y = table()
    return X.astype({"color": "category", "size": "category"}), y


def lightgbm():
    module = pytest.importorskip("lightgbm")
    return module.LGBMRegressor(n_estimators=8, verbose=-1, min_data_per_group=5, cat_smooth=1)


@pytest.mark.parametrize("library", ["sklearn", "lightgbm"])
def test_categories_from_the_dtype(library, tmp_path):
    X, y = categories()
    model = HistGradientBoostingRegressor(max_iter=8) if library == "sklearn" else lightgbm()
    quantized = skq.QuantizedRegressor(model, n_bits=16).fit(X, y)
    parent, loaded = quantized.estimator_, saved(quantized, tmp_path)
    rows = X.copy()
    rows["color"] = rows["color"].cat.set_categories(["zero", *rows["color"].cat.categories])
    rows.loc[:9, "color"] = None
    rows.loc[10:19, "color"] = "zero"
    np.testing.assert_allclose(quantized.predict(X), parent.predict(X), atol=2e-4)
    np.testing.assert_allclose(quantized.predict(rows), parent.predict(rows), atol=2e-4)
    for other in (rows, rows[["size", "weight", "color"]], rows.astype({"color": object})):
        np.testing.assert_array_equal(loaded.predict(other), quantized.predict(rows))
    np.testing.assert_array_equal(loaded.predict(pl.from_pandas(X)), quantized.predict(X))


@pytest.mark.parametrize("library", ["sklearn", "lightgbm"])
def test_categories_that_are_numbers(library):
    rng = np.random.default_rng(0)
    number = rng.choice([3, 7, 11, 50], size=300)
    X = pd.DataFrame({"x": rng.normal(size=300), "number": pd.Categorical(number)})
    y = 2.0 * np.isin(number, [7, 50]) + X["x"]
    model = HistGradientBoostingRegressor(max_iter=8) if library == "sklearn" else lightgbm()
    quantized = skq.QuantizedRegressor(model, n_bits=16).fit(X, y)
    np.testing.assert_allclose(quantized.predict(X), quantized.estimator_.predict(X), atol=2e-4)


def test_the_quantized_class_is_saved_with_its_categories(tmp_path):
    from skq.ensemble import HistGradientBoostingClassifier as Quantized

    X, y = categories()
    labels = y > np.median(y)
    model = Quantized(max_iter=5, categorical_features="from_dtype").fit(X, labels)
    parent = HistGradientBoostingClassifier(max_iter=5).fit(X, labels)
    np.testing.assert_array_equal(model.predict(X), parent.predict(X))
    loaded = saved(model, tmp_path)
    for other in (X, table()[0], X[["weight", "size", "color"]], pl.from_pandas(X)):
        np.testing.assert_array_equal(loaded.predict_proba(other), model.predict_proba(X))


@pytest.mark.parametrize("unknown_value", [-1, np.nan])
def test_splits_by_category_after_an_ordinal_encoder(unknown_value, tmp_path):
    X, y = table()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown_value)
    scaled = ColumnTransformer(
        [("t", encoder, ["color", "size"]), ("n", StandardScaler(), ["weight"])]
    )
    model = HistGradientBoostingRegressor(max_iter=8, categorical_features=[0, 1])
    pipeline = make_pipeline(scaled, model).fit(X, y)
    quantized = skq.quantize(pipeline, X, n_bits=16)
    rows = X.assign(color=np.where(np.arange(len(X)) % 7 == 0, "new", X["color"]))
    for other in (X, rows):
        np.testing.assert_allclose(quantized.predict(other), pipeline.predict(other), atol=2e-4)
    np.testing.assert_array_equal(saved(quantized, tmp_path).predict(rows), quantized.predict(rows))


def test_splits_by_category_after_a_scaler_of_numbers():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 6, 300), rng.normal(size=300)]).astype(float)
    y = np.isin(X[:, 0], [1, 4]) + 0.2 * X[:, 1]
    model = HistGradientBoostingRegressor(max_iter=8, categorical_features=[0])
    parts = [("c", "passthrough", [0]), ("n", StandardScaler(), [1])]
    pipeline = make_pipeline(ColumnTransformer(parts), model).fit(X, y)
    quantized = skq.quantize(pipeline, X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), pipeline.predict(X), atol=2e-4)


# ------------------------------------------------------------------ saved Pipelines


SAVED = {
    "texts": lambda: columns(ENCODERS["imputed"]),
    "selected by dtype": lambda: ColumnTransformer(
        [
            (
                "t",
                OrdinalEncoder(encoded_missing_value=-2, **NUMBER),
                make_column_selector(dtype_exclude="number"),
            ),
            ("n", MinMaxScaler(), make_column_selector(dtype_include="number")),
        ]
    ),
    "products": lambda: make_pipeline(
        columns(OneHotEncoder(drop="first", **IGNORE)), PolynomialFeatures(2)
    ),
    "PCA": lambda: make_pipeline(columns(TargetEncoder(random_state=0)), PCA(2)),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_pipeline_that_ends_in_an_estimator_of_skq_is_saved_whole(name, tmp_path):
    from skq.linear_model import Ridge as Quantized

    X, y = table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(SAVED[name](), Quantized(n_bits=6)).fit(X, y)
        loaded = saved(pipeline, tmp_path)
        expected = pipeline.predict(X)
        assert answers(loaded.predict, SPECIAL[:4]) == pytest.approx(
            answers(pipeline.predict, SPECIAL[:4])
        )
    step = np.ptp(expected) / 64
    assert np.mean(loaded.predict(X) == expected) > 0.98
    np.testing.assert_allclose(loaded.predict(X), expected, atol=step)
    np.testing.assert_array_equal(loaded.predict(pl.from_pandas(X)), loaded.predict(X))


def test_missing_numbers_before_a_saved_pipeline(tmp_path):
    from skq.linear_model import Ridge as Quantized

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    imputer = ColumnTransformer([("i", SimpleImputer(), [0])], remainder="passthrough")
    loaded = saved(make_pipeline(imputer, StandardScaler(), Quantized()).fit(X, y), tmp_path)
    X[0, 0] = np.nan
    assert np.isfinite(loaded.predict(X)).all()
    X[0, 2] = np.nan
    with pytest.raises(ValueError, match="NaN in the columns 2"):
        loaded.predict(X)


def test_steps_that_a_file_cannot_hold_are_named(tmp_path):
    from skq.linear_model import Ridge as Quantized

    X = np.random.default_rng(0).normal(size=(60, 2))
    pipeline = make_pipeline(PowerTransformer(), Quantized()).fit(X, X[:, 0])
    with pytest.raises(UnsupportedModelError, match="its step PowerTransformer"):
        skq.save(pipeline, tmp_path / "model.skq")
    with pytest.raises(TypeError, match="quantize the whole of it"):
        skq.save(make_pipeline(StandardScaler(), Ridge()).fit(X, X[:, 0]), tmp_path / "model.skq")


def test_exports_name_the_columns_of_texts(tmp_path):
    from skq.linear_model import Ridge as Quantized

    X, y = table()
    quantized = skq.quantize(make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge()).fit(X, y), X)
    for model in (quantized, saved(quantized, tmp_path)):
        with pytest.raises(UnsupportedModelError, match="'color', 'size'"):
            skq.export.to_c(model, name="model")
        with pytest.raises(UnsupportedModelError, match="'color', 'size'"):
            skq.export.to_onnx(model)
    numbers = X[["weight"]].to_numpy()
    pipeline = make_pipeline(StandardScaler(), Quantized()).fit(numbers, y)
    with pytest.raises(UnsupportedModelError, match="transformers in floats"):
        skq.export.to_c(saved(pipeline, tmp_path), name="model")


def test_a_loaded_model_needs_numpy_alone(tmp_path):
    X, y = table()
    pipeline = make_pipeline(columns(OneHotEncoder(**IGNORE)), Ridge()).fit(X, y)
    saved(skq.quantize(pipeline, X), tmp_path)
    code = (
        "import sys, skq; model = skq.load('model.skq'); "
        "print(model.predict({'color': ['a'], 'weight': [0.5], 'size': ['S']}).shape, "
        "[m for m in ('pandas', 'polars', 'pyarrow', 'sklearn', 'scipy', 'torch', 'onnx') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1,) []"
