"""The native engine: integer programs on the compiled C99 kernels.

`NativePlan` compiles a program to a plan, once: `skq.kernels.steps` emits the steps of each
instruction, `skq.kernels.plan` writes them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

import numpy as np

from skq.engines.compiled_plan import CompiledPlan, Prepared
from skq.kernels import layout
from skq.program.program import IntegerProgram

try:
    from skq.engines import _native  # type: ignore[attr-defined, unused-ignore]

    layout.check(_native.layout())
    UNAVAILABLE: str | None = None
except ImportError as error:
    _native = None
    UNAVAILABLE = f"the compiled extension cannot be used ({error})"

#: Environment variable that limits the instruction set of plans made afterwards, for measurements.
ISA_VARIABLE = "SKQ_MAX_ISA"


def best_isa() -> int:
    """Best instruction set of this machine (`layout.ISA_NAMES`), limited by `ISA_VARIABLE`."""
    if _native is None:
        raise ImportError(UNAVAILABLE)
    best = int(_native.best_isa())
    most = os.environ.get(ISA_VARIABLE)
    if most is None:
        return best
    if most not in layout.ISA_VALUES:
        raise ValueError(
            f"the environment variable {ISA_VARIABLE} must be one of "
            f"{', '.join(layout.ISA_VALUES)}. Got {most!r} instead."
        )
    return min(best, layout.ISA_VALUES.index(most))


class NativePlan(CompiledPlan):
    """A program compiled for some inputs and targets; immutable, so that threads may share it.

    Parameters
    ----------
    program : IntegerProgram
    given : sequence of int
        Numbers of the values that runs get as inputs.
    targets : sequence of int
        Numbers of the values that runs may compute, none of them in `given`.
    isa : int or None, default=None
        Instruction set, as in `layout.ISA_NAMES`; None means the best of this machine.
    """

    def __init__(
        self,
        program: IntegerProgram,
        given: Sequence[int],
        targets: Sequence[int],
        isa: int | None = None,
    ) -> None:
        from skq.kernels.plan import Packer  # not imported to load a model
        from skq.kernels.steps import emit_steps

        self.isa = best_isa() if isa is None else isa
        super().__init__(given, targets)
        packer = Packer(program, self.given, self.targets, self.isa)
        emit_steps(packer)
        self.descriptors, self.constants = packer.pack(), packer.constants.build()
        self._types = program.types
        self._all = self.prepare(self.targets)

    def _prepare(self, wanted: tuple[int, ...]) -> Prepared:
        results = tuple(
            (
                self.targets.index(t),
                self._types[t].shape,
                np.dtype(np.int64 if self._types[t].is_integer else float),
            )
            for t in wanted
        )
        arrays = (self.descriptors, self.constants)
        addresses = (int(array.ctypes.data) for array in arrays)
        # the tuple holds the arrays too, so that their addresses stay valid
        prepared = (*addresses, self.isa, np.empty, results, len(self.targets), arrays)
        return partial(_native.run, prepared)

    @property
    def nbytes(self) -> int:
        """Bytes of the plan: descriptors and constants."""
        return self.descriptors.nbytes + self.constants.nbytes
