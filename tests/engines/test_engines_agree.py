"""Every engine gives what the reference gives, on random programs and on inputs of every form."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skq import _config
from skq.engines import dispatch, native, reference
from skq.kernels import layout
from skq.program import INSTRUCTIONS
from tests.program.random_programs import MAKERS, random_inputs, random_program

ENGINES = ["numpy"] if native.UNAVAILABLE else ["native", "numpy"]


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_random_programs_use_every_instruction():
    assert set(MAKERS) == set(INSTRUCTIONS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(st.sampled_from(list(INSTRUCTIONS)), max_size=12),
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.sampled_from([1, 2, 7, 15, 16, 63, 65, 300]),
    n_threads=st.sampled_from([1, 3]),
)
def test_random_programs(kinds, seed, n_rows, n_threads):
    program = random_program(kinds, seed)
    inputs = random_inputs(program, n_rows, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    everything = list(range(len(program.types)))
    few = [int(v) for v in rng.choice(everything, size=2)]
    for targets in (everything, few):
        expected = reference.evaluate(program, inputs, targets)
        for engine in ENGINES:
            with _config.config_context(engine=engine):
                found = dispatch.run(program, inputs, targets, n_threads=n_threads)
            assert_equal(found, expected)
    if "native" in ENGINES:
        known, wanted = tuple(inputs), [v for v in everything if v not in inputs]
        expected = reference.evaluate(program, inputs, wanted)
        flat = tuple(x.reshape(n_rows, -1) if x.size else x.reshape(n_rows, 0)
                     for x in inputs.values())  # fmt: skip
        for isa in range(native.best_isa() + 1):
            plan = native.NativePlan(program, known, wanted, isa=isa)
            status, found = plan.run(flat, n_rows, n_threads=n_threads)
            assert status == layout.OK
            assert_equal(found, expected)
            some = [wanted[i] for i in rng.permutation(len(wanted))[:2]]
            status, found = plan.run(flat, n_rows, prepared=plan.prepare(some))
            assert status == layout.OK
            assert_equal(found, [expected[wanted.index(v)] for v in some])
