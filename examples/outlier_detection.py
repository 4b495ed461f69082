"""
Outlier detection with an isolation forest
==========================================

``IsolationForest`` counts the comparisons that isolate a row. The counts are integers already, and
the edges between codes lie at the thresholds of the trees.
"""

# %%
# Scores at 8 and at 3 bits
# -------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn import ensemble as floats

from skq.ensemble import IsolationForest

rng = np.random.default_rng(0)
inliers = np.concatenate([rng.normal(2, 0.4, (120, 2)), rng.normal(-2, 0.4, (120, 2))])
X = np.concatenate([inliers, rng.uniform(-4, 4, (25, 2))])
axis = np.linspace(-4, 4, 120)
grid = np.stack([part.ravel() for part in np.meshgrid(axis, axis)], axis=1)

models = {"float": floats.IsolationForest(n_estimators=50, random_state=0).fit(X)}
for bits in (8, 3):
    models[f"{bits} bits"] = IsolationForest(n_estimators=50, random_state=0, n_bits=bits).fit(X)

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True, layout="constrained")
for panel, (name, model) in zip(axes, models.items(), strict=True):
    scores = model.decision_function(grid).reshape(120, 120)
    panel.contourf(axis, axis, scores, levels=12, cmap="Blues_r")
    outlier = model.predict(X) == -1
    panel.scatter(*X[~outlier].T, s=8, color="black", label="inlier")
    panel.scatter(*X[outlier].T, s=12, color="red", label="outlier")
    panel.set_title(name)
    print(f"{name}: {outlier.sum()} outliers")
axes[0].legend(loc="upper left")
plt.show()
