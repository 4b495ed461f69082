"""The error that each layer alone adds to the output of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.evaluator import GraphEvaluator
from skq.quantization.layer_bits import layer_names
from skq.quantization.n_bits import KEYS, LAYERS, MAX_N_BITS, REQUIRED_KEYS
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]


def layer_sensitivities(module: QuantizedModule, X: Sequence[Array]) -> dict[str, float]:
    """Error of a model in which only one layer has its widths, and everything else has 16 bits.

    Parameters
    ----------
    module : QuantizedModule
        The module, with its float graph.
    X : sequence of ndarray of shape (n_rows, ...)
        Rows for calibration and for measuring the error, one array for each input.

    Returns
    -------
    dict of str to float
        By node, in the order of the graph: mean squared error of the first float output, divided by
        the variance of the float output. 0 is no error; 1 is the error of predicting the mean.

    Raises
    ------
    ValueError
        If the module was loaded, and has no float graph.
    """
    if module.graph is None:
        raise ValueError(
            "Sensitivities of layers need the float graph, which a loaded model does not have. "
            "Report on the fitted estimator."
        )
    graph = GraphEvaluator(module.graph)
    feeds = {info.name: array for info, array in zip(graph.inputs, X, strict=True)}
    names = module.output_names
    values = graph.run(feeds, names)
    output = next((name for name in names if values[name].dtype.kind == "f"), names[0])
    real = np.asarray(values[output], np.float64)
    power = float(np.var(real, axis=0).mean())
    base = dict.fromkeys(KEYS, MAX_N_BITS)
    widths = module.n_bits.get(LAYERS, {})
    found = {}
    for name in layer_names(module.graph):
        of_layer = widths.get(name, {role: module.n_bits[role] for role in REQUIRED_KEYS})
        alone = PostTrainingAffineQuantization({**base, LAYERS: {name: dict(of_layer)}}, graph)
        got = alone.quantize_module(*X).forward(*X, outputs=[output])
        error = float(np.mean((got - real) ** 2))
        found[name] = error / power if power > 0 else float(error > 0)
    return found
