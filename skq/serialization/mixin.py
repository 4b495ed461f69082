"""The methods of every object that can be written."""

from __future__ import annotations

from typing import Any, Self, TextIO

from skq.serialization.document import dumps, from_document, loads, to_document


class Serializable:
    """Adds writing and reading to a class that is registered with `serializable`."""

    def dump_dict(self) -> dict[str, Any]:
        """Return this object as a dict of plain JSON values; see `to_document`."""
        return to_document(self)

    def dumps(self) -> str:
        """Return this object as JSON text."""
        return dumps(self)

    def dump(self, file: TextIO) -> None:
        """Write this object as JSON text into an open text file."""
        file.write(self.dumps())

    @classmethod
    def load_dict(cls, metadata: dict[str, Any]) -> Self:
        """Read an object of this class from the dict of `dump_dict`."""
        return from_document(metadata, expected=cls)

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read an object of this class from the text of `dumps`."""
        return loads(text, expected=cls)

    @classmethod
    def load(cls, file: TextIO) -> Self:
        """Read an object of this class from an open text file."""
        return cls.loads(file.read())
