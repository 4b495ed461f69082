"""Bad input gives scikit-learn's kind of error, or a right answer."""

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model
from sklearn.base import clone
from sklearn.utils import get_tags

import skq
from skq.linear_model import LinearRegression
from tests.estimators.cases import (
    CLASSIFIERS,
    SAMPLE,
    name_of,
    parent_params,
    small_data_for,
)

each_estimator = pytest.mark.parametrize("estimator", SAMPLE, ids=name_of)


@pytest.fixture(scope="module")
def fitted_models():
    return {name_of(e): clone(e).fit(*small_data_for(e)) for e in SAMPLE}


@each_estimator
def test_wrong_number_of_features(estimator, fitted_models):
    X, _ = small_data_for(estimator)
    with pytest.raises(ValueError, match=f"X has {X.shape[1] - 1} features"):
        fitted_models[name_of(estimator)].predict(X[:, 1:])


REFUSED_VALUES = [
    (estimator, value)
    for estimator in SAMPLE
    for value in (np.nan, np.inf, -np.inf)
    if not (np.isnan(value) and get_tags(estimator).input_tags.allow_nan)
]


@pytest.mark.parametrize(("estimator", "value"), REFUSED_VALUES, ids=str)
def test_nan_and_infinity(estimator, fitted_models, value):
    X, y = small_data_for(estimator)
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        clone(estimator).fit(bad, y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        fitted_models[name_of(estimator)].predict(bad)


@each_estimator
def test_empty_one_dimensional_and_object_input(estimator, fitted_models):
    X, y = small_data_for(estimator)
    model = fitted_models[name_of(estimator)]
    with pytest.raises(ValueError, match=r"0 sample|Found array with 0"):
        clone(estimator).fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="0 sample"):
        model.predict(X[:0])
    with pytest.raises(ValueError, match="Expected 2D array|Reshape your data"):
        model.predict(X[0])
    with pytest.raises(ValueError, match="could not convert|Unable to convert"):
        model.predict(np.full(X.shape, "text", dtype=object))
    np.testing.assert_array_equal(model.predict(X[:5].astype(object)), model.predict(X[:5]))


@each_estimator
def test_constant_columns_work_and_do_not_matter(estimator):
    X, y = small_data_for(estimator)
    X = np.column_stack([X, np.full(len(X), 1e6), np.zeros(len(X))])
    model = clone(estimator).fit(X, y)
    moved = X.copy()
    moved[:, -2:] += 0.25
    assert np.mean(model.predict(moved) == model.predict(X)) == 1


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)
def test_a_single_class_is_as_in_the_parent(estimator):
    X, y = small_data_for(estimator)
    y = np.zeros_like(y)
    parent = type(estimator)._parent(**parent_params(estimator))
    try:
        expected = parent.fit(X, y).predict(X)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)[:20]):
            clone(estimator).fit(X, y)
    else:
        np.testing.assert_array_equal(clone(estimator).fit(X, y).predict(X), expected)


NEED_TWO_CLASSES = {"LogisticRegression", "LinearSVC", "GradientBoostingClassifier"}


@pytest.mark.parametrize(
    "estimator", [e for e in SAMPLE if name_of(e) not in NEED_TWO_CLASSES], ids=name_of
)
def test_one_training_row(estimator):
    X, y = small_data_for(estimator)
    model = clone(estimator).fit(X[:1], y[:1])
    with model._answering_in_float():
        expected = model.predict(X[:1])
    if estimator in CLASSIFIERS:
        np.testing.assert_array_equal(model.predict(X[:1]), expected)
    else:
        np.testing.assert_allclose(model.predict(X[:1]), expected, atol=1e-3)


@pytest.mark.parametrize(
    "estimator", [e for e in SAMPLE if name_of(e) in NEED_TWO_CLASSES], ids=name_of
)
def test_one_training_row_is_one_class_too_few(estimator):
    X, y = small_data_for(estimator)
    with pytest.raises(ValueError, match="class"):
        clone(estimator).fit(X[:1], y[:1])


@each_estimator
def test_huge_values_saturate_or_are_refused(estimator, fitted_models):
    X, _ = small_data_for(estimator)
    huge = X[:4].copy()
    huge[0], huge[1] = 1e300, -1e300
    predicted = fitted_models[name_of(estimator)].predict(huge)
    assert predicted.shape == (4,)
    if estimator not in CLASSIFIERS:
        assert np.isfinite(predicted).all()


def test_huge_training_values_in_linear_models():
    X, y = small_data_for(CLASSIFIERS[0])
    model = LinearRegression().fit(X * 1e150, y)
    assert np.mean(np.rint(model.predict(X * 1e150)) == y) > 0.9


@each_estimator
def test_read_only_and_integer_input(estimator, fitted_models):
    X, _ = small_data_for(estimator)
    model = fitted_models[name_of(estimator)]
    frozen = X.copy()
    frozen.setflags(write=False)
    np.testing.assert_array_equal(model.predict(frozen), model.predict(X))
    whole = np.rint(X).astype(np.int32)
    np.testing.assert_array_equal(model.predict(whole), model.predict(whole.astype(float)))


@pytest.mark.parametrize("fitted_on", ["array", "frame"])
def test_quantize_names_the_number_of_features_that_the_model_expects(fitted_on):
    X = np.random.default_rng(0).normal(size=(40, 4))
    train = X if fitted_on == "array" else pd.DataFrame(X, columns=list("abcd"))
    model = linear_model.Ridge().fit(train, X[:, 0])
    with pytest.raises(ValueError, match="X has 3 features, but Ridge is expecting 4 features"):
        skq.quantize(model, X[:, :3])
