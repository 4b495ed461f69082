"""Displays compute what they say and draw it where they are told."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier as FloatTree

import skq
from skq.ensemble import RandomForestClassifier
from skq.inspection import BitWidthDisplay, Part, QuantizationErrorDisplay, QuantizationReport
from skq.linear_model import LogisticRegression, Ridge
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
    assert ax.get_ylabel() == "Accuracy"


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


def test_the_axis_is_labelled_with_the_metric(iris):
    X, y = iris
    data = load_diabetes(return_X_y=True)
    labels = [
        BitWidthDisplay.from_estimator(
            model, *given, n_bits=[4], cv=2, scoring=scoring, plot=False
        ).score_name
        for model, given, scoring in (
            (DecisionTreeClassifier(random_state=0), (X, y), "balanced_accuracy"),
            (Ridge(), data, None),
            (Ridge(), data, "neg_mean_absolute_error"),
            (Ridge(), data, make_scorer(r2_score)),
        )
    ]
    assert labels == ["Balanced accuracy", "R²", "Negative mean absolute error", "Score"]


def test_models_on_the_same_axes_differ_in_color_and_legend(iris):
    X, y = iris
    tree, linear = DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=300)
    first = BitWidthDisplay.from_estimator(tree, X, y, n_bits=[2, 4], cv=2)
    second = BitWidthDisplay.from_estimator(
        linear, X, y, n_bits=[3, 8], cv=2, name="linear", ax=first.ax_
    )
    assert second.ax_ is first.ax_
    assert first.line_.get_color() != second.line_.get_color()
    for display in (first, second):
        assert display.float_line_.get_color() == display.line_.get_color()
        assert display.float_line_.get_linestyle() == "--"
    texts = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert texts == [
        "DecisionTreeClassifier, integers",
        "DecisionTreeClassifier, float",
        "linear, integers",
        "linear, float",
    ]
    assert set(first.ax_.get_xticks()) >= {2, 3, 4, 8}


@pytest.mark.parametrize(
    ("scores", "span"),
    [
        ([0.97, 0.971], (0.5, 1.0)),  # accuracy
        ([0.41, 0.42], (0.0, 1.0)),  # R²
        ([-40.0, -41.0], (-41.0, -40.0)),  # an error
    ],
)
def test_the_axis_of_scores_does_not_magnify_noise(scores, span):
    folds = np.array(scores)[:, None] + [-0.01, 0.01]
    display = BitWidthDisplay(n_bits=[2, 8], scores=folds, float_scores=folds[0]).plot()
    lo, hi = display.ax_.get_ylim()
    assert lo <= span[0]
    assert hi >= span[1]
    assert hi - lo >= 10 * folds.std(axis=1).mean()


def test_earlier_models_stay_within_the_axis():
    bad, good = np.array([[0.1, 0.12]]), np.array([[0.9, 0.92]])
    first = BitWidthDisplay(n_bits=[2], scores=bad, float_scores=bad[0]).plot()
    BitWidthDisplay(n_bits=[2], scores=good, float_scores=good[0]).plot(ax=first.ax_)
    lo, hi = first.ax_.get_ylim()
    assert lo <= 0.1
    assert hi >= 0.92


def test_parts_without_error_say_exact(iris):
    X, y = iris
    forest = RandomForestClassifier(5, random_state=0, n_bits="lossless").fit(X, y)
    display = QuantizationErrorDisplay.from_estimator(forest, X, y)
    assert np.isinf(display.report.parts[-1].sqnr_db)
    assert [text.get_text() for text in display.ax_.texts] == ["exact"]
    assert len(display.ax_.get_xticks()) == 0  # a bar of no length in dB has no scale
    assert display.bars_[0].get_hatch()


def test_ratios_keep_the_scale_beside_exact_parts():
    parts = [Part("layer", n, r, 0.0, 1, 1, 8) for n, r in (("a", 20.0), ("b", np.inf))]
    report = QuantizationReport("Model", {}, parts, 1.0, None, None, 8, 1)
    display = QuantizationErrorDisplay(report=report).plot()
    assert [text.get_text() for text in display.ax_.texts] == ["20", "exact"]
    assert display.bars_[0].get_width() == 20.0
    assert display.bars_[1].get_width() == display.ax_.get_xlim()[1]
    assert not display.bars_[0].get_hatch()


def test_colors_have_a_legend_and_the_axes_a_title(iris):
    X, y = iris
    model = LogisticRegression(max_iter=500, n_bits=4).fit(X, y)
    display = QuantizationErrorDisplay.from_estimator(model, X, y)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert [text.split(":")[0] for text in texts] == ["features", "layers"]
    in_legend = [patch.get_facecolor() for patch in display.legend_.get_patches()]
    assert in_legend == [display.bars_[0].get_facecolor(), display.bars_[-1].get_facecolor()]
    assert "LogisticRegression" in display.ax_.get_title()


def test_a_report_without_ratios_says_so(iris, tmp_path):
    X, y = iris
    skq.save(DecisionTreeClassifier(random_state=0).fit(X, y), tmp_path / "tree.skq")
    display = QuantizationErrorDisplay.from_estimator(skq.load(tmp_path / "tree.skq"), X, y)
    assert len(display.bars_) == 0
    assert "no signal-to-noise ratio" in display.ax_.texts[0].get_text()
