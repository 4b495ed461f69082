"""Bytes of fitted and of loaded models: what their bits need, the file, the program, the plan.

Run it with ``python benchmarks/memory.py [--bits 8 4 2] [--models NAME ...] [--strict]``.

`nbytes` counts the bits of all constants. `program` is the memory that the program's arrays take,
`plan` what the native engine adds for all methods: descriptors and packed trees. `times` is
both, by `nbytes`; `loaded` is that of the model that `skq.load` gives back, whose trees are pruned.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from typing import Any

from predict import MODELS, N_FEATURES
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from tables import line, print_header

import skq
from skq.engines.footprint import program_bytes
from skq.estimators.requantize import requantized
from skq.quantization.n_bits import KEYS

WIDTHS = (22, 8, 10, 10, 10, 10, 10, 8, 8)
HEADER = ("model", "n_bits", "nbytes", "file", "program", "plan", "both", "times", "loaded")


def memory_of(model: Any, row: Any) -> tuple[int, int, int]:
    """`nbytes` of a model's program, bytes of its constants, and of these with the plan."""
    program = model.quantized_module_.program
    constants = program_bytes(program)
    model.predict(row)
    return program.nbytes, constants, constants + model.quantized_module_.session.plans.nbytes


def measure(name: str, model: Any, n_bits: Any, X: Any) -> tuple[object, ...]:
    """A row of the table."""
    narrow = requantized(model, X, n_bits)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skq"
        skq.save(narrow, path)
        size, loaded = path.stat().st_size, skq.load(path)
    nbytes, program, both = memory_of(narrow, X[:1])
    loaded_nbytes, _, loaded_both = memory_of(loaded, X[:1])
    width = n_bits if isinstance(n_bits, int) else n_bits["op_weights"]
    times = (f"{both / nbytes:.2f}", f"{loaded_both / loaded_nbytes:.2f}")
    return (name, width, nbytes, size, program, both - program, both, *times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bits", nargs="*", type=int, default=[8, 4, 2])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--strict", action="store_true", help="n bits for codes and outputs too")
    options = parser.parse_args()
    X, y = make_classification(
        5000, N_FEATURES, n_informative=20, n_classes=4, flip_y=0.05, random_state=0
    )
    print_header(HEADER, WIDTHS)
    for name in options.models:
        model = MODELS[name][0]()
        if "random_state" in model.get_params():
            model.set_params(random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        for bits in options.bits:
            n_bits = dict.fromkeys(KEYS, bits) if options.strict else bits
            print(line(measure(name, model, n_bits, X), WIDTHS), flush=True)


if __name__ == "__main__":
    main()
