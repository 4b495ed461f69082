"""
Save and load a model
=====================

``skq.save`` writes one safe file instead of a pickle. Loading it needs only NumPy and skq, and no
scikit-learn or torch.
"""

# %%
# Save, load, predict
# -------------------

import pickle
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn import ensemble as floats
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import skq
from skq.ensemble import RandomForestClassifier

X_train, X_test, y_train, y_test = train_test_split(
    *load_breast_cancer(return_X_y=True), random_state=0
)
parameters = {"n_estimators": 20, "random_state": 0}
model = RandomForestClassifier(**parameters, n_bits=4).fit(X_train, y_train)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "forest.skq"
    skq.save(model, path)
    loaded = skq.load(path)
    size = path.stat().st_size
    print(f"{path.name}: {size} bytes, accuracy {model.score(X_test, y_test):.3f}")

same = np.array_equal(loaded.predict(X_test), model.predict(X_test))
print(f"the loaded model predicts the same labels: {same}")

# %%
# Size of the files
# -----------------

in_floats = floats.RandomForestClassifier(**parameters).fit(X_train, y_train)
sizes = {"pickle of the float forest": len(pickle.dumps(in_floats)), "skq.save, 4 bits": size}
figure, axis = plt.subplots(figsize=(7, 2.2), layout="constrained")
bars = axis.barh(list(sizes), [value / 1000 for value in sizes.values()])
axis.bar_label(bars, fmt="%.1f", padding=3)
axis.set(xlabel="kB")
axis.margins(x=0.1)
plt.show()
