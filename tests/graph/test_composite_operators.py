"""Reductions that are written as others, with ONNX's own test data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from skq.quantization import NumpyModule, PostTrainingAffineQuantization

NAMES = ("test_reduce_l1_", "test_reduce_l2_", "test_reduce_sum_square_")
CASES = [
    case
    for case in load_model_tests(kind="node")
    if case.name.startswith(NAMES) and "expanded" not in case.name
]


def array(path: Path) -> np.ndarray:
    return numpy_helper.to_array(onnx.load_tensor(path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_backend_case(case) -> None:
    folder = Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    feeds = {
        info.name: array(folder / "test_data_set_0" / f"input_{i}.pb")
        for i, info in enumerate(model.graph.input)
    }
    (name,) = (info.name for info in model.graph.output)
    found = NumpyModule(model).run(feeds, [name])[name]
    expected = array(folder / "test_data_set_0" / "output_0.pb")
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_normalized_rows() -> None:
    """torch's normalize: a row over its length."""
    torch = pytest.importorskip("torch")

    class Unit(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.normalize(x, dim=1)

    x = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32) + 3
    model = NumpyModule(Unit(), x[:2])
    module = PostTrainingAffineQuantization(8, model).quantize_module(x)
    assert np.abs(module.forward(x) - model.forward(x)).max() < 0.03
