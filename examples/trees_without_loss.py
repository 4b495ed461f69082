"""
Trees without loss
==================

A quantized tree loses splits if a feature has more thresholds than its codes have edges. Two
parameters avoid this: ``n_bits="lossless"`` uses as many codes as all splits need, and
``fit_on_bins=True`` trains the trees on the available codes.
"""

# %%
# Leaves as in floats
# -------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
forest = {"n_estimators": 20, "random_state": 0}


def leaves_as_in_floats(model):
    """Share of rows and trees that reach the leaf that the float trees send them to."""
    in_floats = np.stack([tree.apply(X_test) for tree in model.estimators_], axis=1)
    return np.mean(model.apply(X_test) == in_floats)


def describe(model):
    return (
        f"accuracy {model.score(X_test, y_test):.3f}, "
        f"{leaves_as_in_floats(model):.0%} of the leaves as in floats"
    )


lossless = RandomForestClassifier(**forest, n_bits="lossless").fit(X_train, y_train)
print(f"lossless, codes of {lossless.n_bits_['model_inputs']} bits:  {describe(lossless)}")

narrow = {"model_inputs": 2, "op_weights": 4, "op_inputs": 4, "model_outputs": 4}
binned = RandomForestClassifier(**forest, n_bits=narrow).fit(X_train, y_train)
print(f"2 bits, binned afterwards: {describe(binned)}")

on_bins = RandomForestClassifier(**forest, n_bits=narrow, fit_on_bins=True).fit(X_train, y_train)
print(f"2 bits, trained on bins:   {describe(on_bins)}")
edges = ", ".join(f"{edge:.4g}" for edge in on_bins.bin_edges_[0])
print(f"edges between the bins of the first feature: {edges}")

# %%
# From 1 to 6 bits
# ----------------

widths = [1, 2, 3, 4, 5, 6]
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for fit_on_bins in (False, True):
    leaves, scores = [], []
    for bits in widths:
        n_bits = {"model_inputs": bits, "op_weights": 8, "op_inputs": 8, "model_outputs": 8}
        model = RandomForestClassifier(**forest, n_bits=n_bits, fit_on_bins=fit_on_bins)
        model.fit(X_train, y_train)
        leaves.append(leaves_as_in_floats(model))
        scores.append(model.score(X_test, y_test))
    axes[0].plot(widths, leaves, marker="o", label=f"fit_on_bins={fit_on_bins}")
    axes[1].plot(widths, scores, marker="o", label=f"fit_on_bins={fit_on_bins}")
axes[0].set(xlabel="bits of the codes of X", ylabel="leaves as in floats", ylim=(0, 1.05))
axes[1].set(xlabel="bits of the codes of X", ylabel="test accuracy", ylim=(0.85, 1))
axes[0].legend()
plt.show()
