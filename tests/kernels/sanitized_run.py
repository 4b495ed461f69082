"""Random programs on a sanitized build of the extension; run by test_kernels.py."""

import ctypes
import importlib.util
import sys
import weakref
from pathlib import Path

import numpy as np

import skq.engines
from skq.kernels import constants
from skq.kernels.constants import ConstantBlock
from tests.program.random_programs import (
    linear_program,
    linear_tables,
    random_inputs,
    random_program,
)

N_PROGRAMS = 150


def use_extension(folder: str) -> None:
    """Put the extension in `folder` in the place of the installed one."""
    place = Path(folder) / "_native.abi3.so"
    spec = importlib.util.spec_from_file_location("skq.engines._native", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["skq.engines._native"] = module
    skq.engines._native = module


def compare_linear() -> None:
    """Quantize and MatMul as one step, rows of many lengths."""
    from skq.engines import native, reference

    for n in (1, 7, 8, 13, 50):
        program = linear_program(n, 1 + n % 4, seed=n)
        target = program.outputs["sum"]
        for x in linear_tables(19, n).values():
            for table in (x, np.clip(x, -1e30, 1e30).astype(np.float32)):
                expected = reference.evaluate(program, {0: table}, [target])
                for isa in range(native.best_isa() + 1):
                    plan = native.NativePlan(program, [0], [target], isa=isa)
                    _, found = plan.run((table,), len(x), refuse="nonfinite")
                    np.testing.assert_array_equal(found[0], expected[0])


def compare_matmuls() -> None:
    """Weights of every width, in their tails and panels, of few rows and many."""
    from test_packed import matmul

    from skq.engines import native, reference

    rng = np.random.default_rng(0)
    for bits in (1, 3, 4, 7, 8, 13):
        for n, m in ((5, 3), (63, 17), (130, 200), (1100, 40)):
            for hi in (255, 2000):
                program = matmul(n, m, bits, hi)
                for n_rows in (1, 17):
                    x = rng.integers(0, hi, size=(n_rows, n), endpoint=True)
                    expected = reference.evaluate(program, {0: x}, [1])
                    for isa in range(native.best_isa() + 1):
                        plan = native.NativePlan(program, [0], [1], isa=isa)
                        _, found = plan.run((x,), n_rows)
                        np.testing.assert_array_equal(found[0], expected[0])


def compare_forests() -> None:
    """Every form of a forest, with the fewest and the widest leaves at the end."""
    from test_forests import on_codes, on_reals

    from skq.engines import native, reference

    rng = np.random.default_rng(0)
    for program in (
        on_codes([128, 3, 1]),
        on_codes([300, 70], values=(0, 200), outputs=7, width=3),
        on_codes([700, 1]),
        on_codes([8, 2], values=(0, 2**20)),
        on_codes([33_000, 3], top=65535),
        on_reals([9]),
        on_reals([128], edges=1, columns=125),
        on_reals([129], edges=1, columns=125),
    ):
        type_, target = program.inputs[0], program.outputs["sum"]
        x = rng.integers(0, type_.hi, size=(40, type_.size)) if type_.is_integer else None
        x = rng.normal(size=(40, type_.size)) if x is None else x
        expected = reference.evaluate(program, {0: x}, [target])
        _, found = native.NativePlan(program, [0], [target]).run((x,), len(x))
        np.testing.assert_array_equal(found[0], expected[0])


def poison_between_constants() -> None:
    """Let the sanitizer find reads beyond any constant of a block."""
    poison = ctypes.CDLL(None).__asan_poison_memory_region
    unpoison = ctypes.CDLL(None).__asan_unpoison_memory_region
    build = ConstantBlock.build

    def poisoned(self: ConstantBlock) -> np.ndarray:
        block = build(self)
        address, end = block.ctypes.data, 0
        for start, size in [*self.extents, (block.size, 0)]:
            poison(ctypes.c_void_p(address + end), ctypes.c_size_t(start - end))
            end = start + size
        weakref.finalize(
            block.base, unpoison, ctypes.c_void_p(address), ctypes.c_size_t(block.size)
        )
        return block

    constants.GAP_BYTES = 64
    ConstantBlock.build = poisoned


def main() -> None:
    use_extension(sys.argv[1])
    from skq.engines import native, reference
    from skq.program import INSTRUCTIONS

    assert native._native.__spec__.origin.startswith(sys.argv[1])
    poison_between_constants()
    kinds = list(INSTRUCTIONS)
    saved = constants.LEAST_SAVED
    for seed in range(N_PROGRAMS):
        constants.LEAST_SAVED = -(2**62) if seed % 2 else saved  # every other packs all constants
        rng = np.random.default_rng(seed)
        chosen = [kinds[i] for i in rng.integers(0, len(kinds), size=8)]
        program = random_program(chosen, seed)
        n_rows = int(rng.choice([1, 3, 15, 16, 65, 257]))
        inputs = random_inputs(program, n_rows, rng)
        wanted = [v for v in range(len(program.types)) if v not in inputs]
        expected = reference.evaluate(program, inputs, wanted)
        # each table in an allocation of its own size: reading past its end is found
        flat = tuple(np.array(x.reshape(n_rows, t.size)) for x, t in
                     zip(inputs.values(), program.inputs, strict=True))  # fmt: skip
        for isa in range(native.best_isa() + 1):
            plan = native.NativePlan(program, tuple(inputs), wanted, isa=isa)
            _, found = plan.run(flat, n_rows, n_threads=1 + seed % 2)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
            for v, b in zip(wanted, expected, strict=True):
                _, (a,) = plan.run(flat, n_rows, prepared=plan.prepare([v]))
                np.testing.assert_array_equal(a, b)
    constants.LEAST_SAVED = saved
    compare_linear()
    compare_matmuls()
    compare_forests()
    print(f"{N_PROGRAMS} programs agreed")


if __name__ == "__main__":
    main()
