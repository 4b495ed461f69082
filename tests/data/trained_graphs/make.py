r"""Make the small trained graphs of this folder, with the libraries that users export from.

They were made with brevitas 0.13.4, torch 2.13.0, onnxruntime 1.32.0, onnx 1.16.1 and
onnxoptimizer 0.4.2, in an environment of their own::

    python -m venv /tmp/exporters
    /tmp/exporters/bin/pip install torch==2.13.0 onnxruntime==1.32.0 onnx==1.16.1 \
        onnxoptimizer==0.4.2 ml_dtypes "setuptools<80" dependencies==2.0.1 unfoldNd==0.2.3
    /tmp/exporters/bin/pip install --no-deps brevitas==0.13.4
    /tmp/exporters/bin/python tests/data/trained_graphs/make.py

(brevitas up to 0.10 calls ``Tensor.rename``, which torch 2.13 no longer has; the newer ones ask for
an older torch, and work with this one.)

Each file is a few kB; ``inputs.npz`` holds an input for each kind of model.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
#: Rows of the inputs of the dense and of the convolutional models.
DENSE = RNG.normal(size=(120, 6)).astype(np.float32)
IMAGES = RNG.normal(size=(40, 2, 6, 6)).astype(np.float32)


def dense() -> nn.Module:
    """Two layers with a ReLU between."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def convolutional() -> nn.Module:
    """Two convolutions, pooling, a layer."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()


def saved(model: onnx.ModelProto, name: str) -> None:
    """Write a model without the exporter's texts, which name folders."""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, HERE / f"{name}.onnx")


def export(module: nn.Module, x: np.ndarray, name: str, opset: int = 17) -> None:
    """Export with torch's exporter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (torch.tensor(x[:2]),),
            path,
            dynamo=False,
            opset_version=opset,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        )
        saved(onnx.load(path), name)


# ------------------------------------------------------------------ torch


def torch_models() -> None:
    """torch.ao: fake quantizers of activations and weights, trained a few steps."""
    from torch.ao import quantization as ao

    for name, make, x in (("dense", dense, DENSE), ("conv", convolutional, IMAGES)):
        for per_channel in (False, True):
            module = nn.Sequential(ao.QuantStub(), make()).train()
            weights = ao.default_weight_fake_quant
            if per_channel:
                weights = ao.default_per_channel_weight_fake_quant
            activations = ao.FakeQuantize.with_args(
                observer=ao.MovingAverageMinMaxObserver,
                quant_min=0,
                quant_max=255,
                dtype=torch.quint8,
                qscheme=torch.per_tensor_affine,
            )
            module.qconfig = ao.QConfig(activation=activations, weight=weights)
            ao.prepare_qat(module, inplace=True)
            optimizer = torch.optim.SGD(module.parameters(), 0.01)
            for _ in range(10):
                optimizer.zero_grad()
                module(torch.tensor(x)).square().mean().backward()
                optimizer.step()
            module.apply(ao.disable_observer)
            kind = "per_channel" if per_channel else "per_tensor"
            export(module.eval(), x, f"torch_{name}_{kind}")


# ------------------------------------------------------------------ brevitas


def brevitas_models() -> None:
    """QONNX of brevitas: few bits, per channel, and binary."""
    import brevitas.nn as qnn
    from brevitas.export import export_onnx_qcdq, export_qonnx
    from brevitas.quant import (
        Int8WeightPerChannelFloat,
        Int16Bias,
        SignedBinaryActPerTensorConst,
        SignedBinaryWeightPerTensorConst,
    )

    torch.manual_seed(2)
    models: dict[str, tuple[nn.Module, np.ndarray]] = {}
    for bits in (2, 4):
        models[f"dense_{bits}_bits"] = (
            nn.Sequential(
                qnn.QuantIdentity(bit_width=bits + 2, return_quant_tensor=True),
                qnn.QuantLinear(6, 8, bias=True, weight_bit_width=bits),
                qnn.QuantReLU(bit_width=bits, return_quant_tensor=True),
                qnn.QuantLinear(8, 3, bias=True, weight_bit_width=bits),
            ),
            DENSE,
        )
    models["conv_per_channel"] = (
        nn.Sequential(
            qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
            qnn.QuantConv2d(
                2, 4, 3, padding=1, weight_quant=Int8WeightPerChannelFloat, weight_bit_width=4
            ),
            qnn.QuantReLU(bit_width=4, return_quant_tensor=True),
            nn.MaxPool2d(2),
            nn.Flatten(),
            qnn.QuantLinear(36, 3, bias=True, weight_bit_width=4),
        ),
        IMAGES,
    )
    models["binary"] = (
        nn.Sequential(
            qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
            qnn.QuantLinear(6, 8, bias=True, weight_quant=SignedBinaryWeightPerTensorConst),
            qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst, return_quant_tensor=True),
            qnn.QuantLinear(8, 3, bias=True, weight_quant=SignedBinaryWeightPerTensorConst),
        ),
        DENSE,
    )
    models["integer_bias"] = (
        nn.Sequential(
            qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
            qnn.QuantLinear(6, 3, bias=True, weight_bit_width=4, bias_quant=Int16Bias),
        ),
        DENSE,
    )
    for name, (module, x) in models.items():
        module.train()
        for _ in range(5):
            module(torch.tensor(x))
        module.eval()
        with tempfile.TemporaryDirectory() as folder:
            for form, function in (("qonnx", export_qonnx), ("qcdq", export_onnx_qcdq)):
                if name == "binary" and form == "qcdq":
                    continue  # one bit has no QCDQ form
                path = str(Path(folder) / "model.onnx")
                function(
                    module,
                    torch.tensor(x[:2]),
                    export_path=path,
                    input_names=["x"],
                    output_names=["y"],
                    dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
                    opset_version=13,
                    dynamo=False,
                )
                saved(onnx.load(path), f"brevitas_{name}_{form}")


# ------------------------------------------------------------------ onnxruntime


def onnxruntime_models() -> None:
    """quantize_static of onnxruntime, in both of its forms."""
    from onnxruntime import quantization as ort

    class Reader(ort.CalibrationDataReader):
        def __init__(self, x: np.ndarray) -> None:
            self.rows = iter([{"x": row[None]} for row in x])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.rows, None)

    forms = {
        "qdq": {"quant_format": ort.QuantFormat.QDQ},
        "qdq_per_channel": {"quant_format": ort.QuantFormat.QDQ, "per_channel": True},
        "qdq_int16": {
            "quant_format": ort.QuantFormat.QDQ,
            "activation_type": ort.QuantType.QInt16,
            "weight_type": ort.QuantType.QInt8,
        },
        "qoperator": {"quant_format": ort.QuantFormat.QOperator},
        "qoperator_per_channel": {"quant_format": ort.QuantFormat.QOperator, "per_channel": True},
    }
    for name, make, x in (("dense", dense, DENSE), ("conv", convolutional, IMAGES)):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "float.onnx", Path(folder) / "int.onnx"
            torch.onnx.export(
                make(),
                (torch.tensor(x[:2]),),
                source,
                dynamo=False,
                opset_version=17,
                input_names=["x"],
                output_names=["y"],
                dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
            )
            for form, options in forms.items():
                ort.quantize_static(source, target, Reader(x), **options)
                saved(onnx.load(target), f"onnxruntime_{name}_{form}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.savez_compressed(HERE / "inputs.npz", dense=DENSE, conv=IMAGES)
    for make in (torch_models, brevitas_models, onnxruntime_models):
        if len(sys.argv) < 2 or make.__name__.startswith(sys.argv[1]):
            make()
