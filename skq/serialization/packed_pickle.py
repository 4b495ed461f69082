"""Pickles of few bytes: arrays are written narrow, and arrays that others hold are not repeated.

`packed` pickles a value, then compresses the pickle with zlib. Beforehand each array becomes bytes
that compress well:

======== ===================================================================================
integers less the minimum, in the narrowest type; differences of neighbours where that is
         shorter (the numbers of nodes in a tree rise by 1)
floats   as they are, or numbers into a rising array of the distinct ones where many are
         equal (thresholds of boosted trees); several arrays may use one such array
texts    numbers into a tuple of the distinct ones, where these are few (modes of nodes)
======== ===================================================================================

Of integers and floats of several bytes the first bytes of all elements are written, then the second
ones, and so on: high bytes are alike. Arrays come back with the same dtype, shape and bits, in C
order. For pickles only: files of skq are those of `skq.serialization.files`.
"""

from __future__ import annotations

import io
import pickle
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: zlib's default level: a twentieth shorter than the fastest, in about twice the time.
_LEVEL = 6
#: Arrays of fewer bytes are pickled as NumPy does it.
_SMALL = 128
#: Arrays of fewer bytes are not looked up among those that others hold.
_SMALLEST_SHARED = 512
#: Elements from which differences of neighbours are tried out.
_SAMPLE = 1 << 14
#: Distinct texts that are listed, at most.
_MOST_TEXTS = 16
#: Distinct values pay if they take at most this share of the bytes.
_PAYS = 0.8


def packed(value: Any, held: Iterable[Array] = ()) -> tuple[bytes, list[Array]]:
    """Pickle a value.

    Parameters
    ----------
    value : object
        Anything that can be pickled.
    held : iterable of ndarray
        Arrays that are pickled elsewhere. Where one has the elements of an array of `value`, in the
        same order or transposed, the latter is not written.

    Returns
    -------
    data : bytes
    used : list of ndarray
        Those of `held` that `unpacked` needs.
    """
    file = io.BytesIO()
    pickler = _Pickler(file, held)
    pickler.dump(value)
    return zlib.compress(file.getvalue(), _LEVEL), pickler.used


def unpacked(data: bytes, used: list[Array]) -> Any:
    """The value that `packed` pickled.

    Parameters
    ----------
    data : bytes
    used : list of ndarray
        As `packed` returned it.
    """
    return _Unpickler(io.BytesIO(zlib.decompress(data)), used).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, held: Iterable[Array]) -> None:
        super().__init__(file, protocol=5)
        self.used: list[Array] = []
        self._held: dict[tuple[str, int], list[Array]] = {}
        for array in held:
            if array.nbytes >= _SMALLEST_SHARED and array.dtype.kind in "fiu":
                self._held.setdefault((array.dtype.str, array.size), []).append(array)
        #: Rising arrays of the distinct bits of floats; they are written once.
        self._distinct: list[NDArray[np.int64]] = []

    def persistent_id(self, obj: Any) -> Any:
        """Number of an equal array that is held, whether to transpose it, and the shape."""
        if type(obj) is not np.ndarray or obj.nbytes < _SMALLEST_SHARED or not self._held:
            return None
        alike = self._held.get((obj.dtype.str, obj.size))
        bits = obj.tobytes() if alike else b""
        for array in alike or ():
            for transposed in (False, True) if array.ndim > 1 else (False,):
                if (array.T if transposed else array).tobytes() == bits:
                    known = [i for i, other in enumerate(self.used) if other is array]
                    if not known:
                        self.used.append(array)
                    number = known[0] if known else len(self.used) - 1
                    return number, transposed, obj.shape
        return None

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray or obj.nbytes < _SMALL:
            return NotImplemented
        kind = obj.dtype.kind
        if kind in "biu":
            return _read_integers, _written_integers(obj)
        if kind == "f":
            return self._floats(obj)
        if kind == "U":
            return _texts(obj) or NotImplemented
        return NotImplemented

    def _floats(self, array: Array) -> Any:
        dtype, shape = array.dtype.str, array.shape
        if array.dtype == np.float64:
            bits = np.ascontiguousarray(array).ravel().view(np.int64)
            for distinct in self._distinct:
                index = np.minimum(np.searchsorted(distinct, bits), len(distinct) - 1)
                if np.array_equal(distinct[index], bits):
                    return _read_distinct, (distinct, index, shape)
            distinct, index = np.unique(bits, return_inverse=True)
            width = _width(len(distinct) - 1)
            if 8 * len(distinct) + width * len(bits) <= _PAYS * 8 * len(bits):
                self._distinct.append(distinct)
                return _read_distinct, (distinct, index, shape)
        return _read_floats, (dtype, shape, _shuffled(array))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, used: list[Array]) -> None:
        super().__init__(file)
        self._used = used

    def persistent_load(self, pid: Any) -> Array:
        number, transposed, shape = pid
        array = self._used[number]
        return np.array(array.T if transposed else array, order="C").reshape(shape)


def _width(greatest: int) -> int:
    """Bytes of the narrowest unsigned type of NumPy that holds a number."""
    return next(width for width in (1, 2, 4, 8) if greatest < 256**width)


def _shuffled(array: Array) -> bytes:
    """The first bytes of all elements, then the second ones, and so on."""
    flat = np.ascontiguousarray(array).reshape(-1, 1).view(np.uint8)
    return flat.T.tobytes()


def _unshuffled(data: bytes, dtype: Any) -> Array:
    dtype = np.dtype(dtype)
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype)[:, 0]


def _written_integers(array: Array) -> tuple[Any, ...]:
    """Arguments of `_read_integers`."""
    flat = np.ascontiguousarray(array).ravel()
    flat = flat.view(np.uint8) if flat.dtype.kind == "b" else flat
    lo, hi = int(flat.min()), int(flat.max())
    dtype = np.dtype(f"<u{_width(hi - lo)}")
    # modulo 2**64, which a difference of any two integers of NumPy's fits
    narrow = (flat.astype(np.uint64) - np.uint64(lo % 2**64)).astype(dtype)
    steps = np.diff(narrow, prepend=dtype.type(0))
    lengths = [len(zlib.compress(_shuffled(part[:_SAMPLE]), 1)) for part in (narrow, steps)]
    is_steps = lengths[1] < lengths[0]
    data = _shuffled(steps if is_steps else narrow)
    return array.dtype.str, array.shape, lo, dtype.str, is_steps, data


def _read_integers(
    dtype: str, shape: tuple[int, ...], lo: int, narrow: str, is_steps: bool, data: bytes
) -> Array:
    values = _unshuffled(data, narrow)
    if is_steps:
        values = np.cumsum(values, dtype=values.dtype)
    result = values.astype(np.uint64) + np.uint64(lo % 2**64)
    return result.astype(dtype).reshape(shape)


def _read_floats(dtype: str, shape: tuple[int, ...], data: bytes) -> Array:
    return _unshuffled(data, dtype).reshape(shape)


def _read_distinct(distinct: NDArray[np.int64], index: Array, shape: tuple[int, ...]) -> Array:
    return np.asarray(distinct).view(np.float64)[index].reshape(shape)


def _texts(array: Array) -> Any:
    """Numbers into the distinct texts; None if these are too many."""
    flat = array.ravel()
    index = np.zeros(len(flat), dtype=np.uint8)
    texts: list[str] = []
    left = np.arange(len(flat))
    while len(left):
        if len(texts) == _MOST_TEXTS:
            return None
        texts.append(str(flat[left[0]]))
        differs = flat[left] != texts[-1]
        left = left[differs]
        index[left] += 1
    return _read_texts, (array.dtype.str, array.shape, tuple(texts), index)


def _read_texts(dtype: str, shape: tuple[int, ...], texts: tuple[str, ...], index: Array) -> Array:
    return np.array(texts, dtype=dtype)[index].reshape(shape)
