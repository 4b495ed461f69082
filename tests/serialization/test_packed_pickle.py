"""`packed_pickle` gives back every array as it was, in few bytes."""

import numpy as np
import pytest

from skq.serialization.packed_pickle import packed, unpacked


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


RNG = np.random.default_rng(0)
EXTREMES = [np.iinfo(np.int64).min, np.iinfo(np.int64).max, -1, 0, 1]
ARRAYS = {
    "few": np.arange(3),
    "empty": np.zeros((0, 4)),
    "rising": np.arange(-500, 1500).reshape(40, 50),
    "extremes": np.array(EXTREMES * 40),
    "unsigned": np.array([0, 2**64 - 1, 5] * 40, dtype=np.uint64),
    "bytes": RNG.integers(-128, 128, 999).astype(np.int8),
    "flags": RNG.random(999) < 0.5,
    "equal": np.full(999, 7),
    "floats": RNG.normal(size=(30, 40)),
    "few floats": RNG.normal(size=20)[RNG.integers(0, 20, (30, 40))],
    "special": np.array([0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 5e-324] * 40),
    "float32": RNG.normal(size=(30, 40)).astype(np.float32),
    "half": RNG.normal(size=(30, 40)).astype(np.float16),
    "transposed": RNG.normal(size=(30, 40)).T,
    "strided": RNG.integers(0, 9, (30, 40))[::2, ::3],
    "texts": np.array(["LEAF", "BRANCH_LEQ", "", "é"])[RNG.integers(0, 4, 999)],
    "many texts": np.array([str(i) for i in range(999)]),
    "objects": np.array([1, "a", None] * 99, dtype=object),
    "big endian": RNG.normal(size=99).astype(">f8"),
    "big endian integers": RNG.integers(-9, 9, 99).astype(">i4"),
    "complex": RNG.normal(size=99) + 1j,
    "dates": np.arange("2000-01-01", "2001-01-01", dtype="datetime64[D]"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_as_they_were(name):
    array = ARRAYS[name]
    data, used = packed({"a": array, "b": [array, 1]})
    again = unpacked(data, used)
    assert used == []
    if array.dtype == object:
        assert again["a"].tolist() == array.tolist()
        return
    assert same(again["a"], array)
    assert again["b"][0] is again["a"]


def test_all_arrays_in_one():
    again = unpacked(*packed(ARRAYS))
    assert all(same(again[k], a) for k, a in ARRAYS.items() if a.dtype != object)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_arrays_that_are_held_are_not_repeated(dtype):
    held = (RNG.normal(size=(30, 40)) * 1e6).astype(dtype)
    others = {"same": held.copy(), "transposed": held.T.copy(), "flat": held.reshape(-1, 1)}
    data, used = packed(others, [RNG.normal(size=1200), held])
    assert [array is held for array in used] == [True]
    assert len(data) < 300
    again = unpacked(data, used)
    for name, array in others.items():
        assert same(again[name], array)
        assert not np.shares_memory(again[name], held)


def test_an_array_that_differs_in_one_bit_is_written():
    held = np.zeros(200)
    other = held.copy()
    other[7] = -0.0
    data, used = packed(other, [held])
    assert used == []
    assert same(unpacked(data, used), other)


def test_arrays_of_the_values_of_another_are_numbers_into_it():
    values = RNG.normal(size=1000)
    many = values[RNG.integers(0, 1000, 10_000)]
    alone = len(packed(many)[0])
    assert alone < 0.4 * many.nbytes
    assert len(packed({"many": many, "values": np.unique(many)})[0]) < alone + 500
