"""
Read the integer program
========================

A quantized model is a short list of typed integer instructions. Each value has a proven interval.
"""

# %%
# Two programs as text
# --------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from skq.neural_network import MLPClassifier
from skq.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)

models = [
    DecisionTreeClassifier(max_depth=3, random_state=0, n_bits=4),
    MLPClassifier((8,), solver="lbfgs", max_iter=500, random_state=0, n_bits=4),
]
for model in models:
    module = model.fit(X, y).quantized_module_
    print(f"{type(model).__name__}, accuracy {model.score(X, y):.3f}")
    print(module.program)
    print(f"widest accumulator: {module.max_accumulator_bits} bits; {module.nbytes} bytes\n")

# %%
# Codes of the features
# ---------------------
# ``quantize_input`` returns the integers that the program reads.

codes = models[1].quantized_module_.quantize_input(X)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
axes[0].scatter(X[:, 2], X[:, 3], c=y, s=14)
axes[0].set(title="X", xlabel="petal length in cm", ylabel="petal width in cm")
axes[1].scatter(codes[:, 2], codes[:, 3], c=y, s=14)
axes[1].set(title="codes of X", xlabel="code of petal length", ylabel="code of petal width")
plt.show()
