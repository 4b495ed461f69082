"""Aligned tables for the benchmarks."""

from __future__ import annotations

from collections.abc import Sequence


def line(cells: Sequence[object], widths: Sequence[int]) -> str:
    """One row: the first cell to the left, the others to the right; floats with three decimals."""
    texts = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells]
    first, *others = zip(texts, widths, strict=True)
    return "".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)])


def print_header(cells: Sequence[object], widths: Sequence[int]) -> None:
    """The row of names and the rule below it."""
    print(line(cells, widths))
    print("-" * sum(widths))
