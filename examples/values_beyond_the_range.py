"""
Values beyond the range of the training data
============================================

The codes of X cover the range of the training data. Values outside this range saturate: they are
replaced by the nearest end of the range. Nothing overflows. Linear models and networks are
constant outside the range; trees are constant there in floats, too.
"""

# %%
# A line and a tree
# -----------------

import matplotlib.pyplot as plt
import numpy as np

import skq
from skq.exceptions import CalibrationWarning
from skq.linear_model import LinearRegression
from skq.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
X = rng.uniform(0, 10, (200, 1))
y = 2 * X[:, 0] + rng.normal(0, 1, 200)
points = np.linspace(-5, 15, 200)[:, None]

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.axvspan(X.min(), X.max(), color="lightgray", alpha=0.4, label="range of the training data")
line = LinearRegression(n_bits=8).fit(X, y)
axis.plot(points, points @ line.coef_ + line.intercept_, "k--", linewidth=1, label="float line")
for model in (line, DecisionTreeRegressor(max_depth=4, n_bits=8).fit(X, y)):
    axis.plot(points, model.predict(points), label=type(model).__name__)
axis.set(xlabel="x", ylabel="prediction")
axis.legend()
plt.show()

# %%
# An optional warning
# -------------------
# By default predictions do not check for saturation. With the setting ``saturation_warning`` they
# issue a warning.

import warnings

with warnings.catch_warnings(record=True) as caught, skq.config_context(saturation_warning=0.1):
    warnings.simplefilter("always", CalibrationWarning)
    line.predict(points)
print(caught[0].message)
