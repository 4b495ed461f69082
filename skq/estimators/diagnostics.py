"""Messages of quantization: the time of each step, and warnings about lost precision."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from skq._config import config_context
from skq.estimators.calibration import CalibrationData
from skq.exceptions import CalibrationWarning, PrecisionWarning
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.quantization.quantized_module import QuantizedModule

#: Below this agreement of labels, or above this error in standard deviations, a warning is issued.
LEAST_AGREEMENT, LARGEST_ERROR = 0.9, 0.25

#: Rows on which the integers are compared with the float model: at most, and at least.
MAX_COMPARED_ROWS, MIN_COMPARED_ROWS = 200, 30

#: Wider integers that the warning tries.
WIDTHS = (3, 4, 6, 8, 12, 16)


class Progress:
    """Prints the time of each step if `verbose` is set.

    Parameters
    ----------
    name : str
        Name of the estimator.
    verbose : bool or int
    """

    def __init__(self, name: str, verbose: Any) -> None:
        self._name, self._verbose = name, bool(verbose)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Time a block of code."""
        start = time.perf_counter()
        yield
        self.line(f"{text}, {time.perf_counter() - start:.2f} s")

    def line(self, text: str) -> None:
        """Print a line of text."""
        if self._verbose:
            print(f"[skq] {self._name}: {text}")


def check_cover(name: str, data: CalibrationData) -> None:
    """Warn if all rows of the calibration data are equal."""
    if np.array_equal(data.ranges.lo, data.ranges.hi) and len(data.ranges.lo):
        warnings.warn(
            f"{name} was calibrated on rows that are all the same, so it predicts the same for "
            "every row. Calibrate on varied data.",
            CalibrationWarning,
            stacklevel=3,
        )


def check_precision(
    name: str,
    module: QuantizedModule,
    graph: FloatGraph,
    data: CalibrationData,
    n_bits: Any,
    quantized: Callable[[int], QuantizedModule],
) -> None:
    """Warn if the integer model is much less accurate than the float model.

    The message names a sufficient width.

    Parameters
    ----------
    name : str
    module : QuantizedModule
    graph : FloatGraph
        Graph of the float model.
    data : CalibrationData
    n_bits : int or dict
    quantized : callable
        Returns the module at another width.
    """
    if len(data.rows) < MIN_COMPARED_ROWS:
        return
    rows = data.rows[
        np.linspace(0, len(data.rows) - 1, min(len(data.rows), MAX_COMPARED_ROWS)).astype(int)
    ]
    names = tuple(name for name in module.output_names if name.split("_")[0] == "predict")
    names = tuple(name for name in names if not name.startswith("predict_proba"))
    real = GraphEvaluator(graph).run({graph.inputs[0].name: rows.astype(float)}, names)
    wanted = [real[output] for output in names]
    loss = _loss(module, rows, names, wanted)
    if loss is None:
        return
    share, text = loss
    widths = [w for w in WIDTHS if isinstance(n_bits, int) and w > n_bits]
    enough = next((w for w in widths if _loss(quantized(w), rows, names, wanted) is None), None)
    advice = f"Use n_bits={enough}." if enough else "Use more bits, or more calibration data."
    warnings.warn(
        f"{name} with n_bits={n_bits} {text.format(share)} on the calibration data. {advice}",
        PrecisionWarning,
        stacklevel=3,
    )


def _loss(
    module: QuantizedModule, rows: Any, names: tuple[str, ...], wanted: list[Any]
) -> tuple[float, str] | None:
    """The loss of the integers, and a text for it; None where it is small."""
    # for few rows preparing the compiled engine costs more than it saves; the copy has a session of
    # its own, so the module does not hold the plan
    with config_context(engine="numpy"):
        results = replace(module).forward(rows, outputs=names)
    pairs = list(zip(results if len(names) > 1 else [results], wanted, strict=True))
    if wanted[0].dtype.kind != "f":
        agreement = min(float(np.mean(got == expected)) for got, expected in pairs)
        if agreement >= LEAST_AGREEMENT:
            return None
        return agreement, "gives the float model's label for only {:.0%} of the rows"
    spread = max(float(np.std(expected)) for _, expected in pairs)
    error = max(float(np.sqrt(np.mean((got - expected) ** 2))) for got, expected in pairs)
    if spread == 0 or error <= LARGEST_ERROR * spread:
        return None
    return error / spread, "is off by {:.2f} standard deviations of the float predictions"
