"""``qat_epochs``: estimators that are trained on with the integers that predictions use."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import skq
from skq import linear_model, neural_network, svm
from skq.estimators.parent_objectives import (
    Fitted,
    objective_of,
    targets_of,
    trainable_classes,
    weights_of,
)
from skq.estimators.qat import TrainedForWidth, Trainer
from skq.estimators.requantize import requantized
from skq.exceptions import PrecisionWarning, UnsupportedModelError
from skq.frontend.equivalents import to_representation
from skq.frontend.equivalents.writers import sklearn_class
from skq.model_selection import BitWidthSearchCV
from skq.quantization.n_bits import KEYS
from skq.training.code_network import float_scores

pytestmark = [
    pytest.mark.filterwarnings("ignore", category=ConvergenceWarning),
    pytest.mark.filterwarnings("ignore", category=PrecisionWarning),
    pytest.mark.filterwarnings("ignore", category=FutureWarning),
]

X, Y = make_classification(600, 12, n_informative=8, n_classes=3, random_state=0)
X_REAL, Y_REAL = make_regression(400, 6, n_targets=1, noise=5.0, random_state=0)
Y_POSITIVE = np.exp(Y_REAL / np.abs(Y_REAL).max())
Y_TWO = np.stack([Y_REAL, X_REAL[:, 0] * 30], axis=1)

CLASSES = {
    sklearn_class(object.__new__(cls)).__name__: cls
    for module in (linear_model, svm, neural_network)
    for cls in (getattr(module, name) for name in module.__all__)
    if issubclass(cls, TrainedForWidth)
}


def strict(n_bits):
    return dict.fromkeys(KEYS, n_bits)


def data_for(cls):
    """X and y that a class can be fitted to."""
    if hasattr(cls, "predict_proba") or hasattr(cls, "decision_function"):
        return X, Y
    name = cls.__name__
    if name.startswith("MultiTask"):
        return X_REAL, Y_TWO
    positive = any(part in name for part in ("Gamma", "Poisson", "Tweedie"))
    return X_REAL, Y_POSITIVE if positive else Y_REAL


def quick(cls, **parameters):
    """An estimator whose fit is short and, if it draws random numbers, repeatable."""
    names = cls().get_params()
    chosen = {"random_state": 0, "max_iter": 300, **parameters}
    return cls(**{name: value for name, value in chosen.items() if name in names})


def test_every_class_with_a_known_objective_has_the_parameter():
    assert sorted(CLASSES) == trainable_classes()
    for cls in CLASSES.values():
        assert cls().qat_epochs == 0
        assert "qat_epochs : int" in cls.__doc__


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_trained_integers_predict_and_are_saved(name, tmp_path):
    cls = CLASSES[name]
    features, y = data_for(cls)
    estimator = quick(cls, n_bits=strict(3), qat_epochs=3).fit(features, y)
    expected = estimator.predict(features)
    assert np.all(np.isfinite(expected))
    skq.save(estimator, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(features), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).predict(features), expected)


@pytest.mark.parametrize("n_bits", [2, 3])
def test_training_raises_the_score_of_linear_models(n_bits):
    features, y = make_classification(1500, 20, n_informative=10, random_state=0)
    train, test = slice(0, 1000), slice(1000, None)
    scores = [
        quick(linear_model.LogisticRegression, n_bits=strict(n_bits), qat_epochs=epochs)
        .fit(features[train], y[train])
        .score(features[test], y[test])
        for epochs in (0, 60)
    ]
    assert scores[1] > scores[0] + 0.01


def test_training_raises_the_score_of_networks():
    features, y = load_digits(return_X_y=True)
    train, test = slice(0, 1200), slice(1200, None)
    scores = [
        quick(
            neural_network.MLPClassifier,
            hidden_layer_sizes=(20,),
            max_iter=40,
            n_bits=strict(2),
            qat_epochs=epochs,
        )
        .fit(features[train], y[train])
        .score(features[test], y[test])
        for epochs in (0, 20)
    ]
    assert scores[1] > scores[0] + 0.02


def test_a_fit_is_repeatable():
    programs = {
        str(
            quick(linear_model.SGDClassifier, n_bits=strict(2), qat_epochs=5)
            .fit(X, Y)
            .quantized_module_.program.instructions[1]
            .weights.tolist()
        )
        for _ in range(2)
    }
    assert len(programs) == 1


def test_coefficients_are_those_that_were_trained():
    n_bits = {**strict(2), "model_inputs": 5}
    estimator = quick(linear_model.LogisticRegression, n_bits=n_bits, qat_epochs=30).fit(X, Y)
    before = quick(linear_model.LogisticRegression, n_bits=n_bits).fit(X, Y)
    assert not np.array_equal(estimator.coef_, before.coef_)
    (grid,) = estimator.quantized_module_.input_quantizers
    features = grid.dequant(grid.quant(X))
    expected = features @ estimator.coef_.T + estimator.intercept_
    np.testing.assert_allclose(estimator.decision_function(X), expected, rtol=1e-6, atol=1e-6)
    with estimator._answering_in_float():
        assert estimator.score(X, Y) > 0.6


def test_networks_hold_the_trained_coefficients():
    estimator = quick(
        neural_network.MLPRegressor, hidden_layer_sizes=(8, 5), n_bits=strict(8), qat_epochs=40
    ).fit(X_REAL, Y_REAL)
    assert [w.shape for w in estimator.coefs_] == [(6, 8), (8, 5), (5, 1)]
    with estimator._answering_in_float():
        expected = estimator.predict(X_REAL)
    assert np.corrcoef(expected, estimator.predict(X_REAL))[0, 1] > 0.99


def test_it_is_a_parameter_like_any_other():
    estimator = linear_model.Ridge(n_bits=2, qat_epochs=7)
    assert clone(estimator).get_params()["qat_epochs"] == 7
    search = GridSearchCV(linear_model.Ridge(n_bits=strict(2)), {"qat_epochs": [0, 20]}, cv=2)
    assert search.fit(X_REAL, Y_REAL).best_params_["qat_epochs"] in (0, 20)


@pytest.mark.parametrize("epochs", [-1, 1.0, "3", None, True])
def test_other_values_are_refused_before_training(epochs):
    with pytest.raises(ValueError, match="qat_epochs must be an int of at least 0"):
        linear_model.Ridge(qat_epochs=epochs).fit(X_REAL, Y_REAL)


def test_several_columns_a_feature_are_refused():
    with pytest.raises(ValueError, match="columns_per_feature must be 1"):
        linear_model.Ridge(qat_epochs=1, columns_per_feature=2).fit(X_REAL, Y_REAL)


def test_networks_that_are_one_layer_in_integers_are_refused():
    with pytest.raises(UnsupportedModelError, match="activation='identity'"):
        neural_network.MLPRegressor(activation="identity", qat_epochs=1).fit(X_REAL, Y_REAL)


def test_without_intercept_zeros_give_exactly_zero():
    for epochs in (0, 20):
        estimator = linear_model.Ridge(fit_intercept=False, n_bits=strict(3), qat_epochs=epochs)
        assert estimator.fit(X_REAL, Y_REAL).predict(np.zeros((1, 6)))[0] == 0
        assert estimator.intercept_ == 0


def test_positive_coefficients_stay_positive():
    estimator = linear_model.Lasso(positive=True, n_bits=strict(3), qat_epochs=20)
    assert np.all(estimator.fit(X_REAL, Y_REAL).coef_ >= 0)


def test_rows_of_weight_0_are_not_trained_on():
    weight = np.ones(len(X_REAL))
    weight[::3] = 0
    estimator = linear_model.Ridge(qat_epochs=1)
    rows = Trainer(estimator, X_REAL, Y_REAL, weight)._rows(np.random.RandomState(0))
    np.testing.assert_array_equal(rows.X, X_REAL[weight > 0])
    np.testing.assert_array_equal(rows.y, Y_REAL[weight > 0])
    assert np.all(rows.weight == 1)


def test_classes_have_their_weights():
    estimator = linear_model.LogisticRegression(class_weight={0: 1, 1: 2, 2: 5})
    np.testing.assert_array_equal(
        weights_of(estimator, np.array([0, 2, 1]), [1.0, 2.0, 3.0], 3), [1.0, 10.0, 6.0]
    )


def test_a_search_over_widths_trains_each_width():
    estimator = linear_model.Ridge(qat_epochs=5)
    search = BitWidthSearchCV(estimator, n_bits=[strict(2), strict(4)], cv=2, max_loss=0.5)
    search.fit(X_REAL, Y_REAL)
    assert search.best_estimator_.qat_epochs == 5
    with pytest.raises(ValueError, match="With qat_epochs=5 each width trains another float model"):
        requantized(estimator.fit(X_REAL, Y_REAL), X_REAL, 3)


def test_partial_fit_trains_the_float_model_alone():
    estimator = linear_model.SGDClassifier(random_state=0, qat_epochs=5)
    estimator.partial_fit(X, Y, classes=[0, 1, 2])
    assert "_qat_targets" not in vars(estimator)
    assert estimator.predict(X).shape == Y.shape


def test_verbose_prints_the_progress(capsys):
    quick(linear_model.LogisticRegression, n_bits=strict(2), qat_epochs=4, verbose=1).fit(X, Y)
    output = capsys.readouterr().out
    assert "epoch 4 of 4: held-back loss" in output
    assert "after training" in output


def test_torch_is_not_imported_with_the_estimators():
    code = "import sys, skq.linear_model, skq.neural_network; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "estimator",
    [
        linear_model.LogisticRegression(C=0.05, max_iter=3000, tol=1e-8),
        linear_model.Ridge(alpha=30.0),
        linear_model.RidgeClassifier(alpha=30.0),
        linear_model.LinearRegression(),
        linear_model.Lasso(alpha=5.0, tol=1e-8),
        linear_model.ElasticNet(alpha=0.5, l1_ratio=0.3, tol=1e-8),
        linear_model.MultiTaskElasticNet(alpha=0.5, l1_ratio=0.3, tol=1e-8),
        linear_model.HuberRegressor(alpha=50.0, tol=1e-8, max_iter=3000),
        linear_model.QuantileRegressor(quantile=0.3, alpha=0.05),
        linear_model.PoissonRegressor(alpha=0.3, tol=1e-8),
        linear_model.GammaRegressor(alpha=0.3, tol=1e-8),
        linear_model.TweedieRegressor(power=1.5, alpha=0.3, tol=1e-8),
        svm.LinearSVC(C=0.003, tol=1e-8, max_iter=20000),
        svm.LinearSVR(C=0.01, epsilon=3.0, loss="squared_epsilon_insensitive", tol=1e-8,
                      max_iter=20000),
    ],
    ids=lambda estimator: type(estimator).__name__,
)  # fmt: skip
def test_objectives_are_least_at_the_float_solution(estimator):
    import torch

    cls = type(estimator)
    features, y = data_for(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parent = cls._parent(**{
            name: value for name, value in estimator.get_params().items()
            if name in cls._parent().get_params()
        }).fit(features, y)  # fmt: skip
    predictor = to_representation(parent)
    weights, bias = predictor.scores.weights[0], predictor.scores.biases[0]
    scores = float_scores(predictor.scores, features)[-1]
    fitted = Fitted(parent, predictor.head, scores.shape[1], float(len(y)), scores)
    objective = objective_of(cls._parent.__name__, fitted)
    targets = torch.from_numpy(targets_of(fitted, y, objective.loss))

    def value(factor, shift):
        w, b = torch.from_numpy(weights * factor + shift), torch.from_numpy(bias)
        losses = objective.row_losses(torch.from_numpy(features) @ w + b, targets)
        return float(losses.mean() + objective.penalty([w], b))

    least = value(1.0, 0.0)
    random = np.random.RandomState(0)
    for factor in (0.98, 1.02):
        assert least < value(factor, 0.0)
    for _ in range(10):
        shift = 0.01 * np.abs(weights).max() * random.normal(size=weights.shape)
        assert least < value(1.0, shift)
