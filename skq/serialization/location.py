"""The location of a value in a document, such as ``$.program.instructions[3].weights``."""

from __future__ import annotations

from skq.exceptions import SerializationError


class Malformed(SerializationError):
    """A value is invalid; the encoder or decoder that catches this adds its location."""


class Location:
    """The keys from the root to the current value.

    The encoder and the decoder push a key before each child and pop it afterwards. An error leaves
    the keys unchanged, so ``str`` of this object is the location of the error.
    """

    def __init__(self) -> None:
        self.keys: list[str | int] = []

    def __str__(self) -> str:
        return "$" + "".join(_step(key) for key in self.keys)


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key!r:.80}]"
