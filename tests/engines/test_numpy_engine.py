"""The NumPy engine gives what the reference gives, in every kind of step that it has."""

import pickle
import threading

import numpy as np
import pytest

import skq
from skq.engines import dispatch, reference
from skq.engines.numpy_bins import GRID_ROWS, Bin, Column
from skq.engines.numpy_engine import LEAST_ROWS, TREE_ROWS, NumpyPlan
from skq.engines.numpy_leaves import LeafSum, PackedLeafSum
from skq.engines.numpy_steps import General, MatMul, Requantize
from skq.engines.numpy_trees import DEEP, FEW_ROWS, BinnedTreeSum, TreeSum
from skq.kernels import layout
from skq.program import INSTRUCTIONS, ProgramBuilder, TensorType
from skq.program import instructions as ins
from skq.tree import DecisionTreeClassifier
from tests.program.random_programs import random_inputs, random_program

#: Both sides of each number of rows at which another way is taken.
ROWS = [1, FEW_ROWS - 1, FEW_ROWS, LEAST_ROWS + 1, GRID_ROWS, TREE_ROWS + 3]


def steps_of(program):
    """The plan of all outputs, and its steps by number."""
    plan = NumpyPlan(program, range(len(program.inputs)), list(program.outputs.values()))
    return plan, {number: step for number, (_, step) in plan._steps.items()}


def assert_same(program, inputs, refuse=None):
    """Equal to the reference, to the sign of zero."""
    plan = NumpyPlan(program, list(inputs), list(program.outputs.values()))
    flat = [x.reshape(len(x), program.types[v].size) for v, x in inputs.items()]
    status, found = plan.run(flat, len(flat[0]), refuse=refuse)
    assert status == layout.OK
    expected = reference.evaluate(program, inputs, plan.targets)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


def bin_of(columns, base=0, nan_codes=None):
    counts = np.array([len(c) for c in columns])
    base = np.full(len(columns), base)
    return ins.Bin(
        (0,),
        feature=np.arange(len(columns)),
        edges=np.concatenate(columns),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        base=base,
        nan_code=base + counts + 1 if nan_codes is None else np.asarray(nan_codes),
    )


def grown(rng, n_trees, depth, n_columns, lo, hi, width, n_outputs=None, top=250, chance=1.0):
    """Trees of up to `depth` levels; each node but the first of a level splits with `chance`."""
    fields = {name: [] for name in ("feature", "threshold", "left", "right")}
    roots, leaves = [], 0

    def node():
        for values in fields.values():
            values.append(0)
        return len(fields["left"]) - 1

    for _ in range(n_trees):
        level = [node()]
        roots.append(level[0])
        for d in range(depth + 1):
            following = []
            for i, k in enumerate(level):
                splits = d < depth and (i == 0 or rng.random() < chance)
                fields["feature"][k] = int(rng.integers(n_columns)) if splits else -1
                fields["threshold"][k] = int(rng.integers(lo - 1, hi, endpoint=True))
                if splits:
                    fields["left"][k], fields["right"][k] = node(), node()
                    following += [fields["left"][k], fields["right"][k]]
                else:
                    fields["left"][k] = leaves
                    leaves += 1
            level = following
    n_outputs = n_outputs or width
    return {
        "roots": np.array(roots),
        **{name: np.array(values) for name, values in fields.items()},
        "leaf_values": rng.integers(-top, top, size=(leaves, width), endpoint=True),
        "output": rng.integers(0, n_outputs - width, size=n_trees, endpoint=True),
        "multiplier": rng.integers(1, 9, size=n_trees),
        "n_outputs": n_outputs,
    }


def binned_trees(bins, **trees):
    b = ProgramBuilder()
    b.input(TensorType((len(bins.feature),)))
    codes = b.add(bins)
    lo, hi = b.types[codes].interval
    fields = grown(n_columns=len(bins.feature), lo=lo, hi=hi, **trees)
    return b.build({"sums": b.add(ins.Trees((codes,), **fields))})


def reals(rng, program, n_rows, edges):
    """Rows at edges, an ulp beside them, and far away."""
    x = rng.choice(np.concatenate([edges[np.isfinite(edges)], [0.0, 1e300, -1e300]]),
                   size=(n_rows, program.types[0].size))  # fmt: skip
    steps = rng.integers(-1, 2, size=x.shape)
    x = np.where(steps == 0, x, np.nextafter(x, np.where(steps > 0, np.inf, -np.inf)))
    x.ravel()[rng.integers(x.size, size=3)] = [np.inf, -np.inf, -0.0]
    return x


@pytest.mark.parametrize("n_rows", ROWS)
@pytest.mark.parametrize("seed", range(12))
def test_random_programs_of_many_rows(seed, n_rows):
    rng = np.random.default_rng(seed)
    kinds = [INSTRUCTIONS[i] for i in rng.integers(len(INSTRUCTIONS), size=10)]
    program = random_program(kinds, seed)
    assert_same(program, random_inputs(program, n_rows, rng))


@pytest.mark.parametrize("n_rows", ROWS)
@pytest.mark.parametrize(
    "edges",
    {
        "even": np.linspace(-3, 5, 200),
        "random": np.sort(np.random.default_rng(0).normal(size=250)),
        "equal": np.repeat([1.0, 2.0, 7.0], 3),
        "one": np.array([0.5]),
        "none": np.zeros(0),
        "far": np.append(np.linspace(0, 1, 40), 1e12),
        "infinite": np.array([-np.inf, 0.0, 1.0, np.inf]),
        "huge": np.array([-1.7e308, 0.0, 1.7e308]),
        "tiny": np.arange(40) * 5e-324,
    }.items(),
    ids=lambda item: item[0],
)
def test_bins(edges, n_rows):
    rng = np.random.default_rng(n_rows)
    b = ProgramBuilder()
    x = b.input(TensorType((3,)))
    columns = [np.linspace(-1, 1, 30), edges[1], np.sort(rng.normal(size=9))]
    program = b.build({"codes": b.add(bin_of(columns, base=-3, nan_codes=[-9, 40, 90]))})
    table = reals(rng, program, n_rows, np.concatenate(columns))
    assert_same(program, {x: table})
    table.ravel()[::5] = np.nan
    assert_same(program, {x: table})
    with np.errstate(over="ignore"):
        assert_same(program, {x: table.astype(np.float32)})
    assert_same(program, {x: np.nan_to_num(table, posinf=0, neginf=0).clip(0, 200).astype("u1")})


def test_columns_of_even_edges_have_a_grid_and_others_are_searched():
    assert Column(np.linspace(0, 1, 100), 0, 0).starts is not None
    for edges in (np.zeros(0), np.append(np.linspace(0, 1, 40), 1e12), np.array([0.0, np.inf])):
        assert Column(edges, 0, 0).starts is None


@pytest.mark.parametrize("n_rows", ROWS)
@pytest.mark.parametrize(
    ("trees", "leaves"),
    [
        ({"n_trees": 1, "depth": 6, "width": 4}, PackedLeafSum),
        ({"n_trees": 90, "depth": 3, "width": 1}, PackedLeafSum),
        ({"n_trees": 20, "depth": 4, "width": 2, "n_outputs": 7}, PackedLeafSum),
        ({"n_trees": 7, "depth": 2, "width": 40}, LeafSum),
        ({"n_trees": 7, "depth": 2, "width": 3, "top": 2**58}, LeafSum),
        ({"n_trees": 5, "depth": 2, "width": 3, "top": 2**40}, PackedLeafSum),
        ({"n_trees": 6, "depth": DEEP + 7, "width": 3, "chance": 0.3}, PackedLeafSum),
        ({"n_trees": 3, "depth": 0, "width": 2}, PackedLeafSum),
    ],
)
def test_trees_of_binned_columns(trees, leaves, n_rows):
    rng = np.random.default_rng(n_rows)
    columns = [np.sort(rng.normal(size=size)) for size in (40, 1, 0, 200)]
    for nan_codes in (None, [-1, -1, 3, -1]):
        program = binned_trees(bin_of(columns, nan_codes=nan_codes), rng=rng, **trees)
        _, steps = steps_of(program)
        (step,) = steps.values()
        assert type(step) is BinnedTreeSum
        assert type(step.trees.leaves) is leaves
        table = reals(rng, program, n_rows, np.concatenate(columns))
        assert_same(program, {0: table})
        table.ravel()[::9] = np.nan
        assert_same(program, {0: table})


@pytest.mark.parametrize("n_rows", ROWS)
@pytest.mark.parametrize("top", [2**7, 2**15, 2**31, 2**61])
def test_trees_of_given_codes(top, n_rows):
    """Codes that no Bin makes, up to those that are too wide for a packed node."""
    rng = np.random.default_rng(top)
    b = ProgramBuilder()
    codes = b.input(TensorType((5,), -top, top - 1))
    fields = grown(rng, 9, 5, 5, -top, top - 1, 3, 4)
    program = b.build({"sums": b.add(ins.Trees((codes,), **fields))})
    (step,) = steps_of(program)[1].values()
    assert type(step) is (General if top == 2**61 else TreeSum)
    assert_same(program, {0: rng.integers(-top, top, size=(n_rows, 5))})


def test_bins_that_others_read_too_are_computed_once():
    rng = np.random.default_rng(0)
    program = binned_trees(bin_of([np.arange(9.0)] * 4), rng=rng, n_trees=3, depth=3, width=1)
    shared = type(program)(program.inputs, program.instructions, {**program.outputs, "codes": 1})
    assert [type(s) for s in steps_of(shared)[1].values()] == [Bin, TreeSum]
    assert_same(shared, {0: rng.normal(size=(99, 4)) * 5})


@pytest.mark.parametrize("n_out", [1, 3])
@pytest.mark.parametrize(
    ("bits", "dtype"), [(24, np.float32), (25, np.float64), (53, np.float64), (54, np.int64)]
)
def test_products_at_the_limit_of_a_mantissa(bits, dtype, n_out):
    """All weights and codes at their ends: the sums are just below, or at, the limit."""
    b = ProgramBuilder()
    n = 64
    x = b.input(TensorType((n,), -(2**8) + 1, 2**8 - 1))
    weight = 2 ** (bits - 14) - 1
    weights = np.where(np.arange(n * n_out).reshape(n, n_out) % 7, weight, -weight)
    product = b.add(ins.MatMul((x,), weights))
    program = b.build({"sums": product})
    expected = dtype if dtype != np.float32 or n_out > 1 else np.float64
    step = steps_of(program)[1][product]
    assert type(step) is MatMul
    assert step.weights.dtype == expected
    signs = np.random.default_rng(0).choice([-1, 1], size=(300, n))
    signs[0] = np.sign(weights[:, 0])
    signs[1] = -signs[0]
    assert_same(program, {x: signs * (2**8 - 1)})


@pytest.mark.parametrize(("bits", "kind"), [(30, Requantize), (51, Requantize), (60, General)])
@pytest.mark.parametrize("shift", [0, 1, 40, 62])
def test_requantize_is_exact_in_floats(bits, kind, shift):
    rng = np.random.default_rng(shift)
    b = ProgramBuilder()
    x = b.input(TensorType((6,), -(2**15), 2**15))
    multiplier = rng.integers(-(2 ** (bits - 17)), 2 ** (bits - 17), size=6)
    offset = rng.integers(-(2 ** (bits - 2)), 2 ** (bits - 2), size=6)
    step = ins.Requantize((x,), multiplier, offset, shift, -(2**40), 2**40)
    y = b.add(step)
    real = b.add(ins.Dequantize((y,), np.array(0.5), np.array(0.0)))
    program = b.build({"y": y, "real": real})
    assert type(steps_of(program)[1][y]) is kind
    codes = rng.integers(-(2**15), 2**15, size=(700, 6), endpoint=True)
    codes[0], codes[1], codes[2] = -(2**15), 2**15, 0
    assert_same(program, {x: codes})


def test_quantize_gives_no_negative_zero():
    b = ProgramBuilder()
    x = b.input(TensorType((2,)))
    q = b.add(ins.Quantize((x,), np.array([1.0, 2.0]), np.array([0, 0]), -4, 4))
    real = b.add(ins.Dequantize((q,), np.array(0.5), np.array(0.0)))
    program = b.build({"q": q, "real": real})
    rows = np.array([[-0.2, -0.0], [0.2, 0.0], [np.nan, np.nan], [-np.inf, np.inf]])
    assert_same(program, {x: rows})
    assert_same(program, {x: rows[:2]}, refuse="nonfinite")


def test_eight_threads_share_a_plan():
    rng = np.random.default_rng(0)
    columns = [np.sort(rng.normal(size=40)) for _ in range(4)]
    program = binned_trees(bin_of(columns), rng=rng, n_trees=30, depth=5, width=3)
    plan, _ = steps_of(program)
    tables = [rng.normal(size=(3000 + k, 4)) for k in range(8)]
    found = [None] * 8

    def predict(k):
        for _ in range(3):
            found[k] = plan.run([tables[k]], len(tables[k]))[1][0]

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for table, sums in zip(tables, found, strict=True):
        (expected,) = reference.evaluate(program, {0: table}, plan.targets)
        np.testing.assert_array_equal(sums, expected)


def test_plans_hold_no_more_than_they_count_and_are_not_pickled():
    rng = np.random.default_rng(0)
    program = binned_trees(bin_of([np.arange(9.0)] * 4), rng=rng, n_trees=3, depth=3, width=1)
    plan, _ = steps_of(program)
    n_nodes = len(program.instructions[1].feature)
    assert 20 * n_nodes < plan.nbytes < 64 * n_nodes + 8192
    with pytest.raises(TypeError, match="pickle its program"):
        pickle.dumps(plan)


def test_what_it_cannot_read_is_refused():
    program = binned_trees(
        bin_of([np.arange(9.0)] * 4), rng=np.random.default_rng(0), n_trees=3, depth=3, width=1
    )
    plan, _ = steps_of(program)
    for table in (np.zeros((3, 5)), np.zeros((3, 4), dtype=object), np.zeros((3, 4), ">f8")):
        assert plan.run([table], 3) == (layout.UNREADABLE, [])


def test_fit_leaves_no_plan():
    """The comparison with the float model runs the NumPy engine, whose plans are large."""
    X = np.random.default_rng(0).normal(size=(200, 4))
    model = DecisionTreeClassifier(n_bits=2).fit(X, X[:, 0] > 0)
    assert len(model.quantized_module_.session.plans) == 0
    with skq.config_context(engine="numpy"):
        found = model.predict(X)
        assert len(model.quantized_module_.session.plans) == 1
    with skq.config_context(engine="reference"):
        np.testing.assert_array_equal(found, model.predict(X))
    assert dispatch.compiling_engine() in ("native", "numpy")
