"""Every estimator as C99 on the host: equal to the reference engine, bit for bit."""

from functools import cache

import numpy as np
import pytest

from skq.engines import reference
from skq.exceptions import UnsupportedModelError
from skq.export import to_c
from skq.program import Dequantize
from tests.estimators import cases
from tests.export.host import Batch, compilers

pytestmark = [
    pytest.mark.skipif(not compilers(), reason="needs gcc or clang"),
    pytest.mark.filterwarnings("ignore"),
]

#: Every class has two of the widths in turn, one for each kind of features; some have all.
WIDTHS = range(1, 17)
ALL_WIDTHS = frozenset({"LogisticRegression", "MLPRegressor", "RandomForestClassifier"})
FORMS = ("size", "speed")
#: Class and width whose grids no fixed-point multiplier gives for every int16; they are refused.
WITHOUT_FIXED_POINT = frozenset({("LassoLarsIC", 1)})
#: Of trees: compilers take minutes over trees of full depth as code.
MAX_DEPTH = 6


def score_values(model):
    """Integers that ``scores`` gives, from the reference engine, and real outputs by name."""
    program = model.quantized_module_.program
    first = len(program.inputs)
    values = {}
    for name, value in program.outputs.items():
        step = program.instructions[value - first]
        values[name] = step.inputs[0] if isinstance(step, Dequantize) else value
    return values


def expected(model, rows):
    """What the reference engine gives for rows: {output: integers}, and {output: reals}."""
    program = model.quantized_module_.program
    values = score_values(model)
    numbers = [*values.values(), *program.outputs.values()]
    found = reference.evaluate(program, {0: rows.astype(np.float64)}, numbers)
    half = len(values)
    names = list(values)
    return dict(zip(names, found[:half], strict=True)), dict(zip(names, found[half:], strict=True))


def rows_with_limits(X, rng, integers=None):
    """Rows of the data, beyond its range, at its ends, and on ties between codes."""
    lo, hi = X.min(axis=0), X.max(axis=0)
    wide = rng.uniform(lo - (hi - lo), hi + (hi - lo), (60, X.shape[1]))
    ends = np.stack([lo, hi, 100 * lo, 100 * hi, 0 * lo])
    ties = lo + (hi - lo) * rng.integers(0, 31, (40, X.shape[1])) / 30.0
    rows = np.concatenate([X[:60], wide, ends, ties, np.rint(wide)])
    if integers is None:
        return rows.astype(np.float32)
    info = np.iinfo(integers)
    limits = rng.choice([info.min, info.min + 1, 0, 1, info.max - 1, info.max], (40, X.shape[1]))
    inner = rng.integers(lo.min() - 3, hi.max() + 4, (60, X.shape[1]))
    return (
        np.concatenate([np.clip(np.rint(rows), info.min, info.max), limits, inner])
        .clip(info.min, info.max)
        .astype(integers)
    )


def check(model, found, rows):
    """Compare all functions with the reference."""
    integers, reals = expected(model, rows)
    scores = np.concatenate(
        [v.reshape(len(rows), -1) for k, v in integers.items() if k in chosen(model)], axis=1
    )
    assert np.array_equal(found["scores"], scores)
    if "predict" in integers and reals["predict"].dtype.kind == "i":
        assert np.array_equal(found["predict"][:, 0], reals["predict"])
    elif "predict" in integers:
        if "predict_integer" in found:
            assert np.array_equal(found["predict_integer"][:, 0], integers["predict"])
        assert np.array_equal(
            found["predict"].reshape(reals["predict"].shape), reals["predict"].astype(np.float32)
        )


def chosen(model):
    """Outputs of the program that ``scores`` gives."""
    names = list(model.quantized_module_.program.outputs)
    for name in ("decision_function", "predict_proba"):
        if name in names:
            return [name]
    is_real = [n for n in names if n != "predict"]
    return is_real[:1] or names


@cache
def fitted(cls, n_bits, whole_numbers=False):
    X, _, y, _ = cases.data_for(cls)
    if whole_numbers:
        X = np.rint(X * 20)
    model = cases.quick(cls, n_bits=n_bits)
    if "max_depth" in model.get_params():
        model.set_params(max_depth=MAX_DEPTH)
    return model.fit(X, y), X


def cases_of(cls):
    """Width and type of features of each case."""
    turn = cases.classes().index(cls)
    if cls.__name__ in ALL_WIDTHS:
        return [(n_bits, ("float", "int16")[n_bits % 2]) for n_bits in WIDTHS]
    return [(WIDTHS[turn % 16], "float"), (WIDTHS[(turn + 5) % 16], "int16")]


@pytest.mark.parametrize("cls", cases.classes(), ids=lambda cls: cls.__name__)
def test_estimators(cls, tmp_path):
    batch = Batch(tmp_path)
    rng = np.random.default_rng(0)
    cases = {}
    for n_bits, features in cases_of(cls):
        model, X = fitted(cls, n_bits, features != "float")
        rows = rows_with_limits(X, rng, None if features == "float" else features)
        if features != "float" and (cls.__name__, n_bits) in WITHOUT_FIXED_POINT:
            with pytest.raises(UnsupportedModelError, match="no fixed-point multiplier is exact"):
                to_c(model, name="m", features=features)
            continue
        for form in FORMS:
            name = f"m{n_bits}_{features}_{form}"
            batch.add(to_c(model, name=name, features=features, optimize=form), X.shape[1])
            cases[name] = model, rows
    batch.build()
    for name, (model, rows) in cases.items():
        check(model, batch.run(name, rows), rows)
