"""Sums over trees: tables that a loop walks, or code.

For size, a node is the bits of its feature, threshold and skip (`skq.export.c99.steps.forest`)::

    for each tree:
        n = inner nodes of the tree
        while n: feature, threshold, skip = fields of the node
            left:  node += 1;        n = skip
            right: node += 1 + skip; leaf += 1 + skip; n -= 1 + skip
        add the terms of the leaf

For speed, each tree is a function of nested comparisons that returns its leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.export.c99.constants import Table
from skq.export.c99.ctypes import counter, literal, unsigned, working_type
from skq.export.c99.steps.forest import Forest, Terms

#: Greatest width of a field that can be read from four bytes, for any first bit.
FIELD_BITS = 25
_FIELD = """\
static uint32_t {name}(const uint8_t *data, uint32_t bit)
{{
    const uint32_t k = bit >> 3;
    const uint32_t word = (uint32_t){0} | ((uint32_t){1} << 8)
        | ((uint32_t){2} << 16) | ((uint32_t){3} << 24);
    return word >> (bit & 7u);
}}"""


def trees(body: Any, value: int) -> None:
    """Write the sum over trees."""
    unit, step = body.unit, body.unit.step(value)
    forest = Forest.of(step)
    target = body.buffer(value)
    x = body.buffer(step.inputs[0])
    if forest.n_outputs == 1:
        start, add = [f"{target.at('0u')} = 0;"], "0u"
    else:
        start = body.loop("i", forest.n_outputs, [f"{target.at('i')} = 0;"])
        add = ""
    body.write(*start)
    if not len(forest.sizes) or not forest.width:
        return
    leaves = _Leaves.of(unit, forest, value)
    walk = _walk_tables if unit.small else _walk_code
    body.write(*walk(body, value, forest, leaves, x, target, add))


def bits_of(largest: int) -> int:
    """Bits of a field that holds 0 to `largest`."""
    return max(1, int(largest).bit_length())


def field(unit: Any, table: Table, bit: str, mask: int | None, first: int = 0) -> str:
    """Expression of a field of a packed table."""
    sample = Table(table.prefix, "data", table.ctype, table.size, table.progmem)
    reads = [sample.at(f"k + {d}u" if d else "k") for d in range(4)]
    name = f"{unit.name}_field"
    unit.helper(name, _FIELD.format(*reads, name=name).splitlines())
    word = f"{name}({table.name}, {bit})"
    word = f"({word} >> {first})" if first else word
    return word if mask is None else f"({word} & {unsigned(mask)})"


@dataclass(frozen=True, eq=False)
class _Leaves:
    """How leaves are added: a tree returns a value, or the index of the first term of its row.

    Parameters
    ----------
    codes : list of int
        What the tree returns for each leaf.
    lines : callable
        Statements that add the result ``found`` of tree ``t``.
    """

    codes: list[int]
    terms: Terms | None
    bias: int
    table: Table | None
    layout: tuple[int, int]
    rows: Table | None = None

    @classmethod
    def of(cls, unit: Any, forest: Forest, value: int) -> _Leaves:
        values = forest.values
        if forest.width == 1:
            flat = values[:, 0]
            bias = -int(flat.min(initial=0)) if flat.min(initial=0) < 0 else 0
            if unit.small and not bias:
                bias = -int(flat.min(initial=0))
            spread = int(flat.max()) + bias
            direct = bits_of(spread)
            indexed = bits_of(len(flat) - 1)
            n = len(forest.leaf)
            cost = len(flat) * 8 * (1 if direct <= 8 else 2 if direct <= 16 else 4)
            if unit.small and (direct > FIELD_BITS or n * direct > n * indexed + cost):
                table = unit.tables.integers(flat, f"leaf values of value {value}")
                return cls([int(r) for r in forest.leaf], None, 0, None, (0, 0), table)
            codes = flat[forest.leaf] + (bias if unit.small else 0)
            return cls([int(v) for v in codes], None, bias if unit.small else 0, None, (0, 0))
        terms = Terms.of(values)
        bias = -min(0, *terms.value)
        value_bits = bits_of(max(terms.value) + bias)
        output_bits = bits_of(forest.width - 1)
        rows = None
        numbers = terms.value
        if 1 + output_bits + value_bits > 31:  # values in a separate table
            rows = unit.tables.integers(numbers, f"values of the terms of value {value}")
            numbers, bias, value_bits = [0] * len(numbers), 0, 0
        fields = [
            last | (output << 1) | ((v + bias) << (1 + output_bits))
            for output, v, last in zip(terms.output, numbers, terms.last, strict=True)
        ]
        width = 1 + output_bits + value_bits
        comment = f"terms of the leaves of value {value}: last, output, value"
        if unit.small and width <= FIELD_BITS and width not in (8, 16):
            table = unit.tables.bits(fields, width, comment)
        else:
            table = unit.tables.integers(fields, comment)
        starts = [terms.start[r] for r in forest.leaf]
        return cls(starts, terms, bias, table, (output_bits, value_bits), rows)

    def lines(self, body: Any, forest: Forest, target: Any, single: str) -> list[str]:
        """Statements that add the result ``found`` of tree ``t``."""
        unit = body.unit
        kind = working_type(*forest.partial_interval(), int(forest.values.min()),
                            int(forest.values.max()), int(forest.multiplier.max()))  # fmt: skip
        factor, first = _of_tree(unit, forest.multiplier, 1), _of_tree(unit, forest.output, 0)
        times = f" * ({kind}){factor}" if factor else ""
        if self.terms is None:
            value = f"({kind})found" if self.rows is None else f"({kind}){self.rows.at('found')}"
            value = f"({value} - {literal(self.bias)})" if self.bias else value
            element = target.at(single or (first or "0u"))
            return [f"{element} = ({target.ctype})(({kind}){element} + {value}{times});"]
        output_bits, _ = self.layout
        table = self.table
        assert table is not None
        packed = self.layout[0] + self.layout[1] + 1
        is_packed = unit.small and table.ctype == "uint8_t" and packed not in (8, 16) \
            and packed <= FIELD_BITS  # fmt: skip
        if is_packed:
            term = field(unit, table, f"(uint32_t)found * {packed}u", 2**packed - 1)
        else:
            term = f"(uint32_t){table.at('found')}"
        value = f"({kind})(term >> {1 + output_bits})"
        if self.rows is not None:
            value = f"({kind}){self.rows.at('found')}"
        value = f"({value} - {literal(self.bias)})" if self.bias else value
        index = f"((term >> 1) & {2**output_bits - 1}u)"
        element = target.at(f"{first} + o" if first else "o")
        return [
            "uint32_t term;",
            "do {",
            "    uint_fast16_t o;",
            f"    term = {term};",
            f"    o = (uint_fast16_t){index};",
            f"    {element} = ({target.ctype})(({kind}){element} + {value}{times});",
            "    found++;",
            "} while ((term & 1u) == 0u);",
        ]


def _of_tree(unit: Any, values: Any, usual: int) -> str:
    """Expression of a value of tree ``t``; "" if it is `usual` for all trees."""
    if np.all(values == usual):
        return ""
    if np.all(values == values[0]):
        return literal(int(values[0]))
    return str(unit.tables.integers(values, "outputs or multipliers of the trees").at("t"))


def _walk_tables(
    body: Any, value: int, forest: Forest, leaves: _Leaves, x: Any, target: Any, single: str
) -> list[str]:
    unit = body.unit
    lo, hi = unit.type(unit.step(value).inputs[0]).interval
    least = int(forest.threshold.min(initial=0)) if len(forest.threshold) else 0
    spread = int(forest.threshold.max(initial=0)) - least if len(forest.threshold) else 0
    widths = [
        bits_of(int(forest.feature.max(initial=0))),
        bits_of(spread),
        bits_of(int(forest.skip.max(initial=0))),
    ]
    kind = working_type(lo, hi, least, least + spread)
    columns = [forest.feature, forest.threshold - least, forest.skip]
    comment = (
        f"nodes of value {value}: feature {widths[0]}, threshold {widths[1]}, skip {widths[2]}"
    )
    if sum(widths) <= FIELD_BITS:
        fields = columns[0] | (columns[1] << widths[0]) | (columns[2] << (widths[0] + widths[1]))
        nodes = unit.tables.bits(fields.tolist(), sum(widths), comment)
        read = [f"const uint32_t f = {field(unit, nodes, f'node * {sum(widths)}u', None)};"]
        parts = [
            f"(f & {unsigned(2 ** widths[0] - 1)})",
            f"((f >> {widths[0]}) & {unsigned(2 ** widths[1] - 1)})",
            f"((f >> {widths[0] + widths[1]}) & {unsigned(2 ** widths[2] - 1)})",
        ]
    else:
        read, parts = [], []
        names = ("features", "thresholds", "skips")
        for column, width, name in zip(columns, widths, names, strict=True):
            text = f"{name} of the nodes of value {value}"
            if width > FIELD_BITS or width in (8, 16):
                kind_of = None if width > 16 else "uint8_t" if width == 8 else "uint16_t"
                parts.append(unit.tables.integers(column, text, kind_of).at("node"))
            else:
                table = unit.tables.bits(column.tolist(), width, text)
                parts.append(field(unit, table, f"node * {width}u", 2**width - 1))
    size = unit.tables.integers(forest.sizes, f"nodes of each tree of value {value}")
    threshold = f"({kind}){parts[1]}" + (f" + {literal(least)}" if least else "")
    leaf_bits = bits_of(max(leaves.codes))
    if leaf_bits > FIELD_BITS:
        codes = unit.tables.integers(leaves.codes, f"leaves of value {value}")
        found = f"(uint32_t){codes.at('leaf')}"
    elif leaf_bits in (8, 16):
        kind_of = "uint8_t" if leaf_bits == 8 else "uint16_t"
        codes = unit.tables.integers(leaves.codes, f"leaves of value {value}", kind_of)
        found = f"(uint32_t){codes.at('leaf')}"
    else:
        codes = unit.tables.bits(leaves.codes, leaf_bits, f"leaves of value {value}")
        found = field(unit, codes, f"leaf * {leaf_bits}u", 2**leaf_bits - 1)
    n_trees = len(forest.sizes)
    return [
        "{",
        "    uint32_t first = 0u; /* node of the tree */",
        f"    for ({counter(n_trees)} t = 0u; t < {unsigned(n_trees)}; t++) {{",
        f"        uint32_t n = (uint32_t){size.at('t')};",
        "        uint32_t node = first;",
        "        uint32_t leaf = first + (uint32_t)t;",
        "        uint32_t found;",
        "        first += n;",
        "        while (n != 0u) {",
        *(f"            {line}" for line in read),
        f"            const uint32_t skip = (uint32_t){parts[2]};",
        f"            const {kind} v = ({kind}){x.at(parts[0])};",
        f"            if (v <= {threshold}) {{",
        "                node++;",
        "                n = skip;",
        "            } else {",
        "                node += skip + 1u;",
        "                leaf += skip + 1u;",
        "                n -= skip + 1u;",
        "            }",
        "        }",
        f"        found = {found};",
        *(f"        {line}" for line in _in_block(leaves.lines(body, forest, target, single))),
        "    }",
        "}",
    ]


def _in_block(lines: list[str]) -> list[str]:
    return lines if len(lines) == 1 else ["{", *(f"    {line}" for line in lines), "}"]


def _walk_code(
    body: Any, value: int, forest: Forest, leaves: _Leaves, x: Any, target: Any, single: str
) -> list[str]:
    unit = body.unit
    least, greatest = min(leaves.codes), max(leaves.codes)
    kind = "uint_fast16_t" if least >= 0 and greatest <= 65535 else working_type(least, greatest)
    node = leaf = 0
    names = []
    for t, size in enumerate(forest.sizes):
        name = f"{unit.name}_tree_{value}_{t}"
        reads = "" if size else "    (void)x;"
        lines = _comparisons(forest, leaves.codes, node, leaf, int(size))
        lines = [f"static {kind} {name}(const {x.ctype} *x)", "{", reads, *lines, "}"]
        names.append(unit.helper(name, [line for line in lines if line]))
        node, leaf = node + int(size), leaf + int(size) + 1
    table = f"{unit.name}_trees_{value}"
    pointers = [f"    {name}," for name in names]
    declared = f"static {kind} (*const {table}[{unsigned(len(names))}])(const {x.ctype} *x) = {{"
    unit.helper(table, [declared, *pointers, "};"])
    found_kind = kind if leaves.terms is None else "uint_fast16_t"
    return [
        f"for ({counter(len(names))} t = 0u; t < {unsigned(len(names))}; t++) {{",
        f"    {found_kind} found = {table}[t]({x.pointer});",
        *(f"    {line}" for line in _in_block(leaves.lines(body, forest, target, single))),
        "}",
    ]


def _comparisons(
    forest: Forest, codes: list[int], node: int, leaf: int, size: int, depth: int = 1
) -> list[str]:
    """A subtree as nested comparisons; the smaller side of each is the nested one."""
    lines = []
    pad = "    " * depth
    while size:
        skip, element = int(forest.skip[node]), f"x[{int(forest.feature[node])}]"
        bound = literal(int(forest.threshold[node]))
        left = (node + 1, leaf, skip)
        right = (node + 1 + skip, leaf + skip + 1, size - 1 - skip)
        nested, rest, sign = (left, right, "<=") if left[2] <= right[2] else (right, left, ">")
        lines.append(f"{pad}if ({element} {sign} {bound}) {{")
        lines += _comparisons(forest, codes, *nested, depth + 1)
        lines.append(f"{pad}}}")
        node, leaf, size = rest
    return [*lines, f"{pad}return {literal(codes[leaf])};"]
