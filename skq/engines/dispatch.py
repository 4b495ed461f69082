"""Run integer programs on the engine of the settings, and name the engine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import engine_setting, threads_setting
from skq.engines import native
from skq.engines.plans import Plans
from skq.exceptions import SlowEngineWarning
from skq.kernels import layout
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Array = NDArray[Any]

#: Dtypes that the kernels read without a copy, by character.
_READ = frozenset("fd?bBhHiIlLqQ")
#: Rows of other dtypes are converted in pieces of this many bytes.
_CONVERT_BYTES = 16 * 1024 * 1024


class NonFiniteInput(Exception):
    """A float input has values that `run` must refuse; the caller raises the error for users."""


def engine_in_use() -> tuple[str, str]:
    """Name of the engine of the current settings, and why it is used."""
    asked = engine_setting()
    if asked != "auto":
        return asked, f"config: engine={asked!r}"
    if native.UNAVAILABLE is None:
        return "native", f"compiled kernels, {layout.ISA_NAMES[native.best_isa()]}"
    return "numpy", native.UNAVAILABLE


def run(
    program: IntegerProgram,
    inputs: Mapping[int, Array],
    targets: Sequence[int],
    *,
    n_threads: int | None = None,
    refuse: str | None = None,
    plans: Plans | None = None,
) -> list[Array]:
    """Compute values of a program from others; equal to `skq.engines.reference.evaluate`.

    Parameters
    ----------
    program : IntegerProgram
    inputs : mapping of int to ndarray of shape (n_rows, ...)
        Values that are given, by number: real inputs of any real dtype and memory order, or
        intermediate values as integers in their proven intervals.
    targets : sequence of int
        Numbers of the values to compute.
    n_threads : int, default=None
        Threads of the native engine; the results do not depend on it. None means the number of the
        settings, or 1 if they have none.
    refuse : {None, "nonfinite", "infinite"}, default=None
        Values that float inputs must not have: NaN and infinity, or only infinity.
    plans : Plans, default=None
        Compiled plans of this program; with None one is compiled for this run.

    Returns
    -------
    list of ndarray of shape (n_rows, ...)
        In the order of `targets`: int64, or float64 for the result of a Dequantize.

    Raises
    ------
    NonFiniteInput
        A real input holds what `refuse` names.
    ValueError
        A given integer is outside of its proven interval, or shapes do not fit.
    """
    arrays = {v: _fitted(array, program.types[v], v) for v, array in inputs.items()}
    n_rows = _same_length(arrays)
    engine = compiling_engine()
    if engine is None:
        for v, array in arrays.items():
            _check(array, program.types[v], v, refuse)
        # imported here, since a loaded model rarely needs it
        from skq.engines.reference import evaluate

        return evaluate(program, arrays, targets)
    wanted = tuple(t for t in dict.fromkeys(targets) if t not in arrays)
    plan = (Plans(program) if plans is None else plans).plan(tuple(inputs), wanted, engine)
    run_rows = partial(
        plan.run,
        n_threads=n_threads or _threads(),
        refuse=refuse,
        prepared=plan.prepare(wanted),
    )
    results = _run_any(program, plan.given, run_rows, arrays, n_rows)
    computed = dict(zip(wanted, results, strict=True))
    return [
        computed[t] if t in computed else _as_value(arrays[t], program.types[t]) for t in targets
    ]


def compiling_engine() -> str | None:
    """The engine of the settings that runs plans, "native" or "numpy"; None for the reference.

    Where "auto" falls back to "numpy" it warns, once.
    """
    engine = engine_setting()
    if engine == "reference":
        return None
    if engine == "auto":
        if native.UNAVAILABLE is None:
            return "native"
        _warn_once()
        return "numpy"
    return engine


@cache
def _warn_once() -> None:
    """Warn that predictions are slow, at the first one of the process."""
    warnings.warn(
        f"Predictions use the slower NumPy engine, because {native.UNAVAILABLE}. Install skq on a "
        "machine with a C compiler, or silence this warning with skq.set_config(engine='numpy').",
        SlowEngineWarning,
        stacklevel=2,
    )


def _threads() -> int:
    return threads_setting() or 1


def _run_any(
    program: IntegerProgram,
    given: tuple[int, ...],
    run_rows: Callable[[Sequence[Array], int], tuple[int, list[Array]]],
    arrays: Mapping[int, Array],
    n_rows: int,
) -> list[Array]:
    """Run rows of any dtype: those that the kernels cannot read are converted in pieces."""
    copied = sum(
        8 * program.types[v].size for v, array in arrays.items() if not _is_readable(array)
    )
    piece = max(1, _CONVERT_BYTES // copied) if copied else max(n_rows, 1)
    parts = []
    for start in range(0, max(n_rows, 1), piece):
        rows = min(piece, n_rows - start)
        flat = tuple(
            _readable(arrays[v][start : start + piece], program.types[v], v) for v in given
        )
        status, results = run_rows(flat, rows)
        if status == layout.NOT_FINITE:
            raise NonFiniteInput
        if status == layout.OUT_OF_RANGE:
            for v in given:
                _check(arrays[v], program.types[v], v, None)
        if status != layout.OK:
            raise RuntimeError(f"the engine returned the unknown status {status}")
        parts.append(results)
    if len(parts) == 1:
        return parts[0]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _fitted(array: Array, type_: TensorType, value: int) -> Array:
    array = np.asarray(array)
    if array.shape[1:] != type_.shape or array.ndim == 0:
        raise ValueError(
            f"value {value} of the program takes rows of shape {type_.shape}; "
            f"got an array of shape {array.shape}"
        )
    return array


def _same_length(arrays: Mapping[int, Array]) -> int:
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) != 1:
        raise ValueError(f"all inputs must have the same number of rows; got {sorted(lengths)}")
    return lengths.pop()


def _is_readable(array: Array) -> bool:
    dtype = array.dtype
    return dtype.char in _READ and dtype.isnative and (array.ndim == 2 or array.flags.c_contiguous)


def _readable(array: Array, type_: TensorType, value: int) -> Array:
    """The rows as an aligned array of two axes, of a dtype that the kernels read."""
    if type_.is_integer and array.dtype.kind not in "biu":
        array = array.astype(np.int64)
    if type_.is_integer and array.dtype.char in "LQ":
        _check(array, type_, value, None)
    if not array.dtype.isnative or array.dtype.char not in _READ:
        array = array.astype(np.float64 if not type_.is_integer else np.int64)
    if not array.flags.aligned:
        array = array.copy()
    return array.reshape(len(array), type_.size)


def _as_value(array: Array, type_: TensorType) -> Array:
    return np.asarray(array, dtype=np.int64 if type_.is_integer else None)


def _check(array: Array, type_: TensorType, value: int, refuse: str | None) -> None:
    """Check an input as the kernels do; for the other engines, and for the message of an error."""
    if not type_.is_integer:
        if array.dtype.kind == "f" and (
            (refuse == "nonfinite" and not np.isfinite(array).all())
            or (refuse == "infinite" and np.isinf(array).any())
        ):
            raise NonFiniteInput
        return
    lo, hi = type_.interval
    if array.size and (int(array.min()) < lo or int(array.max()) > hi):
        raise ValueError(
            f"value {value} of the program holds integers in [{lo}, {hi}]; "
            f"got [{int(array.min())}, {int(array.max())}]"
        )
