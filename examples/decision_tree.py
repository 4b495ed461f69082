"""
Decision tree: bins at the thresholds
=====================================

A tree only compares features with thresholds. skq places the edges between codes at the thresholds
of the tree. With enough codes the integer tree equals the float tree; with fewer codes some
thresholds are dropped.
"""

# %%
# A tree on two features
# ----------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skq.tree import DecisionTreeClassifier

X, y = make_moons(400, noise=0.25, random_state=0)
axis_0 = np.linspace(X[:, 0].min(), X[:, 0].max(), 200)
axis_1 = np.linspace(X[:, 1].min(), X[:, 1].max(), 200)
grid = np.stack([part.ravel() for part in np.meshgrid(axis_0, axis_1)], axis=1)

parameters = {"max_leaf_nodes": 14, "random_state": 0}
lossless = DecisionTreeClassifier(**parameters, n_bits="lossless").fit(X, y)
thresholds = [
    np.unique(lossless.tree_.threshold[lossless.tree_.feature == feature]) for feature in (0, 1)
]
print(f"thresholds of the features: {[len(values) for values in thresholds]}")
print(f"codes that keep all of them: {lossless.n_bits_['model_inputs']} bits")

# %%
# Fewer codes, fewer edges
# ------------------------
# At 2 bits a feature has four codes and three edges, at 3 bits eight codes and seven edges. skq
# chooses the edges that misroute the fewest training rows. Dashed lines are the thresholds of the
# float tree.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True, layout="constrained")
for axis, bits in zip(axes, (2, 3, lossless.n_bits_["model_inputs"]), strict=True):
    n_bits = {"model_inputs": bits, "op_weights": 8, "op_inputs": 8, "model_outputs": 8}
    model = DecisionTreeClassifier(**parameters, n_bits=n_bits).fit(X, y)
    regions = model.predict(grid).reshape(200, 200)
    axis.pcolormesh(axis_0, axis_1, regions, cmap="coolwarm", alpha=0.4, rasterized=True)
    axis.scatter(*X.T, c=y, s=8, cmap="coolwarm")
    for value in thresholds[0]:
        axis.axvline(value, color="gray", linestyle="--", linewidth=0.7)
    for value in thresholds[1]:
        axis.axhline(value, color="gray", linestyle="--", linewidth=0.7)
    axis.set_title(f"codes of {bits} bits: accuracy {model.score(X, y):.2f}")
plt.show()
