"""Post-training quantization: float graph + calibration data → `QuantizedModule`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from skq.graph.evaluator import GraphEvaluator
from skq.quantization.base_quantized_op import (
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
)
from skq.quantization.calibration_data import InputRange
from skq.quantization.columns_per_feature import check_columns
from skq.quantization.conversion import Conversion
from skq.quantization.layer_bits import named_layers
from skq.quantization.lossless import check_only_trees, check_splits, needed_width
from skq.quantization.lower.context import Settings
from skq.quantization.lower.operands import Array
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import KEYS, LAYERS, LOSSLESS, get_n_bits_dict, is_lossless
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.search.ranges import check_calibration
from skq.serialization import Serializable, serializable

__all__ = [
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "ONNXConverter",
    "PostTrainingAffineQuantization",
    "PostTrainingQATImporter",
    "get_n_bits_dict",
]


@serializable("skq.ONNXConverter")
class ONNXConverter(Serializable):
    """Convert a float graph to an integer program; base class of the converters.

    Parameters
    ----------
    n_bits : int, "lossless", sequence of int or dict
        See `get_n_bits_dict`.
    numpy_model : NumpyModule
    rounding_threshold_bits : None, int or dict, default=None
        See `skq.quantization.lower.rounding.get_rounding`.
    is_signed : bool, default=True
        Whether weights are quantized on signed, symmetric grids, one per channel. If False, their
        grids are affine, from the least weight of a channel to the greatest.
    columns_per_feature : int or "lossless", default=1
        Maximum number of columns of codes of a feature.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen: from its values ("minmax", "percentile", "mse"), or
        by the error at the output of each layer on the calibration data ("auto").

    See Also
    --------
    PostTrainingAffineQuantization : Quantize a trained float model.
    PostTrainingQATImporter : Import a model after quantization-aware training.

    Examples
    --------
    >>> from skq.quantization import ONNXConverter, PostTrainingAffineQuantization
    >>> issubclass(PostTrainingAffineQuantization, ONNXConverter)
    True
    """

    #: Whether weights and activations are on grids already, which are detected and used.
    _discrete: ClassVar[bool] = False

    def __init__(
        self,
        n_bits: int | str | Sequence[int] | Mapping[str, Any],
        numpy_model: GraphEvaluator,
        rounding_threshold_bits: Any = None,
        is_signed: bool = True,
        *,
        calibration: str = "auto",
        columns_per_feature: int | str = 1,
    ) -> None:
        if not isinstance(numpy_model, GraphEvaluator):
            raise TypeError(
                "numpy_model must be a NumpyModule: wrap an ONNX model or a torch module in one. "
                f"Got {type(numpy_model).__name__}."
            )
        if not isinstance(is_signed, bool | np.bool_):
            raise TypeError(f"is_signed is True or False. Got {is_signed!r}.")
        widths = get_n_bits_dict(n_bits)
        layers = named_layers(widths, numpy_model.graph)
        widths = {key: widths[key] for key in KEYS}
        self.n_bits = {**widths, LAYERS: layers} if layers else widths
        self._lossless = is_lossless(n_bits)
        self.numpy_model = numpy_model
        self.rounding_threshold_bits = rounding_threshold_bits
        self.is_signed = bool(is_signed)
        self.calibration = check_calibration(calibration)
        self.columns_per_feature = columns_per_feature
        self._settings = Settings(
            widths,
            get_rounding(rounding_threshold_bits),
            calibration,
            signed_weights=self.is_signed,
            discrete=self._discrete,
            columns=check_columns(columns_per_feature, n_bits),
            layers=layers,
        )

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the model as its graph."""
        rounding = self._settings.rounding
        return {
            "n_bits": LOSSLESS if self._lossless else self.n_bits,
            "numpy_model": self.numpy_model.graph,
            "rounding_threshold_bits": {
                "n_bits": "auto" if rounding.n_bits is None else rounding.n_bits,
                "method": rounding.method,
            },
            "is_signed": self.is_signed,
            "calibration": self.calibration,
            "columns_per_feature": self.columns_per_feature,
        }

    @classmethod
    def __skq_build__(cls, state: dict[str, Any]) -> Self:
        """Build the converter around the graph."""
        return cls(**{**state, "numpy_model": GraphEvaluator(state["numpy_model"])})

    @property
    def n_bits_model_inputs(self) -> int:
        """Width of the codes of the model's inputs."""
        return int(self.n_bits["model_inputs"])

    @property
    def n_bits_model_outputs(self) -> int:
        """Width of outputs that need a quantizer."""
        return int(self.n_bits["model_outputs"])

    @property
    def n_bits_op_inputs(self) -> int:
        """Width of the inputs of inner layers."""
        return int(self.n_bits["op_inputs"])

    @property
    def n_bits_op_weights(self) -> int:
        """Width of weights and leaf values."""
        return int(self.n_bits["op_weights"])

    def quantize_module(
        self,
        *calibration_data: Array,
        sample_weight: Array | None = None,
        ranges: Sequence[InputRange] | None = None,
    ) -> QuantizedModule:
        """Quantize the model.

        Parameters
        ----------
        *calibration_data : ndarray of shape (n_rows, ...)
            One array per input of the model.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weight of each row. Rows of weight 0 are ignored. None means equal weights.
        ranges : sequence of InputRange, default=None
            Range of each input. None means the range of the calibration data.

        Returns
        -------
        QuantizedModule

        Raises
        ------
        UnsupportedModelError
            If a node is not supported. The message names the node, the operator and the reason.
        AccumulatorOverflowError
            If a sum does not fit into 63 bits.
        """
        columns = self._settings.columns
        parameter = "n_bits" if self._lossless else "columns_per_feature"
        if self._lossless or columns is None:
            check_splits(self.numpy_model.graph, parameter)

        def converted(settings: Settings) -> QuantizedModule:
            return Conversion(
                self.numpy_model, settings, calibration_data, sample_weight, ranges
            ).run()

        module = converted(replace(self._settings, columns=1 if self._lossless else columns))
        if self._lossless or columns is None:
            check_only_trees(module, parameter)
        if not self._lossless:
            return module
        n_bits = {**self.n_bits, "model_inputs": needed_width(module, columns or 1)}
        if columns == 1:
            return replace(module, n_bits=n_bits)
        return converted(replace(self._settings, n_bits=n_bits))


@serializable("skq.PostTrainingAffineQuantization")
class PostTrainingAffineQuantization(ONNXConverter):
    """Post-training quantization with uniform, affine quantizers.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.quantization import NumpyModule
    >>> graph = FloatGraph(
    ...     nodes=(Node("Gemm", ("x", "w"), ("y",)),),
    ...     initializers={"w": np.array([[1.0], [-2.0]])},
    ...     inputs=(TensorInfo("x", "float64", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float64", (None, 1)),),
    ... )
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> converter = PostTrainingAffineQuantization(8, NumpyModule(graph))
    >>> module = converter.quantize_module(X)
    >>> bool(np.abs(module.forward(X)[:, 0] - X @ [1, -2]).max() < 0.03)
    True
    """


@serializable("skq.PostTrainingQATImporter")
class PostTrainingQATImporter(ONNXConverter):
    """Converter of networks after quantization-aware training.

    Weights and activations of such networks lie on grids already, and these grids are used
    unchanged. They are read from the QuantizeLinear and DequantizeLinear nodes of the graph. If
    there are no such nodes, they are derived from the values (the smallest gap between distinct
    values). Tensors without a grid of the given width are quantized as by
    `PostTrainingAffineQuantization`.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.quantization import NumpyModule, PostTrainingQATImporter
    >>> weights = np.array([[0.75], [-0.25]])  # multiples of 0.25
    >>> graph = FloatGraph(
    ...     nodes=(Node("Gemm", ("x", "w"), ("y",)),),
    ...     initializers={"w": weights},
    ...     inputs=(TensorInfo("x", "float64", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float64", (None, 1)),),
    ... )
    >>> X = np.random.default_rng(0).integers(-8, 8, (100, 2)) / 4.0
    >>> importer = PostTrainingQATImporter(4, NumpyModule(graph))
    >>> module = importer.quantize_module(X)
    >>> module.program.instructions[1].weights.ravel().tolist()
    [3, -1]
    """

    _discrete = True
