"""`QuantizedModule`: quantize_input → integer program → dequantize_output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import dispatch
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.program import Bin, Dequantize, IntegerProgram, Quantize
from skq.quantization.n_bits import get_n_bits_dict
from skq.serialization import Serializable, serializable

if TYPE_CHECKING:
    import onnx

Array = NDArray[Any]

#: Values that a step of the tail computes at a time, about, where rows are many.
TAIL_VALUES = 1 << 19


@serializable("skq.QuantizedModule")
@dataclass(frozen=True, eq=False)
class QuantizedModule(Serializable):
    """A model as an integer program, with the few float steps around it.

    ``forward`` is `quantize_input`, then `quantized_forward`, then `dequantize_output`. Only the
    first and the last touch floats. A Softmax, Sigmoid or Exp that ends the model is applied to the
    dequantized scores.

    Parameters
    ----------
    program : IntegerProgram
        From float inputs to dequantized scores and integer labels.
    tail : FloatGraph
        What is left to do in floats; its inputs are outputs of the program.
    n_bits : mapping of str to int
        Width of each role, as `get_n_bits_dict` gives it.
    graph : FloatGraph or None
        The float graph that was quantized; None where it was not kept.
    uncoded : tuple of int
        Features whose missing values have no code, though trees read them: the calibration data had
        none, and no number goes the ways that the float model sends them.

    Notes
    -----
    Modules are immutable and may be used by many threads at once.
    """

    program: IntegerProgram
    tail: FloatGraph
    n_bits: Mapping[str, int]
    graph: FloatGraph | None = None
    uncoded: tuple[int, ...] = ()
    #: What is worth preparing once for a module, by keys of those who do; never pickled.
    prepared: dict[Any, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, kind in (("program", IntegerProgram), ("tail", FloatGraph)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(
                    f"{name} must be of class {kind.__name__}; "
                    f"got {type(getattr(self, name)).__name__}"
                )
        if not isinstance(self.graph, FloatGraph | None):
            raise TypeError(f"graph must be a FloatGraph or None; got {type(self.graph).__name__}")
        if get_n_bits_dict(self.n_bits) != dict(self.n_bits):
            raise ValueError(f"n_bits must have all four widths; got {dict(self.n_bits)}")
        numbers = isinstance(self.uncoded, tuple) and all(isinstance(f, int) for f in self.uncoded)
        if not numbers or any(f < 0 for f in self.uncoded):
            raise TypeError(f"uncoded must be a tuple of features' numbers; got {self.uncoded!r}")
        self._check_seam()
        object.__setattr__(self, "_tail", GraphEvaluator(self.tail))
        object.__setattr__(self, "prepared", {})
        object.__setattr__(self, "_output_names", self.tail.output_names)

    def _check_seam(self) -> None:
        """Raise if the tail does not read exactly what the program computes."""
        for graph in (self.tail, self.graph):
            if graph is None:
                continue
            constants = graph.initializers
            if not isinstance(constants, Mapping) or not all(
                isinstance(array, np.ndarray) for array in constants.values()
            ):
                raise TypeError("initializers must be a mapping of names to arrays")
            for node in graph.nodes:
                if not all(isinstance(name, str) for name in (*node.inputs, *node.outputs)):
                    raise TypeError(f"{node}: names of tensors must be texts")
        given = {
            name: (("int64" if t.is_integer else "float64"), (None, *t.shape))
            for name, t in ((n, self.program.types[v]) for n, v in self.program.outputs.items())
        }
        read = {info.name: (info.dtype, tuple(info.shape)) for info in self.tail.inputs}
        if read != given:
            raise ValueError(f"the program gives {given}, but the tail reads {read}")
        if any(t.is_integer for t in self.program.inputs):
            raise ValueError("the inputs of the program must be floats")

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k in self.__match_args__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    # ------------------------------------------------------------------ running

    def forward(
        self,
        *x: Any,
        outputs: Iterable[str] | None = None,
        n_threads: int | None = None,
    ) -> Any:
        """Predict: quantize, run the integers, dequantize.

        Parameters
        ----------
        *x : array-like of shape (n_rows, ...)
            One a model input.
        outputs : iterable of str, default=None
            Names of the outputs to compute; all by default.
        n_threads : int, default=None
            Threads of the native engine; results do not depend on it. None takes those of the
            settings (`skq.config_context`), and 1 where they name none.

        Returns
        -------
        ndarray, or tuple of ndarray
            A tuple where more than one output is asked for.
        """
        route = self.route(self.output_names if outputs is None else tuple(outputs))
        values = dispatch.run(self.program, self._feeds(x), route.targets, n_threads=n_threads)
        return route.finish(values)

    __call__ = forward

    def route(self, names: tuple[str, ...]) -> Route:
        """How the named outputs are computed; found once."""
        route: Route | None = self.prepared.get(names)
        if route is None:
            route = self.prepared[names] = Route(self, names)
        return route

    def quantize_input(self, *x: Any) -> tuple[Array, ...]:
        """Integer codes of the inputs, one array for each Quantize or Bin instruction.

        Returns
        -------
        tuple of ndarray of shape (n_rows, ...), int64
            Codes in the intervals that ``print(module.program)`` shows.
        """
        return tuple(dispatch.run(self.program, self._feeds(x), self._codes))

    def quantized_forward(self, *q: Array) -> tuple[Array, ...]:
        """Run the integer program: codes in, accumulators and labels out.

        Parameters
        ----------
        *q : ndarray of int
            What `quantize_input` returns.

        Returns
        -------
        tuple of ndarray of shape (n_rows, ...), int64
            One for each output of the program, before it is dequantized.
        """
        if len(q) != len(self._codes):
            raise ValueError(f"Expected {len(self._codes)} arrays of codes; got {len(q)}.")
        known = {}
        for number, array in zip(self._codes, q, strict=True):
            known[number] = self._checked_codes(number, np.asarray(array))
        return tuple(dispatch.run(self.program, known, self._results))

    def dequantize_output(self, *q: Array) -> Any:
        """Real outputs from the integers that `quantized_forward` returns.

        Returns
        -------
        ndarray, or tuple of ndarray
            As `forward` returns them.
        """
        known = dict(zip(self._results, (np.asarray(a) for a in q), strict=True))
        values = dispatch.run(self.program, known, list(self.program.outputs.values()))
        results = dict(zip(self.program.outputs, values, strict=True))
        route = self.route(self.output_names)
        return route.finish([results[name] for name in route.needed])

    # ------------------------------------------------------------------ facts

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        names: tuple[str, ...] = self._output_names  # type: ignore[attr-defined]
        return names

    @property
    def max_accumulator_bits(self) -> int:
        """Widest exact sum in the program, in bits."""
        return self.program.max_accumulator_bits

    @property
    def nbytes(self) -> int:
        """Bytes of the model's constants, packed as tightly as their values allow."""
        return self.program.nbytes + self.tail.nbytes

    @property
    def onnx_model(self) -> onnx.ModelProto:
        """The float graph that was quantized, as ONNX."""
        if self.graph is None:
            raise AttributeError("the float graph of this module was not kept")
        return GraphEvaluator(self.graph).onnx_model

    def bitwidth_and_range_report(self) -> dict[str, dict[str, Any]]:
        """Interval and width of every integer value.

        Returns
        -------
        dict of str to dict
            By instruction, in order: ``{"range": (lo, hi), "bitwidth": bits}``.
        """
        return {
            f"%{number} {type(step).__name__}": {"range": type_.interval, "bitwidth": type_.bits}
            for number, step, type_ in self.program.steps()
            if type_.is_integer
        }

    def __str__(self) -> str:
        return str(self.program)

    # ------------------------------------------------------------------ parts
    @property
    def _codes(self) -> list[int]:
        """Values behind the input quantizers."""
        return [n for n, step, _ in self.program.steps() if isinstance(step, Quantize | Bin)]

    @property
    def _results(self) -> list[int]:
        """Integer values that the outputs are dequantized from."""
        first = len(self.program.inputs)
        numbers = []
        for number in self.program.outputs.values():
            step = self.program.instructions[number - first]
            numbers.append(step.inputs[0] if isinstance(step, Dequantize) else number)
        return numbers

    def _feeds(self, x: Sequence[Any]) -> dict[int, Array]:
        if len(x) != len(self.program.inputs):
            raise ValueError(f"Expected {len(self.program.inputs)} inputs; got {len(x)}.")
        feeds = {}
        for number, array in enumerate(x):
            array = np.asarray(array)
            shape = self.program.inputs[number].shape
            if array.shape[1:] != shape or array.ndim == 0:
                raise ValueError(
                    f"Input {number} must have the shape (n_rows, {', '.join(map(str, shape))}); "
                    f"got {array.shape}."
                )
            feeds[number] = array
        return feeds

    def _checked_codes(self, number: int, codes: Array) -> Array:
        type_ = self.program.types[number]
        lo, hi = type_.interval
        if codes.dtype.kind not in "iu" or codes.shape[1:] != type_.shape:
            raise ValueError(
                f"Codes must be integers of rows {type_}; got {codes.dtype} of shape {codes.shape}."
            )
        if codes.size and not lo <= int(codes.min()) <= int(codes.max()) <= hi:
            raise ValueError(f"Codes must lie in [{lo}, {hi}]; got [{codes.min()}, {codes.max()}].")
        return codes

    def _needed(self, names: Sequence[str]) -> list[str]:
        """Outputs of the program that the named outputs come from."""
        wanted = set(names)
        for node in reversed(self.tail.nodes):
            if wanted.intersection(node.outputs):
                wanted.update(node.inputs)
        needed = [name for name in self.program.outputs if name in wanted]
        unknown = [name for name in names if name not in self.output_names]
        if unknown:
            raise ValueError(f"There is no output {unknown}; there are {self.output_names}.")
        return needed


class Route:
    """From a module's inputs to some of its outputs: what is known before the rows come.

    Attributes
    ----------
    needed : list of str
        Outputs of the program that the wanted outputs come from.
    targets : list of int
        Their values in the program.
    table : TableRun
        Their rows from a table, by the short way.
    """

    def __init__(self, module: QuantizedModule, names: tuple[str, ...]) -> None:
        self._names = names
        found = module._needed(names)
        self._tail: GraphEvaluator | None = None
        if set(found) == set(names):
            found = list(names)
        else:
            self._tail = module._tail  # type: ignore[attr-defined]
            constants = module.tail.initializers.values()
            self._most_rows = max(1, TAIL_VALUES // max([1, *(np.size(c) for c in constants)]))
        self.needed = found
        self.targets = [module.program.outputs[name] for name in found]
        self.table = dispatch.TableRun(module.program, self.targets)

    def finish(self, values: list[Array]) -> Any:
        """The wanted outputs, from the values of `targets`: one array, or a tuple of them."""
        if self._tail is not None:
            values = self._run_tail(values)
        return values[0] if len(values) == 1 else tuple(values)

    def _run_tail(self, values: list[Array]) -> list[Array]:
        """The tail's outputs, a block of rows at a time where they are many."""
        assert self._tail is not None
        parts = []
        for start in range(0, max(1, len(values[0])), self._most_rows):
            rows = slice(start, start + self._most_rows)
            feeds = {name: v[rows] for name, v in zip(self.needed, values, strict=True)}
            results = self._tail.run(feeds, self._names)
            parts.append([results[name] for name in self._names])
        return (
            parts[0] if len(parts) == 1 else [np.concatenate(p) for p in zip(*parts, strict=True)]
        )
