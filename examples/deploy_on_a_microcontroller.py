"""
Deploy on a microcontroller: C99 without floats
===============================================

``skq.export.to_c`` writes a header and a source. The results of their functions are bit-identical
to those of ``predict``. If the features are integers, the functions use no floats.
"""

# %%
# A forest as two files
# ---------------------

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.export import to_c

X, y = load_digits(return_X_y=True)  # 8 x 8 pixels from 0 to 16
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
forest = RandomForestClassifier(10, max_depth=6, random_state=0, n_bits=3).fit(X_train, y_train)
print(f"accuracy in integers {forest.score(X_test, y_test):.3f}")

files = to_c(forest, name="digits", features="uint8")
print(files.report())
with tempfile.TemporaryDirectory() as folder:
    for path in files.write(folder):
        print(f"{path.name}: {len(Path(path).read_text().splitlines())} lines")

# %%
# The header
# ----------

print("\n".join(files.header.splitlines()[:16]))

# %%
# Accuracy against the size of the tables
# ---------------------------------------

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for n_trees in (5, 10, 20):
    points = []
    for n_bits in (2, 3, 4, 6):
        model = RandomForestClassifier(n_trees, max_depth=6, random_state=0, n_bits=n_bits)
        model.fit(X_train, y_train)
        points.append((model.quantized_module_.nbytes, model.score(X_test, y_test), n_bits))
    sizes, scores, bits = zip(*points, strict=True)
    axis.plot(sizes, scores, marker="o", label=f"{n_trees} trees")
    for size, score, n in (points[0], points[-1]):
        axis.annotate(f"{n} bits", (size, score), textcoords="offset points", xytext=(5, -9))
axis.set(xlabel="bytes of the tables", ylabel="test accuracy")
axis.margins(x=0.12)
axis.legend(loc="lower right")
plt.show()
