"""
Multi-layer perceptron: decision regions
========================================

A network needs more bits than a tree, because each layer rounds its inputs. The plots show the
predicted probabilities of networks with weights and activations of 8, 4, 3 and 2 bits.
"""

# %%
# One float network, four widths
# ------------------------------
# ``skq.quantize`` takes a fitted model, so that all four have the same float weights.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.neural_network import MLPClassifier

import skq
from skq.exceptions import PrecisionWarning
from skq.quantization import get_n_bits_dict

X, y = make_moons(300, noise=0.2, random_state=0)
network = MLPClassifier((20, 10), solver="lbfgs", max_iter=1000, alpha=0.1, random_state=0)
network.fit(X, y)
axis_0, axis_1 = np.linspace(-1.5, 2.5, 150), np.linspace(-1.2, 1.7, 150)
grid = np.stack([part.ravel() for part in np.meshgrid(axis_0, axis_1)], axis=1)

figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), sharey=True, layout="constrained")
for axis, n in zip(axes, (8, 4, 3, 2), strict=True):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrecisionWarning)  # the loss is what this example shows
        model = skq.quantize(network, X, n_bits=dict.fromkeys(get_n_bits_dict(n), n))
    probabilities = model.predict_proba(grid)[:, 1].reshape(150, 150)
    axis.contourf(axis_0, axis_1, probabilities, levels=10, cmap="coolwarm", alpha=0.6)
    axis.scatter(*X.T, c=y, s=6, cmap="coolwarm")
    agreement = np.mean(model.predict(grid) == network.predict(grid))
    axis.set_title(f"{n} bits: {agreement:.0%} of labels agree", fontsize=10)
    print(f"{n} bits: accuracy {model.score(X, y):.3f}, float {network.score(X, y):.3f}")
plt.show()
