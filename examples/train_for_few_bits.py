"""
Train for few bits
==================

With 2 to 4 bits, quantization-aware training increases the accuracy. With the parameter
``qat_epochs``, ``fit`` trains the integers after the float model. Here all four widths are the
same.
"""

# %%
# Rounding, and quantization-aware training
# -----------------------------------------

import sys
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skq.exceptions import PrecisionWarning
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier
from skq.quantization import get_n_bits_dict

quick = "--quick" in sys.argv
widths = [2] if quick else [2, 3, 4]
epochs = 2 if quick else 20

X, y = (part[:900] for part in load_digits(return_X_y=True))
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
models = {
    "LogisticRegression": LogisticRegression(max_iter=20 if quick else 200),
    "MLPClassifier": MLPClassifier(16, max_iter=20 if quick else 100, random_state=0),
}


def score_at(model, n, qat_epochs):
    """Test score with all integers of n bits."""
    model.set_params(n_bits=dict.fromkeys(get_n_bits_dict(n), n), qat_epochs=qat_epochs)
    with warnings.catch_warnings():
        # what few bits lose is measured here, and the solvers stop early
        warnings.simplefilter("ignore", PrecisionWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X_train, y_train).score(X_test, y_test)


figure, axes = plt.subplots(1, len(models), figsize=(9, 4), sharey=True, layout="constrained")
for (name, model), axis in zip(models.items(), axes, strict=True):
    print(f"{name}\nn_bits  rounded  trained")
    scores = {"rounded after training": [], "trained with the integers": []}
    for n in widths:
        for way, n_epochs in zip(scores, (0, epochs), strict=True):
            scores[way].append(score_at(model, n, n_epochs))
        print(f"{n:<8}" + "  ".join(f"{values[-1]:.4f} " for values in scores.values()))
    for way, values in scores.items():
        axis.plot(widths, values, marker="o", label=way)
    axis.set(title=name, xlabel="bits of every integer", xticks=widths, ylim=(0.75, 1))
axes[0].set_ylabel("test accuracy")
axes[0].legend(loc="lower right")
plt.show()
