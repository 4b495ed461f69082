"""What reading a document may cost: declared and counted before anything is allocated.

A few hundred bytes can declare a value of 10**9 elements, so each class says what an object of it
will take (`declare`) before it is built, in bytes. While a document is read, the sum is held
against the limit of the caller (``max_bytes``); what is not read from a document has no limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from skq.serialization.limits import LEAST_ROOM
from skq.serialization.place import Malformed

_READING: ContextVar[Budget | None] = ContextVar("skq_reading", default=None)


class Budget:
    """The limit of one document.

    Parameters
    ----------
    max_bytes : int
        Most bytes that its arrays may take, and most that its objects may declare, each; for
        objects that are no arrays at least `LEAST_ROOM`.
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
        """Count what an object is about to take."""
        self._declared += n_bytes
        self._check(self._declared, max(self.max_bytes, LEAST_ROOM), what)

    def _check(self, used: int, limit: int, what: str) -> None:
        if used > limit:
            raise Malformed(
                f"{what} passes the limit: at least {used} bytes are needed and max_bytes="
                f"{self.max_bytes} allows {limit}. Pass a larger max_bytes if you trust this file."
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Where `declare` counts."""
        token = _READING.set(self)
        try:
            yield
        finally:
            _READING.reset(token)


def declare(n_bytes: int, what: str) -> None:
    """Say what will be allocated, or worked on at a byte a step, before it is.

    Parameters
    ----------
    n_bytes : int
    what : str
        For the message.

    Raises
    ------
    SerializationError
        If a document is being read, and its limit does not allow for it.
    """
    budget = _READING.get()
    if budget is not None:
        budget.take(n_bytes, what)
