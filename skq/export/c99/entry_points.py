"""The C functions of an export: declarations, bodies, and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.export.c99.constants import Tables
from skq.export.c99.ctypes import BYTES, INT32, real, unsigned
from skq.export.c99.epilogue import Epilogue
from skq.export.c99.function import Body, Unit
from skq.export.c99.inputs import INTEGER_FEATURES, with_integer_inputs
from skq.export.c99.narrow import narrowed
from skq.export.c99.result import CReport
from skq.export.c99.subject import Output, Subject
from skq.export.c99.workspace import Buffer

#: Bytes of a stack frame on a 32-bit target, without the function's arrays: saved registers,
#: counters and spilled values.
FRAME_BYTES = 96


@dataclass(frozen=True)
class Function:
    """One function of the source.

    Parameters
    ----------
    declaration : str
        Without the semicolon.
    lines : list of str
        Its body.
    comment : str
    public : bool
        Whether the header declares it.
    inline : bool
        Whether the header defines it, so that it is compiled only where it is called.
    """

    declaration: str
    lines: list[str]
    comment: str
    public: bool = True
    inline: bool = False


class Plan:
    """The functions, tables and macros that the header and the source are written from."""

    def __init__(
        self,
        subject: Subject,
        name: str,
        features: str,
        optimize: str,
        asked: tuple[str, ...] | None,
        progmem: bool,
    ) -> None:
        self.subject, self.name, self.features, self.optimize = subject, name, features, optimize
        self.is_float = features == "float"
        self.type = "float" if self.is_float else f"{features}_t"
        self.outputs = subject.graph_outputs
        program = subject.program
        if not self.is_float:
            program = with_integer_inputs(program, features)
        self.program = program = narrowed(program)
        self.outputs = {
            key: Output(program.outputs[key], output.scale, output.zero_point)
            for key, output in self.outputs.items()
        }
        self.tables = Tables(name, progmem)
        self.unit = Unit(name, program, optimize == "size", self.type, self.tables)
        self.functions: list[Function] = []
        self.workspace_bytes = self.stack_bytes = 0
        self.uses_math = False
        self.scores = self._score_outputs()
        sizes = [program.types[o.value].size for o in self.scores]
        self.n_scores = sum(sizes)
        self.score_type = self._score_type()
        self.asked = asked if asked is not None else self._default()
        self._write()

    # ------------------------------------------------------------------ what there is

    def _score_outputs(self) -> list[Output]:
        """The real outputs whose integers ``name_scores`` gives."""
        is_real = {
            name: output for name, output in self.outputs.items() if not self._is_label(name)
        }
        read = {name for node in self.subject.epilogue.nodes for name in node.inputs}
        choices = [
            [n for n in self.subject.method("decision_function") if n in is_real],
            [n for n in self.subject.method("predict_proba") if n in is_real],
            [n for n in is_real if n in read],
            [n for n in self.subject.method("score_samples") if n in is_real],
            list(is_real),
        ]
        chosen = next((names for names in choices if names), [])
        return [is_real[n] for n in chosen]

    def _is_label(self, name: str) -> bool:
        """Whether an output of the program is a label: an integer that is not dequantized."""
        value = self.subject.program.outputs[name]
        return self.subject.program.types[value].is_integer

    def _score_type(self) -> str:
        ends = [e for o in self.scores for e in self.program.types[o.value].interval]
        narrow = all(INT32[0] <= e <= INT32[1] for e in ends)
        return "int32_t" if narrow else "int64_t"

    def _default(self) -> tuple[str, ...]:
        names = self.subject.method("predict")
        can_predict = bool(names) and (self.is_float or all(n in self.outputs for n in names))
        names = ("predict",) if can_predict else ()
        return (*names, "scores") if self.scores else names

    @property
    def ends_in_floats(self) -> bool:
        """Whether ``predict`` is computed in floats after the program."""
        return any(n not in self.outputs for n in self.subject.method("predict"))

    @property
    def arguments(self) -> str:
        """Parameters of every function: one array per input."""
        inputs = self.program.inputs
        names = ["x"] if len(inputs) == 1 else [f"x{k}" for k in range(len(inputs))]
        macro = f"{self.name.upper()}_N_FEATURES"
        sizes = [macro] if len(inputs) == 1 else [unsigned(max(1, t.size)) for t in inputs]
        return ", ".join(f"const {self.type} {n}[{s}]" for n, s in zip(names, sizes, strict=True))

    @property
    def passed(self) -> str:
        """Arguments that pass the inputs to another function."""
        count = len(self.program.inputs)
        return "x" if count == 1 else ", ".join(f"x{k}" for k in range(count))

    # ------------------------------------------------------------------ functions

    def _inputs(self) -> dict[int, Buffer]:
        names = self.passed.split(", ")
        return {k: Buffer(names[k], self.type) for k in range(len(self.program.inputs))}

    def _body(self, known: dict[int, Buffer], targets: dict[int, Buffer]) -> tuple[list[str], int]:
        body = Body(self.unit, known, targets)
        return [*body.workspace.declarations(), *body.lines], body.workspace.nbytes

    def _write(self) -> None:
        methods = {"predict": self._predict, "scores": lambda: None, "proba": self._proba}
        if "scores" in self.asked and not self.scores:
            raise UnsupportedModelError(f"{self.subject.title} has no scores in its program.")
        self._scores_written = False
        self._calls: list[int] = []
        if "scores" in self.asked:
            self._need_scores()
        for what in self.asked:
            methods[what]()
        self.workspace_bytes = max([self._scores_bytes, *self._calls])
        self.stack_bytes = self.workspace_bytes + 3 * FRAME_BYTES

    _scores_bytes = 0

    def _need_scores(self) -> str:
        """Write ``name_scores`` once; its name."""
        name = f"{self.name}_scores"
        if self._scores_written:
            return name
        self._scores_written = True
        targets: dict[int, Buffer] = {}
        start = 0
        for output in self.scores:
            root = self.unit.root(output.value)
            targets.setdefault(root, Buffer("out", self.score_type, start))
            start += self.program.types[output.value].size
        lines, self._scores_bytes = self._body(self._inputs(), targets)
        start = 0
        for output in self.scores:  # values that are returned twice
            size, buffer = (
                self.program.types[output.value].size,
                targets[self.unit.root(output.value)],
            )
            if buffer.offset != start:
                for k in range(size):
                    lines.append(f"out[{start + k}u] = out[{buffer.offset + k}u];")
            start += size
        public = "scores" in self.asked
        declaration = f"void {name}({self.arguments}, {self.score_type} out[{self.n_scores}])"
        self.functions.append(
            Function(
                declaration if public else f"static {declaration}",
                lines,
                "Integer scores; the macros above tell what they stand for.",
                public,
            )
        )
        return name

    def _from_scores(self, targets: dict[int, Buffer]) -> list[str] | None:
        """Statements that compute values from the scores alone; None where they cannot."""
        known, start = {}, 0
        for output in self.scores:
            known[self.unit.root(output.value)] = Buffer("s", self.score_type, start)
            start += self.program.types[output.value].size
        try:
            body = Body(self.unit, known, targets)
        except LookupError:
            return None
        name = self._need_scores()
        nbytes = body.workspace.nbytes + self.n_scores * BYTES[self.score_type]
        self._calls.append(nbytes + self._scores_bytes)
        return [
            f"{self.score_type} s[{self.n_scores}];",
            *body.workspace.declarations(),
            f"{name}({self.passed}, s);",
            *body.lines,
        ]

    def _values(self, targets: dict[int, Buffer]) -> list[str]:
        """Statements that compute values, from the scores where that is possible."""
        statements = self._from_scores(targets) if self.scores else None
        if statements is not None:
            return statements
        lines, size = self._body(self._inputs(), targets)
        self._calls.append(size)
        return lines

    def _predict(self) -> None:
        names = self.subject.method("predict")
        if not names:
            raise UnsupportedModelError(
                f"{self.subject.title} has no predict. Pass functions=['scores']."
            )
        if self.ends_in_floats:
            self._predict_in_floats(names)
        elif all(self._is_label(n) for n in names):
            self._predict_labels(names)
        else:
            self._predict_reals(names)

    def _predict_labels(self, names: tuple[str, ...]) -> None:
        values = [self.outputs[n].value for n in names]
        sizes = [self.program.types[v].size for v in values]
        total = sum(sizes)
        out = "label" if total == 1 else "out"
        targets, start = {}, 0
        for value, size in zip(values, sizes, strict=True):
            targets[value] = Buffer(out, "int32_t", start)
            start += size
        lines = self._values(targets)
        if total == 1:
            self.functions.append(
                Function(
                    f"int32_t {self.name}_predict({self.arguments})",
                    ["int32_t label[1];", *lines, "return label[0];"],
                    self._label_comment(),
                )
            )
        else:
            self.functions.append(
                Function(
                    f"void {self.name}_predict({self.arguments}, int32_t out[{total}])",
                    lines,
                    "Index of the class of each output.",
                )
            )

    def _label_comment(self) -> str:
        return (
            "Index of the class." if self.subject.classes else "The label: an index, or -1 and 1."
        )

    def _predict_reals(self, names: tuple[str, ...]) -> None:
        outputs = [self.outputs[n] for n in names]
        total = sum(self.program.types[o.value].size for o in outputs)
        prefix = self.name.upper()
        score = self._need_scores()
        if total == 1:
            kind = self.score_type
            self._calls.append(self._scores_bytes + BYTES[kind])
            self.functions.append(
                Function(
                    f"{kind} {self.name}_predict_integer({self.arguments})",
                    [f"{kind} s[1];", f"{score}({self.passed}, s);", "return s[0];"],
                    f"The value v that stands for (v - {prefix}_ZERO_POINT) * {prefix}_SCALE.",
                )
            )
            lines = [
                f"return (float)(((double){self.name}_predict_integer({self.passed}) "
                f"- {prefix}_ZERO_POINT) * {prefix}_SCALE);"
            ]
            declaration = f"float {self.name}_predict({self.arguments})"
        else:
            kind = self.score_type
            if "scores" not in self.asked and not self.is_float:
                self.functions[-1] = Function(
                    self.functions[-1].declaration.removeprefix("static "),
                    self.functions[-1].lines,
                    self.functions[-1].comment,
                )
            self._calls.append(self._scores_bytes + total * BYTES[kind])
            lines = [
                f"static const double zero_point[{total}] = {prefix}_ZERO_POINTS;",
                f"static const double scale[{total}] = {prefix}_SCALES;",
                f"{kind} s[{total}];",
                "uint_fast16_t i;",
                f"{score}({self.passed}, s);",
                f"for (i = 0u; i < {total}u; i++) {{",
                "    out[i] = (float)(((double)s[i] - zero_point[i]) * scale[i]);",
                "}",
            ]
            declaration = f"void {self.name}_predict({self.arguments}, float out[{total}])"
        self.functions.append(
            Function(declaration, lines, "The real value.", inline=not self.is_float)
        )

    # ------------------------------------------------------------------ floats

    def _epilogue(self, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Statements of the epilogue, and expressions of the elements of outputs."""
        if not self.is_float:
            raise UnsupportedModelError(
                f"{' and '.join(names)} of {self.subject.title} use floats, which is not "
                "supported for integer features. Use features='float', or compute them from the "
                "scores."
            )
        graph = self.subject.epilogue
        read = {i.name for i in graph.inputs}
        wanted = [n for n in read if n in self.outputs]
        targets: dict[int, Buffer] = {}
        given = {}
        start = 0
        for name in wanted:
            output = self.outputs[name]
            type_ = self.program.types[output.value]
            root = self.unit.root(output.value)
            if root not in targets:
                targets[root] = Buffer("q", "int64_t", start)
                start += type_.size
            scale, zero = (
                np.broadcast_to(np.asarray(v, np.float64), type_.shape).ravel()
                for v in (output.scale, output.zero_point)
            )
            offset = targets[root].offset
            given[name] = (
                [
                    f"(((double)q[{offset + k}u] - {real(zero[k])}) * {real(scale[k])})"
                    for k in range(type_.size)
                ],
                type_.shape,
            )
        lines = self._values(targets)
        needed = _needed(graph.nodes, names)
        epilogue = Epilogue(needed, graph.initializers, given)
        self.uses_math = self.uses_math or any("(" in line for line in epilogue.lines)
        self._calls[-1] += start * 8 + 8 * len(epilogue.lines)
        elements = [text for name in names for text in epilogue.elements(name)]
        return [f"int64_t q[{unsigned(max(1, start))}];", *lines, *epilogue.lines], elements

    def _predict_in_floats(self, names: tuple[str, ...]) -> None:
        lines, elements = self._epilogue(names)
        infos = {i.name: i for i in self.subject.epilogue.outputs}
        is_label = all(not infos[n].dtype.startswith("float") for n in names)
        kind = "int32_t" if is_label else "float"
        comment = self._label_comment() if is_label else "The real value."
        if len(elements) == 1:
            declaration = f"{kind} {self.name}_predict({self.arguments})"
            lines.append(f"return ({kind})({elements[0]});")
        else:
            declaration = f"void {self.name}_predict({self.arguments}, {kind} out[{len(elements)}])"
            lines += [f"out[{k}u] = ({kind})({e});" for k, e in enumerate(elements)]
        self.functions.append(Function(declaration, lines, comment))

    def _proba(self) -> None:
        names = self.subject.method("predict_proba")
        if not names:
            raise UnsupportedModelError(f"{self.subject.title} has no probabilities.")
        lines, elements = self._epilogue(names)
        for k, element in enumerate(elements):
            lines += [
                f"out[{k}u] = (float)({element});",
                f"out[{k}u] = out[{k}u] < 0.0F ? 0.0F : out[{k}u] > 1.0F ? 1.0F : out[{k}u];",
            ]
        declaration = f"void {self.name}_proba({self.arguments}, float out[{len(elements)}])"
        self.functions.append(Function(declaration, lines, "Probabilities of the classes."))

    # ------------------------------------------------------------------ facts

    def macros(self) -> list[str]:
        """Definitions of the header."""
        prefix = self.name.upper()
        program = self.program
        lines = [f"#define {prefix}_N_FEATURES {max(1, program.inputs[0].size)}"]
        if self.subject.classes and len(self.subject.classes) == 1:
            lines.append(f"#define {prefix}_N_CLASSES {len(self.subject.classes[0])}")
        if not self.scores:
            return lines
        lines.append(f"#define {prefix}_N_SCORES {self.n_scores}")
        scales: list[float] = []
        zeros: list[float] = []
        for output in self.scores:
            shape = program.types[output.value].shape
            for values, array in ((scales, output.scale), (zeros, output.zero_point)):
                values += np.broadcast_to(np.asarray(array, np.float64), shape).ravel().tolist()
        lines.append(f"/* a score s stands for (s - {prefix}_ZERO_POINT) * {prefix}_SCALE */")
        for what, values in (("SCALE", scales), ("ZERO_POINT", zeros)):
            if len(set(values)) == 1:
                lines.append(f"#define {prefix}_{what} {_signed(values[0])}")
            if len(values) > 1 and (len(set(values)) > 1 or self._needs_lists):
                texts = ", ".join(real(v) for v in values)
                lines.append(f"#define {prefix}_{what}S {{ {texts} }}")
        return lines

    @property
    def _needs_lists(self) -> bool:
        return any(
            f"{self.name.upper()}_SCALES" in line for f in self.functions for line in f.lines
        )

    def range_of_features(self) -> str:
        """What the features may be."""
        if self.is_float:
            return "any finite float; values beyond the calibrated ranges saturate"
        lo, hi = INTEGER_FEATURES[self.features]
        return f"integers in [{lo}, {hi}]; values beyond the calibrated ranges saturate"

    def report(self) -> CReport:
        """What the source needs."""
        declared = [f for f in self.functions if f.public]
        return CReport(
            self.name,
            self.features,
            self.optimize,
            tuple(f"{f.declaration};" for f in sorted(declared, key=_order)),
            self.tables.nbytes,
            tuple(self.tables.contents()),
            self.stack_bytes,
            self.workspace_bytes,
            self.program.max_accumulator_bits,
        )


def _order(function: Function) -> int:
    return 0 if "_predict(" in function.declaration else 1


def _signed(value: float) -> str:
    text = real(value)
    return f"({text})" if text.startswith("-") else text


def _needed(nodes: Any, names: tuple[str, ...]) -> list[Any]:
    """Nodes that the named outputs depend on, in order."""
    wanted, needed = set(names), []
    for node in reversed(tuple(nodes)):
        if wanted & set(node.outputs):
            needed.append(node)
            wanted.update(node.inputs)
    return needed[::-1]
