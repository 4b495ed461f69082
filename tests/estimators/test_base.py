"""What the one mechanism gives every quantized class."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import skq
from skq.quantization import QuantizedModule
from tests.estimators.cases import (
    CLASSIFIERS,
    SAMPLE,
    name_of,
    parent_params,
    small_classification,
    small_data_for,
)

each_estimator = pytest.mark.parametrize("estimator", SAMPLE, ids=name_of)


@each_estimator
def test_signature_is_the_parents_plus_keyword_only_bits(estimator):
    own = inspect.signature(type(estimator)).parameters
    parent = inspect.signature(type(estimator)._parent).parameters
    assert list(own)[: len(parent)] == list(parent)
    added = list(own)[len(parent) :]
    assert added[:4] == [
        "n_bits",
        "rounding_threshold_bits",
        "calibration",
        "columns_per_feature",
    ]
    assert all(own[name].kind is inspect.Parameter.KEYWORD_ONLY for name in added)
    for name, parameter in parent.items():
        assert own[name].default == parameter.default or (
            own[name].default is parameter.default or own[name].default != own[name].default
        )
        assert own[name].kind == parameter.kind
    assert own["n_bits"].default == 8
    assert own["rounding_threshold_bits"].default is None
    assert own["calibration"].default == "auto"
    assert own["columns_per_feature"].default == 1


@each_estimator
def test_is_its_parent_and_fits_the_very_same_model(estimator):
    X, y = small_data_for(estimator)
    parent = type(estimator)._parent
    ours, theirs = clone(estimator).fit(X, y), parent(**parent_params(estimator)).fit(X, y)
    assert isinstance(ours, parent)
    for name in ("coef_", "intercept_", "feature_importances_", "classes_"):
        if hasattr(theirs, name):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


@each_estimator
def test_fitted_attributes(estimator):
    X, y = small_data_for(estimator)
    fitted = clone(estimator).fit(X, y)
    check_is_fitted(fitted)
    assert isinstance(fitted.quantized_module_, QuantizedModule)
    assert fitted.quantized_module_.program.instructions
    assert fitted.onnx_model_.graph.input[0].name == "X"
    assert 1 <= fitted.quantized_module_.max_accumulator_bits <= 63


@each_estimator
def test_unfitted_raises_not_fitted(estimator):
    X, _ = small_data_for(estimator)
    with pytest.raises(NotFittedError):
        clone(estimator).predict(X)
    assert not hasattr(clone(estimator), "onnx_model_")


@each_estimator
@pytest.mark.parametrize("n_bits", [0, 17, -1, "8", True, 8.0, None, {8}])
def test_a_wrong_n_bits_is_a_clear_value_error_in_fit(estimator, n_bits):
    X, y = small_data_for(estimator)
    wrong = clone(estimator).set_params(n_bits=n_bits)
    with pytest.raises(
        ValueError,
        match=r"n_bits must be an int from 1 to 16, a sequence .*, a dict .*, or 'lossless' .*Got",
    ):
        wrong.fit(X, y)
    assert not hasattr(wrong, "quantized_module_")


@pytest.mark.parametrize(
    ("n_bits", "message"),
    [
        ({"op_inputs": 4}, "op_weights"),
        ({"op_inputs": 4, "op_weights": 4, "weights": 3}, "weights.*unknown"),
        ({"op_inputs": 4, "op_weights": 0}, r"n_bits\['op_weights'\] must be an int"),
    ],
)
def test_a_wrong_n_bits_dict_is_a_clear_value_error(n_bits, message):
    X, y = small_classification()
    with pytest.raises(ValueError, match=message):
        clone(CLASSIFIERS[0]).set_params(n_bits=n_bits).fit(X, y)


@pytest.mark.parametrize("value", [0, 17, "auto", True, {"n_bits": 99}, {"method": "exact"}])
def test_a_wrong_rounding_threshold_is_a_clear_value_error(value):
    X, y = small_classification()
    with pytest.raises(ValueError, match="rounding_threshold_bits"):
        clone(CLASSIFIERS[0]).set_params(rounding_threshold_bits=value).fit(X, y)


@each_estimator
def test_every_width_works_and_more_bits_come_closer(estimator):
    X, y = small_data_for(estimator)
    fitted = clone(estimator)
    errors = []
    for n in (1, 2, 4, 8, 12, 16):
        fitted.set_params(n_bits=dict.fromkeys(_KEYS, n)).fit(X, y)
        with fitted._answering_in_float():
            expected = fitted.predict(X)
        got = fitted.predict(X)
        errors.append(
            np.mean(got != expected) if estimator in CLASSIFIERS else np.std(got - expected)
        )
    assert errors[-1] <= (0.0 if estimator in CLASSIFIERS else 1e-3 * np.std(y))
    slack = 0.02 if estimator in CLASSIFIERS else 1e-3 * np.std(y)
    for k, error in enumerate(errors):
        assert error <= min(errors[:k], default=np.inf) + slack


_KEYS = ("op_inputs", "op_weights", "model_inputs", "model_outputs")


@each_estimator
def test_refit_is_deterministic_and_pickle_keeps_predictions(estimator):
    X, y = small_data_for(estimator)
    first, second = clone(estimator).fit(X, y), clone(estimator).fit(X, y)
    assert str(first.quantized_module_.program) == str(second.quantized_module_.program)
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).predict(X), first.predict(X))


def test_a_failed_fit_leaves_no_stale_predictions():
    X, y = small_classification()
    model = clone(CLASSIFIERS[0]).fit(X, y)
    model.set_params(n_bits=0)
    with pytest.raises(ValueError, match="n_bits"):
        model.fit(X, y)
    model.set_params(n_bits=8, C=-1.0)
    with pytest.raises(ValueError, match="C"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_docstrings_tell_of_bits_and_the_module():
    for estimator in SAMPLE:
        text = type(estimator).__doc__
        assert "n_bits : int, sequence of int or dict, default=8" in text
        assert "quantized_module_ : QuantizedModule" in text
        assert text.index("Parameters\n") < text.index("n_bits :") < text.index("Attributes\n")


def test_public_names_resolve():
    for name in skq.__all__:
        assert getattr(skq, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        skq.nothing  # noqa: B018
