"""`QuantizedModule`: quantize_input → integer program → dequantize_output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import dispatch
from skq.frontend.graph import FloatGraph
from skq.frontend.numpy_module import NumpyModule
from skq.program import Bin, Dequantize, IntegerProgram, Quantize
from skq.quantization.n_bits import get_n_bits_dict
from skq.serialization import Serializable, serializable

if TYPE_CHECKING:
    import onnx

Array = NDArray[Any]


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

    Notes
    -----
    Modules are immutable and may be used by many threads at once.
    """

    program: IntegerProgram
    tail: FloatGraph
    n_bits: Mapping[str, int]
    graph: FloatGraph | None = None

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
        self._check_seam()
        object.__setattr__(self, "_tail", NumpyModule(self.tail))
        object.__setattr__(self, "_routes", {})

    def _check_seam(self) -> None:
        """Raise if the tail does not read exactly what the program computes."""
        for graph in (self.tail, self.graph):
            for node in graph.nodes if graph is not None else ():
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
        return {k: v for k, v in vars(self).items() if k not in ("_tail", "_routes")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    # ------------------------------------------------------------------ running

    def forward(
        self,
        *x: Any,
        outputs: Iterable[str] | None = None,
        n_threads: int = 1,
        refuse: str | None = None,
    ) -> Any:
        """Predict: quantize, run the integers, dequantize.

        Parameters
        ----------
        *x : array-like of shape (n_rows, ...)
            One a model input.
        outputs : iterable of str, default=None
            Names of the outputs to compute; all by default.
        n_threads : int, default=1
            Threads of the native engine; results do not depend on it.
        refuse : {None, "nonfinite", "infinite"}, default=None
            What inputs must not hold; see `skq.engines.dispatch.run`.

        Returns
        -------
        ndarray, or tuple of ndarray
            A tuple where more than one output is asked for.
        """
        names = self.output_names if outputs is None else tuple(outputs)
        needed, targets = self._route(names)
        values = dispatch.run(
            self.program, self._feeds(x), targets, n_threads=n_threads, refuse=refuse
        )
        return self._finish(dict(zip(needed, values, strict=True)), names)

    def _route(self, names: tuple[str, ...]) -> tuple[list[str], list[int]]:
        """Outputs of the program that the named outputs need, and their values; found once."""
        routes: dict[tuple[str, ...], Any] = self._routes  # type: ignore[attr-defined]
        if names not in routes:
            needed = self._needed(names)
            routes[names] = needed, [self.program.outputs[name] for name in needed]
        route: tuple[list[str], list[int]] = routes[names]
        return route

    __call__ = forward

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
        return self._finish(results, self.output_names)

    # ------------------------------------------------------------------ facts

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return self.tail.output_names

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
        return NumpyModule(self.graph).onnx_model

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

    def _finish(self, values: dict[str, Array], names: Sequence[str]) -> Any:
        direct = all(name in values for name in names)
        results = values if direct else self._tail.run(values, names)  # type: ignore[attr-defined]
        found = tuple(results[name] for name in names)
        return found[0] if len(found) == 1 else found
