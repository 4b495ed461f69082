"""What skq lacks is named with what to use instead."""

import importlib

import pytest
from sklearn.base import OutlierMixin
from sklearn.linear_model import LinearRegression
from sklearn.utils import all_estimators

import skq
from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import check_trainable, supported_estimators
from skq.frontend.equivalents.refused import REFUSED


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from skq.svm import SVC", "skq.svm has no SVC: .* use LinearSVC"),
        ("from skq.linear_model import RANSACRegressor", "use HuberRegressor"),
        ("from skq.ensemble import VotingClassifier", r"skq\.QuantizedClassifier\(VotingCl"),
        ("from skq.ensemble import VotingRegressor", r"skq\.QuantizedRegressor\(VotingReg"),
    ],
)
def test_an_import_of_a_class_that_scikit_learn_has_tells_the_alternative(statement, message):
    with pytest.raises(ImportError, match=message):
        exec(statement, {})


def test_a_misspelt_name_is_an_attribute_error_that_names_the_nearest():
    module = importlib.import_module("skq.linear_model")
    with pytest.raises(AttributeError, match="Did you mean Lasso"):
        module.Lassso  # noqa: B018
    assert not hasattr(module, "NoSuchName")
    assert not hasattr(module, "_private")


PREDICTORS = dict(
    [
        *all_estimators(type_filter=["classifier", "regressor"]),
        *(found for found in all_estimators() if issubclass(found[1], OutlierMixin)),
    ]
)


def test_each_predictor_of_scikit_learn_is_supported_or_refused_with_an_alternative():
    known = {*supported_estimators(), *REFUSED}
    assert sorted(set(PREDICTORS) - known) == []


@pytest.mark.parametrize("name", sorted(set(PREDICTORS) & set(REFUSED)))
def test_a_refusal_before_training_tells_what_to_use(name):
    model = object.__new__(PREDICTORS[name])
    words = "use |put |keep it|quantize its|train "
    with pytest.raises(UnsupportedModelError, match=f"{name} cannot be quantized: .*({words})"):
        check_trainable(model)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(LinearRegression, r"Got the class LinearRegression: write LinearRegression\(\)"),
     (3, "Got int")],
)  # fmt: skip
def test_wrappers_tell_that_they_expect_an_estimator(wrong, message):
    with pytest.raises(TypeError, match=message):
        skq.QuantizedRegressor(wrong).fit([[0.0], [1.0]], [0.0, 1.0])


def test_quantize_tells_how_networks_are_quantized():
    with pytest.raises(TypeError, match="NumpyModule"):
        skq.quantize(object(), [[0.0], [1.0]])
