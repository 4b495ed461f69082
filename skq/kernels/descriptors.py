"""Descriptors of a plan: the structs of `layout.FIELDS` as numbers of variable length.

``csrc/skq_kernels.h`` defines the encoding; ``csrc/skq_descriptors.inc`` reads it, once per run.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skq.kernels.layout import FIELDS

_NAMES = {struct: fields.replace("*", "").split() for struct, fields in FIELDS.items()}
_ADDRESSES = {name[1:] for fields in FIELDS.values() for name in fields.split() if name[0] == "*"}
#: Fields whose presence is encoded in one byte, with one bit each.
_FIELDS_A_BYTE = 7
#: The highest bit of a byte: there is another one.
_MORE = 0x80


class Descriptors:
    """Writes structs and numbers, one after the other."""

    def __init__(self) -> None:
        self._written = bytearray()
        self._address = 0

    def array(self) -> NDArray[np.uint8]:
        """All bytes written."""
        return np.frombuffer(bytes(self._written), np.uint8)

    def number(self, number: int) -> None:
        """Append a number of at most 64 signed bits."""
        left = 2 * number if number >= 0 else -2 * number - 1
        while left >= _MORE:
            self._written.append(left & (_MORE - 1) | _MORE)
            left >>= 7
        self._written.append(left)

    def struct(self, kind: str, numbers: Mapping[str, int]) -> None:
        """Append a struct of `layout.FIELDS`; fields that `numbers` lacks are zero."""
        names = _NAMES[kind]
        unknown = numbers.keys() - set(names)
        if unknown:
            raise KeyError(f"a {kind} has no fields {', '.join(sorted(unknown))}")
        present = [bool(numbers.get(name)) for name in names]
        used = max((i + 1 for i, is_present in enumerate(present) if is_present), default=1)
        for start in range(0, used, _FIELDS_A_BYTE):
            here = range(start, min(start + _FIELDS_A_BYTE, used))
            bits = sum(present[i] << (i - start) for i in here)
            self._written.append(bits | _MORE * (start + _FIELDS_A_BYTE < used))
            for name in (names[i] for i in here if present[i]):
                number = int(numbers[name])
                if name in _ADDRESSES:
                    number, self._address = number - self._address, number
                self.number(number)
