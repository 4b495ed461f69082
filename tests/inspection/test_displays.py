"""Displays compute what they say and draw it where they are told."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier as FloatTree

from skq.inspection import BitWidthDisplay, QuantizationErrorDisplay
from skq.linear_model import LogisticRegression
from skq.tree import DecisionTreeClassifier

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_scores_are_those_of_cross_validation(iris):
    X, y = iris
    tree = DecisionTreeClassifier(random_state=0)
    display = BitWidthDisplay.from_estimator(tree, X, y, n_bits=[2, 5], cv=3)
    expected = [cross_val_score(tree.set_params(n_bits=n), X, y, cv=3) for n in (2, 5)]
    np.testing.assert_array_equal(display.scores, expected)
    np.testing.assert_array_equal(
        display.float_scores, cross_val_score(FloatTree(random_state=0), X, y, cv=3)
    )


def test_it_draws_means_and_the_float_line(iris):
    X, y = iris
    figure, ax = plt.subplots()
    display = BitWidthDisplay.from_estimator(
        DecisionTreeClassifier(random_state=0), X, y, n_bits=[2, 3], cv=3, ax=ax
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    np.testing.assert_allclose(display.line_.get_ydata(), display.scores.mean(axis=1))
    np.testing.assert_array_equal(display.line_.get_xdata(), [2, 3])
    assert set(display.float_line_.get_ydata()) == {display.float_scores.mean()}
    assert ax.get_ylabel() == "Score"


def test_plot_again_on_other_axes():
    display = BitWidthDisplay(
        n_bits=[2, 4], scores=np.array([[0.5], [0.75]]), float_scores=np.array([0.8]),
        score_name="accuracy",
    )  # fmt: skip
    first = display.plot().ax_
    assert display.plot(color="red").ax_ is not first
    assert display.line_.get_color() == "red"
    assert display.ax_.get_ylabel() == "accuracy"


def test_error_bars_are_the_report(iris):
    X, y = iris
    model = LogisticRegression(max_iter=500, n_bits=4).fit(X, y)
    display = QuantizationErrorDisplay.from_estimator(model, X, y)
    shown = [part for part in display.report.parts if not np.isnan(part.sqnr_db)]
    assert [bar.get_width() for bar in display.bars_] == [part.sqnr_db for part in shown]
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == [part.name for part in shown]
