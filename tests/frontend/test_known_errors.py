"""Where Hummingbird is silently wrong or raises, skq's graph is right; and the check would tell."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skq.exceptions import ParityError, UnsupportedModelError
from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule

X, Y = load_iris(return_X_y=True)


def outputs(estimator, X):
    graph = float_graph(estimator, X)
    return NumpyModule(graph).run({"X": X}, graph.output_names)


def test_multiclass_probabilities_of_logistic_regression():
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    np.testing.assert_allclose(
        outputs(model, X)["predict_proba"], model.predict_proba(X), atol=1e-12
    )


@pytest.mark.parametrize("multi_class", ["ovr", "multinomial"])
@pytest.mark.parametrize("binary", [False, True])
def test_multi_class_of_older_scikit_learn(multi_class, binary):
    if "multi_class" not in LogisticRegression().get_params():
        return  # gone in scikit-learn 1.8
    y = (Y == 1).astype(int) if binary else Y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = LogisticRegression(multi_class=multi_class, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(
        outputs(model, X)["predict_proba"], model.predict_proba(X), atol=1e-12
    )


def test_exponential_loss_of_gradient_boosting():
    y = (Y == 1).astype(int)
    model = GradientBoostingClassifier(n_estimators=10, loss="exponential").fit(X, y)
    np.testing.assert_allclose(
        outputs(model, X)["predict_proba"], model.predict_proba(X), atol=1e-12
    )


def test_feature_offsets_that_collide_in_float32():
    rng = np.random.default_rng(0)
    far = 1e8 + 32.0 * rng.integers(0, 50, (300, 2))
    y = np.sin(far[:, 0] / 100)
    model = DecisionTreeRegressor(random_state=0).fit(far, y)
    near = np.repeat(far, 3, axis=0) + np.tile([[-5.0], [0.0], [5.0]], (300, 1))
    np.testing.assert_allclose(outputs(model, near)["predict"], model.predict(near), rtol=1e-12)


def test_string_labels_and_several_outputs():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    model = RandomForestClassifier(5, random_state=0).fit(X, names)
    assert (model.classes_[outputs(model, X)["predict"]] == model.predict(X)).all()
    both = RandomForestClassifier(5, random_state=0).fit(X, np.column_stack([Y, Y % 2]))
    found = outputs(both, X)
    for k in range(2):
        np.testing.assert_allclose(
            found[f"predict_proba_{k}"], both.predict_proba(X)[k], atol=1e-12
        )
        assert (both.classes_[k][found[f"predict_{k}"]] == both.predict(X)[:, k]).all()


def test_targets_far_from_zero_keep_their_precision():
    data, target = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(5, random_state=0).fit(data, 1e8 + target)
    np.testing.assert_allclose(outputs(model, data)["predict"], model.predict(data), rtol=1e-14)


def test_a_scaler_stays_in_float64():
    far = X + 1e7
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(far, Y)
    np.testing.assert_allclose(
        outputs(model, far)["predict_proba"], model.predict_proba(far), atol=1e-9
    )


class Doubled(LinearRegression):
    """Predicts something else than what its coefficients say."""

    def predict(self, X):
        return 2 * super().predict(X)


class Swapped(LogisticRegression):
    """Calls the first class the second."""

    def predict(self, X):
        return np.where(super().predict(X) == 0, 1, 0)


def test_a_mismatch_raises_and_names_estimator_output_and_difference():
    model = Doubled().fit(X, Y)
    largest = np.abs(model.predict(X)).max() / 2
    with pytest.raises(ParityError, match=r"Doubled .* predict differs .* by up to \d") as error:
        float_graph(model, X)
    assert f"{largest:.3g}" in str(error.value)


def test_wrong_labels_raise():
    with pytest.raises(ParityError, match="Swapped .* predict differs .* labels"):
        float_graph(Swapped(max_iter=1000).fit(X, Y), X)


def test_what_has_no_converter_is_refused_by_name():
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(UnsupportedModelError, match="KNeighborsClassifier cannot be quantized"):
        float_graph(KNeighborsClassifier().fit(X, Y), X)


def test_boosting_on_top_of_another_model_is_refused():
    model = GradientBoostingClassifier(n_estimators=3, init=LogisticRegression(max_iter=1000))
    with pytest.raises(UnsupportedModelError, match="init="):
        float_graph(model.fit(X, Y), X)
