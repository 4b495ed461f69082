"""
Choose n_bits with GridSearchCV
===============================

``n_bits`` is a hyperparameter. Search for it together with the other hyperparameters, because the
best regularization may depend on the width.
"""

# %%
# A grid of C and n_bits
# ----------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skq.linear_model import LogisticRegression

X_train, X_test, y_train, y_test = train_test_split(*load_wine(return_X_y=True), random_state=0)

pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
C, widths = [0.01, 0.1, 1.0], [8, 4, 3, 2]
search = GridSearchCV(pipeline, {"model__C": C, "model__n_bits": widths}, cv=3)
search.fit(X_train, y_train)
print(f"best: {search.best_params_}; on held-out rows {search.score(X_test, y_test):.3f}")

# %%
# Mean accuracy of the folds
# --------------------------

scores = search.cv_results_["mean_test_score"].reshape(len(C), len(widths))
print("C \\ n_bits ", *widths, sep="\t")
for value, row in zip(C, scores, strict=True):
    print(f"{value:<12}", *np.round(row, 3), sep="\t")

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
image = axis.imshow(scores, cmap="Blues", vmin=scores.min() - 0.02, aspect="auto", alpha=0.7)
axis.set(xlabel="n_bits", ylabel="C")
axis.set_xticks(range(len(widths)), widths)
axis.set_yticks(range(len(C)), C)
for i, row in enumerate(scores):
    for j, score in enumerate(row):
        axis.text(j, i, f"{score:.3f}", ha="center", va="center")
figure.colorbar(image, label="mean accuracy of 3 folds")
plt.show()
