"""Every instruction as C99: random programs and networks, equal to the reference engine."""

import numpy as np
import pytest

from skq.engines import reference
from skq.exceptions import UnsupportedModelError
from skq.export import to_c
from skq.graph.graph import FloatGraph, TensorInfo
from skq.program import Dequantize
from skq.program import instructions as ins
from skq.quantization import get_n_bits_dict
from skq.quantization.quantized_module import QuantizedModule
from tests.export.host import Batch, compilers
from tests.program.random_programs import random_program

pytestmark = pytest.mark.skipif(not compilers(), reason="needs gcc or clang")

KINDS = [k for k in ins.INSTRUCTIONS if k not in (ins.Quantize, ins.Bin, Dequantize)]
N_PROGRAMS = 40


def as_model(program):
    """A program as `to_c` takes it: its outputs are scores."""
    infos = tuple(
        TensorInfo(
            name,
            "int64" if program.types[v].is_integer else "float64",
            (None, *program.types[v].shape),
        )
        for name, v in program.outputs.items()
    )
    return QuantizedModule(program, FloatGraph((), {}, infos, infos), get_n_bits_dict(8))


def with_real_outputs(program):
    """The same program, with every integer output dequantized."""
    steps, outputs = list(program.instructions), {}
    for name, value in program.outputs.items():
        if value < len(program.inputs):
            continue
        if program.types[value].is_integer:
            steps.append(Dequantize((value,), np.array(1.0), np.array(0.0)))
            value = len(program.inputs) + len(steps) - 1
        outputs[name] = value
    return type(program)(program.inputs, tuple(steps), outputs)


def random_rows(program, n_rows, rng):
    size = program.inputs[0].size
    rows = np.concatenate(
        [
            rng.normal(size=(n_rows, size)) * 4,
            rng.normal(size=(n_rows, size)) * 1e4,
            np.round(rng.normal(size=(n_rows, size)) * 3, 1),
            np.round(rng.normal(size=(n_rows, size)) * 3),
        ]
    )
    rows[0, : size // 2] = np.nan
    return rows.astype(np.float32)


def expected(program, rows):
    values = []
    for value in program.outputs.values():
        step = program.instructions[value - len(program.inputs)]
        values.append(step.inputs[0] if isinstance(step, Dequantize) else value)
    shaped = rows.reshape(len(rows), *program.inputs[0].shape).astype(np.float64)
    found = reference.evaluate(program, {0: shaped}, values)
    return np.concatenate([f.reshape(len(rows), -1) for f in found], axis=1)


def test_random_programs(tmp_path):
    batch = Batch(tmp_path)
    rng = np.random.default_rng(0)
    cases, used, refused = {}, set(), set()
    for seed in range(4 * N_PROGRAMS):
        program = random_program(list(ins.INSTRUCTIONS), seed)
        if len(program.inputs) != 1 or not program.inputs[0].size or len(cases) == N_PROGRAMS:
            continue
        program = with_real_outputs(program)
        if not expected(program, random_rows(program, 1, rng)).size:
            continue
        name = f"p{seed}"
        try:
            files = to_c(
                as_model(program), name=name, optimize=("size", "speed")[seed % 2],
                functions=["scores"],
            )  # fmt: skip
        except UnsupportedModelError as error:
            refused.add(str(error))
            continue
        used |= {type(step) for step in program.instructions}
        batch.add(files, program.inputs[0].size)
        cases[name] = program
    assert used == set(ins.INSTRUCTIONS)
    assert all("more than 32 bits" in text or "several parents" in text for text in refused)
    batch.build()
    for name, program in cases.items():
        rows = random_rows(program, 10, rng)
        assert np.array_equal(batch.run(name, rows)["scores"], expected(program, rows)), name
