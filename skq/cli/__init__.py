"""The command line: ``skq info | predict | export | versions``, also as ``python -m skq``.

It loads saved models, so it needs NumPy alone; Parquet needs pyarrow, ``export --to onnx`` onnx.
"""

from skq.cli.main import main

__all__ = ["main"]
