"""Every instruction has its part in every place; `pytest -s` prints the matrix."""

import pytest

from skq.engines import numpy_engine, reference
from skq.kernels import layout
from skq.kernels.steps import EMITTERS
from skq.program import INSTRUCTIONS
from skq.program import instructions as ins
from skq.serialization.registry import entry_of
from tests.program.random_programs import MAKERS

#: Instructions that need no step of the kernels: the result stands where the operand does.
NO_STEP = {ins.Reshape}
#: Instructions that the reference engine computes in `execute`, as they need the operand's type.
WITH_TYPES = {ins.Table}


def matrix():
    """For each instruction what each place has for it."""
    return {
        cls.__name__: {
            "file": entry_of(cls).name if entry_of(cls) else "",
            "reference": "execute" if cls in WITH_TYPES else name_of(reference.RULES.get(cls)),
            "numpy": name_of(numpy_engine.RULES.get(cls, reference.execute)),
            "native": name_of(EMITTERS.get(cls)),
            "parameters": "(none)" if cls in NO_STEP else layout.PARAMETERS.get(cls.__name__, ""),
            "random programs": name_of(MAKERS.get(cls)),
        }
        for cls in INSTRUCTIONS
    }


def name_of(function):
    return "" if function is None else getattr(function, "__name__", type(function).__name__)


def test_every_instruction_is_in_every_place():
    rows = matrix()
    places = list(next(iter(rows.values())))
    print(" ".join(f"{text:16}" for text in ("instruction", *places)))
    for name, row in rows.items():
        print(" ".join(f"{text:16}" for text in (name, *row.values())))
    missing = {(name, place) for name, row in rows.items() for place in places if not row[place]}
    assert not missing
    assert len(places) <= 6


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("reference", set(reference.RULES) | WITH_TYPES),
        ("native", set(EMITTERS)),
        ("random programs", set(MAKERS)),
    ],
)
def test_no_place_has_more(name, table):
    assert table == set(INSTRUCTIONS)


def test_parameters_are_those_of_steps():
    """Linear is Quantize and MatMul in one step, not an instruction."""
    steps = {cls.__name__ for cls in INSTRUCTIONS if cls not in NO_STEP}
    assert set(layout.PARAMETERS) == steps | {"Linear"}
    assert set(layout.PARAMETERS.values()) <= set(layout.FIELDS)
