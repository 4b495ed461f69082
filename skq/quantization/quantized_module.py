"""`QuantizedModule`: quantize_input → integer program → dequantize_output."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.session import Session
from skq.graph.epilogue import RowValue, describe_epilogue
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.program import Bin, Dequantize, IntegerProgram, Quantize
from skq.program.instructions.reals import FROZEN_SCALE
from skq.quantization.n_bits import LAYERS, get_n_bits_dict
from skq.serialization import Serializable, serializable
from skq.serialization.packed_pickle import packed, unpacked

if TYPE_CHECKING:
    import onnx

    from skq.quantization.quantizers import UniformQuantizer

Array = NDArray[Any]

#: Names of fields in files, which are those of file format version 1.
_FIELDS_IN_FILES = {"epilogue": "tail", "features_without_missing_code": "uncoded"}


@serializable("skq.QuantizedModule")
@dataclass(frozen=True, eq=False)
class QuantizedModule(Serializable):
    """A model as an integer program, with the float steps before and after it.

    ``forward`` calls `quantize_input`, `quantized_forward` and `dequantize_output`. Only the first
    and the last compute with floats. A Softmax, Sigmoid or Exp at the end of the model is applied
    to the dequantized scores.

    Parameters
    ----------
    program : IntegerProgram
        The integer program. Its inputs are float arrays, its outputs dequantized scores and
        integer labels.
    epilogue : FloatGraph
        The float steps after the program; its inputs are outputs of the program.
    n_bits : mapping
        Width of each role, as returned by `get_n_bits_dict`; ``layers`` by the names of nodes.
    graph : FloatGraph or None
        The float graph that was quantized; None if it was not stored.
    features_without_missing_code : tuple of int
        Features that trees read and whose missing values have no code, because the calibration
        data had none and no number takes the same branches.
    indices : tuple of (int, tuple of int, int)
        Elements of inputs that are indices of a table: number of the input, numbers of its elements
        in the flattened row, and size of the table. Indices outside [-size, size - 1] raise an
        IndexError.
    node_names : tuple of str
        Name of the graph's node of each instruction, or of the node's result if the node has no
        name; empty if they are not known.

    Notes
    -----
    Modules are immutable and may be used by many threads at once.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> module = LogisticRegression(max_iter=1000, n_bits=4).fit(X, y).quantized_module_
    >>> codes = module.quantize_input(X)
    >>> int(codes.max())  # `model_inputs` has 5 bits
    31
    >>> module.max_accumulator_bits <= 12
    True
    """

    program: IntegerProgram
    epilogue: FloatGraph
    n_bits: Mapping[str, Any]
    graph: FloatGraph | None = None
    features_without_missing_code: tuple[int, ...] = ()
    indices: tuple[tuple[int, tuple[int, ...], int], ...] = ()
    node_names: tuple[str, ...] = ()
    #: What is known of the value of each output, by name.
    described: Mapping[str, RowValue] = field(init=False, repr=False, compare=False)
    _session: Session = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, kind in (("program", IntegerProgram), ("epilogue", FloatGraph)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(
                    f"{name} must be of class {kind.__name__}; "
                    f"got {type(getattr(self, name)).__name__}"
                )
        if not isinstance(self.graph, FloatGraph | None):
            raise TypeError(f"graph must be a FloatGraph or None; got {type(self.graph).__name__}")
        by_name = isinstance(self.n_bits.get(LAYERS, {}), Mapping)
        if get_n_bits_dict(self.n_bits) != dict(self.n_bits) or not by_name:
            raise ValueError(f"n_bits must have all four widths; got {dict(self.n_bits)}")
        features = self.features_without_missing_code
        numbers = isinstance(features, tuple) and all(type(f) is int for f in features)
        if not numbers or any(f < 0 for f in features):
            raise TypeError(
                "features_without_missing_code must be a tuple of features' numbers; "
                f"got {features!r}"
            )
        self._check_interface()
        self._check_indices()
        names = self.node_names
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"node_names must be a tuple of str; got {names!r:.80}")
        described = {
            name: RowValue(t.shape, t.interval if t.is_integer else None)
            for name, t in ((n, self.program.types[v]) for n, v in self.program.outputs.items())
        }
        object.__setattr__(self, "described", describe_epilogue(self.epilogue, described))
        object.__setattr__(self, "_session", Session(self.program, self.epilogue))

    def _check_interface(self) -> None:
        """Raise if the epilogue does not read exactly what the program computes."""
        given = {
            name: (("int64" if t.is_integer else "float64"), (None, *t.shape))
            for name, t in ((n, self.program.types[v]) for n, v in self.program.outputs.items())
        }
        read = {info.name: (info.dtype, tuple(info.shape)) for info in self.epilogue.inputs}
        if read != given:
            raise ValueError(f"the program gives {given}, but the epilogue reads {read}")
        if any(t.is_integer for t in self.program.inputs):
            raise ValueError("the inputs of the program must be floats")

    def _check_indices(self) -> None:
        """Raise if `indices` does not name elements of the program's inputs."""
        shapes = [math.prod(t.shape) for t in self.program.inputs]
        for entry in self.indices if isinstance(self.indices, tuple) else (None,):
            fits = isinstance(entry, tuple) and len(entry) == 3 and isinstance(entry[1], tuple)
            numbers = (entry[0], entry[2], *entry[1]) if entry is not None and fits else (None,)
            if (
                not all(type(n) is int and n >= 0 for n in numbers)
                or entry[0] >= len(shapes)
                or any(n >= shapes[entry[0]] for n in entry[1])
            ):
                raise TypeError(
                    "indices must be a tuple of (number of an input, numbers of its elements, "
                    f"number of entries); got {self.indices!r:.80}"
                )

    def __skq_state__(self) -> dict[str, Any]:
        """Fields by the names that they have in files."""
        state = self._fields()
        for name in ("indices", "node_names"):
            if not state[name]:  # as in files of version 1
                del state[name]
        return {_FIELDS_IN_FILES.get(k, k): v for k, v in state.items()}

    @classmethod
    def __skq_build__(cls, state: dict[str, Any]) -> QuantizedModule:
        fields = {name: field for field, name in _FIELDS_IN_FILES.items()}
        return cls(**{fields.get(k, k): v for k, v in state.items()})

    def _fields(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k in self.__match_args__}

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced_with(())

    def _reduced_with(self, held: Iterable[Array]) -> tuple[Any, ...]:
        """What ``__reduce__`` returns, where others pickle the arrays of `held` too."""
        fields = self._fields()
        # the graph first: the edges of quantizers are among the thresholds of its trees
        data, used = packed({"graph": fields.pop("graph"), **fields}, held)
        return _from_pickle, (type(self), data, used)

    def __copy__(self) -> QuantizedModule:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> QuantizedModule:
        return self  # as it never changes

    # ------------------------------------------------------------------ running

    def forward(
        self,
        *x: Any,
        outputs: Iterable[str] | None = None,
        n_threads: int | None = None,
        debug: bool = False,
        fhe: str = "disable",
    ) -> Any:
        """Predict: quantize the inputs, run the integer program, dequantize the results.

        Parameters
        ----------
        *x : array-like of shape (n_rows, ...)
            One array per input of the model.
        outputs : iterable of str, default=None
            Names of the outputs to compute. None means all.
        n_threads : int, default=None
            Number of threads of the native engine; results do not depend on it. None means the
            number of the settings (`skq.config_context`), or 1 if it is not set.
        debug : bool, default=False
            Whether to return the integers of each instruction, too.
        fhe : {"disable"}, default="disable"
            Ignored; for compatibility with libraries that encrypt. skq does not encrypt data.

        Returns
        -------
        ndarray, or tuple of ndarray
            A tuple for more than one output. With ``debug=True`` a pair of this and a dict of
            the integers, by the names of `bitwidth_and_range_report`.

        Raises
        ------
        ValueError
            For another value of `fhe`, a wrong number or shape of inputs, or an unknown output.
        IndexError
            If an index of a table (an embedding) is out of range.
        """
        if fhe != "disable":
            raise ValueError(
                f'fhe must be "disable": skq does not encrypt data. Got {fhe!r} instead.'
            )
        session = self._session
        route = session.route(self.output_names if outputs is None else tuple(outputs))
        feeds = self._feeds(x)
        results = route.finish(session.run(feeds, route.targets, n_threads=n_threads))
        if not debug:
            return results
        names = self._integers
        return results, dict(
            zip(names.values(), session.run(feeds, list(names), n_threads=n_threads), strict=True)
        )

    __call__ = forward

    @property
    def session(self) -> Session:
        """The `Session` that runs this module. It contains the compiled plans."""
        return self._session

    def quantize_input(self, *x: Any) -> Array | tuple[Array, ...]:
        """Return integer codes of the inputs, one array for each Quantize or Bin instruction.

        Returns
        -------
        ndarray of shape (n_rows, ...), int64, or tuple of them
            Codes in the intervals that ``print(module.program)`` shows; a tuple where there is
            more than one such instruction.
        """
        return _one_or_tuple(self._session.run(self._feeds(x), self._codes))

    def quantized_forward(self, *q: Array) -> tuple[Array, ...]:
        """Run the integer program, from codes to accumulators and labels.

        Parameters
        ----------
        *q : ndarray of int, or one tuple of them
            Codes, as returned by `quantize_input`.

        Returns
        -------
        tuple of ndarray of shape (n_rows, ...), int64
            One array for each output of the program, before it is dequantized.
        """
        q = _arrays(q)
        if len(q) != len(self._codes):
            raise ValueError(f"Expected {len(self._codes)} arrays of codes; got {len(q)}.")
        known = {}
        for number, array in zip(self._codes, q, strict=True):
            known[number] = self._checked_codes(number, np.asarray(array))
        return tuple(self._session.run(known, self._results))

    def dequantize_output(self, *q: Array) -> Any:
        """Compute the real outputs from the integers that `quantized_forward` returns.

        Parameters
        ----------
        *q : ndarray of int, or one tuple of them
            Integers, as returned by `quantized_forward`.

        Returns
        -------
        ndarray, or tuple of ndarray
            As `forward` returns them.
        """
        known = dict(zip(self._results, (np.asarray(a) for a in _arrays(q)), strict=True))
        values = self._session.run(known, list(self.program.outputs.values()))
        results = dict(zip(self.program.outputs, values, strict=True))
        route = self._session.route(self.output_names)
        return route.finish([results[name] for name in route.needed])

    # ------------------------------------------------------------------ facts

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return self._session.output_names

    @property
    def tail(self) -> FloatGraph:
        """Deprecated name of `epilogue`."""
        _warn_renamed("tail", "epilogue")
        return self.epilogue

    @property
    def uncoded(self) -> tuple[int, ...]:
        """Deprecated name of `features_without_missing_code`."""
        _warn_renamed("uncoded", "features_without_missing_code")
        return self.features_without_missing_code

    @property
    def input_quantizers(self) -> list[UniformQuantizer]:
        """Quantizers of the inputs, one for each Quantize instruction; those of trees have none.

        Scale and zero point are arrays if they differ between features.
        """
        from skq.quantization import quantizers  # not imported to load a model

        found = []
        for _, step, _ in self.program.steps():
            if isinstance(step, Quantize):
                n_bits = (step.hi - step.lo).bit_length()
                options = quantizers.QuantizationOptions(n_bits, step.lo < 0)
                params = quantizers.UniformQuantizationParameters(
                    step.scale, step.zero_point.astype(np.int64), -step.lo
                )
                found.append(quantizers.UniformQuantizer(options, params=params))
        return found

    @property
    def output_quantizers(self) -> list[UniformQuantizer]:
        """Quantizers of the outputs that are dequantized, in the order of the program.

        Their inputs are accumulators, so they do not saturate.
        """
        from skq.quantization import quantizers  # not imported to load a model

        return [
            quantizers.UniformQuantizer(
                params=quantizers.UniformQuantizationParameters(step.scale, step.zero_point),
                no_clipping=True,
            )
            for _, step, _ in self.program.steps()
            if isinstance(step, Dequantize)
        ]

    @property
    def max_accumulator_bits(self) -> int:
        """Width of the widest exact sum in the program, in bits."""
        return self.program.max_accumulator_bits

    @property
    def nbytes(self) -> int:
        """Size of the model's constants in bytes, packed into the bits that their values need."""
        return self.program.nbytes + self.epilogue.nbytes

    @property
    def onnx_model(self) -> onnx.ModelProto:
        """The float graph that was quantized, as ONNX."""
        if self.graph is None:
            raise AttributeError("the float graph of this module was not stored")
        return GraphEvaluator(self.graph).onnx_model

    def bitwidth_and_range_report(self) -> dict[str, dict[str, Any]]:
        """Return the interval and the width of every integer value.

        Returns
        -------
        dict of str to dict
            By instruction, in order: ``{"range": (lo, hi), "bitwidth": bits, "node": name}``, where
            the node is that of the ONNX graph.
        """
        types, first = self.program.types, len(self.program.inputs)
        nodes = self.node_names
        if len(nodes) != len(self.program.instructions):  # of another program, or not known
            nodes = ("",) * len(self.program.instructions)
        return {
            name: {
                "range": types[number].interval,
                "bitwidth": types[number].bits,
                "node": nodes[number - first],
            }
            for number, name in self._integers.items()
        }

    def __str__(self) -> str:
        return str(self.program)

    @property
    def columns_of_features(self) -> NDArray[np.int64]:
        """Number of columns of codes of each feature, over all input quantizers.

        Returns
        -------
        ndarray of shape (n_features,)
            0 for a feature that is not read, or that was constant in calibration. Elements of
            inputs with several axes, such as images, are counted one by one.
        """
        sizes = [type_.size for type_ in self.program.inputs]
        counts = [np.zeros(size, dtype=np.int64) for size in sizes]
        for number in self._codes:
            step = self.program.instructions[number - len(sizes)]
            count = counts[step.inputs[0]]
            if isinstance(step, Bin):
                np.add.at(count, step.feature[np.diff(step.offsets) > 0], 1)
            elif isinstance(step, Quantize):
                n_columns = -(-self.program.types[number].bits // self.n_bits["model_inputs"])
                count += n_columns * np.broadcast_to(step.scale < FROZEN_SCALE, count.shape)
        return np.concatenate([*counts, np.zeros(0, dtype=np.int64)])

    # ------------------------------------------------------------------ parts
    @property
    def _integers(self) -> dict[int, str]:
        """Integer values of the instructions, with their names in reports."""
        steps = self.program.steps()
        return {n: f"%{n} {type(s).__name__}" for n, s, t in steps if t.is_integer}

    @property
    def _codes(self) -> list[int]:
        """Values of the input quantizers."""
        return [n for n, step, _ in self.program.steps() if isinstance(step, Quantize | Bin)]

    @property
    def _results(self) -> list[int]:
        """Integer values that the outputs are dequantized from."""
        first = len(self.program.inputs)
        numbers = []
        for number in self.program.outputs.values():
            if number < first:
                numbers.append(number)
                continue
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
        for number, elements, size in self.indices:
            feeds[number] = _counted_from_0(number, feeds[number], elements, size)
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


def _from_pickle(cls: type[QuantizedModule], data: bytes, used: list[Array]) -> QuantizedModule:
    return cls(**unpacked(data, used))


def _counted_from_0(number: int, array: Array, elements: Sequence[int], size: int) -> Array:
    """An input with indices in [0, size - 1]: negative ones count from the end.

    Raises
    ------
    IndexError
        If an index lies outside of [-size, size - 1].
    """
    flat = array.reshape(len(array), -1)
    indices = np.trunc(flat[:, list(elements)])
    outside = (indices < -size) | (indices >= size)
    if outside.any():
        raise IndexError(
            f"Input {number} holds the index {indices[outside][0]}, and the table that it is "
            f"looked up in has {size} entries: indices must lie in [{-size}, {size - 1}]."
        )
    if not (indices < 0).any():
        return array
    counted = flat.copy()
    counted[:, list(elements)] = np.where(indices < 0, indices + size, indices)
    return counted.reshape(array.shape)


def _warn_renamed(old: str, new: str) -> None:
    warnings.warn(f"QuantizedModule.{old} is deprecated; use {new}.", FutureWarning, stacklevel=3)


def _arrays(q: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments that may be one tuple: what the step before returns."""
    return q[0] if len(q) == 1 and isinstance(q[0], tuple) else q


def _one_or_tuple(arrays: list[Array]) -> Array | tuple[Array, ...]:
    return arrays[0] if len(arrays) == 1 else tuple(arrays)
