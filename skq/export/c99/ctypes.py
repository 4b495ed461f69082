"""C types and literals that do not depend on the width of `int`."""

from __future__ import annotations

from skq.exceptions import UnsupportedModelError

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)

#: Types of constants and buffers, narrowest first. uint32_t is left out, so that all arithmetic is
#: signed: what does not fit an int32_t is an int64_t.
TYPES: dict[str, tuple[int, int]] = {
    "uint8_t": (0, 255),
    "int8_t": (-128, 127),
    "uint16_t": (0, 65535),
    "int16_t": (-(2**15), 2**15 - 1),
    "int32_t": INT32,
    "int64_t": INT64,
}

BYTES = {
    "uint8_t": 1, "int8_t": 1, "uint16_t": 2, "int16_t": 2, "uint32_t": 4, "int32_t": 4,
    "int64_t": 8, "float": 4, "double": 8,
}  # fmt: skip


def ctype(lo: int, hi: int) -> str:
    """Narrowest type that holds every integer in [lo, hi].

    Examples
    --------
    >>> ctype(0, 255), ctype(-1, 255), ctype(0, 2**31)
    ('uint8_t', 'int16_t', 'int64_t')
    """
    for name, (least, greatest) in TYPES.items():
        if least <= lo and hi <= greatest:
            return name
    raise UnsupportedModelError(f"[{lo}, {hi}] does not fit 64 bits.")


def working_type(*bounds: int) -> str:
    """Type of an arithmetic whose operands and results stay within these bounds."""
    fits = all(INT32[0] <= bound <= INT32[1] for bound in bounds)
    return "int32_t" if fits else "int64_t"


def counter(size: int) -> str:
    """Type of a loop counter that reaches `size`."""
    return "uint_fast16_t" if size <= 65535 else "uint32_t"


def literal(value: int, kind: str | None = None) -> str:
    """An integer constant of at least 32 bits, or of 64 where the type or the value needs it.

    Examples
    --------
    >>> literal(5), literal(70000), literal(-(2**63))
    ('5', 'INT32_C(70000)', '(-INT64_MAX - 1)')
    """
    value = int(value)
    if kind in (None, "int64_t", "int32_t"):
        if value == INT64[0]:
            return "(-INT64_MAX - 1)"
        if value == INT32[0]:
            return "(-INT32_MAX - 1)"
    if -32767 <= value <= 32767:
        return str(value)
    macro = "INT32_C" if INT32[0] <= value <= INT32[1] else "INT64_C"
    return f"{macro}({value})" if value >= 0 else f"-{macro}({-value})"


def unsigned(value: int) -> str:
    """An index, as an unsigned constant.

    Examples
    --------
    >>> unsigned(16), unsigned(70000)
    ('16u', 'UINT32_C(70000)')
    """
    return f"{value}u" if value <= 65535 else f"UINT32_C({value})"


def real(value: float, kind: str = "double") -> str:
    """A real constant, exactly.

    Examples
    --------
    >>> real(0.1), real(3.0, "float")
    ('0.1', '3.0F')
    """
    return f"{float(value)!r}{'F' if kind == 'float' else ''}"
