"""Engines are chosen as asked; inputs of every form; refusals; plans and pickles; threads."""

import copy
import pickle
import threading

import numpy as np
import pytest

import skq
from skq.engines import dispatch, native, reference
from skq.engines.plans import Plans
from skq.kernels import layout
from skq.program import ProgramBuilder, TensorType
from skq.program import instructions as ins
from tests.program.random_programs import random_trees

needs_native = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))
ENGINES = [pytest.param("native", marks=needs_native), "numpy", "reference"]
N_FEATURES = 7


def quantize_program(seed=0):
    rng = np.random.default_rng(seed)
    b = ProgramBuilder()
    x = b.input(TensorType((N_FEATURES,)))
    scale, zero = rng.uniform(0.01, 0.1, N_FEATURES), rng.integers(0, 255, N_FEATURES)
    q = b.add(ins.Quantize((x,), scale, zero, 0, 255))
    m = b.add(ins.MatMul((q,), rng.integers(-127, 128, (N_FEATURES, 20))))
    r = b.add(ins.Requantize((m,), np.array(3), np.array(2**9), 10, 0, 255))
    m = b.add(ins.MatMul((r,), rng.integers(-127, 128, (20, 3))))
    return b.build({"label": b.add(ins.ArgMax((m,))), "score": b.add(_real(m))})


def trees_program(seed=0, edges=40):
    rng = np.random.default_rng(seed)
    b = ProgramBuilder()
    x = b.input(TensorType((N_FEATURES,)))
    columns = np.sort(np.round(rng.normal(size=(N_FEATURES, edges)), 1), axis=1)
    base = np.arange(N_FEATURES) % 3
    q = b.add(
        ins.Bin(
            (x,),
            np.arange(N_FEATURES),
            columns.ravel(),
            np.arange(N_FEATURES + 1) * edges,
            base,
            np.where(base == 1, 0, base + edges + 1),
        )
    )
    trees = random_trees(np.random.default_rng(seed + 5), q, N_FEATURES, *b.types[q].interval)
    return b.build({"sum": b.add(trees)})


def _real(value):
    return ins.Dequantize((value,), np.array(0.25), np.array(3.0))


PROGRAMS = [quantize_program(), *(trees_program(seed) for seed in range(8)), trees_program(3, 400)]


def outputs(program):
    return list(program.outputs.values())


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def forms(x):
    """The same rows in many forms."""
    wide = np.zeros((len(x) * 2, x.shape[1] * 3), dtype=x.dtype)
    wide[::2, 1::3] = x
    record = np.zeros(x.shape, dtype=[("pad", "u1"), ("x", "f8")])
    record["x"] = x
    readonly = x.copy()
    readonly.flags.writeable = False
    return {
        "C": x,
        "F": np.asfortranarray(x),
        "strided": wide[::2, 1::3],
        "reversed": x[::-1, ::-1].copy()[::-1, ::-1],
        "unaligned": record["x"],
        "big-endian": x.astype(">f8"),
        "readonly": readonly,
        "float32": x.astype(np.float32),
        "float16": np.clip(x, -6e4, 6e4).astype(np.float16),
        **{
            dtype: np.clip(np.nan_to_num(x), 0, 100).astype(dtype)
            for dtype in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "bool"]
        },
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_rows", [1, 2, 7, 1000])
@pytest.mark.parametrize("program", PROGRAMS)
def test_any_form_of_input(program, n_rows, engine):
    rng = np.random.default_rng(n_rows)
    x = rng.normal(size=(n_rows, N_FEATURES)) * rng.choice([0.1, 1, 1e6], size=N_FEATURES)
    x.ravel()[:: max(2, x.size // 9)] = np.nan
    for array in forms(x).values():
        expected = reference.evaluate(program, {0: array}, outputs(program))
        with skq.config_context(engine=engine):
            found = dispatch.run(program, {0: array}, outputs(program))
        assert_equal(found, expected)


@needs_native
@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("program", PROGRAMS[:3])
def test_many_rows_on_any_number_of_threads(program, n_threads):
    x = np.random.default_rng(0).normal(size=(100_003, N_FEATURES)).astype(np.float32)
    found = dispatch.run(program, {0: x}, outputs(program), n_threads=n_threads)
    with skq.config_context(engine="numpy"):
        assert_equal(found, dispatch.run(program, {0: x}, outputs(program)))
    some = slice(None, None, 997)
    expected = reference.evaluate(program, {0: x[some]}, outputs(program))
    assert_equal([f[some] for f in found], expected)


@needs_native
def test_eight_python_threads_share_a_program():
    program = trees_program(2)
    x = np.random.default_rng(0).normal(size=(5000, N_FEATURES))
    expected = reference.evaluate(program, {0: x}, outputs(program))
    found = [None] * 8

    def predict(i):
        found[i] = dispatch.run(program, {0: x}, outputs(program), n_threads=2)

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in found:
        assert_equal(answer, expected)


@needs_native
@pytest.mark.parametrize("program", PROGRAMS[:2])
def test_no_rows(program):
    (first, *_) = dispatch.run(program, {0: np.empty((0, N_FEATURES))}, outputs(program))
    assert first.shape == (0, *program.types[outputs(program)[0]].shape)
    assert first.dtype == np.int64


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("program", [PROGRAMS[0], PROGRAMS[1], PROGRAMS[-1]])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (599, 3), (1234, N_FEATURES - 1)])
def test_refusals(program, engine, dtype, value, place):
    x = np.random.default_rng(0).normal(size=(1235, N_FEATURES)).astype(dtype)
    targets = outputs(program)
    with skq.config_context(engine=engine):
        for refuse in (None, "nonfinite", "infinite"):
            dispatch.run(program, {0: x}, targets, refuse=refuse)
        x[place] = value
        dispatch.run(program, {0: x}, targets)
        with pytest.raises(dispatch.NonFiniteInput):
            dispatch.run(program, {0: x}, targets, refuse="nonfinite")
        with pytest.raises(dispatch.NonFiniteInput):
            dispatch.run(program, {0: np.asfortranarray(x)}, targets, refuse="nonfinite")
        if np.isnan(value):
            dispatch.run(program, {0: x}, targets, refuse="infinite")
        else:
            with pytest.raises(dispatch.NonFiniteInput):
                dispatch.run(program, {0: x}, targets, refuse="infinite")


@pytest.mark.parametrize("engine", ENGINES)
def test_values_in_between_may_be_given(engine):
    program = PROGRAMS[0]
    codes = np.random.default_rng(0).integers(0, 256, size=(50, N_FEATURES))
    expected = reference.evaluate(program, {1: codes}, [1, *outputs(program), 1])
    with skq.config_context(engine=engine):
        for dtype in (np.int64, np.uint8, np.uint64, np.float64):
            given = {1: codes.astype(dtype)}
            assert_equal(dispatch.run(program, given, [1, *outputs(program), 1]), expected)
        codes[3, 2] = 256
        for dtype in (np.int64, np.uint64):
            with pytest.raises(ValueError, match=r"integers in \[0, 255\]; got \[\d+, 256\]"):
                dispatch.run(program, {1: codes.astype(dtype)}, outputs(program))


@pytest.mark.parametrize("engine", ENGINES)
def test_shapes_that_do_not_fit(engine):
    with skq.config_context(engine=engine):
        for shape in ((4, N_FEATURES + 1), (4,), (4, N_FEATURES, 1)):
            with pytest.raises(ValueError, match="rows of shape"):
                dispatch.run(PROGRAMS[0], {0: np.zeros(shape)}, outputs(PROGRAMS[0]))


@needs_native
def test_rows_of_more_elements_than_the_kernels_count():
    b = ProgramBuilder()
    x = b.input(TensorType((2**16, 2**15), 0, 1))
    program = b.build({"label": b.add(ins.ArgMax((x,)))})
    with pytest.raises(ValueError, match=r"value 0 .* 2147483648 elements a row.*engine='numpy'"):
        native.NativePlan(program, [0], [1])


@needs_native
def test_pickles_and_copies_leave_the_plan_behind():
    program = quantize_program()
    x = np.random.default_rng(0).normal(size=(9, N_FEATURES))
    expected = dispatch.run(program, {0: x}, outputs(program))
    for other in (pickle.loads(pickle.dumps(program)), copy.copy(program), copy.deepcopy(program)):
        assert vars(other).keys() == vars(program).keys()
        assert_equal(dispatch.run(other, {0: x}, outputs(other)), expected)
    plan = Plans(program).plan((0,), tuple(outputs(program)))
    with pytest.raises(TypeError, match="pickle its program"):
        pickle.dumps(plan)


@needs_native
def test_one_plan_computes_what_is_wanted_of_all_outputs():
    program = quantize_program()
    x = np.random.default_rng(0).normal(size=(50, N_FEATURES))
    label, score = outputs(program)
    both = reference.evaluate(program, {0: x}, [label, score])
    expected = {label: both[0], score: both[1]}
    plans = Plans(program)
    for targets in ([label], [score], [score, label], [label, score, label]):
        found = dispatch.run(program, {0: x}, targets, plans=plans)
        assert_equal(found, [expected[t] for t in targets])
    assert len(plans) == 1
    assert plans.plan((0,), (score,)).targets == (label, score)
    (codes,) = dispatch.run(program, {0: x}, [1], plans=plans)  # no output
    found = dispatch.run(program, {1: codes}, [label], plans=plans)
    assert_equal(found, [expected[label]])
    assert len(plans) == 3


@needs_native
@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_are_checked_whatever_is_wanted(engine):
    """Quantize refuses in its own pass, so where it is left out the input is checked beside."""
    b = ProgramBuilder()
    x = b.input(TensorType((N_FEATURES,)))
    q = b.add(ins.Quantize((x,), np.full(N_FEATURES, 0.5), np.zeros(N_FEATURES, int), 0, 15))
    binned = b.add(
        ins.Bin((x,), np.array([0]), np.array([0.0]), np.array([0, 1]), *[np.array([0])] * 2)
    )
    program = b.build({"codes": b.add(ins.Sum((q,))), "bin": b.add(ins.Sum((binned,)))})
    table = np.ones((40, N_FEATURES))
    table[17, 3] = np.nan
    with skq.config_context(engine=engine):
        for target in outputs(program):
            with pytest.raises(dispatch.NonFiniteInput):
                dispatch.run(program, {0: table}, [target], refuse="nonfinite")
            dispatch.run(program, {0: table}, [target], refuse="infinite")


@needs_native
def test_ties_and_far_values_quantize_exactly():
    rng = np.random.default_rng(0)
    b = ProgramBuilder()
    x = b.input(TensorType((40,)))
    scale = 10.0 ** rng.uniform(-3, 3, size=40)
    zero = rng.integers(-500, 500, size=40)
    program = b.build({"q": b.add(ins.Quantize((x,), scale, zero, -128, 127))})
    codes = rng.integers(-200, 200, size=(4000, 40)) + 0.5 * rng.integers(0, 2, size=(4000, 40))
    ties = (codes - zero) * scale  # at a tie, or an ulp or two beside it
    steps = rng.integers(-2, 3, size=ties.shape)
    near = np.where(steps == 0, ties, ties + steps * np.spacing(ties))
    assert_equal(dispatch.run(program, {0: near}, [1]), reference.evaluate(program, {0: near}, [1]))


def test_configuration():
    assert skq.get_config() == {
        "engine": "auto",
        "saturation_warning": None,
        "n_threads": None,
        "lazy_fit": False,
    }
    with skq.config_context(engine="numpy"):
        assert dispatch.engine_in_use() == ("numpy", "config: engine='numpy'")
        seen = []
        thread = threading.Thread(target=lambda: seen.append(skq.get_config()["engine"]))
        thread.start()
        thread.join()
        assert seen == ["auto"]
    skq.set_config(engine="reference")
    try:
        assert dispatch.engine_in_use()[0] == "reference"
    finally:
        skq.set_config(engine="auto")
    with pytest.raises(ValueError, match="must be one of auto, native"):
        skq.set_config(engine="gpu")


def test_without_a_compiler_numpy_runs(monkeypatch, capsys):
    monkeypatch.setattr(native, "UNAVAILABLE", "there was no compiler")
    assert dispatch.engine_in_use() == ("numpy", "there was no compiler")
    skq.show_versions()
    assert "engine: numpy (there was no compiler)" in capsys.readouterr().out
    program = trees_program(1)
    x = np.random.default_rng(0).normal(size=(100, N_FEATURES))
    expected = reference.evaluate(program, {0: x}, outputs(program))
    assert_equal(dispatch.run(program, {0: x}, outputs(program)), expected)
    with skq.config_context(engine="native"), pytest.raises(ImportError, match="no compiler"):
        dispatch.run(trees_program(1), {0: x}, outputs(program))


@needs_native
def test_the_instruction_set_can_be_capped(monkeypatch):
    program = trees_program(1)
    x = np.random.default_rng(0).normal(size=(100, N_FEATURES))
    expected = reference.evaluate(program, {0: x}, outputs(program))
    for number, value in enumerate(layout.ISA_VALUES):
        monkeypatch.setenv(native.ISA_VARIABLE, value)
        plan = native.NativePlan(program, [0], outputs(program))
        assert plan.isa == native.best_isa() <= number
        assert_equal(plan.run((x,), len(x))[1], expected)
    monkeypatch.setenv(native.ISA_VARIABLE, "mmx")
    with pytest.raises(ValueError, match="must be one of portable, avx2"):
        native.best_isa()
