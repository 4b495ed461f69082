"""The command line: info, predict, export, versions; errors in one line."""

import csv
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import pyarrow.parquet
import pytest
from sklearn.datasets import load_diabetes, load_iris

import skq
from skq.cli import main
from skq.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from skq.linear_model import LogisticRegression, Ridge
from tests.export.host import STRICT, compilers
from tests.export.onnx_cases import outputs_of

X, Y = load_iris(return_X_y=True)
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.fixture
def flowers(tmp_path):
    """A saved model that knows its columns, and a table of them in another order."""
    frame = pd.DataFrame(X, columns=NAMES)
    model = LogisticRegression(max_iter=1000).fit(frame, LABELS)
    skq.save(model, tmp_path / "iris.skq")
    frame.assign(comment="x")[["comment", *NAMES[::-1]]].to_csv(tmp_path / "iris.csv", index=False)
    return tmp_path, model, frame


def run(*arguments):
    return main([str(argument) for argument in arguments])


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def error_of(capsys, *arguments):
    """The one line that a failing command writes."""
    try:
        status = run(*arguments)
    except SystemExit as exit_:
        status = exit_.code
    captured = capsys.readouterr()
    assert status == 2
    assert captured.err.startswith("skq: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_info(flowers, capsys):
    folder, model, _ = flowers
    assert run("info", folder / "iris.skq") == 0
    text = capsys.readouterr().out
    for part in (
        "LogisticRegression",
        "setosa, versicolor, virginica",
        "4 (sepal length, sepal width, petal length, petal width)",
        f"{model.quantized_module_.max_accumulator_bits} bits",
        f"{(folder / 'iris.skq').stat().st_size} bytes",
        "MatMul",
    ):
        assert part in text


def test_info_of_a_module(flowers, capsys):
    folder, model, _ = flowers
    skq.save(model.quantized_module_, folder / "module.skq")
    assert run("info", folder / "module.skq") == 0
    assert "QuantizedModule" in capsys.readouterr().out


@pytest.mark.parametrize("batch_rows", [1, 40, 1000])
def test_predict_csv(flowers, batch_rows):
    folder, model, frame = flowers
    out = folder / "out.csv"
    arguments = ("predict", folder / "iris.skq", folder / "iris.csv", "-o", out)
    assert run(*arguments, "--batch-rows", batch_rows) == 0
    assert rows_of(out) == [["prediction"], *([label] for label in model.predict(frame))]


def test_probabilities_are_written_in_full(flowers):
    folder, model, frame = flowers
    out = folder / "out.csv"
    arguments = ("predict", folder / "iris.skq", folder / "iris.csv", "-o", out)
    assert run(*arguments, "--method", "predict_proba") == 0
    names, *rows = rows_of(out)
    assert names == [f"probability_{label}" for label in model.classes_]
    np.testing.assert_array_equal(np.array(rows, dtype=float), model.predict_proba(frame))


def test_columns_without_names(tmp_path):
    features, target = load_diabetes(return_X_y=True)
    model = Ridge().fit(features, target)
    skq.save(model, tmp_path / "ridge.skq")
    np.savetxt(tmp_path / "rows.csv", features, delimiter=",", fmt="%.17g")
    out = tmp_path / "out.csv"
    assert run("predict", tmp_path / "ridge.skq", tmp_path / "rows.csv", "-o", out) == 0
    values = np.array([float(value) for (value,) in rows_of(out)[1:]])
    np.testing.assert_array_equal(values, model.predict(features))


def test_empty_cells_are_missing_values(tmp_path):
    features = X.copy()
    features[::3, 1] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5).fit(features, Y)
    skq.save(model, tmp_path / "model.skq")
    pd.DataFrame(features).to_csv(tmp_path / "rows.csv", index=False, header=False)
    out = tmp_path / "out.csv"
    assert run("predict", tmp_path / "model.skq", tmp_path / "rows.csv", "-o", out) == 0
    found = [int(label) for (label,) in rows_of(out)[1:]]
    assert found == model.predict(features).tolist()


def test_several_outputs(tmp_path):
    model = RandomForestClassifier(4, random_state=0).fit(X, np.stack([Y, Y > 0], axis=1))
    skq.save(model, tmp_path / "model.skq")
    np.savetxt(tmp_path / "rows.csv", X, delimiter=",", fmt="%.17g")
    out = tmp_path / "out.csv"
    arguments = ("predict", tmp_path / "model.skq", tmp_path / "rows.csv", "-o", out)
    assert run(*arguments) == 0
    assert rows_of(out)[0] == ["prediction_0", "prediction_1"]
    assert run(*arguments, "--method", "predict_proba") == 0
    names, *rows = rows_of(out)
    assert names[0] == "probability_0_0"
    expected = np.concatenate(model.predict_proba(X), axis=1)
    np.testing.assert_array_equal(np.array(rows, dtype=float), expected)


@pytest.mark.parametrize("batch_rows", [7, 1000])
def test_predict_parquet(flowers, batch_rows):
    folder, model, frame = flowers
    frame.assign(comment="x").to_parquet(folder / "iris.parquet", row_group_size=50)
    out = folder / "out.parquet"
    arguments = ("predict", folder / "iris.skq", folder / "iris.parquet", "-o", out)
    assert run(*arguments, "--batch-rows", batch_rows) == 0
    assert (
        pyarrow.parquet.read_table(out)["prediction"].to_pylist() == model.predict(frame).tolist()
    )


def test_progress(flowers, capsys):
    folder, _, _ = flowers
    arguments = ("predict", folder / "iris.skq", folder / "iris.csv", "-o", folder / "out.csv")
    assert run(*arguments, "--progress", "always") == 0
    assert "100% 150 rows" in capsys.readouterr().err
    assert run(*arguments) == 0
    assert capsys.readouterr().err == ""  # no terminal


@pytest.mark.parametrize("form", ["integer", "fast", "qdq"])
def test_export_onnx(flowers, form):
    folder, _, _ = flowers
    out = folder / "out"
    assert run("export", folder / "iris.skq", "--to", "onnx", "-o", out, "--form", form) == 0
    facts = {entry.key: entry.value for entry in onnx.load(out / "iris.onnx").metadata_props}
    assert facts["form"] == form


@pytest.mark.parametrize("form", ["integer", "fast"])
def test_exported_onnx_predicts_like_the_model(flowers, form):
    folder, model, frame = flowers
    out = folder / "out"
    arguments = ("export", folder / "iris.skq", "--to", "onnx", "-o", out, "--form", form)
    assert run(*arguments, "--input-dtype", "float32", "--name", "flowers") == 0
    x = X.astype(np.float32)
    found = outputs_of(onnx.load(out / "flowers.onnx"), x)
    np.testing.assert_array_equal(found["label"], model.predict(frame.astype(np.float32)))
    with skq.config_context(engine="reference"):
        expected = model.decision_function(frame.astype(np.float32))
    np.testing.assert_array_equal(found["scores"], expected)


@pytest.mark.skipif(not compilers(), reason="needs gcc or clang")
def test_exported_c_predicts_like_the_model(flowers):
    folder, model, frame = flowers
    out = folder / "out"
    assert run("export", folder / "iris.skq", "--to", "c", "-o", out, "--name", "flowers") == 0
    main = out / "main.c"
    main.write_text(
        '#include <stdio.h>\n#include "flowers.h"\n'
        "int main(void)\n{\n    float x[4];\n"
        "    while (fread(x, sizeof x, 1, stdin) == 1) {\n"
        '        printf("%d\\n", (int)flowers_predict(x));\n    }\n    return 0;\n}\n'
    )
    program = out / "program"
    sources = [out / "flowers.c", main]
    subprocess.run([compilers()[0], *STRICT, "-o", program, *sources, "-lm"], check=True)
    x = X.astype(np.float32)
    done = subprocess.run([program], input=x.tobytes(), capture_output=True, check=True)
    labels = model.classes_[np.array(done.stdout.split(), dtype=int)]
    np.testing.assert_array_equal(labels, model.predict(frame.astype(np.float32)))


def test_exports_that_are_refused(flowers, capsys):
    folder, _, _ = flowers
    out = folder / "out"
    assert "no file" in error_of(capsys, "export", folder / "no.skq", "--to", "c", "-o", out)
    assert "invalid choice" in error_of(
        capsys, "export", folder / "iris.skq", "--to", "rust", "-o", out
    )
    assert "--to" in error_of(capsys, "export", folder / "iris.skq", "-o", out)
    (folder / "file").write_text("")
    error_of(capsys, "export", folder / "iris.skq", "--to", "c", "-o", folder / "file")


def test_versions(capsys):
    assert run("versions") == 0
    assert f"skq: {skq.__version__}" in capsys.readouterr().out


def test_missing_files(flowers, capsys):
    folder, _, _ = flowers
    assert "no file" in error_of(capsys, "info", folder / "none.skq")
    assert "no file" in error_of(
        capsys, "predict", folder / "iris.skq", folder / "none.csv", "-o", folder / "out.csv"
    )


def test_a_file_that_is_no_model(flowers, capsys):
    folder, _, _ = flowers
    assert "iris.csv" in error_of(capsys, "info", folder / "iris.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column sepal length, sepal width, petal length, petal width"),
        ("1,2\n3,4\n", "has 2 columns; the model reads 4"),
        ("", "is empty"),
        (",".join(NAMES) + "\n1,2,3,4\n1,2,3\n", "row 2 has 3 cells; expected 4"),
        (
            ",".join(NAMES) + "\n1,2,3,4\n1,x,3,4\n",
            "row 2, column sepal width: 'x' is not a number",
        ),
        (",".join(NAMES) + "\n1,2,3,4\n1,,3,4\n", "rows 1 to 2: X contains NaN"),
        (",".join(NAMES) + "\n1,2,3,4\n1,inf,3,4\n", "rows 1 to 2: X contains infinity"),
    ],
)
def test_bad_tables(flowers, capsys, text, message):
    folder, _, _ = flowers
    (folder / "bad.csv").write_text(text)
    out = folder / "out.csv"
    assert message in error_of(
        capsys, "predict", folder / "iris.skq", folder / "bad.csv", "-o", out
    )
    assert not list(folder.glob("out*"))  # nothing is left half written


def test_bad_arguments(flowers, capsys):
    folder, _, _ = flowers
    model, table = folder / "iris.skq", folder / "iris.csv"
    assert "predict --help" in error_of(capsys, "predict", model)
    assert "a .csv or a .parquet file" in error_of(
        capsys, "predict", model, table, "-o", folder / "out.txt"
    )
    assert "at least 1" in error_of(
        capsys, "predict", model, table, "-o", folder / "out.csv", "--batch-rows", 0
    )
    assert "no score_samples" in error_of(
        capsys, "predict", model, table, "-o", folder / "o.csv", "--method", "score_samples"
    )
    assert "must be an identifier" in error_of(
        capsys, "export", model, "--to", "onnx", "-o", folder, "--name", "a b"
    )


def test_python_dash_m(flowers):
    folder, _, _ = flowers
    done = subprocess.run(
        [sys.executable, "-m", "skq", "info", str(folder / "none.skq")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == f"skq: error: there is no file {str(folder / 'none.skq')!r}\n"
