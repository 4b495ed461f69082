"""torch module → ONNX. The only file that uses torch's TorchScript exporter.

The exporter that ``torch.onnx.export(dynamo=False)`` calls is deprecated, but its successor needs a
newer onnx than Hummingbird allows.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from skq.exceptions import UnsupportedModelError

if TYPE_CHECKING:
    import onnx
    import torch

#: The exporter has global state; one export at a time.
_LOCK = threading.Lock()

OPSET = 17


@contextmanager
def _without_fused_paths() -> Iterator[None]:
    """Attention as plain operators: torch's fused kernels of eval mode cannot be exported."""
    import torch

    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


def _not_exported(module: torch.nn.Module, inputs: Sequence[torch.Tensor], error: Exception) -> str:
    """One sentence on a failed export: the module, the inputs, torch's reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines[0] if lines else type(error).__name__).partition(". ")[0].rstrip(".")
    shapes = ", ".join(str(list(tensor.shape)) for tensor in inputs)
    return (
        f"The torch module {type(module).__name__} cannot be exported to ONNX with inputs of "
        f"shape {shapes}: {reason}."
    )


def export_module(
    module: torch.nn.Module,
    example_inputs: Sequence[torch.Tensor],
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    custom_opsets: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """Trace a torch module into an ONNX graph with a dynamic batch dimension.

    Parameters
    ----------
    module : torch.nn.Module
        In the precision of the export; it is put into eval mode for the trace.
    example_inputs : sequence of torch.Tensor of shape (n_rows, ...)
        Inputs to trace with; the first dimension becomes the batch dimension.
    input_names, output_names : sequence of str, optional
        Names in the graph.
    custom_opsets : mapping of str to int, optional
        Versions of the operator domains that the module emits, besides ai.onnx.

    Returns
    -------
    onnx.ModelProto
        At opset 17.

    Raises
    ------
    UnsupportedModelError
        If torch cannot run the module on these inputs, or cannot export it.
    """
    import onnx
    import torch

    inputs = tuple(example_inputs)
    names = list(input_names or (f"input_{i}" for i in range(len(inputs))))
    dynamic: dict[str, Any] = {name: {0: "n_rows"} for name in [*names, *(output_names or ())]}
    buffer = io.BytesIO()
    was_training = module.training
    with _LOCK, warnings.catch_warnings(), torch.no_grad(), _without_fused_paths():
        # Users can act neither on the exporter's deprecation nor on its tracing hints.
        warnings.simplefilter("ignore")
        module.eval()
        try:
            torch.onnx.export(
                module,
                inputs,
                buffer,
                input_names=names,
                output_names=list(output_names) if output_names else None,
                dynamic_axes=dynamic,
                opset_version=OPSET,
                do_constant_folding=True,
                custom_opsets=dict(custom_opsets or {}),
                dynamo=False,
            )
        except Exception as error:  # any class: torch's errors and those of the module's code
            raise UnsupportedModelError(_not_exported(module, inputs, error)) from error
        finally:
            module.train(was_training)
    return onnx.load_from_string(buffer.getvalue())
