"""Exported models on emulated microcontrollers: what the reference engine gives, bit for bit."""

import re
import subprocess

import numpy as np
import pytest

from skq.export import to_c
from tests.estimators import cases
from tests.export.test_c99_estimators import chosen, expected, rows_with_limits
from tests.mcu.programs import Case, write
from tests.mcu.targets import TARGETS

N_ROWS = 12

#: Class, width and type of features of each model.
MODELS = [
    ("RandomForestClassifier", 3, "int8"),
    ("GradientBoostingClassifier", 6, "int16"),
    ("DecisionTreeRegressor", 8, "int32"),
    ("IsolationForest", 4, "int8"),
    ("LogisticRegression", 8, "int8"),
    ("Ridge", 5, "int16"),
    ("MLPClassifier", 4, "int8"),
    ("MLPRegressor", 8, "int16"),
    ("MLPRegressor", 6, "float"),
    ("RandomForestClassifier", 4, "float"),
    ("LogisticRegression", 12, "float"),
]

pytestmark = pytest.mark.filterwarnings("ignore")


def results_of(model, files, rows):
    """What each function is to give."""
    integers, reals = expected(model, rows)
    scores = np.concatenate([integers[n].reshape(len(rows), -1) for n in chosen(model)], axis=1)
    found = {"scores": scores}
    if reals["predict"].dtype.kind == "i":
        found["predict"] = reals["predict"]
    else:
        found["predict_integer"] = integers["predict"]
        if files.report().features == "float":
            found["predict"] = reals["predict"].astype(np.float32)
    return found


@pytest.fixture(scope="module")
def fitted_models():
    models = []
    for name, n_bits, features in MODELS:
        cls = next(c for c in cases.classes() if c.__name__ == name)
        X, _, y, _ = cases.data_for(cls)
        if features != "float":
            X = np.rint(X * (6 if features == "int8" else 40))
        model = cases.quick(cls, n_bits=n_bits).fit(X, y)
        integers = None if features == "float" else features
        rows = rows_with_limits(X, np.random.default_rng(0), integers)
        models.append((model, features, rows[np.linspace(0, len(rows) - 1, N_ROWS).astype(int)]))
    return models


def cases_of(models, form, has_double, progmem=False):
    cases = []
    for k, (model, features, rows) in enumerate(models):
        if features == "float" and not has_double:
            continue
        files = to_c(model, name=f"m{k}", features=features, optimize=form, progmem=progmem)
        cases.append(Case(files, rows, results_of(model, files, rows)))
    return cases


def available(name):
    target = TARGETS[name]
    if target.missing:
        pytest.skip(f"missing: {', '.join(target.missing)}")
    return target


@pytest.mark.parametrize("form", ["size", "speed"])
@pytest.mark.parametrize("name", TARGETS)
def test_results(name, form, fitted_models, tmp_path):
    target = available(name)
    cases = cases_of(fitted_models, form, target.has_double, progmem=name == "avr")
    sources = write(cases, tmp_path)
    program = target.build(sources, tmp_path / "program.elf", extra=("-Wconversion",))
    assert "differs" not in target.run(program)


def test_a_wrong_result_is_noticed(fitted_models, tmp_path):
    target = available("cortex-m3")
    (case, *_) = cases_of(fitted_models[:1], "size", has_double=True)
    case.results["predict"] = case.results["predict"] + 1
    program = target.build(write([case], tmp_path), tmp_path / "program.elf")
    with pytest.raises(RuntimeError, match="m0 differs"):
        target.run(program)


@pytest.mark.parametrize("form", ["size", "speed"])
@pytest.mark.parametrize("name", TARGETS)
def test_integer_features_leave_no_float(name, form, fitted_models, tmp_path):
    target = available(name)
    tools = target.compiler.removesuffix("gcc")
    for case in cases_of([m for m in fitted_models if m[1] != "float"], form, True):
        _, source = case.files.write(tmp_path)
        built = source.with_suffix(".o")
        subprocess.run(
            [target.compiler, *target.flags, "-std=c99", "-Os", "-c", source, "-o", built],
            check=True,
        )
        listing = subprocess.run(
            [f"{tools}nm", built], capture_output=True, text=True, check=True
        ).stdout
        assert not re.search(r"__(aeabi_[fd]|aeabi_[iul]+2[fd]|\w*[sd]f[23si]|float|fix)", listing)
        code = subprocess.run(
            [f"{tools}objdump", "-d", built], capture_output=True, text=True, check=True
        ).stdout
        assert not re.search(r"\t(vmul|vadd|vcvt|vldr|vdiv|fadd|fmul|fcvt|flw)", code)


@pytest.mark.parametrize("name", TARGETS)
def test_stack_stays_within_the_bound(name, fitted_models, tmp_path):
    """The frames of all functions together, as the compiler tells them, at most the bound."""
    target = available(name)
    for form in ("size", "speed"):
        for case in cases_of([m for m in fitted_models if m[1] != "float"], form, True):
            _, source = case.files.write(tmp_path)
            built = tmp_path / "model.o"
            for level in ("-Os", "-O2"):
                subprocess.run(
                    [target.compiler, *target.flags, "-std=c99", level, "-fstack-usage", "-c",
                     source, "-o", built],
                    check=True, cwd=tmp_path,
                )  # fmt: skip
                usage = built.with_suffix(".su").read_text().splitlines()
                frames = {line.split("\t")[0].split(":")[-1]: int(line.split("\t")[1])
                          for line in usage}  # fmt: skip
                trees = [size for f, size in frames.items() if "_tree_" in f]
                others = [size for f, size in frames.items() if "_tree_" not in f]
                most = max(trees, default=0) + sum(others)
                assert most <= case.files.report().stack_bytes, (case.files.name, frames)
