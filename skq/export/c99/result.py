"""The result of `to_c`: two files, and a report on them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CReport:
    """Memory of an exported model; bytes have 8 bits.

    Parameters
    ----------
    name : str
    features, optimize : str
        Arguments of `to_c`.
    functions : tuple of str
        Declarations.
    constant_bytes : int
        Bytes of all tables, in flash, without the code.
    tables : tuple of (str, int)
        Content of each table, and its bytes.
    stack_bytes : int
        Greatest stack use of one call on a 32-bit target, stack frames included.
    workspace_bytes : int
        Bytes of local arrays, which are part of `stack_bytes`.
    accumulator_bits : int
        Width of the widest exact sum.
    """

    name: str
    features: str
    optimize: str
    functions: tuple[str, ...]
    constant_bytes: int
    tables: tuple[tuple[str, int], ...]
    stack_bytes: int
    workspace_bytes: int
    accumulator_bits: int

    def __str__(self) -> str:
        lines = [
            f"{self.name}: features as {self.features}, optimized for {self.optimize}",
            *(f"  {declaration}" for declaration in self.functions),
            f"constants   {self.constant_bytes:>7} bytes of flash, plus the code",
            *(f"  {size:>7}  {what}" for what, size in self.tables),
            f"stack       {self.stack_bytes:>7} bytes at most "
            f"({self.workspace_bytes} in local arrays); no static RAM, no heap",
            f"accumulator {self.accumulator_bits:>7} bits at most",
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class CSource:
    """A model as C99: a header and a source.

    Parameters
    ----------
    name : str
        Prefix of all identifiers, and of the files.
    header, source : str
        Texts of ``name.h`` and ``name.c``.
    """

    name: str
    header: str
    source: str
    _report: CReport

    def write(self, directory: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write ``name.h`` and ``name.c``.

        Parameters
        ----------
        directory : str or path-like
            Created if it does not exist.

        Returns
        -------
        tuple of Path
            Of the header and the source.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / f"{self.name}.h", folder / f"{self.name}.c"
        for path, text in zip(paths, (self.header, self.source), strict=True):
            path.write_text(text, encoding="ascii", newline="\n")
        return paths

    def report(self) -> CReport:
        """Functions, flash, stack and widths; prints as a table."""
        return self._report
