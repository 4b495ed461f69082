"""Where in a document something is: ``$.program.instructions[3].weights``."""

from __future__ import annotations

from skq.exceptions import SerializationError


class Malformed(SerializationError):
    """Something is wrong here; the encoder or decoder that catches this adds the place."""


class Place:
    """The keys from the root to the value at hand.

    The encoder and the decoder push a key before each child and pop it after; an error leaves the
    keys as they were, so the text of this object is the place of the error.
    """

    def __init__(self) -> None:
        self.keys: list[str | int] = []

    def __str__(self) -> str:
        return "$" + "".join(_step(key) for key in self.keys)


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key!r:.80}]"
