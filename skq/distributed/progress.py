"""A progress bar on the standard error stream."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

#: Characters of the bar.
WIDTH = 30


class ProgressBar:
    """A line that is overwritten at each update.

    Parameters
    ----------
    shown : {"auto", "always", "never"}
        "auto": where the stream is a terminal.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown == "always" or (shown == "auto" and sys.stderr.isatty())

    def __enter__(self) -> Self:
        return self

    def show(self, part: float, n_rows: int) -> None:
        """Show the part that is done, in [0, 1], and its number of rows."""
        if self._shown:
            bar = ("#" * round(part * WIDTH)).ljust(WIDTH, ".")
            print(f"\r[{bar}] {part:4.0%} {n_rows} rows", end="", file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            print(file=sys.stderr)
