"""A value that no row has, or that is far from all others, takes nothing from the others' grid."""

import numpy as np
import pytest
from sklearn import linear_model as floats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

import skq


def categories(n_rows=300):
    random = np.random.default_rng(0)
    X = random.integers(0, 5, (n_rows, 3)).astype(float)
    return X, X @ [1.0, 2.0, -1.0] + random.normal(0, 0.1, n_rows)


def encoder(value):
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=value)


def largest_error(model, X):
    wanted = model.estimator_.predict(X)
    return np.abs(model.predict(X) - wanted).max() / np.std(wanted)


@pytest.mark.parametrize("value", [-1, 9999, -9999, 10**7])
@pytest.mark.parametrize("n_bits", [4, 8])
def test_unknown_categories_take_no_codes_from_known_ones(value, n_bits):
    X, y = categories()
    inner = make_pipeline(encoder(value), floats.Ridge())
    model = skq.QuantizedRegressor(inner, n_bits=n_bits).fit(X, y)
    assert largest_error(model, X) < (0.3 if n_bits == 4 else 0.03)


@pytest.mark.parametrize("value", [9999, -9999])
def test_unknown_categories_have_their_own_value(value):
    X, y = categories()
    model = skq.QuantizedRegressor(make_pipeline(encoder(value), floats.Ridge())).fit(X, y)
    rows = np.array([[7.0, 1.0, 1.0], [1.0, 2.5, 1.0], [1.0, 1.0, -3.0], [9.0, 9.0, 9.0]])
    np.testing.assert_allclose(model.predict(rows), model.estimator_.predict(rows), rtol=0.02)


def test_unknown_categories_beside_numbers():
    X, y = categories()
    X = np.column_stack([X, np.random.default_rng(1).normal(size=len(X))])
    steps = make_column_transformer((encoder(9999), [0, 1]), (StandardScaler(), [2, 3]))
    model = skq.QuantizedRegressor(make_pipeline(steps, floats.Ridge())).fit(X, y + X[:, 3])
    assert largest_error(model, X) < 0.05
    rows = np.array([[7.0, 1.0, 1.0, 0.0]])
    np.testing.assert_allclose(model.predict(rows), model.estimator_.predict(rows), rtol=0.02)


@pytest.mark.parametrize("value", [-999.0, 0.0, 1e6])
@pytest.mark.parametrize("around", ["pipeline", "voting", "scaled"])
@pytest.mark.parametrize("missing", [False, True])
def test_fillers_take_no_codes_from_values(value, around, missing):
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3)) + [0.0, 5.0, 0.0]
    y = X @ [1.0, 2.0, -1.0]
    steps = [SimpleImputer(strategy="constant", fill_value=value)]
    steps += [StandardScaler()] if around == "scaled" else []
    inner = make_pipeline(*steps, floats.LinearRegression())
    if missing:
        X[::20, 0] = np.nan
    inner.fit(X, y)
    if around == "voting":
        inner = VotingRegressor([("a", inner)]).fit(X, y)
    model = skq.quantize(inner, X, n_bits=8)
    known = X[~np.isnan(X).any(axis=1)]
    wanted = inner.predict(known)
    assert np.abs(model.predict(known) - wanted).max() < 0.03 * np.std(wanted)
    rows = np.array([[np.nan, 5.0, 1.0], [0.0, np.nan, 1.0], [np.nan, np.nan, np.nan]])
    size = np.std(wanted)
    np.testing.assert_allclose(
        model.predict(rows), inner.predict(rows), rtol=0.02, atol=0.05 * size
    )


def test_fillers_of_a_network():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = np.maximum(X @ [1.0, 2.0, -1.0], 0)
    imputer = SimpleImputer(strategy="constant", fill_value=-999.0)
    network = MLPRegressor(hidden_layer_sizes=(16,), max_iter=600, random_state=0)
    model = skq.QuantizedRegressor(make_pipeline(imputer, network), n_bits=8).fit(X, y)
    assert largest_error(model, X) < 0.2


def test_the_same_on_every_engine():
    X, y = categories()
    inner = make_pipeline(encoder(9999), floats.Ridge())
    module = skq.QuantizedRegressor(inner).fit(X, y).quantized_module_
    rows = np.array([[7.0, 1.0, 1.0], [1.0, 2.5, 1.0]])
    with skq.config_context(engine="reference"):
        expected = module.forward(rows)
    for engine in ("numpy", "native"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(module.forward(rows), expected)
