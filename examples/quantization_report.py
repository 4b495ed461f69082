"""
Read a quantization report
==========================

``quantization_report`` shows the quantization error of a model, and the features and layers that
cause it.
"""

# %%
# The report at 8 and at 3 bits
# -----------------------------
# Each feature and each layer has a signal-to-quantization-noise ratio in dB; 6 dB are about one
# bit.
# ``saturated`` is the share of values outside the range of the codes.

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from skq.inspection import QuantizationErrorDisplay, quantization_report
from skq.linear_model import Ridge

X, y = load_diabetes(return_X_y=True, as_frame=True)
reports = {n_bits: quantization_report(Ridge(n_bits=n_bits).fit(X, y), X, y) for n_bits in (8, 3)}
for report in reports.values():
    print(report, end="\n\n")

# %%
# The same as bars
# ----------------

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for axis, (n_bits, report) in zip(axes, reports.items(), strict=True):
    QuantizationErrorDisplay(report=report).plot(ax=axis)
    axis.set_title(f"Ridge, n_bits={n_bits}")
plt.show()
