"""Whole pipelines on real tables, their texts as they are: agreement with the float pipeline."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

import skq
from tests import real_tables

ROWS = 1600
TABLES = ("credit", "penguins", "mushroom", "diamonds")


@cache
def split(name):
    """Training rows, test rows with numbers in the training range, and the targets of the first."""
    X, y = getattr(real_tables, name)()
    chosen = np.random.default_rng(0).permutation(len(X))[:ROWS]
    X, y = X.iloc[chosen], y.iloc[chosen]
    train, test = X[::2], X[1::2].copy()
    for column in test.select_dtypes("number"):
        values = test[column].clip(train[column].min(), train[column].max())
        test[column] = values.astype(test[column].dtype)
    return train, test, y[::2]


ENCODERS = {
    "one-hot": make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    ),
    "ordinal": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "target": TargetEncoder(random_state=0),
}


def model_of(name, is_classifier):
    if name == "linear":
        return LogisticRegression(C=0.5, max_iter=2000) if is_classifier else Ridge()
    if name == "forest":
        kind = RandomForestClassifier if is_classifier else RandomForestRegressor
        return kind(8, max_leaf_nodes=40, random_state=0)
    kind = HistGradientBoostingClassifier if is_classifier else HistGradientBoostingRegressor
    return kind(max_iter=8)


@cache
def fitted(table, encoder, model):
    X, _, y = split(table)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = clone(ENCODERS[encoder])
    if encoder == "target" and table == "diamonds":
        texts.set_params(target_type="continuous")  # prices are whole numbers
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("texts", texts, make_column_selector(dtype_exclude="number")),
        ],
        sparse_threshold=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(columns, model_of(model, table != "diamonds")).fit(X, y)


#: Least share of equal labels, and least R2 of the values, by width.
LEAST = {16: (0.998, 0.99999), 8: (0.985, 0.995)}


@pytest.mark.parametrize("n_bits", [16, 8])
@pytest.mark.parametrize(
    ("encoder", "model"),
    [("one-hot", "linear"), ("ordinal", "boosting"), ("target", "linear"), ("one-hot", "forest")],
)
@pytest.mark.parametrize("table", TABLES)
def test_the_whole_pipeline_agrees_with_the_float_one(table, encoder, model, n_bits, tmp_path):
    train, test, _ = split(table)
    pipeline = fitted(table, encoder, model)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories")
        quantized = skq.quantize(pipeline, train, n_bits=n_bits)
        got, wanted = quantized.predict(test), pipeline.predict(test)
    labels, r2 = LEAST[n_bits]
    if table == "diamonds":
        assert r2_score(wanted, got) >= r2
    else:
        assert np.mean(got == wanted) >= labels
    skq.save(quantized, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(test), got)


@pytest.mark.parametrize("table", ["penguins", "mushroom", "credit"])
def test_trees_after_an_encoder_of_texts_are_lossless(table):
    """Every threshold has its own code at 16 bits, so all training and test rows agree."""
    train, test, _ = split(table)
    pipeline = fitted(table, "ordinal", "boosting")
    quantized = skq.quantize(pipeline, train, n_bits=16)
    rows = pd.concat([train, test])
    np.testing.assert_array_equal(quantized.predict(rows), pipeline.predict(rows))
    np.testing.assert_allclose(
        quantized.predict_proba(rows), pipeline.predict_proba(rows), atol=1e-4
    )


@pytest.mark.parametrize("table", TABLES)
def test_boosting_of_categories(table, tmp_path):
    train, test, y = split(table)
    texts = {name: "category" for name in train.select_dtypes(exclude="number")}
    train = train.astype(texts)
    test = test.astype({name: train[name].dtype for name in texts})
    kind = HistGradientBoostingRegressor if table == "diamonds" else HistGradientBoostingClassifier
    model = kind(max_iter=6).fit(train, y)
    quantized = skq.quantize(model, train, n_bits=16)
    got, wanted = quantized.predict(test), model.predict(test)
    if table == "diamonds":
        np.testing.assert_allclose(got, wanted, atol=1e-4 * np.ptp(wanted))
    else:
        np.testing.assert_array_equal(got, wanted)
    skq.save(quantized, tmp_path / "model.skq")
    as_texts = test.astype(dict.fromkeys(texts, object))
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(as_texts), got)
