"""Trees whose splits survive: the width that keeps them all, and training on the bins there are.

Run it with ``python examples/trees_without_loss.py``.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
forest = {"n_estimators": 20, "random_state": 0}


def describe(model):
    """Test accuracy, and how many rows reach the leaf that the float trees send them to."""
    in_floats = np.stack([tree.apply(X_test) for tree in model.estimators_], axis=1)
    kept = np.mean(model.apply(X_test) == in_floats)
    return f"accuracy {model.score(X_test, y_test):.3f}, {kept:.0%} of the leaves as in floats"


lossless = RandomForestClassifier(**forest, n_bits="lossless").fit(X_train, y_train)
print(f"lossless, codes of {lossless.n_bits_['model_inputs']} bits:  {describe(lossless)}")

narrow = {"model_inputs": 2, "op_weights": 4, "op_inputs": 4, "model_outputs": 4}
binned = RandomForestClassifier(**forest, n_bits=narrow).fit(X_train, y_train)
print(f"2 bits, binned afterwards: {describe(binned)}")

on_bins = RandomForestClassifier(**forest, n_bits=narrow, fit_on_bins=True).fit(X_train, y_train)
print(f"2 bits, trained on bins:   {describe(on_bins)}")
edges = ", ".join(f"{edge:.4g}" for edge in on_bins.bin_edges_[0])
print(f"edges between the bins of the first feature: {edges}")
