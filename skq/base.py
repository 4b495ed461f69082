"""The mechanism that gives a scikit-learn class its quantized subclass.

A quantized estimator is two lines::

    class Ridge(QuantizedEstimator, linear_model.Ridge):
        \"\"\"Ridge regression whose predictions run in integers.\"\"\"

`QuantizedEstimator.__init_subclass__` reads the parent and derives the rest: an ``__init__`` with the
parent's parameters plus ``n_bits`` and ``rounding_threshold_bits``, a ``fit`` that trains the parent
and quantizes it, and integer versions of the methods that the parent predicts with.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skq import prediction
from skq.docstrings import quantized_docstring
from skq.outputs import predict_with
from skq.quantization.quantized_module import QuantizedModule

if TYPE_CHECKING:
    import onnx

#: Methods that the integer program answers, where the parent has them.
INTEGER_METHODS = ("predict", "predict_proba", "decision_function")

#: Parameters that every quantized estimator adds to its parent's, keyword-only.
ADDED_PARAMETERS = (
    inspect.Parameter("n_bits", inspect.Parameter.KEYWORD_ONLY, default=8),
    inspect.Parameter("rounding_threshold_bits", inspect.Parameter.KEYWORD_ONLY, default=None),
)


class QuantizedEstimator:
    """Mixin in front of a scikit-learn estimator class; see the module's docstring.

    Attributes
    ----------
    quantized_module_ : QuantizedModule
        The integer program with its quantizers, after ``fit``.
    """

    quantized_module_: QuantizedModule
    n_bits: Any
    rounding_threshold_bits: Any

    #: The scikit-learn class that a subclass quantizes.
    _parent: ClassVar[type]

    #: Whether methods answer in float: while the parent itself is fitting, and for its conversion.
    _in_float = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        position = cls.__mro__.index(QuantizedEstimator)
        cls._parent = cls.__mro__[position + 1]
        if QuantizedEstimator in cls.__bases__:
            cls.__init__ = _make_init(cls._parent)  # type: ignore[misc]
            for name, make in (
                ("fit", _make_fit),
                ("partial_fit", _make_fit),
                *((name, _make_method) for name in INTEGER_METHODS),
            ):
                if hasattr(cls._parent, name) or _is_conditional(cls._parent, name):
                    setattr(cls, name, _like_parent(cls, name, make(cls, name)))
            cls.__doc__ = quantized_docstring(cls)
        super().__init_subclass__(**kwargs)

    @property
    def onnx_model_(self) -> onnx.ModelProto:
        """The float graph that was quantized, as an ``onnx.ModelProto``."""
        check_is_fitted(self, "quantized_module_")
        return self.quantized_module_.onnx_model

    @contextmanager
    def _answering_in_float(self) -> Iterator[None]:
        """Let the parent's methods answer."""
        self._in_float = True
        try:
            yield
        finally:
            del self._in_float

    def _quantize(self, X: Any, sample_weight: Any) -> None:
        """Build the quantized module from the fitted parent."""
        self.quantized_module_ = prediction.build_module(
            self,
            prediction.numeric_array(self, X),
            n_bits=self.n_bits,
            rounding_threshold_bits=self.rounding_threshold_bits,
            sample_weight=sample_weight,
        )


def _make_init(parent: type) -> Callable[..., None]:
    parent_init = parent.__init__  # type: ignore[misc]
    signature = inspect.signature(parent_init)

    @functools.wraps(parent_init)
    def __init__(
        self: Any,
        *args: Any,
        n_bits: Any = 8,
        rounding_threshold_bits: Any = None,
        **kwargs: Any,
    ) -> None:
        parent_init(self, *args, **kwargs)
        self.n_bits = n_bits
        self.rounding_threshold_bits = rounding_threshold_bits

    parameters = [*signature.parameters.values(), *ADDED_PARAMETERS]
    __init__.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return __init__


def _make_fit(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """``fit`` or ``partial_fit``: the parent's, then quantize on the rows it was given."""
    parent_fit = inspect.getattr_static(cls._parent, name)
    parent_fit = getattr(parent_fit, "fn", parent_fit)
    signature = inspect.signature(parent_fit)

    @functools.wraps(parent_fit)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._in_float:
            return getattr(super(cls, self), name)(*args, **kwargs)
        prediction.check_bits(self.n_bits, self.rounding_threshold_bits)
        arguments = signature.bind(self, *args, **kwargs).arguments
        vars(self).pop("quantized_module_", None)
        with self._answering_in_float():
            getattr(super(cls, self), name)(*args, **kwargs)
            self._quantize(arguments["X"], arguments.get("sample_weight"))
        return self

    return fit


def _make_method(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """A method that the integer program answers."""
    parent_method = inspect.getattr_static(cls._parent, name)
    parent_method = getattr(parent_method, "fn", parent_method)

    @functools.wraps(parent_method)
    def method(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if self._in_float:
            return getattr(super(cls, self), name)(X, *args, **kwargs)
        check_is_fitted(self, "quantized_module_")
        X = prediction.numeric_array(self, X)
        classes = getattr(self, "classes_", None)
        return predict_with(self.quantized_module_, name, X, classes)

    return method


def _is_conditional(parent: type, name: str) -> bool:
    """Whether the parent has a method for some parameters only."""
    return not inspect.isfunction(inspect.getattr_static(parent, name, None)) and hasattr(
        inspect.getattr_static(parent, name, None), "check"
    )


def _like_parent(cls: type[QuantizedEstimator], name: str, function: Callable[..., Any]) -> Any:
    """The function, available where the parent's method of that name is."""
    if not _is_conditional(cls._parent, name):
        return function

    def parent_has_it(self: Any) -> bool:
        getattr(super(cls, self), name)
        return True

    return available_if(parent_has_it)(function)
