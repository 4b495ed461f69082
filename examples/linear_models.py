"""
Linear models: error against bits
=================================

A linear model has one scale for each column of X and one for each output. This example compares
the integer predictions of ``Ridge`` and ``LogisticRegression`` with those of scikit-learn's
classes, on columns of very different scales.
"""

# %%
# Columns of different units
# --------------------------
# The columns of the breast cancer data range from thousandths to thousands. Each column has a
# separate scale, so the model needs no scaler.

import matplotlib.pyplot as plt
import numpy as np
from sklearn import linear_model as floats
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split

from skq.linear_model import LogisticRegression, Ridge

widths = np.arange(2, 13)
X_train, X_test, y_train, y_test = train_test_split(
    *load_breast_cancer(return_X_y=True), random_state=0
)
settings = {"solver": "liblinear", "random_state": 0}
in_floats = floats.LogisticRegression(**settings).fit(X_train, y_train)
agreement = []
for n_bits in widths:
    model = LogisticRegression(**settings, n_bits=int(n_bits)).fit(X_train, y_train)
    agreement.append(np.mean(model.predict(X_test) == in_floats.predict(X_test)))
    print(f"n_bits={n_bits:<3} labels that agree with the float model: {agreement[-1]:.3f}")

# %%
# The error of a regression
# -------------------------
# Each additional bit halves the step of the codes, and so roughly halves the error.

X_train, X_test, y_train, y_test = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
in_floats = floats.Ridge(alpha=0.1).fit(X_train, y_train)
errors = []
for n_bits in widths:
    model = Ridge(alpha=0.1, n_bits=int(n_bits)).fit(X_train, y_train)
    difference = model.predict(X_test) - in_floats.predict(X_test)
    errors.append(np.sqrt(np.mean(difference**2)) / y_train.std())

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.plot(widths, agreement, marker="o")
left.set(title="LogisticRegression", xlabel="n_bits", ylabel="labels as in the float model")
left.set_ylim(0.8, 1.01)
right.semilogy(widths, errors, marker="o")
right.set(title="Ridge", xlabel="n_bits", ylabel="RMS difference / std of the target")
plt.show()
