"""The limit on the memory and time that reading a document may need.

A document of a few hundred bytes can declare a value of 10**9 elements. So each class calls
`declare` with the bytes that an object will need before it is built. While a document is read, the
sum must not exceed the limit of the caller (``max_bytes``). Objects that are not read from a
document have no limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from skq.serialization.limits import LEAST_ROOM
from skq.serialization.location import Malformed

_READING: ContextVar[Budget | None] = ContextVar("skq_reading", default=None)


class Budget:
    """The limit of one document.

    Parameters
    ----------
    max_bytes : int
        Most bytes that all its arrays may need, and most that all its objects may declare. The
        limit for objects is at least `LEAST_ROOM`.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._arrays = 0
        self._declared = 0

    def take_array(self, n_bytes: int, what: str) -> None:
        """Count the bytes of an array that is about to be unpacked."""
        self._arrays += n_bytes
        self._check(self._arrays, self.max_bytes, what)

    def take(self, n_bytes: int, what: str) -> None:
        """Count the bytes that a value or an object needs."""
        self._declared += n_bytes
        self._check(self._declared, max(self.max_bytes, LEAST_ROOM), what)

    def _check(self, used: int, limit: int, what: str) -> None:
        if used > limit:
            raise Malformed(
                f"{what} exceeds the limit: at least {used} bytes are needed and max_bytes="
                f"{self.max_bytes} allows {limit}. Pass a larger max_bytes if you trust this file."
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Context in which `declare` counts for this budget."""
        token = _READING.set(self)
        try:
            yield
        finally:
            _READING.reset(token)


def declare(n_bytes: int, what: str) -> None:
    """Count the bytes that an object needs, before it is built; a step of work counts as a byte.

    Parameters
    ----------
    n_bytes : int
    what : str
        Name of the object, for the error message.

    Raises
    ------
    SerializationError
        If a document is being read and its limit does not allow it.
    """
    budget = _READING.get()
    if budget is not None:
        budget.take(n_bytes, what)
