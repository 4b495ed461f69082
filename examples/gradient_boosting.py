"""
Gradient boosting: a curve in integers
======================================

A boosted regressor is a sum of trees. Their leaf values are rounded one tree after the other, and
each tree compensates for the rounding errors of the trees before it. The sum is exact.
"""

# %%
# A function of one feature
# -------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn import ensemble as floats

from skq.ensemble import HistGradientBoostingRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 6, (400, 1)), axis=0)
y = np.sin(X[:, 0]) + 0.3 * np.sin(5 * X[:, 0]) + rng.normal(0, 0.1, 400)
parameters = {"max_iter": 40, "max_leaf_nodes": 8}
in_floats = floats.HistGradientBoostingRegressor(**parameters).fit(X, y)
points = np.linspace(0, 6, 600)[:, None]

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True, layout="constrained")
for axis, bits in zip(axes, (3, 4, 6), strict=True):
    n_bits = {"model_inputs": bits, "op_weights": bits, "op_inputs": 8, "model_outputs": 8}
    model = HistGradientBoostingRegressor(**parameters, n_bits=n_bits).fit(X, y)
    error = np.sqrt(np.mean((model.predict(points) - in_floats.predict(points)) ** 2))
    print(f"{bits} bits: RMS difference from the float model {error:.3f}")
    axis.scatter(X[:, 0], y, s=4, color="lightgray")
    axis.plot(points, in_floats.predict(points), color="black", linewidth=1, label="float")
    axis.plot(points, model.predict(points), color="C1", linewidth=1.5, label="integers")
    axis.set(title=f"{bits} bits", xlabel="x")
axes[0].legend()
plt.show()
