"""Models and data that the tests of all engines share."""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skq
from skq.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from skq.linear_model import LogisticRegression, Ridge

IRIS = load_iris()
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
X, Y = IRIS.data, IRIS.target
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]
FRAME = pd.DataFrame(X, columns=NAMES)


@cache
def named():
    """A classifier of texts that knows its columns."""
    return LogisticRegression(max_iter=1000).fit(FRAME, LABELS)


@cache
def unnamed():
    """A classifier of texts that was fitted on an array."""
    return HistGradientBoostingClassifier(max_iter=5).fit(X, LABELS)


@cache
def several_outputs():
    """A forest of two outputs, whose ``predict_proba`` is a list."""
    return RandomForestClassifier(4, random_state=0).fit(X, np.stack([Y, Y > 0], axis=1))


@cache
def regressor():
    """A regressor, whose results for float32 are of float32."""
    return Ridge().fit(X, X @ [1.0, 2.0, 3.0, 4.0])


@cache
def table_of_texts():
    """A dataframe with a column of texts, and a wrapper around a Pipeline that encodes it."""
    frame = FRAME.assign(colour=np.array(["red", "green", "blue"])[(Y + np.arange(150) % 5) % 3])
    encoder = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    pipeline = make_pipeline(encoder, FloatLogisticRegression(max_iter=1000)).fit(frame, LABELS)
    return frame, skq.quantize(pipeline, frame)
