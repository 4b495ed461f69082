"""Transformers in front of models, the whole in `quantize`: a table of what is done with each."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, FastICA, TruncatedSVD
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

import skq
from skq.exceptions import UnsupportedModelError
from skq.program import Bin, Maximum, Quantize, Trees

NUMBERS, CATEGORIES = [0, 1, 2, 3], [4, 5]


@cache
def tables():
    """X by kind, and y: four unscaled columns, two of categories; "missing" has NaN in all."""
    rng = np.random.default_rng(0)
    n = 900
    numbers = rng.normal(size=(n, 4)) * [1, 10, 0.1, 3] + [0, 5, 0, 40]
    categories = rng.integers(0, 5, size=(n, 2)) * 2.0 + 1
    y = np.sin(numbers[:, 0]) + 0.1 * numbers[:, 1] + 3 * numbers[:, 2]
    y += (categories[:, 0] == 5) * 1.5 - 0.15 * categories[:, 1] + 0.2 * (numbers[:, 3] - 40)
    both = np.hstack([numbers, categories])
    missing = np.where(rng.random(both.shape) < 0.1, np.nan, both)
    kinds = {
        "numbers": numbers,
        "categories": categories,
        "both": both,
        "missing": missing,
        "missing numbers": missing[:, NUMBERS],
        "missing categories": missing[:, CATEGORIES],
    }
    return kinds, (y - y.mean()) / y.std()


MODELS = {
    "linear": Ridge(),
    "classifier": LogisticRegression(C=0.3, max_iter=500),
    "forest": RandomForestRegressor(8, max_leaf_nodes=60, random_state=0),
    "boosting": HistGradientBoostingRegressor(max_iter=10),
    "network": MLPRegressor(hidden_layer_sizes=(8,), alpha=0.1, max_iter=200, random_state=0),
}

#: The network learns from scaled columns.
SCALED = StandardScaler()


def onehot(**parameters):
    return OneHotEncoder(sparse_output=False, **parameters)


#: Transformer → (kind of X, models in front of which it is tried).
EVERY = tuple(MODELS)
LAYERS = ("linear", "classifier", "network")
FEW = ("linear", "boosting")
CASES = {
    "StandardScaler": (StandardScaler(), "numbers", EVERY),
    "MinMaxScaler": (MinMaxScaler(), "numbers", FEW),
    "MaxAbsScaler": (MaxAbsScaler(), "numbers", FEW),
    "RobustScaler": (RobustScaler(), "numbers", FEW),
    "SimpleImputer, mean": (make_pipeline(SimpleImputer(), SCALED), "missing numbers", EVERY),
    "SimpleImputer behind passthrough": (
        make_pipeline("passthrough", SimpleImputer()),
        "missing numbers",
        ("linear",),
    ),
    "SimpleImputer, median": (SimpleImputer(strategy="median"), "missing numbers", FEW),
    "SimpleImputer, most frequent": (
        SimpleImputer(strategy="most_frequent"),
        "missing categories",
        FEW,
    ),
    "SimpleImputer, constant": (
        SimpleImputer(strategy="constant", fill_value=-1.0),
        "missing numbers",
        FEW,
    ),
    "SimpleImputer with indicators": (
        make_pipeline(SimpleImputer(add_indicator=True), SCALED),
        "missing numbers",
        EVERY,
    ),
    "MissingIndicator": (make_union(SimpleImputer(), MissingIndicator()), "missing numbers", FEW),
    "OneHotEncoder": (onehot(), "categories", EVERY),
    "OneHotEncoder, unknown": (onehot(handle_unknown="ignore"), "categories", EVERY),
    "OneHotEncoder, drop": (onehot(drop="first"), "categories", FEW),
    "OneHotEncoder, infrequent": (
        onehot(handle_unknown="infrequent_if_exist", min_frequency=90),
        "categories",
        FEW,
    ),
    "OneHotEncoder, missing": (onehot(handle_unknown="ignore"), "missing categories", FEW),
    "OneHotEncoder, sparse": (OneHotEncoder(handle_unknown="ignore"), "categories", ("linear",)),
    "OrdinalEncoder": (OrdinalEncoder(), "categories", EVERY),
    "OrdinalEncoder, unknown": (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        "categories",
        FEW,
    ),
    "TargetEncoder": (TargetEncoder(), "categories", FEW),
    "KBinsDiscretizer": (KBinsDiscretizer(5, encode="onehot-dense"), "numbers", EVERY),
    "KBinsDiscretizer, ordinal": (KBinsDiscretizer(5, encode="ordinal"), "numbers", FEW),
    "Binarizer": (Binarizer(threshold=0.1), "numbers", ("linear", "classifier")),
    "PolynomialFeatures": (
        make_pipeline(StandardScaler(), PolynomialFeatures(2)),
        "numbers",
        ("linear", "classifier"),
    ),
    "PolynomialFeatures, unscaled": (PolynomialFeatures(2), "numbers", ("linear",)),
    "PolynomialFeatures, interactions of bits": (
        make_pipeline(
            onehot(drop="first"), PolynomialFeatures(2, interaction_only=True, include_bias=False)
        ),
        "categories",
        ("linear",),
    ),
    "PCA": (make_pipeline(StandardScaler(), PCA(3)), "numbers", LAYERS),
    "PCA, whitened": (PCA(3, whiten=True), "numbers", LAYERS),
    "TruncatedSVD": (TruncatedSVD(3, random_state=0), "numbers", ("linear",)),
    "FastICA": (FastICA(3, random_state=0), "numbers", ("linear",)),
    "SelectKBest": (SelectKBest(f_regression, k=3), "numbers", FEW),
    "VarianceThreshold": (VarianceThreshold(0.02), "numbers", FEW),
    "SelectFromModel": (SelectFromModel(Ridge(), threshold=0.2), "numbers", FEW),
    "RFE": (RFE(Ridge(), n_features_to_select=3), "numbers", FEW),
    "FeatureUnion": (
        FeatureUnion([("s", StandardScaler()), ("p", PCA(2))], transformer_weights={"p": 0.5}),
        "numbers",
        LAYERS,
    ),
    "ColumnTransformer": (
        ColumnTransformer([("n", StandardScaler(), NUMBERS), ("c", onehot(), CATEGORIES)]),
        "both",
        EVERY,
    ),
    "ColumnTransformer, remainder": (
        ColumnTransformer([("n", StandardScaler(), [0, 3])], remainder="passthrough"),
        "both",
        FEW,
    ),
    "ColumnTransformer, dropped": (
        ColumnTransformer([("n", StandardScaler(), [3, 1])]),
        "both",
        FEW,
    ),
    "ColumnTransformer of pipelines": (
        ColumnTransformer(
            [
                ("n", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
                (
                    "c",
                    make_pipeline(SimpleImputer(strategy="most_frequent"), onehot()),
                    CATEGORIES,
                ),
            ]
        ),
        "missing",
        EVERY,
    ),
}


def fitted(case, model):
    """A fitted pipeline, training rows, and held-out rows that lie in their range."""
    transformer, kind, _ = CASES[case]
    kinds, y = tables()
    X = kinds[kind]
    target = (y > 0).astype(int) if model == "classifier" else y
    train, test = X[::2], X[1::2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(transformer, MODELS[model]).fit(train, target[::2])
        lo, hi = np.nanmin(train, axis=0), np.nanmax(train, axis=0)
    return pipeline, train, np.clip(test, lo, hi)


@pytest.mark.parametrize(
    ("case", "model"), [(case, model) for case in CASES for model in CASES[case][2]]
)
def test_the_whole_pipeline_is_the_parents(case, model):
    pipeline, X, rows = fitted(case, model)
    for n_bits, agreement, error in ((16, 0.999, 1e-3), (8, 0.99, 2e-2)):
        quantized = skq.quantize(pipeline, X, n_bits=n_bits)
        got, wanted = quantized.predict(rows), pipeline.predict(rows)
        if model == "classifier":
            assert np.mean(got == wanted) >= agreement
        else:
            # values behind a hidden layer saturate on rows that are not in the training data
            factor = 2.5 if model == "network" else 1.0
            assert np.sqrt(np.mean((got - wanted) ** 2)) <= factor * error
    for engine in ("numpy", "reference"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(quantized.predict(rows[:50]), got[:50])


def test_what_is_affine_costs_no_instruction():
    for case in ("StandardScaler", "PCA", "PCA, whitened", "FastICA", "VarianceThreshold"):
        pipeline, X, _ = fitted(case, "linear")
        steps = skq.quantize(pipeline, X).quantized_module_.program.instructions
        names = [type(step).__name__ for step in steps]
        assert names == ["Quantize", "MatMul", "Reshape", "Dequantize"], case


def test_an_encoder_is_bits_of_trees():
    pipeline, X, _ = fitted("OneHotEncoder", "linear")
    steps = skq.quantize(pipeline, X).quantized_module_.program.instructions
    assert [type(step) for step in steps[:2]] == [Bin, Trees]
    assert not any(isinstance(step, Quantize) for step in steps)


def test_trees_behind_transformers_of_single_features_are_lossless():
    for case in ("OrdinalEncoder", "SimpleImputer, constant", "OneHotEncoder, missing"):
        pipeline, X, rows = fitted(case, "boosting")
        quantized = skq.quantize(
            pipeline, X, n_bits={"model_inputs": 8, "op_inputs": 8, "op_weights": 16}
        )
        np.testing.assert_allclose(
            quantized.predict(rows), pipeline.predict(rows), atol=1e-4, rtol=0
        )


def test_many_categories_are_told_apart_by_8_bits():
    rng = np.random.default_rng(0)
    X = rng.permutation(np.arange(1000.0) % 200)[:, np.newaxis]
    y = rng.integers(0, 2, size=1000)
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    quantized = skq.quantize(pipeline.fit(X, y), X, n_bits=8)
    np.testing.assert_allclose(
        quantized.predict_proba(X), pipeline.predict_proba(X), rtol=0, atol=0.005
    )


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(), RobustScaler()], ids=str)
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ],
    ids=["one-hot", "ordinal"],
)
def test_categories_behind_a_scaler(scaler, encoder):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 7, size=(300, 2)) / 3
    y = (rng.random(300) < X[:, 0] / 2).astype(int)
    pipeline = make_pipeline(scaler, encoder, LogisticRegression()).fit(X, y)
    quantized = skq.quantize(pipeline, X, n_bits=16)
    rows = np.concatenate([X, np.nextafter(X, np.inf), X + 0.1])
    np.testing.assert_allclose(
        quantized.predict_proba(rows), pipeline.predict_proba(rows), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("constant", [0.0, 2.0, -3.0])
@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize(
    "model", [Ridge(), DecisionTreeRegressor(max_depth=5, random_state=0)], ids=["linear", "tree"]
)
def test_products_with_a_constant_feature(constant, interaction_only, model):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(300, constant), rng.normal(size=300)])
    y = X[:, 1] + 0.3 * X[:, 1] ** 2
    products = PolynomialFeatures(2, interaction_only=interaction_only)
    pipeline = make_pipeline(products, model).fit(X, y)
    quantized = skq.quantize(pipeline, X, n_bits=16)
    error = quantized.predict(X) - pipeline.predict(X)
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.std(y)


def test_trees_that_read_one_square_alone():
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = (X[:, 1] > 0) + 2.0 * (X[:, 1] ** 2 > 0.5)
    model = DecisionTreeRegressor(random_state=0)
    pipeline = make_pipeline(PolynomialFeatures(2), model).fit(X, y)
    read = np.flatnonzero(pipeline[-1].feature_importances_)
    assert set(pipeline[0].get_feature_names_out()[read]) == {"x1", "x1^2"}
    quantized = skq.quantize(pipeline, X, n_bits=16)
    error = quantized.predict(X) - pipeline.predict(X)
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.std(y)


def test_a_constant_feature_may_be_cut_into_bins():
    X = np.column_stack([np.full(60, 3.0), np.linspace(-1, 1, 60)])
    y = (X[:, 1] > 0.2).astype(int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Feature 0 is constant")
        pipeline = make_pipeline(KBinsDiscretizer(5, encode="ordinal"), LogisticRegression())
        pipeline.fit(X, y)
    quantized = skq.quantize(pipeline, X)
    np.testing.assert_array_equal(quantized.predict(X), pipeline.predict(X))


def test_unknown_categories_are_treated_as_the_encoder_does():
    rows = np.array([[3.0, 2.0], [-50.0, 5.0], [1e6, 4.0], [9.0, 9.5]])
    for case in ("OneHotEncoder, unknown", "OrdinalEncoder, unknown", "OneHotEncoder, infrequent"):
        for model in CASES[case][2]:
            if model != "classifier":
                pipeline, X, _ = fitted(case, model)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    expected = pipeline.predict(rows)
                got = skq.quantize(pipeline, X, n_bits=16).predict(rows)
                np.testing.assert_allclose(got, expected, atol=2e-3)


#: Trees that compare sums or products of features → (pipeline, kind of X, greatest error at 8 bits)
COMPUTED = {
    "PCA, forest": (make_pipeline(PCA(3), MODELS["forest"]), "numbers", 0.08),
    "PCA, forest classifier": (
        make_pipeline(PCA(3), RandomForestClassifier(20, max_depth=7, random_state=0)),
        "numbers",
        0.02,
    ),
    "scaled PCA, boosting": (
        make_pipeline(SCALED, PCA(3, whiten=True), MODELS["boosting"]),
        "numbers",
        0.05,
    ),
    "scaled PCA, boosting of float32": (
        make_pipeline(SCALED, PCA(3), GradientBoostingRegressor(n_estimators=20, random_state=0)),
        "numbers",
        0.05,
    ),
    "bits, boosting classifier": (
        make_pipeline(onehot(), PCA(4), HistGradientBoostingClassifier(max_iter=10)),
        "categories",
        0.02,
    ),
    "missing, boosting": (
        make_pipeline(SimpleImputer(add_indicator=True), SCALED, PCA(5), MODELS["boosting"]),
        "missing numbers",
        0.06,
    ),
    "products, tree": (
        make_pipeline(PolynomialFeatures(2), DecisionTreeRegressor(max_depth=6, random_state=0)),
        "numbers",
        0.06,
    ),
    "products of three, boosting": (
        make_pipeline(SCALED, PolynomialFeatures(3), StandardScaler(), MODELS["boosting"]),
        "numbers",
        0.06,
    ),
    "sums of products, forest": (
        make_pipeline(SCALED, PolynomialFeatures(2), PCA(6), MODELS["forest"]),
        "numbers",
        0.2,
    ),
    "FeatureUnion": (
        make_pipeline(make_union(SCALED, TruncatedSVD(2, random_state=0)), MODELS["boosting"]),
        "numbers",
        0.05,
    ),
    "ColumnTransformer, missing beside": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("sums", make_pipeline(SimpleImputer(), SCALED, PCA(2)), NUMBERS),
                    ("own", "passthrough", CATEGORIES),
                ]
            ),
            MODELS["boosting"],
        ),
        "missing",
        0.06,
    ),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_trees_compare_what_the_program_computes(name, tmp_path):
    """Rows near a threshold may take the other way: few at 8 bits, next to none at 16."""
    pipeline, kind, most = COMPUTED[name]
    kinds, y = tables()
    X = kinds[kind]
    is_classifier = "classifier" in name
    target = (y > 0).astype(int) if is_classifier else y
    train, lo, hi = X[::2], np.nanmin(X[::2], axis=0), np.nanmax(X[::2], axis=0)
    rows = np.clip(X[1::2], lo, hi)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = pipeline.fit(train, target[::2]).predict(rows)
    fine = skq.quantize(pipeline, train, n_bits=16).predict(rows)
    other_way = np.mean(np.abs(fine - wanted) > 0.01)
    quantized = skq.quantize(pipeline, train, n_bits=8)
    got = quantized.predict(rows)
    error = np.mean(got != wanted) if is_classifier else np.sqrt(np.mean((got - wanted) ** 2))
    print(f"\n{name:36} 16 bits {other_way:.4f} of rows  8 bits {error:.4f}", end="")
    assert other_way <= 0.01
    assert error <= most
    for engine in ("native", "numpy", "reference"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(quantized.predict(rows[:80]), got[:80])
    skq.save(quantized, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(rows), got)


def test_trees_read_their_own_columns_exactly_beside_computed_ones():
    """A tree that happens to split on single features alone computes nothing."""
    X = tables()[0]["numbers"]
    for front in (PolynomialFeatures(2), make_union(PCA(1), StandardScaler())):
        tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, np.sign(X[:, 1] - 5))
        pipeline = make_pipeline(front, tree).fit(X, np.sign(X[:, 1] - 5))
        quantized = skq.quantize(pipeline, X, n_bits=4)
        steps = [type(step) for step in quantized.quantized_module_.program.instructions[:2]]
        assert steps == [Bin, Trees]
        np.testing.assert_allclose(quantized.predict(X), pipeline.predict(X), atol=1e-6)


def test_wider_codes_bring_predictions_nearer():
    """Each two bits more take the errors down, as half as many rows take the other way."""
    pipeline, _, _ = COMPUTED["scaled PCA, boosting of float32"]
    kinds, y = tables()
    X = kinds["numbers"]
    pipeline.fit(X[::2], y[::2])
    rows = np.clip(X[1::2], X[::2].min(axis=0), X[::2].max(axis=0))
    errors = [
        np.std(skq.quantize(pipeline, X[::2], n_bits=width).predict(rows) - pipeline.predict(rows))
        for width in (6, 8, 12)
    ]
    assert errors[0] > errors[1] > 3 * errors[2]


def test_lossless_is_refused_where_sums_are_compared():
    kinds, y = tables()
    for kind, front in (("numbers", PCA(2)), ("categories", make_pipeline(onehot(), PCA(2)))):
        pipeline = make_pipeline(front, MODELS["forest"]).fit(kinds[kind], y)
        with pytest.raises(ValueError, match="lossless.*tree models only.*before"):
            skq.quantize(pipeline, kinds[kind], n_bits="lossless")


def frame():
    kinds, y = tables()
    X = pd.DataFrame(kinds["missing"], columns=list("abcdef"))
    return X.fillna({"e": 1.0, "f": 1.0}).astype({"e": int}), y


def test_columns_by_name():
    X, y = frame()
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    preprocessor = ColumnTransformer([("n", numbers, list("abcd")), ("c", onehot(), ["e", "f"])])
    quantized = skq.QuantizedRegressor(make_pipeline(preprocessor, Ridge()), n_bits=16).fit(X, y)
    expected = quantized.estimator_.predict(X)
    assert np.std(quantized.predict(X) - expected) < 1e-3
    # as the Pipeline does: columns in another order are found by name, absent ones are named
    np.testing.assert_array_equal(quantized.predict(X[list("fedcba")]), quantized.predict(X))
    with pytest.raises(ValueError, match="missing"):
        quantized.predict(X[list("abcde")])


def test_missing_values_where_the_pipeline_takes_none_raise_what_it_raises():
    pipeline, X, _ = fitted("StandardScaler", "linear")
    quantized = skq.quantize(pipeline, X)
    with pytest.raises(ValueError, match="NaN"):
        quantized.predict(np.where(X > X.mean(axis=0), np.nan, X))
    X, y = frame()
    impute_one = ColumnTransformer(
        [("i", SimpleImputer(), list("abcd")), ("p", "passthrough", ["e"])]
    )
    quantized = skq.QuantizedRegressor(make_pipeline(impute_one, Ridge())).fit(X, y)
    assert np.isfinite(quantized.predict(X)).all()
    X = X.astype(float)
    X.loc[5, "e"] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        quantized.predict(X)


@pytest.mark.parametrize(
    ("case", "model"), [(case, model) for case in CASES for model in CASES[case][2]]
)
def test_new_missing_values_are_taken_where_the_pipeline_takes_them(case, model):
    """The data that the pipeline is fitted and quantized on have none."""
    transformer, kind, _ = CASES[case]
    kinds, y = tables()
    complete = {"missing": "both"}.get(kind, kind.removeprefix("missing "))
    X, rows = kinds[complete][::2], kinds[complete][1:400:2]
    rows = np.clip(rows, X.min(axis=0), X.max(axis=0))
    target = (y[::2] > 0).astype(int) if model == "classifier" else y[::2]
    pipeline = make_pipeline(clone(transformer), clone(MODELS[model])).fit(X, target)
    quantized = skq.quantize(pipeline, X, n_bits=8)
    uncoded = quantized.quantized_module_.features_without_missing_code
    assert not uncoded or "passthrough" in str(transformer) or "Imputer" not in str(transformer)
    for column in range(X.shape[1]):
        missing = rows.copy()
        missing[:, column] = np.nan
        try:
            wanted = pipeline.predict(missing)
        except ValueError:
            wanted = None
        if wanted is None or column in uncoded:
            with pytest.raises(ValueError, match="NaN"):
                quantized.predict(missing)
        elif model == "classifier":
            assert np.mean(quantized.predict(missing) == wanted) >= 0.985
        else:
            error = np.sqrt(np.mean((quantized.predict(missing) - wanted) ** 2))
            assert error <= (0.05 if model == "network" else 0.02)
    rows[rows > np.median(rows, axis=0)] = np.nan
    codes = quantized.quantized_module_.forward(rows, outputs=["predict"])
    for engine in ("numpy", "reference"):
        with skq.config_context(engine=engine):
            found = quantized.quantized_module_.forward(rows, outputs=["predict"])
        np.testing.assert_array_equal(found, codes)


@pytest.mark.parametrize("model", ["linear", "boosting", "network"])
def test_a_dropped_column_may_be_missing(model):
    kinds, y = tables()
    X = np.where(np.arange(6) == 5, kinds["missing"], kinds["both"])
    pipeline = make_pipeline(CASES["ColumnTransformer, dropped"][0], MODELS[model]).fit(X, y)
    quantized = skq.quantize(pipeline, X)
    assert np.std(quantized.predict(X) - pipeline.predict(X)) < 0.02
    assert not any(isinstance(s, Maximum) for s in quantized.quantized_module_.program.instructions)


def test_texts_may_be_encoded_in_the_program_or_before_it():
    X, y = frame()
    X["e"] = np.where(X["e"] > 4, "red", "blue")
    encoder = ColumnTransformer([("c", onehot(), ["e"])], remainder=SimpleImputer())
    whole = skq.QuantizedRegressor(make_pipeline(encoder, Ridge()), n_bits=16).fit(X, y)
    np.testing.assert_allclose(whole.predict(X), whole.estimator_.predict(X), atol=1e-3)
    in_front = make_pipeline(encoder, skq.QuantizedRegressor(Ridge(), n_bits=12)).fit(X, y)
    assert np.isfinite(in_front.predict(X)).all()


REFUSED = {
    "Normalizer": (
        Normalizer(),
        "linear",
        "Normalizer.*no division.*before the quantized model: make_pipeline",
    ),
    "PowerTransformer": (PowerTransformer(), "linear", "PowerTransformer.*Put it before"),
    "FunctionTransformer": (
        FunctionTransformer(np.abs),
        "linear",
        "function.*before the quantized model",
    ),
    "MinMaxScaler with clip": (MinMaxScaler(clip=True), "linear", "clip=False"),
    "bins after a projection": (
        make_pipeline(PCA(2), KBinsDiscretizer(3)),
        "linear",
        "KBinsDiscretizer.*after a projection",
    ),
    "products of projections": (
        make_pipeline(PCA(2), PolynomialFeatures()),
        "linear",
        "products of sums",
    ),
    "products of four": (PolynomialFeatures(4), "linear", "degree=3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_to_do(name):
    transformer, model, message = REFUSED[name]
    kinds, y = tables()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(transformer, MODELS[model]).fit(kinds["numbers"], y)
    with pytest.raises(UnsupportedModelError, match=message):
        skq.quantize(pipeline, kinds["numbers"])
