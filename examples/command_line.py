"""
Command line
============

The command ``skq`` predicts the rows of a table with a saved model, and exports the model, without
Python code.
"""

# %%
# Train and save
# --------------

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

import skq
from skq.ensemble import HistGradientBoostingClassifier

table, y = load_wine(return_X_y=True, as_frame=True)
model = HistGradientBoostingClassifier(max_iter=20, n_bits=6, random_state=0).fit(table, y)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name)
skq.save(model, path / "wine.skq")
table.to_csv(path / "wine.csv", index=False)

# %%
# Show, predict, export
# ---------------------

for command in (
    ["info", "wine.skq"],
    ["predict", "wine.skq", "wine.csv", "-o", "labels.csv"],
    ["export", "wine.skq", "--to", "onnx", "-o", "exported"],
):
    print("$ skq", *command)
    done = subprocess.run(
        [sys.executable, "-m", "skq", *command],
        cwd=path,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout)
print("exported:", [file.name for file in (path / "exported").iterdir()])

# %%
# The predicted labels
# --------------------

labels = np.array((path / "labels.csv").read_text().split()[1:], dtype=int)
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
for label in range(3):
    rows = labels == label
    axis.scatter(table["alcohol"][rows], table["proline"][rows], s=12, label=f"class {label}")
axis.set(xlabel="alcohol", ylabel="proline", title="labels.csv")
axis.legend()
plt.show()
folder.cleanup()
