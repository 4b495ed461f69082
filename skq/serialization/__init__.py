"""Reading and writing of values: one generic encoder to versioned JSON with a checksum.

The format is described in docs/concepts/file-format.md.
"""

from skq.serialization.document import dumps, from_document, loads, to_document
from skq.serialization.files import load, save
from skq.serialization.mixin import Serializable
from skq.serialization.registry import serializable

__all__ = [
    "Serializable",
    "dumps",
    "from_document",
    "load",
    "loads",
    "save",
    "serializable",
    "to_document",
]
