"""Local arrays of a function, one for each C type, that values of a program share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from skq.export.c99.ctypes import BYTES, unsigned


@dataclass(frozen=True)
class Buffer:
    """Elements of a C array, from an offset on, that hold a value.

    Parameters
    ----------
    array : str
    ctype : str
    offset : int
    """

    array: str
    ctype: str
    offset: int = 0

    def at(self, index: str) -> str:
        """Expression of one element."""
        if self.offset == 0:
            return f"{self.array}[{index}]"
        if index.isdigit() or index in ("0u",):
            return f"{self.array}[{unsigned(self.offset + int(index.rstrip('u')))}]"
        return f"{self.array}[{unsigned(self.offset)} + {index}]"

    @property
    def pointer(self) -> str:
        """Expression of the address of the first element."""
        return self.array if self.offset == 0 else f"{self.array} + {unsigned(self.offset)}"


@dataclass
class Workspace:
    """Allocates and frees buffers. The arrays are declared with the greatest size in use."""

    _free: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _end: dict[str, int] = field(default_factory=dict)

    def take(self, ctype: str, size: int) -> Buffer:
        """Allocate a buffer: in the first free range that is large enough."""
        gaps = self._free.setdefault(ctype, [])
        for k, (start, length) in enumerate(gaps):
            if length >= size:
                gaps[k : k + 1] = [(start + size, length - size)] if length > size else []
                return Buffer(_name(ctype), ctype, start)
        end = self._end.get(ctype, 0)
        start = end
        if gaps and sum(gaps[-1]) == end:  # grow the last gap
            start = gaps.pop()[0]
        self._end[ctype] = start + size
        return Buffer(_name(ctype), ctype, start)

    def give(self, buffer: Buffer, size: int) -> None:
        """Free a buffer."""
        gaps = sorted([*self._free.get(buffer.ctype, []), (buffer.offset, size)])
        merged: list[tuple[int, int]] = []
        for start, length in gaps:
            if merged and sum(merged[-1]) == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((start, length))
        self._free[buffer.ctype] = merged

    def declarations(self) -> Iterable[str]:
        """Lines that declare the arrays."""
        for ctype, end in sorted(self._end.items()):
            yield f"{ctype} {_name(ctype)}[{unsigned(end)}];"

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(BYTES[ctype] * end for ctype, end in self._end.items())


def _name(ctype: str) -> str:
    return {"float": "f32", "double": "f64"}.get(
        ctype, ctype.replace("uint", "u").replace("int", "i").removesuffix("_t")
    )
