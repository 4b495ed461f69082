"""Forms of forests: each taken where it should be, each equal to the reference."""

import numpy as np
import pytest

from skq.engines import native, reference
from skq.kernels import forests, layout
from skq.program import ProgramBuilder, TensorType
from skq.program import instructions as ins

pytestmark = pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE))

N_COLUMNS, N_EDGES = 12, 9


def trees(value, shapes, rng, *, columns, top, values, outputs=1, width=1):
    """Random trees of given numbers of leaves over codes in [0, top]."""
    feature, threshold, left, right, roots = [], [], [], [], []
    leaves = 0
    for n_leaves in shapes:
        roots.append(len(feature))
        open_nodes = [roots[-1]]
        for array in (feature, threshold, left, right):
            array.append(0)
        for _ in range(n_leaves - 1):  # split a leaf that is still open
            k = open_nodes.pop(int(rng.integers(0, len(open_nodes))))
            feature[k] = int(rng.integers(0, columns))
            threshold[k] = int(rng.integers(0, top))
            left[k], right[k] = len(feature), len(feature) + 1
            open_nodes += [left[k], right[k]]
            for array in (feature, threshold, left, right):
                array.extend([0, 0])
        for k in open_nodes:
            feature[k], left[k] = -1, leaves
            leaves += 1
    n_trees = len(shapes)
    return ins.Trees(
        (value,),
        roots=np.array(roots),
        feature=np.array(feature),
        threshold=np.array(threshold),
        left=np.array(left),
        right=np.array(right),
        leaf_values=rng.integers(*values, size=(leaves, width), endpoint=True),
        output=np.arange(n_trees) % (outputs - width + 1),
        multiplier=np.ones(n_trees, dtype=np.int64),
        n_outputs=outputs,
    )


def on_codes(shapes, *, columns=N_COLUMNS, top=255, **more):
    """A program of trees on a row of codes."""
    b = ProgramBuilder()
    q = b.input(TensorType((columns,), 0, top))
    rng = np.random.default_rng(0)
    more.setdefault("values", (-9, 9))
    return b.build({"sum": b.add(trees(q, shapes, rng, columns=columns, top=top, **more))})


def on_reals(shapes, *, edges=N_EDGES, columns=N_COLUMNS, seed=0):
    """A program of bins, whose codes begin at 2 in some columns, and trees on them."""
    rng = np.random.default_rng(seed)
    b = ProgramBuilder()
    x = b.input(TensorType((columns + 3,)))
    base = np.arange(columns) % 3
    q = b.add(
        ins.Bin(
            (x,),
            feature=rng.permutation(columns + 3)[:columns],
            edges=np.sort(np.round(rng.normal(size=(columns, edges)), 1), axis=1).ravel(),
            offsets=np.arange(columns + 1) * edges,
            base=base,
            nan_code=np.where(base == 1, 0, base + edges + 1),
        )
    )
    step = trees(q, shapes, rng, columns=columns, top=edges + 3, values=(-9, 9))
    return b.build({"sum": b.add(step)})


def assert_equal_to_the_reference(program, x):
    target = program.outputs["sum"]
    for n_rows in (1, 15, 16, len(x)):
        expected = reference.evaluate(program, {0: x[:n_rows]}, [target])
        for isa in range(native.best_isa() + 1):
            plan = native.NativePlan(program, [0], [target], isa=isa)
            status, found = plan.run((x[:n_rows],), n_rows)
            assert status == layout.OK
            np.testing.assert_array_equal(found[0], expected[0])


def form(program):
    step = program.instructions[-1]
    binning = program.instructions[0] if len(program.instructions) > 1 else None
    type_ = program.types[step.inputs[0]]
    return forests.pack(step, *type_.interval, type_.size, binning, native.best_isa())


@pytest.mark.parametrize(
    ("code", "shapes", "more"),
    [
        (layout.CODES_8_TINY, [1, 2, 128, 64, 65], {}),
        (layout.CODES_8_SMALL, [1, 2, 129], {}),
        (layout.CODES_8_SMALL, [1, 2, 200, 700], {}),
        (layout.CODES_8, [5, 700], {"columns": 300}),
        (layout.CODES_16, [5, 700], {"top": 5000}),
        (layout.CODES_16_BIG, [3, 40_000, 1], {"top": 65535}),
        (layout.CODES_16_BIG, [40_000], {"top": 65535, "values": (-(2**40), 2**40)}),
        (layout.CODES_WIDE, [5, 70], {"top": 70_000}),
    ],
)
def test_codes(code, shapes, more):
    program = on_codes(shapes, **more)
    assert form(program).codes == code
    type_ = program.inputs[0]
    codes = np.random.default_rng(1).integers(0, type_.hi, size=(300, type_.size), endpoint=True)
    assert_equal_to_the_reference(program, codes)


@pytest.mark.parametrize(
    ("tree_layout", "shapes", "more"),
    [
        (layout.ALIKE_TREES, [9, 1, 128, 2], {}),
        (layout.ALIKE_TREES, [9] * 4, {"values": (0, 200), "outputs": 7, "width": 7}),
        (layout.ALIKE_TREES, [128] * 3, {"values": (0, 1), "outputs": 9, "width": 9}),
        (layout.SMALL_TREES, [9], {}),  # no shorter in the other form
        (layout.SMALL_TREES, [9] * 4, {"outputs": 2}),  # each adds to an output of its own
        (layout.SMALL_TREES, [9, 128, 20], {"values": (0, 200), "outputs": 17, "width": 17}),
        (layout.TREES, [9, 300, 9, 9], {}),
    ],
)
def test_layouts_of_trees(tree_layout, shapes, more):
    program = on_codes(shapes, **more)
    assert form(program).fields.get("tree_layout", layout.TREES) == tree_layout
    codes = np.random.default_rng(1).integers(0, 255, size=(300, N_COLUMNS), endpoint=True)
    assert_equal_to_the_reference(program, codes)


@pytest.mark.parametrize(
    ("code", "shapes", "edges", "columns"),
    [
        (layout.REALS_TINY, [9], 12, 20),
        (layout.REALS_TINY, [1, 2, 1, 4], 0, N_COLUMNS),
        (layout.REALS_TINY, [128], 1, 125),
        (layout.REALS, [129], 1, 125),
        (layout.REALS, [128], 1, 200),  # features of 8 bits
        (layout.REALS, [9], 400, N_COLUMNS),
        (layout.REALS, [9, 150], 2, 140),
        (layout.CODES_8_TINY, [9] * 30, N_EDGES, N_COLUMNS),
        (layout.CODES_8_SMALL, [9] * 30 + [200], N_EDGES, N_COLUMNS),
        (layout.CODES_16, [9] * 30, 400, N_COLUMNS),
        (layout.CODES_16_BIG, [40_000], 4000, N_COLUMNS),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_reals(code, shapes, edges, columns, seed):
    program = on_reals(shapes, edges=edges, columns=columns, seed=seed)
    assert form(program).codes == code
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(300, program.inputs[0].size)), 1)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.05] = -np.inf
    assert_equal_to_the_reference(program, x)
    assert_equal_to_the_reference(program, x.astype(np.float32))


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize(
    ("values", "item"),
    [((0, 250), 1), ((0, 2**12), 2), ((0, 2**20), 4), ((0, 2**40), 8)],
)
def test_words_are_as_wide_as_a_tree_needs(values, item, width):
    """Trees of one leaf, of a few, and of many add to different outputs."""
    program = on_codes([1, 8, 300, 8, 8, 2, 400, 7, 8], values=values, outputs=7, width=width)
    items = form(program).arrays["trees"]["item"]
    assert items[0] == 1  # a single leaf: all of it is in the bias
    assert (items.max() == item) if width == 1 else (items.max() >= item)
    codes = np.random.default_rng(1).integers(0, 255, size=(300, N_COLUMNS), endpoint=True)
    assert_equal_to_the_reference(program, codes)


@pytest.mark.parametrize(
    ("values", "outputs", "width", "n_trees", "lane_bits", "halvings"),
    [
        ((0, 15), 8, 8, 1, 8, 1),  # eight lanes of 8 bits, stored in 4
        ((0, 3), 8, 8, 1, 8, 2),
        ((0, 1), 8, 8, 9, 8, 3),
        ((0, 3), 4, 4, 150, 16, 3),
        ((0, 200), 4, 4, 9, 16, 1),
        ((0, 60_000), 2, 2, 9, 32, 1),
        ((0, 250), 2, 2, 20, 16, 1),
        ((0, 200), 7, 3, 9, 16, 1),  # the lanes of a tree begin anywhere, and reach into two words
        ((0, 3), 7, 3, 240, 16, 3),
    ],
)
def test_lanes_of_a_leaf_are_halved_where_that_saves(
    values, outputs, width, n_trees, lane_bits, halvings
):
    shapes = ([8, 300, 2, 40, 700, 9, 30, 1, 77] * n_trees)[:n_trees]
    program = on_codes(shapes, values=values, outputs=outputs, width=width)
    packed = form(program)
    assert packed.numbers["lane_bits"] == lane_bits
    assert packed.arrays["trees"]["shift"].max() // layout.HALVED == halvings
    codes = np.random.default_rng(1).integers(0, 255, size=(600, N_COLUMNS), endpoint=True)
    assert_equal_to_the_reference(program, codes)
