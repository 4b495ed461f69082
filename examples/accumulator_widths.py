"""
Accumulators: proven widths
===========================

``max_accumulator_bits`` is the width of the widest sum that any input can produce. It is derived
from the weights and the codes of X when the model is built; no data can exceed it. Firmware,
homomorphic encryption and zero-knowledge circuits use it to choose their integer types.
"""

# %%
# Three models from 2 to 10 bits
# ------------------------------

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from skq.ensemble import RandomForestClassifier
from skq.exceptions import PrecisionWarning
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier
from skq.quantization import get_n_bits_dict

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)
models = {
    "LogisticRegression": LogisticRegression(),
    "MLPClassifier": MLPClassifier((16,), solver="lbfgs", max_iter=1000, random_state=0),
    "RandomForestClassifier": RandomForestClassifier(20, random_state=0),
}
widths = [2, 3, 4, 6, 8, 10]
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for name, model in models.items():
    bits = []
    for n in widths:
        model.set_params(n_bits=dict.fromkeys(get_n_bits_dict(n), n))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PrecisionWarning)
            bits.append(model.fit(X, y).quantized_module_.max_accumulator_bits)
    print(f"{name:<24}{bits}")
    axis.plot(widths, bits, marker="o", label=name)
axis.set(xlabel="bits of every integer", ylabel="bits of the widest accumulator", ylim=(0, 35))
axis.axhline(32, color="gray", linestyle=":", label="int32")
axis.legend()
plt.show()
