"""`Session`: runs a quantized module, with the plans of its program and routes to its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import engine_setting, saturation_setting, threads_setting
from skq.engines import dispatch, native
from skq.engines.plans import Plans
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.kernels import layout
from skq.program.program import IntegerProgram

Array = NDArray[Any]

#: Values that a node of the epilogue computes at a time, about, where rows are many.
EPILOGUE_VALUES = 1 << 19

_INFINITE, _NONFINITE = layout.REFUSE["infinite"], layout.REFUSE["nonfinite"]


class Session:
    """What running a module needs beside the module: compiled plans, and routes to its outputs.

    A module is immutable; all that is worth finding once is found here, when it is first needed.
    Each module makes its own session, which pickles and copies leave behind. Threads may share it:
    what two of them find at the same time is the same.

    Parameters
    ----------
    program : IntegerProgram
    epilogue : FloatGraph
        What is computed in floats from the program's outputs.

    Attributes
    ----------
    plans : Plans
    takes_missing : bool
        Whether NaN is known to be taken in every column: the fast path then takes it.
    """

    __slots__ = ("_by_method", "_by_names", "epilogue", "output_names", "plans", "takes_missing")

    def __init__(self, program: IntegerProgram, epilogue: FloatGraph) -> None:
        self.plans = Plans(program)
        self.epilogue = GraphEvaluator(epilogue)
        self.output_names = epilogue.output_names
        self.takes_missing = False
        self._by_names: dict[tuple[str, ...], Route] = {}
        self._by_method: dict[str, Route | None] = {}

    def run(
        self,
        inputs: Mapping[int, Array],
        targets: Sequence[int],
        *,
        n_threads: int | None = None,
    ) -> list[Array]:
        """Compute values of the program from others, as `skq.engines.dispatch.run` does."""
        program = self.plans.program
        return dispatch.run(program, inputs, targets, n_threads=n_threads, plans=self.plans)

    def route(self, names: tuple[str, ...]) -> Route:
        """How the named outputs are computed.

        Raises
        ------
        ValueError
            There is no output of such a name.
        """
        route = self._by_names.get(names)
        if route is None:
            route = self._by_names[names] = Route(self, names)
        return route

    def route_of(self, method: str) -> Route | None:
        """How the outputs are computed that an estimator's method returns; None without any."""
        if method not in self._by_method:
            names = outputs_of(method, self.output_names)
            self._by_method[method] = self.route(names) if names else None
        return self._by_method[method]

    def run_table(self, method: str, X: Any, n_threads: int | None = None) -> Any:
        """The fast path: outputs for a plain table that any validation would pass unchanged.

        The kernels check shape and dtype, and find NaN and infinity in the pass that quantizes.

        Parameters
        ----------
        method : str
            What is predicted, such as ``"predict"``.
        X : object
        n_threads : int, default=None

        Returns
        -------
        ndarray, tuple of ndarray or None
            None where the fallback is to be taken: another engine is in force, X is no table of a
            dtype that the kernels read, or holds infinity, or NaN while `takes_missing` is False,
            the module does not compute this, or a warning of values that saturate is asked for.
        """
        if (
            type(X) is not np.ndarray
            or X.ndim != 2
            or X.size == 0
            or saturation_setting() is not None
        ):
            return None
        route = self._by_method.get(method) or self.route_of(method)
        if route is None or engine_setting() not in dispatch.NATIVE:
            return None
        run = route.prepared
        if run is None:
            if native.UNAVAILABLE is not None:
                return None  # the fallback raises, or runs another engine
            run = route.prepare()
        refuse = _INFINITE if self.takes_missing else _NONFINITE
        found = run([X], len(X), n_threads or threads_setting() or 1, refuse)
        return route.finish(found) if type(found) is list else None


class Route:
    """From a module's inputs to some of its outputs: what is known before the rows come.

    Attributes
    ----------
    needed : list of str
        Outputs of the program that the wanted outputs come from.
    targets : list of int
        Their values in the program.
    prepared : callable or None
        Their rows from a table, on the native engine, once `prepare` was called.
    """

    __slots__ = ("_epilogue", "_most_rows", "_names", "_plans", "needed", "prepared", "targets")

    def __init__(self, session: Session, names: tuple[str, ...]) -> None:
        unknown = [name for name in names if name not in session.output_names]
        if unknown:
            raise ValueError(f"There is no output {unknown}; there are {session.output_names}.")
        program, graph = session.plans.program, session.epilogue.graph
        self._names, self._plans = names, session.plans
        self._epilogue: GraphEvaluator | None = None
        self.prepared: native.Prepared | None = None
        needed = _read_by(graph, names, program)
        if set(needed) == set(names):
            needed = list(names)
        else:
            self._epilogue = session.epilogue
            constants = graph.initializers.values()
            self._most_rows = max(1, EPILOGUE_VALUES // max([1, *(np.size(c) for c in constants)]))
        self.needed = needed
        self.targets = [program.outputs[name] for name in needed]

    def prepare(self) -> native.Prepared:
        """Compile the plan from one table to the targets, and keep the function that runs it."""
        targets = tuple(self.targets)
        self.prepared = self._plans.plan((0,), targets).prepare(targets)
        return self.prepared

    def finish(self, values: list[Array]) -> Any:
        """The wanted outputs, from the values of `targets`: one array, or a tuple of them."""
        if self._epilogue is not None:
            values = self._run_epilogue(self._epilogue, values)
        return values[0] if len(values) == 1 else tuple(values)

    def _run_epilogue(self, epilogue: GraphEvaluator, values: list[Array]) -> list[Array]:
        """The epilogue's outputs, a block of rows at a time where they are many."""
        parts = []
        for start in range(0, max(1, len(values[0])), self._most_rows):
            rows = slice(start, start + self._most_rows)
            feeds = {name: v[rows] for name, v in zip(self.needed, values, strict=True)}
            results = epilogue.run(feeds, self._names)
            parts.append([results[name] for name in self._names])
        return (
            parts[0] if len(parts) == 1 else [np.concatenate(p) for p in zip(*parts, strict=True)]
        )


def outputs_of(method: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Outputs, of those named, that make up a method's result: itself, or its numbered parts."""
    if method in names:
        return (method,)
    numbered = [f"{method}_{k}" for k in range(len(names))]
    return tuple(name for name in numbered if name in names)


def _read_by(epilogue: FloatGraph, names: Sequence[str], program: IntegerProgram) -> list[str]:
    """Outputs of the program that the named outputs of the epilogue come from."""
    wanted = set(names)
    for node in reversed(epilogue.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
    return [name for name in program.outputs if name in wanted]
