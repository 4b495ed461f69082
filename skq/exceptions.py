"""Errors and warnings of skq, with one base class each.

Every error also derives from the built-in class that scikit-learn would raise instead, so code that
catches ``ValueError``, ``TypeError`` or ``NotFittedError`` still works.
"""

__all__ = [
    "AccumulatorOverflowError",
    "CalibrationWarning",
    "ConversionError",
    "ParityError",
    "PrecisionWarning",
    "ProgramError",
    "SerializationError",
    "SkqError",
    "SkqWarning",
    "SlowEngineWarning",
    "UnsupportedModelError",
]


class SkqError(Exception):
    """Base class of all errors that skq raises.

    Examples
    --------
    >>> import skq
    >>> from skq.exceptions import SkqError
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> try:
    ...     skq.QuantizedClassifier(KNeighborsClassifier()).fit(X, y)
    ... except SkqError as error:
    ...     print(type(error).__name__)
    UnsupportedModelError
    """


class ConversionError(SkqError, ValueError):
    """A fitted model or a graph cannot be converted to an integer program.

    Examples
    --------
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.quantization import NumpyModule
    >>> x, y = TensorInfo("x", "float32", (None, 2)), TensorInfo("y", "float32", (None, 2))
    >>> graph = FloatGraph((Node("Relu", ("z",), ("y",)),), {}, (x,), (y,))
    >>> NumpyModule(graph)
    Traceback (most recent call last):
        ...
    skq.exceptions.ConversionError: Relu node 'y' reads 'z', ...
    """


class UnsupportedModelError(ConversionError, TypeError):
    """The estimator, step or operator has no integer representation.

    Examples
    --------
    >>> from skq import QuantizedRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> X, y = load_diabetes(return_X_y=True)
    >>> QuantizedRegressor(SVR()).fit(X, y)
    Traceback (most recent call last):
        ...
    skq.exceptions.UnsupportedModelError: SVR cannot be quantized: ...
    """


class ParityError(ConversionError):
    """The results of the converted float graph differ from those of the scikit-learn estimator.

    Examples
    --------
    >>> import numpy as np
    >>> import skq
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.arange(20.0).reshape(10, 2)
    >>> model = LinearRegression().fit(X, X[:, 0])
    >>> model.predict = lambda X: np.zeros(len(X))  # no longer what coef_ and intercept_ give
    >>> skq.quantize(model, X)
    Traceback (most recent call last):
        ...
    skq.exceptions.ParityError: The graph converted from LinearRegression gives other results: ...
    """


class ProgramError(SkqError, ValueError):
    """An integer program is malformed: types, shapes or intervals are inconsistent.

    Examples
    --------
    >>> from skq.program import TensorType
    >>> TensorType((), 3, 2)
    Traceback (most recent call last):
        ...
    skq.exceptions.ProgramError: empty interval [3, 2]
    """


class AccumulatorOverflowError(ProgramError, OverflowError):
    """A proven interval does not fit into 64-bit signed integers.

    Examples
    --------
    >>> from skq.program import TensorType
    >>> TensorType((), 0, 2**64)
    Traceback (most recent call last):
        ...
    skq.exceptions.AccumulatorOverflowError: the interval ... needs more than 63 bits; ...
    """


class SerializationError(SkqError, ValueError):
    """A file or a text is not a valid skq document of a known version.

    Examples
    --------
    >>> from skq.serialization import loads
    >>> loads("{}")
    Traceback (most recent call last):
        ...
    skq.exceptions.SerializationError: this is not an skq document: ...
    """


class SkqWarning(UserWarning):
    """Base class of all warnings that skq issues.

    Examples
    --------
    >>> import warnings
    >>> import skq
    >>> from skq.exceptions import SkqWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", SkqWarning)
    ...     # fit and predict here without warnings of skq
    """


class CalibrationWarning(SkqWarning):
    """The calibration data do not represent the rows that the program predicts on.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skq.exceptions import CalibrationWarning
    >>> from skq.linear_model import Ridge
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = Ridge().fit(np.ones((20, 2)), np.arange(20))
    >>> any(issubclass(warning.category, CalibrationWarning) for warning in caught)
    True
    """


class PrecisionWarning(SkqWarning):
    """The integer model is much less accurate than the float model; more bits help.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import make_regression
    >>> from skq.exceptions import PrecisionWarning
    >>> from skq.linear_model import Ridge
    >>> X, y = make_regression(200, 40, n_informative=2, random_state=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = Ridge(n_bits=1).fit(X, y)
    >>> any(issubclass(warning.category, PrecisionWarning) for warning in caught)
    True
    """


class SlowEngineWarning(SkqWarning):
    """The compiled kernels are missing, so predictions use the slower NumPy engine.

    Choosing the NumPy engine in the settings silences it.

    Examples
    --------
    >>> import skq
    >>> with skq.config_context(engine="numpy"):
    ...     pass  # predictions here use NumPy without this warning
    """
