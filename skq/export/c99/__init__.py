"""C99 source of an integer program: two files without dependencies (see `to_c`)."""

from skq.export.c99.result import CReport, CSource
from skq.export.c99.to_c import to_c

__all__ = ["CReport", "CSource", "to_c"]
