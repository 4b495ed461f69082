"""``skq export``: a saved model as C99 or ONNX."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

from skq.cli.models import load_model


def add_export(commands: Any) -> None:
    """Declare the command ``export``."""
    parser = commands.add_parser(
        "export",
        help="write a saved model as C99 or ONNX",
        description="Write DIR/NAME.onnx, or DIR/NAME.h and DIR/NAME.c.",
    )
    parser.add_argument("model", metavar="MODEL", help="file that skq.save wrote")
    parser.add_argument("--to", choices=("c", "onnx"), required=True, help="language to write")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write to")
    parser.add_argument("--name", help="name of the files and functions (default: name of MODEL)")
    parser.add_argument(
        "--form",
        default="integer",
        choices=("integer", "fast", "qdq"),
        help="form of the ONNX model (default: %(default)s)",
    )
    parser.add_argument(
        "--input-dtype",
        default="float64",
        choices=("float64", "float32"),
        help="data type of the input of the ONNX model (default: %(default)s)",
    )
    parser.set_defaults(run=_export)


def _export(options: Namespace) -> None:
    model = load_model(options.model)
    name = options.name or _identifier(options.model)
    if not name.isidentifier():
        raise ValueError(f"--name must be an identifier; got {name!r}")
    os.makedirs(options.output, exist_ok=True)
    if options.to == "c":
        from skq.export import to_c

        to_c(model, name=name).write(options.output)
        return
    from skq.export import to_onnx

    proto = to_onnx(model, form=options.form, input_dtype=options.input_dtype)
    with open(os.path.join(options.output, f"{name}.onnx"), "wb") as file:
        file.write(proto.SerializeToString())


def _identifier(path: str) -> str:
    """The file's name without its ending, as an identifier."""
    stem = os.path.basename(path).split(".")[0]
    name = "".join(letter if letter.isalnum() else "_" for letter in stem)
    return name if name.isidentifier() else f"model_{name}"
