"""One safe file instead of a pickle: it loads with NumPy and skq alone, without torch.

Run it with ``python examples/save_and_load.py``.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import skq
from skq.ensemble import RandomForestClassifier

X_train, X_test, y_train, y_test = train_test_split(
    *load_breast_cancer(return_X_y=True), random_state=0
)
model = RandomForestClassifier(20, random_state=0, n_bits=4).fit(X_train, y_train)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "forest.skq"
    skq.save(model, path)
    loaded = skq.load(path)
    print(f"{path.name}: {path.stat().st_size} bytes, accuracy {model.score(X_test, y_test):.3f}")

same = np.array_equal(loaded.predict(X_test), model.predict(X_test))
print(f"the loaded model predicts the same labels: {same}")
