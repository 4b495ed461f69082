"""`Session`: runs a quantized module; owns its compiled plans and the routes to its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import current_settings
from skq.engines import dispatch, native
from skq.engines.compiled_plan import Prepared
from skq.engines.plans import Plans
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.kernels import layout
from skq.program.program import IntegerProgram

Array = NDArray[Any]

#: About how many values a node of the epilogue computes at a time, if there are many rows.
EPILOGUE_VALUES = 1 << 19

_INFINITE, _NONFINITE = layout.REFUSE["infinite"], layout.REFUSE["nonfinite"]


class Session:
    """The data for running a module: compiled plans and routes.

    A module is immutable. Data that are computed once are stored here when they are first needed.
    Each module creates one session; pickles and copies do not hold it. Threads may share it: if two
    of them compute an entry at the same time, both get the same.

    Parameters
    ----------
    program : IntegerProgram
    epilogue : FloatGraph
        The float steps after the program.

    Attributes
    ----------
    plans : Plans
    takes_missing : bool
        Whether every column may hold NaN, so that the fast path accepts it.
    narrow : object
        What `skq.quantization.features_read.for_columns_read` gives; False before its first call.
    """

    __slots__ = (
        "_by_method",
        "_by_names",
        "epilogue",
        "narrow",
        "output_names",
        "plans",
        "takes_missing",
    )

    def __init__(self, program: IntegerProgram, epilogue: FloatGraph) -> None:
        self.plans = Plans(program)
        self.epilogue = GraphEvaluator(epilogue)
        self.output_names = epilogue.output_names
        self.takes_missing = False
        self.narrow: Any = False
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
        """The route to the named outputs.

        Raises
        ------
        ValueError
            The module has no output of one of these names.
        """
        route = self._by_names.get(names)
        if route is None:
            route = self._by_names[names] = Route(self, names)
        return route

    def route_of(self, method: str) -> Route | None:
        """The route to the outputs that an estimator's method returns; None if there are none."""
        if method not in self._by_method:
            names = outputs_of(method, self.output_names)
            self._by_method[method] = self.route(names) if names else None
        return self._by_method[method]

    def run_table(self, method: str, X: Any, n_threads: int | None = None) -> Any:
        """The fast path: outputs for a plain array that validation would return unchanged.

        The engine checks shape and dtype, NaN and infinity.

        Parameters
        ----------
        method : str
            Method of the estimator, such as ``"predict"``.
        X : object
        n_threads : int, default=None

        Returns
        -------
        ndarray, tuple of ndarray or None
            None if the caller has to take the fallback: X is not a two-dimensional array of a
            dtype that the kernels read; X holds infinity, or NaN while `takes_missing` is False;
            the module does not compute this method; the reference engine is set; or the settings
            require a warning of values that saturate.
        """
        if type(X) is not np.ndarray:
            return None
        shape = X.shape
        settings = current_settings()
        if len(shape) != 2 or 0 in shape or settings["saturation_warning"] is not None:
            return None
        route = self._by_method.get(method) or self.route_of(method)
        if route is None:
            return None
        setting = settings["engine"]
        run = route.prepared.get(setting)
        if run is None:
            engine = dispatch.compiling_engine()
            if engine is None or (engine == "native" and native.UNAVAILABLE is not None):
                return None  # the fallback runs the reference engine, or raises
            run = route.prepared[setting] = route.prepare(engine)
        refuse = _INFINITE if self.takes_missing else _NONFINITE
        values = run([X], shape[0], n_threads or settings["n_threads"] or 1, refuse)
        if type(values) is not list:
            return None
        return values[0] if route.is_direct else route.finish(values)


class Route:
    """How some outputs of a module are computed, as far as that is independent of the rows.

    Attributes
    ----------
    needed : list of str
        Outputs of the program that these outputs are computed from.
    targets : list of int
        Numbers of these values in the program.
    prepared : dict of str to callable
        Computes the targets from one array, by the setting of the engine.
    is_direct : bool
        Whether the only target is the output: there is nothing to finish.
    """

    __slots__ = (
        "_epilogue",
        "_most_rows",
        "_names",
        "_plans",
        "is_direct",
        "needed",
        "prepared",
        "targets",
    )

    def __init__(self, session: Session, names: tuple[str, ...]) -> None:
        unknown = [name for name in names if name not in session.output_names]
        if unknown:
            raise ValueError(f"Unknown outputs {unknown}. The outputs are {session.output_names}.")
        program, graph = session.plans.program, session.epilogue.graph
        self._names, self._plans = names, session.plans
        self._epilogue: GraphEvaluator | None = None
        self.prepared: dict[str, Prepared] = {}
        needed = _read_by(graph, names, program)
        if set(needed) == set(names):
            needed = list(names)
        else:
            self._epilogue = session.epilogue
            constants = graph.initializers.values()
            self._most_rows = max(1, EPILOGUE_VALUES // max([1, *(np.size(c) for c in constants)]))
        self.needed = needed
        self.targets = [program.outputs[name] for name in needed]
        self.is_direct = self._epilogue is None and len(needed) == 1

    def prepare(self, engine: str = "native") -> Prepared:
        """The function that computes the targets from one array on an engine."""
        targets = tuple(self.targets)
        return self._plans.plan((0,), targets, engine).prepare(targets)

    def finish(self, values: list[Array]) -> Any:
        """The outputs, from the values of `targets`: one array, or a tuple of arrays."""
        if self._epilogue is not None:
            values = self._run_epilogue(self._epilogue, values)
        return values[0] if len(values) == 1 else tuple(values)

    def _run_epilogue(self, epilogue: GraphEvaluator, values: list[Array]) -> list[Array]:
        """The outputs of the epilogue, computed in blocks of rows."""
        blocks = []
        for start in range(0, max(1, len(values[0])), self._most_rows):
            rows = slice(start, start + self._most_rows)
            feeds = {name: v[rows] for name, v in zip(self.needed, values, strict=True)}
            results = epilogue.run(feeds, self._names)
            blocks.append([results[name] for name in self._names])
        return (
            blocks[0]
            if len(blocks) == 1
            else [np.concatenate(b) for b in zip(*blocks, strict=True)]
        )


def outputs_of(method: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the outputs of a method: its name, or its name with a number (``predict_0``, …)."""
    if method in names:
        return (method,)
    numbered = [f"{method}_{k}" for k in range(len(names))]
    return tuple(name for name in numbered if name in names)


def _read_by(epilogue: FloatGraph, names: Sequence[str], program: IntegerProgram) -> list[str]:
    """Outputs of the program that the named outputs of the epilogue are computed from."""
    wanted = set(names)
    for node in reversed(epilogue.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
    return [name for name in program.outputs if name in wanted]
