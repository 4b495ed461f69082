"""Constant arrays of the source, and bits packed into bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.export.c99.ctypes import BYTES, ctype, literal, real, unsigned

#: Macro that reads a value of each type from the program memory of an AVR.
_PROGMEM_READS = {
    "uint8_t": "pgm_read_byte", "int8_t": "pgm_read_byte",
    "uint16_t": "pgm_read_word", "int16_t": "pgm_read_word",
    "int32_t": "pgm_read_dword", "int64_t": "", "float": "pgm_read_float",
}  # fmt: skip

LINE = 96


@dataclass(frozen=True)
class Table:
    """One constant array.

    Parameters
    ----------
    prefix, name, ctype : str
    size : int
        Elements.
    progmem : bool
        Whether reads go through the macros for an AVR's program memory.
    """

    prefix: str
    name: str
    ctype: str
    size: int
    progmem: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.size * BYTES[self.ctype]

    def at(self, index: str) -> str:
        """Expression of one element."""
        if self.progmem:
            return f"{self.prefix.upper()}_ROM_{self.ctype.upper()}({self.name}, {index})"
        return f"{self.name}[{index}]"


@dataclass(eq=False)
class Tables:
    """All constant arrays of a source; equal ones are one.

    Parameters
    ----------
    name : str
        Prefix of the identifiers.
    progmem : bool
    """

    name: str
    progmem: bool = False
    tables: list[Table] = field(default_factory=list)
    _comments: list[str] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _known: dict[tuple[Any, ...], Table] = field(default_factory=dict)

    def integers(self, values: Any, comment: str, kind: str | None = None) -> Table:
        """An array in the narrowest type."""
        flat = [int(v) for v in np.asarray(values, dtype=object).ravel()]
        kind = kind or ctype(min(flat, default=0), max(flat, default=0))
        return self._add(kind, tuple(literal(v, kind) for v in flat), comment)

    def reals(self, values: NDArray[np.float64], comment: str, kind: str = "double") -> Table:
        """An array of ``double`` or ``float``."""
        return self._add(kind, tuple(real(v, kind) for v in np.ravel(values)), comment)

    def bits(self, values: Sequence[int], width: int, comment: str, spare: int = 3) -> Table:
        """Fields of `width` bits each, lowest bits first, and `spare` bytes after the last."""
        return self.integers(packed_bits(values, width, spare), f"{comment}, {width} bits each",
                             "uint8_t")  # fmt: skip

    def _add(self, kind: str, texts: tuple[str, ...], comment: str) -> Table:
        key = (kind, texts)
        if key not in self._known:
            progmem = self.progmem and kind in _PROGMEM_READS
            table = Table(
                self.name, f"{self.name}_table{len(self.tables)}", kind, len(texts), progmem
            )
            self._known[key] = table
            self.tables.append(table)
            self._comments.append(comment)
            storage = f" {self.name.upper()}_ROM" if progmem else ""
            self._lines += [
                f"/* {comment} */",
                f"static const {kind} {table.name}[{unsigned(max(1, len(texts)))}]{storage} = {{",
                *_wrapped(texts or ("0",)),
                "};",
            ]
        return self._known[key]

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        return sum(table.nbytes for table in self.tables)

    def contents(self) -> list[tuple[str, int]]:
        """What each table holds, and its bytes."""
        return [
            (comment, table.nbytes)
            for comment, table in zip(self._comments, self.tables, strict=True)
        ]

    def definitions(self) -> list[str]:
        """Lines that define the arrays, and how they are read."""
        return [*self._macros(), *self._lines]

    def _macros(self) -> list[str]:
        if not self.progmem:
            return []
        prefix = self.name.upper()
        used = sorted({t.ctype for t in self.tables if t.progmem})
        on_avr = [
            f"#define {prefix}_ROM_{kind.upper()}(a, i) "
            f"(({kind}){_PROGMEM_READS[kind] or f'{self.name}_rom_64'}(&(a)[i]))"
            for kind in used
        ]
        if "int64_t" in used:
            on_avr += [
                f"static int64_t {self.name}_rom_64(const int64_t *address)",
                "{",
                "    int64_t value;",
                "    memcpy_P(&value, address, 8u);",
                "    return value;",
                "}",
            ]
        elsewhere = [f"#define {prefix}_ROM_{kind.upper()}(a, i) ((a)[i])" for kind in used]
        return [
            "#ifdef __AVR__",
            "#include <avr/pgmspace.h>",
            f"#define {prefix}_ROM PROGMEM",
            *on_avr,
            "#else",
            f"#define {prefix}_ROM",
            *elsewhere,
            "#endif",
        ]


def packed_bits(values: Sequence[int], width: int, spare: int = 0) -> list[int]:
    """Bytes of a stream of fields of `width` bits, lowest bits first.

    Examples
    --------
    >>> packed_bits([1, 2, 3], 4)
    [33, 3]
    """
    if not len(values):
        return [0] * (1 + spare)
    fields = np.array([int(v) for v in values], dtype=np.uint64)
    bits = (fields[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    data = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tolist()
    return [*data, *[0] * spare]


def _wrapped(texts: Sequence[str]) -> list[str]:
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > LINE:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return [*lines, line]
