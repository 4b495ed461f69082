"""What cannot be written, and how classes are registered."""

import dataclasses

import numpy as np
import pytest

from skq.exceptions import SerializationError
from skq.serialization import Serializable, dumps, serializable, to_document
from tests.serialization.serialization_cases import Instruction, Model, Program, Unregistered


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, object()]}, r"\$\.a\[1\]: an object of class builtins\.object"),
        (Model(Unregistered([])), r"\$\.program: an object of class .*Unregistered cannot"),
        ({"a b": {1: 1j}}, r"\$\['a b'\]\['1'\]: an object of class builtins\.complex"),
        ([np.zeros(2, dtype=complex)], r"\$\[0\]: arrays of dtype complex128"),
        ([np.zeros(2, dtype="M8[s]")], r"\$\[0\]: arrays of dtype datetime64"),
        ((np.zeros(2, dtype=[("a", int)]),), r"\$\[0\]: arrays of dtype"),
        (np.ma.masked_array([1]), r"\$: an object of class numpy\.ma"),
        (np.array([1, object()], dtype=object), r"\$\[1\]: an object of class builtins\.object"),
        (int, r"\$: an object of class builtins\.type"),
    ],
)
def test_unknown_values_are_named_with_their_place(value, place):
    for write in (dumps, to_document):
        with pytest.raises(SerializationError, match=place):
            write(value)


def test_a_value_that_contains_itself():
    loop = []
    loop.append(loop)
    with pytest.raises(SerializationError, match=r"\$\[0\].*: nested deeper than 100 levels"):
        dumps(loop)


def test_a_class_that_is_defined_again_takes_the_place_of_the_former():
    def define():
        @serializable("test.notebook-cell")
        @dataclasses.dataclass(frozen=True)
        class Cell(Serializable):
            width: int

        return Cell

    former, cls = define(), define()
    assert type(cls.loads(cls(3).dumps())) is cls is not former


def test_a_name_and_a_class_are_registered_once():
    with pytest.raises(ValueError, match="cannot register .*Other.* as 'test.program'"):

        @serializable("test.program", fields=())
        class Other:
            pass

    with pytest.raises(ValueError, match="is registered as 'test.program'"):
        serializable("test.program2", fields=())(Program)


def test_a_class_says_what_to_write():
    class Odd(Instruction):
        def __init__(self, size):
            super().__init__("odd", np.zeros((size, size)))

    with pytest.raises(TypeError, match="Odd.* does not define the fields"):
        serializable("test.odd")(Odd)
    with pytest.raises(TypeError, match="does not define the fields"):
        serializable("test.silent")(type("Silent", (), {}))
