"""
Several columns of codes for a feature
======================================

If a target limits the width of integers, ``columns_per_feature`` allows more than one column of
codes of that width for a feature. Trees then have more thresholds, and linear models finer inputs.
"""

# %%
# Accuracy and size at 2 bits
# ---------------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.linear_model import LogisticRegression

X_train, X_test, y_train, y_test = train_test_split(
    *load_breast_cancer(return_X_y=True), random_state=0
)
strict = {"model_inputs": 2, "op_weights": 2, "op_inputs": 2, "model_outputs": 2}
models = [
    RandomForestClassifier(30, random_state=0, n_bits=strict),
    LogisticRegression(solver="liblinear", random_state=0, n_bits=strict),
]
columns = [1, 2, 3, 4, 6]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for model in models:
    name, scores, sizes = type(model).__name__, [], []
    for number in columns:
        model.set_params(columns_per_feature=number).fit(X_train, y_train)
        scores.append(model.score(X_test, y_test))
        sizes.append(model.quantized_module_.nbytes)
        print(f"{name}, {number} columns: accuracy {scores[-1]:.3f}, {sizes[-1]} bytes")
    left.plot(columns, scores, marker="o", label=name)
    right.semilogy(columns, sizes, marker="o", label=name)
left.set(xlabel="columns_per_feature", ylabel="test accuracy", xticks=columns, ylim=(0.85, 1))
left.legend()
right.set(xlabel="columns_per_feature", ylabel="bytes", xticks=columns)
plt.show()
