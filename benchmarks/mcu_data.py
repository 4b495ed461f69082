"""The models of the microcontroller benchmark: digits as 8-bit integers."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import skq

#: Estimators by name; each is exported at these widths and goals.
MODELS = {
    "forest": (RandomForestClassifier(10, max_depth=6, random_state=0), (3, 4)),
    "logistic": (
        make_pipeline(MaxAbsScaler(), LogisticRegression(max_iter=2000, random_state=0)),
        (8, 4),
    ),
    "mlp": (
        make_pipeline(MaxAbsScaler(), MLPClassifier((16,), max_iter=600, random_state=0)),
        (8, 4),
    ),
}


def data():
    """Training and test rows and labels."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)


def quantized(name: str, n_bits: int):
    """A fitted model of skq."""
    X_train, _, y_train, _ = data()
    estimator = MODELS[name][0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return skq.QuantizedClassifier(estimator, n_bits=n_bits).fit(X_train, y_train)


def test_rows():
    """Test rows as bytes, and their labels."""
    _, X_test, _, y_test = data()
    return X_test.astype(np.uint8), y_test
