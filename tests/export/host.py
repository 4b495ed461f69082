"""Exported sources on the host: built in batches, run on rows, read back as arrays."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZED = [
    "-O0",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
]

DTYPES = {
    "float": np.float32,
    "int8_t": np.int8,
    "uint8_t": np.uint8,
    "int16_t": np.int16,
    "uint16_t": np.uint16,
    "int32_t": np.int32,
    "uint32_t": np.uint32,
    "int64_t": np.int64,
}

_DECLARATION = re.compile(r"(\w+) (\w+)\((.*)\);")


@dataclass
class Function:
    """A function of a source, as its declaration tells it."""

    name: str
    returned: str
    out: str | None
    size: int

    @property
    def kind(self):
        return self.returned if self.out is None else self.out

    @classmethod
    def of(cls, declaration):
        returned, name, parameters = _DECLARATION.fullmatch(declaration).groups()
        last = parameters.split(", ")[-1]
        found = re.fullmatch(r"(\w+) out\[(\d+)\]", last)
        if found is None:
            return cls(name, returned, None, 1)
        return cls(name, returned, found[1], int(found[2]))


def compilers():
    """gcc and clang, where they are."""
    return [name for name in ("gcc", "clang") if shutil.which(name)]


def driver(files, n_features, passed="x"):
    """C functions that run all functions of a source on rows from a file."""
    kind = "float" if files.report().features == "float" else f"{files.report().features}_t"
    lines = [
        f"static void run_{files.name}(FILE *in, FILE *out)",
        "{",
        f"    {kind} x[{n_features}];",
    ]
    functions = [Function.of(d) for d in files.report().functions]
    lines.append("    while (fread(x, sizeof x, 1, in) == 1) {")
    for function in functions:
        lines.append(f"        {{ {function.kind} y[{function.size}];")
        if function.out is None:
            lines.append(f"          y[0] = {function.name}(x);")
        else:
            lines.append(f"          {function.name}(x, y);")
        lines.append("          fwrite(y, sizeof y, 1, out); }")
    return [*lines, "    }", "}"]


@dataclass
class Batch:
    """Sources that are built into one program."""

    folder: Path
    files: dict = field(default_factory=dict)

    def add(self, files, n_features):
        files.write(self.folder)
        self.files[files.name] = (files, n_features)

    def build(self, compiler="gcc", flags=SANITIZED):
        """Compile every source strictly, with a driver, into one program."""
        lines = ["#include <stdio.h>", "#include <string.h>"]
        lines += [f'#include "{name}.h"' for name in self.files]
        for files, n_features in self.files.values():
            lines += driver(files, n_features)
        lines += ["int main(int argc, char **argv)", "{", "    (void)argc;"]
        lines += [
            f'    if (strcmp(argv[1], "{name}") == 0) {{ run_{name}(stdin, stdout); }}'
            for name in self.files
        ]
        lines += ["    return 0;", "}"]
        main = self.folder / "main.c"
        main.write_text("\n".join(lines) + "\n")
        self.program = self.folder / f"program_{compiler}"
        sources = [self.folder / f"{name}.c" for name in self.files]  # all statics must be used
        run = subprocess.run(
            [compiler, *STRICT, *flags, "-o", self.program, main, *sources, "-lm"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr[:4000]
        return self

    def run(self, name, rows):
        """What each function gives for rows: {function: ndarray of shape (n_rows, size)}."""
        files, n_features = self.files[name]
        kind = "float" if files.report().features == "float" else f"{files.report().features}_t"
        data = np.ascontiguousarray(rows.reshape(len(rows), n_features), DTYPES[kind])
        run = subprocess.run(
            [self.program, name], input=data.tobytes(), capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr.decode()[:4000]
        functions = [Function.of(d) for d in files.report().functions]
        dtype = np.dtype([(f.name, DTYPES[f.kind], (f.size,)) for f in functions])
        found = np.frombuffer(run.stdout, dtype)
        assert len(found) == len(rows)
        return {f.name.removeprefix(f"{files.name}_"): found[f.name] for f in functions}
