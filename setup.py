"""The native engine and the inner loops of the search, as optional extensions.

Without a compiler skq installs and runs on NumPy.
"""

import os
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class BuildKernels(build_ext):
    """Compile strictly as C99, doubles rounded at every step, where the compiler has such flags.

    CPython's own -fwrapv is taken back: no integer of the kernels overflows, and where counters of
    loops might wrap they are slower (forests by a sixth).
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
        super().build_extensions()


setup(
    ext_modules=[
        Extension(
            "skq.engines._native",
            sources=["skq/kernels/csrc/native_module.c", "skq/kernels/csrc/skq_kernels.c"],
            depends=sorted(glob("skq/kernels/csrc/*")),
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            optional=True,
        ),
        Extension(
            "skq.compiled._loops",
            sources=["skq/compiled/csrc/loops_module.c"],
            depends=sorted(glob("skq/compiled/csrc/*")),
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            optional=True,
        ),
    ],
    cmdclass={"build_ext": BuildKernels},
    options={
        "bdist_wheel": {"py_limited_api": "cp311"},
        # A path file and no import hook: type checkers follow only the former.
        "editable_wheel": {"mode": "compat"},
    },
)
