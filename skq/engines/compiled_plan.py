"""`CompiledPlan`: what the plans of the native engine and of the NumPy engine share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from skq.kernels import layout

Array = NDArray[Any]
#: Takes the list of inputs, as for `CompiledPlan.run`, ``n_rows``, ``n_threads`` and a number of
#: `layout.REFUSE`. Returns the list of results, or the status if there are none.
Prepared = Callable[[list[Array], int, int, int], Any]


class CompiledPlan:
    """A program compiled for some inputs and targets; immutable, so that threads may share it.

    Parameters
    ----------
    given : sequence of int
        Numbers of the values that runs get as inputs.
    targets : sequence of int
        Numbers of the values that runs may compute, none of them in `given`.
    """

    _all: Prepared  # computes all targets

    def __init__(self, given: Sequence[int], targets: Sequence[int]) -> None:
        self.given, self.targets = tuple(given), tuple(targets)

    def __reduce__(self) -> str:
        raise TypeError("a plan is made from its program; pickle its program instead")

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays of the plan."""
        raise TypeError(f"{type(self).__name__} has no arrays")

    def prepare(self, wanted: Sequence[int]) -> Prepared:
        """A function that computes some of the targets, which may repeat."""
        distinct = tuple(dict.fromkeys(wanted))
        run = self._prepare(distinct)
        if len(distinct) == len(wanted):
            return run
        order = [distinct.index(number) for number in wanted]

        def run_and_repeat(inputs: list[Array], n_rows: int, n_threads: int, refuse: int) -> Any:
            results = run(inputs, n_rows, n_threads, refuse)
            return [results[k] for k in order] if type(results) is list else results

        return run_and_repeat

    def _prepare(self, wanted: tuple[int, ...]) -> Prepared:
        """`prepare` for targets that are all different."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    def run(
        self,
        inputs: Sequence[Array],
        n_rows: int,
        n_threads: int = 1,
        refuse: str | None = None,
        prepared: Prepared | None = None,
    ) -> tuple[int, list[Array]]:
        """Compute the prepared targets, or all: the status (`layout.OK` …) and the results.

        Parameters
        ----------
        inputs : sequence of ndarray of shape (n_rows, size)
            Rows of the given values, flattened, in the order of `given`; any strides. The status
            is `layout.UNREADABLE` for arrays of another shape or of a dtype, byte order or
            alignment that the engine does not read.
        n_rows : int
        n_threads : int, default=1
            Threads of the native engine.
        refuse : {None, "infinite", "nonfinite"}, default=None
            Values that float inputs must not have.
        prepared : callable, default=None
            Result of `prepare`.
        """
        code = layout.REFUSE[refuse]
        results = (prepared or self._all)(list(inputs), n_rows, n_threads, code)
        return (layout.OK, results) if type(results) is list else (results, [])
