"""
Forests: accuracy against bits
==============================

Forests average many trees, so they lose little accuracy with few bits for inputs and leaf values.
This example sets all four widths of ``n_bits`` to the same number and measures accuracy and size.
"""

# %%
# Two forests at 2 to 8 bits
# --------------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skq.ensemble import ExtraTreesClassifier, RandomForestClassifier
from skq.quantization import get_n_bits_dict

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
widths = [1, 2, 3, 4, 6, 8]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for forest_class in (RandomForestClassifier, ExtraTreesClassifier):
    name = forest_class.__name__
    scores, sizes = [], []
    for n in widths:
        forest = forest_class(30, random_state=0, n_bits=dict.fromkeys(get_n_bits_dict(n), n))
        forest.fit(X_train, y_train)
        scores.append(forest.score(X_test, y_test))
        sizes.append(forest.quantized_module_.nbytes / 1000)
        print(f"{name}, {n} bits: accuracy {scores[-1]:.3f}, {sizes[-1]:.0f} kB")
    left.plot(widths, scores, marker="o", label=name)
    right.plot(widths, sizes, marker="o", label=name)
left.set(xlabel="bits of every integer", ylabel="test accuracy", xticks=widths, ylim=(0.9, 1))
left.legend()
right.set(xlabel="bits of every integer", ylabel="size in kB", xticks=widths, ylim=(0, None))
plt.show()
