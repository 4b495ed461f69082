"""
Calibration: which range the codes cover
========================================

The parameter ``calibration`` determines how the range of each tensor is chosen on the training
data. This matters for data with outliers: a range from the least to the greatest value leaves few
codes for the other values.
"""

# %%
# A faulty value in each column
# -----------------------------
# Each column has one value far from all others. ``"minmax"`` covers it, ``"percentile"`` clips it.
# ``"mse"`` and ``"auto"`` (the default) choose the range with the least error over all training
# rows, including the faulty ones. Here the errors of the other rows are measured: if such values
# are faults of a sensor, ``"percentile"`` is the better choice.

import warnings

import matplotlib.pyplot as plt
import numpy as np

from skq.exceptions import PrecisionWarning
from skq.linear_model import Ridge
from skq.quantization import get_n_bits_dict

rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 6))
y = X @ rng.normal(size=6) + rng.normal(0, 0.1, 4000)
X[range(6), range(6)] = 40.0

widths = [2, 3, 4, 5, 6, 8]
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for calibration in ("minmax", "percentile", "mse", "auto"):
    errors = []
    for n in widths:
        n_bits = dict.fromkeys(get_n_bits_dict(n), n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PrecisionWarning)
            model = Ridge(n_bits=n_bits, calibration=calibration).fit(X, y)
        in_floats = X[6:] @ model.coef_ + model.intercept_
        difference = model.predict(X[6:]) - in_floats
        errors.append(np.sqrt(np.mean(difference**2)) / in_floats.std())
    print(f"{calibration:<12}", np.round(errors, 3))
    axis.semilogy(widths, errors, marker="o", label=f'calibration="{calibration}"')
axis.set(xlabel="bits of every integer", ylabel="RMS error / std of the predictions")
axis.legend()
plt.show()
