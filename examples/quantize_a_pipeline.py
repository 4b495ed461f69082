"""Quantize what scikit-learn has already fitted, whole pipelines included.

Run it with ``python examples/quantize_a_pipeline.py``.
"""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# Something that is fitted: the training rows calibrate the ranges.
fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X_train, y_train)
quantized = skq.quantize(fitted, X_train, n_bits=6)
print(f"floats   {fitted.score(X_test, y_test):.3f}")
print(f"integers {quantized.score(X_test, y_test):.3f} (scaler and model in one program)")

# Something that is not: a meta-estimator, for cross-validation and searches.
forest = skq.QuantizedClassifier(RandomForestClassifier(20, random_state=0), n_bits=4)
print(f"forest   {cross_val_score(forest, X, y, cv=3).mean():.3f} (mean of 3 folds)")
