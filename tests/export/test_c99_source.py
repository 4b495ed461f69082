"""The two files: what they include, declare and say, and what is refused."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.engines import reference
from skq.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from skq.exceptions import UnsupportedModelError
from skq.export import to_c
from skq.linear_model import PoissonRegressor, Ridge
from skq.quantization import NumpyModule, PostTrainingAffineQuantization
from skq.tree import DecisionTreeClassifier
from tests.export.host import STRICT, Batch, compilers

needs_compiler = pytest.mark.skipif(not compilers(), reason="needs gcc or clang")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return np.rint(X * 10), y


@pytest.fixture(scope="module")
def forest(iris):
    return RandomForestClassifier(5, max_depth=4, random_state=0, n_bits=4).fit(*iris)


@pytest.fixture(scope="module")
def logistic(iris):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(*iris)
    return skq.QuantizedClassifier(FrozenEstimator(pipeline), n_bits=8).fit(*iris)


def test_files_include_nothing_but_stdint(forest, logistic, tmp_path):
    for model in (forest, logistic):
        files = to_c(model, name="iris", features="uint8")
        header, source = files.write(tmp_path / "new" / "folder")
        assert header.name, source.name == ("iris.h", "iris.c")
        includes = re.findall(r"#include (.*)", header.read_text() + source.read_text())
        assert sorted(includes) == ['"iris.h"', "<stdint.h>"]
        assert not re.search(r"\b(float|double)\b", files.source)
        assert (header.read_text(), source.read_text()) == (files.header, files.source)


def test_exports_are_deterministic(forest):
    assert to_c(forest, name="m") == to_c(forest, name="m")


def test_saved_models_and_modules_are_exported_alike(forest, tmp_path):
    skq.save(forest, tmp_path / "m.skq")
    loaded = skq.load(tmp_path / "m.skq")
    mine = to_c(forest, name="m", features="uint8")
    assert to_c(loaded, name="m", features="uint8").source == mine.source
    module = to_c(forest.quantized_module_, name="m", features="uint8")
    assert module.source == mine.source


def test_the_header_tells_names_that_end_no_comment():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pandas.DataFrame(rng.integers(0, 9, (60, 2)).astype(float), columns=["a */ b", "Größe\n"])
    y = np.where(X.iloc[:, 0] > 4, "hot */", "cold")
    header = to_c(DecisionTreeClassifier().fit(X, y), name="m").header
    assert header.count("*/") == header.count("/*")
    assert "a * / b" in header
    assert "cold, hot * /" in header
    assert header.isascii()


@needs_compiler
@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_cpp_takes_the_header(forest, iris, tmp_path):
    for k, model in enumerate((forest, Ridge().fit(*iris))):
        to_c(model, name=f"m{k}", features="uint8").write(tmp_path)
        main = tmp_path / "main.cpp"
        main.write_text(f'#include "m{k}.h"\nint main() {{ return 0; }}\n')
        flags = ["-std=c++11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only"]
        subprocess.run(["g++", *flags, main], check=True)


@needs_compiler
@pytest.mark.parametrize("compiler", compilers())
def test_no_static_ram(compiler, forest, logistic, tmp_path):
    for model, form in ((forest, "size"), (forest, "speed"), (logistic, "size")):
        _, source = to_c(model, name="m", features="uint8", optimize=form).write(tmp_path)
        built = tmp_path / "m.o"
        subprocess.run(
            [compiler, *STRICT, "-Os", "-fno-pie", "-c", source, "-o", built], check=True
        )
        run = subprocess.run(["size", built], capture_output=True, text=True, check=True)
        _, data, bss, *_ = run.stdout.splitlines()[1].split()
        assert (data, bss) == ("0", "0")


@needs_compiler
@pytest.mark.parametrize("compiler", compilers())
def test_zero_points_of_0_leave_no_table(compiler, tmp_path):
    X = np.random.default_rng(0).integers(0, 17, (80, 4)) * np.array([1.0, 0.5, 3.0, 7.0])
    X[0], X[1] = 0, X.max(axis=0)
    model = skq.linear_model.LogisticRegression().fit(X, (X[:, 0] > X[:, 3] / 7).astype(int))
    (quantize, *_) = model.quantized_module_.program.instructions
    assert not np.any(quantize.zero_point)
    assert np.ptp(quantize.scale) > 0
    files = to_c(model, name="m")
    assert "zero points" not in files.source
    batch = Batch(tmp_path)
    batch.add(files, 4)
    found = batch.build(compiler, ["-O1"]).run("m", X)["predict"][:, 0]
    assert np.array_equal(found, model.predict(X))


def test_only_what_is_asked_for_is_declared(logistic):
    files = to_c(logistic, name="m", functions=["predict"])
    assert len(files.report().functions) == 1
    assert "m_scores" not in files.header
    assert "static void m_scores" in files.source


@needs_compiler
def test_probabilities(logistic, forest, iris, tmp_path):
    batch = Batch(tmp_path)
    boosting = HistGradientBoostingClassifier(max_iter=5, n_bits=6).fit(*iris)
    for k, model in enumerate((logistic, forest, boosting)):
        batch.add(to_c(model, name=f"m{k}", functions=["proba"]), 4)
    batch.build()
    for k, model in enumerate((logistic, forest, boosting)):
        found = batch.run(f"m{k}", iris[0])["proba"]
        # exp may differ in its last place from NumPy's: 4 units in the last place of a float
        wanted = model.predict_proba(iris[0]).astype(np.float32)
        assert np.abs(found - wanted).max() <= 4 * np.spacing(np.float32(1.0))


@needs_compiler
def test_a_link_is_computed_in_floats(iris, tmp_path):
    model = PoissonRegressor(n_bits=8).fit(*iris)
    batch = Batch(tmp_path)
    batch.add(to_c(model, name="m"), 4)
    found = batch.build().run("m", iris[0])["predict"][:, 0]
    assert np.allclose(found, model.predict(iris[0]), rtol=1e-6, atol=0)
    with pytest.raises(UnsupportedModelError, match="predict of PoissonRegressor use floats"):
        to_c(model, name="m", features="uint8", functions=["predict"])
    assert "m_scores" in to_c(model, name="m", features="uint8").header


@needs_compiler
@pytest.mark.parametrize("features", ["float", "uint8"])
def test_networks_with_convolutions(features, tmp_path):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(4, 3, 2),
        torch.nn.Sigmoid(),
        torch.nn.Flatten(),
        torch.nn.Linear(27, 5),
    )
    rng = np.random.default_rng(0)
    images = rng.integers(0, 16, (80, 1, 8, 8)).astype(np.float32)
    model = NumpyModule(network, images[:2])
    module = PostTrainingAffineQuantization(5, model).quantize_module(images)
    batch = Batch(tmp_path)
    for form in ("size", "speed"):
        batch.add(to_c(module, name=f"m_{form}", features=features, optimize=form), 64)
    batch.build()
    rows = np.concatenate([images, 4 * images])
    (value,) = module._results
    (wanted,) = reference.evaluate(module.program, {0: rows.astype(np.float64)}, [value])
    for form in ("size", "speed"):
        found = batch.run(f"m_{form}", rows)["scores"]
        assert np.array_equal(found, wanted.reshape(len(rows), -1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "2d"}, "name must be a C identifier"),
        ({"name": "int"}, "name must be a C identifier"),
        ({"name": "m", "features": "int64"}, "features must be one of 'float'"),
        ({"name": "m", "optimize": "fast"}, "optimize must be one of 'size', 'speed'"),
        ({"name": "m", "functions": ["label"]}, "functions must be some of 'predict'"),
    ],
)
def test_wrong_arguments(forest, arguments, message):
    with pytest.raises(ValueError, match=message):
        to_c(forest, **arguments)


def test_models_that_are_not_fitted(iris):
    with pytest.raises(TypeError, match="Fit it first"):
        to_c(RandomForestClassifier(), name="m")


def test_what_is_not_there_is_refused(forest, iris):
    with pytest.raises(UnsupportedModelError, match="Ridge has no probabilities"):
        to_c(Ridge().fit(*iris), name="m", functions=["proba"])
    with pytest.raises(UnsupportedModelError, match="use floats"):
        to_c(forest, name="m", features="uint8", functions=["proba"])


@needs_compiler
def test_categories_that_are_numbers(tmp_path):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), rng.integers(0, 6, 300), rng.normal(size=300)])
    y = (X[:, 0] + (X[:, 1] % 2) > 0.5).astype(int)
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features=[1]).fit(X, y)
    batch = Batch(tmp_path)
    for form in ("size", "speed"):
        batch.add(to_c(model, name=f"m_{form}", optimize=form), 3)
    batch.build()
    rows = X.astype(np.float32)
    for form in ("size", "speed"):
        assert np.array_equal(batch.run(f"m_{form}", rows)["predict"][:, 0], model.predict(rows))


def test_categories_that_are_texts_are_refused():
    frame = pd.DataFrame({"color": pd.Categorical(["red", "green"] * 40), "x": np.arange(80.0)})
    model = HistGradientBoostingClassifier(
        max_iter=2, min_samples_leaf=5, categorical_features="from_dtype"
    ).fit(frame, np.arange(80) % 2)
    with pytest.raises(UnsupportedModelError, match="OrdinalEncoder"):
        to_c(model, name="m")
