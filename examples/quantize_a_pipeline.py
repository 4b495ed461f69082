"""
Quantize a whole pipeline
=========================

``skq.quantize`` quantizes a fitted estimator of scikit-learn, or a whole pipeline. The scaler
becomes part of the integer program. ``QuantizedClassifier`` does the same for an estimator that is
not fitted yet.
"""

# %%
# A pipeline that is fitted
# -------------------------
# The training rows calibrate the ranges.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X_train, y_train)
quantized = skq.quantize(fitted, X_train, n_bits=6)
print(f"floats   {fitted.score(X_test, y_test):.3f}")
print(f"integers {quantized.score(X_test, y_test):.3f} (scaler and model in one program)")

# %%
# An estimator that is not fitted
# -------------------------------
# ``QuantizedClassifier`` is a meta-estimator, for cross-validation and searches.

forest = skq.QuantizedClassifier(RandomForestClassifier(20, random_state=0), n_bits=4)
print(f"forest   {cross_val_score(forest, X, y, cv=3).mean():.3f} (mean of 3 folds)")

# %%
# Labels that change
# ------------------

widths = [2, 3, 4, 6, 8]
changed = []
for n_bits in widths:
    labels = skq.quantize(fitted, X_train, n_bits=n_bits).predict(X_test)
    changed.append(100 * np.mean(labels != fitted.predict(X_test)))
figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
bars = axis.bar([str(width) for width in widths], changed)
axis.bar_label(bars, fmt="%.1f")
axis.set(xlabel="n_bits", ylabel="test labels that change (%)")
plt.show()
