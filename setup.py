"""The native engine and the inner loops of the search, as extensions where there is a C compiler.

Without one skq installs and runs on NumPy: the wheel is then a pure one. `SKQ_NO_EXTENSIONS=1`
builds that wheel where there is a compiler, too.
"""

import os
import sys
import tempfile
from glob import glob

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext

WITHOUT_COMPILER = """
skq is built without its compiled kernels: {reason}.
Predictions are the same, and run on NumPy, more slowly. For the kernels install a C compiler (on
Debian: apt-get install gcc python3-dev) and install skq again.
"""


class BuildKernels(build_ext):
    """Compile strictly as C99, doubles rounded at every step, where the compiler has such flags.

    CPython's own -fwrapv is taken back: no integer of the kernels overflows, and where counters of
    loops might wrap they are slower (forests by a sixth). Symbols are stripped: a wheel is smaller.
    """

    def build_extensions(self) -> None:
        if self.compiler.compiler_type in ("unix", "mingw32", "cygwin"):
            for extension in self.extensions:
                extension.extra_compile_args += [
                    "-std=c99", "-O3", "-ffp-contract=off", "-fno-wrapv",
                ]  # fmt: skip
                if os.name == "posix":
                    extension.extra_compile_args.append("-pthread")
                    extension.extra_link_args.append("-pthread")
                if sys.platform.startswith("linux"):
                    extension.extra_link_args.append("-Wl,--strip-all")
        super().build_extensions()


def why_not_compiled() -> str:
    """Why extensions cannot be compiled here; empty where they can."""
    if os.environ.get("SKQ_NO_EXTENSIONS"):
        return "SKQ_NO_EXTENSIONS is set"
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "probe.c")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <Python.h>\n")
        command = BuildKernels(Distribution({"ext_modules": [Extension("probe", [source])]}))
        command.build_lib = command.build_temp = folder
        command.force = True
        try:
            command.ensure_finalized()
            command.run()
        except Exception as error:  # whatever a missing compiler or header raises
            return f"a C compiler with Python's headers was not found ({error})"
    return ""


def extension(name: str, sources: list[str]) -> Extension:
    """One extension for all versions of Python from 3.11 on."""
    return Extension(
        name,
        sources=sources,
        depends=sorted(glob(os.path.join(os.path.dirname(sources[0]), "*"))),
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        py_limited_api=True,
        optional=True,
    )


REASON = why_not_compiled()
if REASON:
    print(WITHOUT_COMPILER.format(reason=REASON), file=sys.stderr)

setup(
    ext_modules=[]
    if REASON
    else [
        extension(
            "skq.engines._native",
            ["skq/kernels/csrc/native_module.c", "skq/kernels/csrc/skq_kernels.c"],
        ),
        extension("skq.compiled._loops", ["skq/compiled/csrc/loops_module.c"]),
    ],
    cmdclass={"build_ext": BuildKernels},
    options={
        "bdist_wheel": {} if REASON else {"py_limited_api": "cp311"},
        # A path file and no import hook: type checkers follow only the former.
        "editable_wheel": {"mode": "compat"},
    },
)
