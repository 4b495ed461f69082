"""The compiled plans of one program, for the engines that compile."""

from __future__ import annotations

from skq.engines import native
from skq.engines.compiled_plan import CompiledPlan
from skq.program.program import IntegerProgram


class Plans:
    """Plans of a program for an engine, compiled when they are first needed.

    One plan computes the outputs of the program from its inputs; each run selects the outputs that
    it needs. For intermediate values other plans are compiled. Plans depend on the program alone
    and never change, so threads may share them.

    Parameters
    ----------
    program : IntegerProgram
    """

    def __init__(self, program: IntegerProgram) -> None:
        self.program = program
        self._plans: dict[tuple[str, tuple[int, ...], tuple[int, ...]], CompiledPlan] = {}

    def __len__(self) -> int:
        return len(self._plans)

    @property
    def nbytes(self) -> int:
        """Bytes of all plans compiled so far."""
        return sum(plan.nbytes for plan in self._plans.values())

    def plan(
        self, given: tuple[int, ...], wanted: tuple[int, ...], engine: str = "native"
    ) -> CompiledPlan:
        """The plan that computes the values `wanted` from the values `given`.

        Parameters
        ----------
        given, wanted : tuple of int
        engine : {"native", "numpy"}, default="native"

        Raises
        ------
        ImportError
            The kernels were not compiled.
        """
        program, targets = self.program, wanted
        if sorted(given) == list(range(len(program.inputs))):
            outputs = tuple(v for v in dict.fromkeys(program.outputs.values()) if v not in given)
            targets = outputs if set(wanted).issubset(outputs) else wanted
        plan = self._plans.get((engine, given, targets))
        if plan is None:
            plan = self._plans[engine, given, targets] = self._compiled(engine, given, targets)
        return plan

    def _compiled(
        self, engine: str, given: tuple[int, ...], targets: tuple[int, ...]
    ) -> CompiledPlan:
        if engine == "numpy":
            from skq.engines.numpy_engine import NumpyPlan  # a loaded model rarely needs it

            return NumpyPlan(self.program, given, targets)
        if native.UNAVAILABLE is not None:
            raise ImportError(
                f"engine='native' is not available, because {native.UNAVAILABLE}. Use "
                "engine='auto' or 'numpy', or install skq on a machine with a C compiler."
            )
        return native.NativePlan(self.program, given, targets)
