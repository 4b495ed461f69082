"""Predict a table from the command line, with a saved model.

Run it with ``python examples/command_line.py``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from sklearn.datasets import load_wine

import skq
from skq.ensemble import HistGradientBoostingClassifier

table, y = load_wine(return_X_y=True, as_frame=True)
model = HistGradientBoostingClassifier(max_iter=20, n_bits=6, random_state=0).fit(table, y)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder)
    skq.save(model, path / "wine.skq")
    table.to_csv(path / "wine.csv", index=False)
    for command in (
        ["info", "wine.skq"],
        ["predict", "wine.skq", "wine.csv", "-o", "labels.csv"],
        ["export", "wine.skq", "--to", "onnx", "-o", "exported"],
    ):
        print("$ skq", *command)
        subprocess.run([sys.executable, "-m", "skq", *command], cwd=folder, check=True)
    labels = (path / "labels.csv").read_text().split()[1:]
    print("predicted:", labels[:3], "... of", len(labels), "rows")
    print("exported:", [file.name for file in (path / "exported").iterdir()])
