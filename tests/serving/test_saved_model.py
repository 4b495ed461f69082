"""One safe file: the same predictions in another process, without scikit-learn or torch."""

import gzip
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge as FloatRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.ensemble import GradientBoostingRegressor, IsolationForest, RandomForestClassifier
from skq.exceptions import SerializationError
from skq.linear_model import LogisticRegression, Ridge
from skq.neural_network import MLPClassifier
from skq.svm import LinearSVC

X, Y = load_iris(return_X_y=True)
DATA, TARGET = load_diabetes(return_X_y=True)

MODELS = [
    (LogisticRegression(max_iter=1000), X, np.array(["a", "b", "c"])[Y]),
    (LinearSVC(), X, Y == 1),
    (RandomForestClassifier(5, random_state=0), X, np.column_stack([Y, Y % 2])),
    (MLPClassifier(hidden_layer_sizes=(8,), activation="tanh", max_iter=50), X, Y),
    (GradientBoostingRegressor(n_estimators=10), DATA, TARGET),
]

READER = """
import sys
from dataclasses import replace
for name in ("sklearn", "torch", "onnx", "hummingbird", "matplotlib", "pandas"):
    sys.modules[name] = None
import numpy as np
import skq
model = skq.load(sys.argv[1])
X = np.load(sys.argv[2])
np.savez(sys.argv[3], *[getattr(model, name)(X) for name in sys.argv[4:]])
"""


@pytest.mark.parametrize(("model", "X", "y"), MODELS, ids=lambda v: type(v).__name__)
def test_predictions_are_the_same_in_a_process_without_scikit_learn(model, X, y, tmp_path):
    model.fit(X, y)
    skq.save(model, tmp_path / "model.skq")
    methods = ["predict"] + [m for m in ("decision_function",) if hasattr(model, m)]
    np.save(tmp_path / "X.npy", X)
    paths = [str(tmp_path / name) for name in ("model.skq", "X.npy", "out.npz")]
    subprocess.run([sys.executable, "-c", READER, *paths, *methods], check=True)
    with np.load(paths[2]) as found:
        for name, array in zip(methods, found.values(), strict=True):
            np.testing.assert_array_equal(array, getattr(model, name)(X))


@pytest.mark.parametrize(("model", "X", "y"), MODELS, ids=lambda v: type(v).__name__)
def test_attributes_and_methods_survive(model, X, y, tmp_path):
    names = [f"f{i}" for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    model.fit(frame, y)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    assert loaded.estimator == type(model).__name__
    assert loaded.n_bits == 8
    assert loaded.n_features_in_ == X.shape[1]
    assert list(loaded.feature_names_in_) == names
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    for method in ("predict_proba", "decision_function"):
        if hasattr(model, method):
            got, wanted = getattr(loaded, method)(frame), getattr(model, method)(frame)
            for a, b in zip(
                *(v if isinstance(v, list) else [v] for v in (got, wanted)), strict=True
            ):
                np.testing.assert_array_equal(a, b)
        else:
            with pytest.raises(AttributeError, match=f"no {method}"):
                getattr(loaded, method)(frame)
    with pytest.raises(ValueError, match="must have the columns"):
        loaded.predict(frame[names[::-1]])


def test_loaded_models_refuse_bad_input(tmp_path):
    skq.save(Ridge().fit(DATA, TARGET), tmp_path / "m.skq")
    loaded = skq.load(tmp_path / "m.skq")
    with pytest.raises(ValueError, match=r"\(n_samples, 10\); got \(442, 9\)"):
        loaded.predict(DATA[:, 1:])
    with pytest.raises(ValueError, match="NaN in the columns 0, 1, .*Ridge takes no missing"):
        loaded.predict(np.full((1, 10), np.nan))
    with pytest.raises(ValueError, match="contains infinity"):
        loaded.predict(np.full((1, 10), np.inf))
    np.testing.assert_array_equal(
        loaded.predict(np.ones((2, 10), dtype=object)), loaded.predict(np.ones((2, 10)))
    )


@pytest.mark.parametrize("saw_missing", [False, True])
def test_loaded_trees_take_missing_values_where_they_have_a_code(saw_missing, tmp_path):
    rows = X.copy()
    rows[::7, 1] = np.nan
    model = RandomForestClassifier(3, random_state=0).fit(rows if saw_missing else X, Y)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    assert loaded.takes_missing.all() if saw_missing else 0 < loaded.takes_missing.sum() < 4
    for column in range(X.shape[1]):
        rows = X.copy()
        rows[::7, column] = np.nan
        if loaded.takes_missing[column]:
            np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
            continue
        for fitted in (model, loaded):
            with pytest.raises(ValueError, match=f"NaN in the columns {column}: .*no code"):
                fitted.predict(rows)


def test_loaded_pipelines_take_missing_values_where_the_pipeline_took_them(tmp_path):
    impute_two = ColumnTransformer([("i", SimpleImputer(), [0, 1]), ("p", "passthrough", [2, 3])])
    pipeline = make_pipeline(impute_two, sklearn.linear_model.LinearRegression())
    model = skq.QuantizedRegressor(pipeline).fit(X, X[:, 0])
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    rows = np.where(np.arange(4) == 1, np.nan, X)
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    assert np.abs(loaded.predict(rows) - model.estimator_.predict(rows)).max() < 0.05
    with pytest.raises(ValueError, match="NaN in the columns 3: .*takes no missing"):
        loaded.predict(np.where(np.arange(4) == 3, np.nan, X))


def test_a_module_alone_and_a_loaded_model_can_be_saved(tmp_path):
    model = RandomForestClassifier(5, random_state=0).fit(X, Y)
    skq.save(model.quantized_module_, tmp_path / "module.skq")
    module = skq.load(tmp_path / "module.skq")
    for a, b in zip(module.forward(X), model.quantized_module_.forward(X), strict=True):
        np.testing.assert_array_equal(a, b)
    skq.save(model, tmp_path / "a.skq")
    skq.save(skq.load(tmp_path / "a.skq"), tmp_path / "b.skq")
    assert (tmp_path / "a.skq").read_bytes() == (tmp_path / "b.skq").read_bytes()


def test_wrappers_are_saved_whole(tmp_path):
    from sklearn.linear_model import LogisticRegression as Parent

    model = skq.QuantizedClassifier(make_pipeline(StandardScaler(), Parent())).fit(X, Y)
    skq.save(model, tmp_path / "m.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "m.skq").predict(X), model.predict(X))


def test_scores_of_an_outlier_detector_and_logarithms(tmp_path):
    forest = IsolationForest(n_estimators=10, random_state=0).fit(X)
    skq.save(forest, tmp_path / "forest.skq")
    loaded = skq.load(tmp_path / "forest.skq")
    for method in ("score_samples", "decision_function", "predict"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(forest, method)(X))
    model = RandomForestClassifier(3, random_state=0).fit(X, Y)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    np.testing.assert_array_equal(loaded.predict_log_proba(X), model.predict_log_proba(X))
    with pytest.raises(AttributeError, match="RandomForestClassifier has no score_samples"):
        loaded.score_samples(X)


def test_what_cannot_be_saved_is_refused(tmp_path):
    pipe = make_pipeline(StandardScaler(), sklearn.linear_model.LogisticRegression()).fit(X, Y)
    for wrong in (LogisticRegression(), pipe, 3):
        with pytest.raises(TypeError, match="obj must be a fitted estimator of skq"):
            skq.save(wrong, tmp_path / "m.skq")
    assert not list(tmp_path.iterdir())


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "m.skq"
    skq.save(Ridge().fit(DATA, TARGET), path)
    data = path.read_bytes()
    text = gzip.decompress(data)
    edited = text.replace(b"MatMul", b"MatMal", 1)
    assert edited != text
    for damaged in (data[: len(data) // 2], gzip.compress(edited), edited, b"{}", b""):
        path.write_bytes(damaged)
        with pytest.raises(SerializationError, match=r"m\.skq"):
            skq.load(path)


def test_the_repr_of_a_loaded_model_is_a_line(tmp_path):
    X = np.arange(20.0).reshape(10, 2)
    model = skq.linear_model.Ridge(n_bits=4).fit(X, X[:, 0])
    skq.save(model, tmp_path / "model")
    shown = repr(skq.load(tmp_path / "model"))
    nbytes = model.quantized_module_.nbytes
    assert shown == f"IntegerPredictor(Ridge, n_bits=4, 2 features, {nbytes} bytes)"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Ridge(), "Got Ridge, which is not fitted: call fit"),
        (
            FloatRidge(),
            r"a float model: quantize it first, skq\.quantize\(model, X\)",
        ),
        (
            make_pipeline(StandardScaler(), FloatRidge()),
            r"skq\.quantize\(pipeline, X\)",
        ),
        (Ridge, "the class Ridge"),
        (3, "Got int"),
    ],
)
def test_save_tells_what_to_do_with_what_it_does_not_take(tmp_path, wrong, message):
    with pytest.raises(TypeError, match=message):
        skq.save(wrong, tmp_path / "model.skq")


LABELS = [
    ([["no", "yes"], ["never", "sometimes"]], "<U9", ["yes", "sometimes"]),
    ([["no", "yes"], [0, 7]], "O", ["yes", 7]),
    ([[False, True], [0, 7]], "O", [True, 7]),
    ([[1, 2], [0.5, 1.5]], "<f8", [2.0, 1.5]),
]


@pytest.mark.parametrize(("labels", "dtype", "last"), LABELS)
def test_labels_of_several_outputs_are_whole(labels, dtype, last, tmp_path):
    """Longer labels of later outputs are not cut to the length of the first output's."""
    targets = np.column_stack([X[:, 2] > 3, X[:, 1] > 3]).astype(int)
    model = RandomForestClassifier(5, random_state=0).fit(X, targets)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    loaded = replace(loaded, classes_=[np.array(names) for names in labels])
    skq.save(loaded, tmp_path / "named.skq")
    predicted = skq.load(tmp_path / "named.skq").predict(X)
    assert predicted.dtype == dtype
    index = model.predict(X)
    for k, names in enumerate(labels):
        assert predicted[:, k].tolist() == [names[i] for i in index[:, k]]
    assert [type(v) for v in predicted[index.all(axis=1)][0].tolist()] == [type(v) for v in last]


def test_labels_of_a_dataframe_of_targets_are_the_parents():
    targets = pd.DataFrame(
        {"a": np.where(X[:, 2] > 3, "yes", "no"), "b": np.where(X[:, 1] > 3, "sometimes", "never")}
    )
    model = RandomForestClassifier(5, random_state=0).fit(X, targets)
    expected, predicted = model._as_parent().predict(X), model.predict(X)
    assert predicted.dtype == expected.dtype
    np.testing.assert_array_equal(predicted, expected)
