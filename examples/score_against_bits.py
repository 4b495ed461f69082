"""
Score against bits
==================

This example compares three families of models on the digits data, with all four widths of
``n_bits`` set to the same number. The bands are one standard deviation over three splits.
"""

# %%
# Quantize fitted models
# ----------------------
# Each float model is fitted once per split and quantized at every width. With the path of a PNG
# file as argument the script saves the plot there.

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier

import skq
from skq.exceptions import PrecisionWarning
from skq.quantization import get_n_bits_dict

quick = "--quick" in sys.argv
X, y = load_digits(return_X_y=True)
models = {
    "RandomForestClassifier": RandomForestClassifier(30, random_state=0),
    "MLPClassifier": MLPClassifier((20,), learning_rate_init=0.01, max_iter=60, random_state=0),
    "LogisticRegression": LogisticRegression(C=0.01, max_iter=500),
}
widths = [2, 4] if quick else [2, 3, 4, 6, 8]
splits = list(StratifiedShuffleSplit(1 if quick else 3, random_state=0).split(X, y))


def scores_of(model):
    """Test scores by split and width; in the last column those of the float model."""
    scores = np.empty((len(splits), len(widths) + 1))
    for row, (train, test) in zip(scores, splits, strict=True):
        model.fit(X[train], y[train])
        row[-1] = model.score(X[test], y[test])
        for i, n in enumerate(widths):
            quantized = skq.quantize(model, X[train], n_bits=dict.fromkeys(get_n_bits_dict(n), n))
            row[i] = quantized.score(X[test], y[test])
    return scores


figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
for color, (name, model) in enumerate(models.items()):
    with warnings.catch_warnings():
        # the loss is what this example shows, and the solvers stop early
        warnings.simplefilter("ignore", PrecisionWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = scores_of(model)
    *mean, in_floats = scores.mean(axis=0)
    *std, _ = scores.std(axis=0)
    print(f"{name:<24}{np.round(mean, 3)}, float {in_floats:.3f}")
    axis.plot(widths, mean, marker="o", color=f"C{color}", label=name)
    axis.fill_between(
        widths, np.subtract(mean, std), np.add(mean, std), color=f"C{color}", alpha=0.15
    )
    axis.axhline(in_floats, color=f"C{color}", linestyle=":", linewidth=1)
axis.plot([], [], color="gray", linestyle=":", label="in floats")
axis.set(xlabel="bits of every integer", ylabel="test accuracy", xticks=widths, ylim=(0.8, 1))
axis.legend(loc="lower right")
if sys.argv[1:] and sys.argv[1].endswith(".png"):
    figure.savefig(sys.argv[1], dpi=100)
plt.show()
