"""The mechanism that gives a scikit-learn class its quantized subclass.

A quantized estimator is two lines::

    class Ridge(QuantizedEstimator, linear_model.Ridge):
        \"\"\"Ridge regression whose predictions run in integers.\"\"\"

`QuantizedEstimator.__init_subclass__` reads the parent and derives the rest: an ``__init__`` with
the parent's parameters plus `ADDED_PARAMETERS`, a ``fit`` that trains the parent and quantizes it,
and integer versions of the methods that the parent predicts with.
"""

from __future__ import annotations

import copy
import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skq._config import lazy_fit_setting
from skq.estimators import changes, quantize_fitted, staged
from skq.estimators.calibration import CalibrationData
from skq.estimators.docstrings import documented_as, quantized_docstring
from skq.estimators.in_float import parameters_in_float
from skq.estimators.overwriting import to_write_into
from skq.estimators.pending import PendingData
from skq.estimators.predictions import EstimatorPredictions
from skq.estimators.result_types import result_types
from skq.estimators.validation import numeric_array
from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import check_trainable
from skq.quantization.lossless import no_trees
from skq.quantization.n_bits import is_lossless
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.outputs import log_probabilities

if TYPE_CHECKING:
    pass

#: Methods that the integer program computes, where the parent has them.
INTEGER_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
)

#: Methods that return the same after each stage of an ensemble.
STAGED_METHODS = ("staged_predict", "staged_predict_proba", "staged_decision_function")

#: Methods that return the leaves that rows reach, by the integer thresholds.
LEAF_METHODS = ("apply", "decision_path")

#: Arguments of the parent's methods that change no result.
IGNORED_ARGUMENTS = frozenset({"self", "X", "check_input"})

#: Parameters that every quantized estimator adds to its parent's, keyword-only.
ADDED_PARAMETERS = (
    inspect.Parameter("n_bits", inspect.Parameter.KEYWORD_ONLY, default=8),
    inspect.Parameter("rounding_threshold_bits", inspect.Parameter.KEYWORD_ONLY, default=None),
    inspect.Parameter("calibration", inspect.Parameter.KEYWORD_ONLY, default="auto"),
    inspect.Parameter("columns_per_feature", inspect.Parameter.KEYWORD_ONLY, default=1),
)


class _QuantizedModule:
    """Descriptor of the quantized module.

    After ``partial_fit``, and after ``fit`` with ``warm_start`` or the setting ``lazy_fit``, the
    first access builds it.
    """

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        pending = None if estimator is None else vars(estimator).get("_pending")
        if pending is None:
            name = getattr(owner, "__name__", "the estimator")
            raise AttributeError(f"{name} has no quantized_module_ before fit")
        with _BUILDING:
            if "quantized_module_" not in vars(estimator):
                estimator._quantize_data(pending.collected())
                if not _continues(estimator):
                    del estimator._pending
            return vars(estimator)["quantized_module_"]


class QuantizedEstimator(EstimatorPredictions):
    """Mixin, first base class before a scikit-learn estimator; see the module's docstring.

    Attributes
    ----------
    quantized_module_ : QuantizedModule
        The integer program with its quantizers, after ``fit``.
    """

    #: A built module is an attribute of the instance, which then comes before this descriptor.
    quantized_module_: QuantizedModule = _QuantizedModule()  # type: ignore[assignment]
    n_bits: Any
    rounding_threshold_bits: Any
    calibration: Any
    columns_per_feature: Any

    #: The scikit-learn class that a subclass quantizes.
    _parent: ClassVar[type]

    #: Parameters that a subclass adds to its parent's.
    _added_parameters: ClassVar[tuple[inspect.Parameter, ...]] = ADDED_PARAMETERS

    #: Whether ``n_bits="lossless"`` has a meaning.
    _has_trees: ClassVar[bool] = False

    #: Methods of the integer program that a subclass of a quantized class overrides.
    _overridden: ClassVar[frozenset[str]] = frozenset()

    #: Whether methods predict in float: while the parent is fitting, and during its conversion.
    _in_float = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls._parent = _parent_of(cls)
        if cls._parent is not object and any(map(_is_mixin, cls.__bases__)):
            cls.__init__ = _make_init(cls)  # type: ignore[misc,method-assign]
            for name, make in (
                ("fit", _make_fit),
                ("partial_fit", _make_fit),
                *((name, _make_method) for name in INTEGER_METHODS),
                *((name, _make_staged) for name in STAGED_METHODS),
                *((name, _make_leaf_method) for name in LEAF_METHODS),
            ):
                if hasattr(cls._parent, name) or _is_conditional(cls._parent, name):
                    setattr(cls, name, _like_parent(cls, name, make(cls, name)))
            cls.__doc__ = quantized_docstring(cls)
        else:
            cls._overridden |= frozenset(INTEGER_METHODS) & vars(cls).keys()
        super().__init_subclass__(**kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if not self._in_float:
            changes.before_setting(self, name, value)
        super().__setattr__(name, value)

    @contextmanager
    def _answering_in_float(self) -> Iterator[None]:
        """Within the block, methods are those of the parent."""
        before = self._in_float
        self._in_float = True
        try:
            yield
        finally:
            if not before:
                del self._in_float

    def __sklearn_clone__(self) -> Any:
        """An unfitted copy, which predicts in float if this estimator does."""
        copy = super().__sklearn_clone__()  # type: ignore[misc]
        if self._in_float:
            for parameter in self._added_parameters:
                setattr(copy, parameter.name, getattr(self, parameter.name))
            copy._in_float = True
        return copy

    def __getstate__(self) -> Any:
        """State for pickles, with scikit-learn's version as its classes add it.

        An estimator that ``lazy_fit`` left to the first prediction is quantized: pickles hold rows
        of the training data only where training may go on.
        """
        if "_pending" in vars(self) and not _continues(self):
            self.quantized_module_  # noqa: B018  (builds it)
        state: Any = super().__getstate__()
        return {**state, "_sklearn_version": sklearn.__version__}

    def __setstate__(self, state: Any) -> None:
        """Warn as scikit-learn does if the state is of another version of it."""
        state = dict(state)
        version = state.pop("_sklearn_version", sklearn.__version__)
        if version != sklearn.__version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=sklearn.__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)  # type: ignore[misc]
        if "quantized_module_" in vars(self):
            changes.make_read_only(self)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of this estimator; while the parent is fitting, only those of the parent."""
        params: dict[str, Any] = super().get_params(deep=deep)  # type: ignore[misc]
        if self._in_float:
            for parameter in self._added_parameters:
                params.pop(parameter.name, None)
        return params

    def _train(self, train: Callable[..., Any], bound: inspect.BoundArguments) -> None:
        """Train the parent with the arguments of a call of ``fit`` or ``partial_fit``."""
        train(*bound.args[1:], **bound.kwargs)

    def _as_parent(self) -> Any:
        """An instance of the scikit-learn class with the same parameters and learned attributes.

        It has the parent's methods instead of those that a subclass overrides.
        """
        parent: Any = object.__new__(self._parent)
        state = {k: v for k, v in vars(self).items() if k not in _ADDED_STATE}
        vars(parent).update(state)
        return parent

    def _quantize_data(self, data: CalibrationData, X: Any = None) -> None:
        """Build the quantized module from the fitted parent and all data seen.

        `X` are the rows of ``fit``, for estimators with a ``contamination``.
        """
        parent = self._as_parent()
        self._result_types = result_types(parent, data.full_rows(1))
        module = self._module_from(parent, data)
        offset = None if X is None else self._contaminated_offset(module, X)
        if offset is not None:
            self.offset_ = parent.offset_ = offset
            module = self._module_from(parent, data)
        self.quantized_module_ = module
        changes.make_read_only(self)

    def _module_from(self, parent: Any, data: CalibrationData) -> QuantizedModule:
        return self._build(parent, data)

    def _build(
        self, parent: Any, data: CalibrationData, train: quantize_fitted.Trainer | None = None
    ) -> QuantizedModule:
        """The module of a fitted parent; `train`: see `quantize_fitted.build_module`."""
        pending = vars(self).get("_pending")
        parameters = self._quantization_parameters() if pending is None else pending.parameters
        return quantize_fitted.build_module(
            parent, data, name=type(self).__name__, train=train, **parameters
        )

    def _quantization_parameters(self) -> dict[str, Any]:
        """Arguments of `build_module`, as the parameters are now."""
        return {
            "n_bits": copy.deepcopy(self.n_bits),
            "rounding_threshold_bits": copy.copy(self.rounding_threshold_bits),
            "calibration": self.calibration,
            "columns_per_feature": self.columns_per_feature,
            "verbose": getattr(self, "verbose", False),
        }

    def _contaminated_offset(self, module: QuantizedModule, X: Any) -> float | None:
        """Offset that makes a share of the training rows outliers, by the integer program's scores.

        It lies half way between two scores, so that rounding changes no label. None for
        estimators whose offset does not follow from a ``contamination``.
        """
        if not _has_contamination(self):
            return None
        contamination: Any = self.contamination  # type: ignore[attr-defined]
        scores = self._predict_array("score_samples", X, module)
        bound = np.percentile(scores, 100.0 * contamination)
        lower, upper = scores[scores < bound], scores[scores >= bound]
        return float((lower.max() + upper.min()) / 2 if len(lower) else upper.min() - 1e-6)


#: Attributes of a quantized estimator that its parent does not have.
_ADDED_STATE = ("_in_float", "_pending", "quantized_module_", "_result_types")

#: Lock while a prediction builds a module.
_BUILDING = threading.RLock()


def _parent_of(cls: type) -> type:
    """The first class after `QuantizedEstimator` and its bases; `object` where there is none."""
    after = cls.__mro__[cls.__mro__.index(QuantizedEstimator) :]
    return next(c for c in after if not issubclass(QuantizedEstimator, c) or c is object)


def _is_mixin(base: type) -> bool:
    """Whether a class is `QuantizedEstimator` or one that extends it, without a parent."""
    return issubclass(base, QuantizedEstimator) and getattr(base, "_parent", object) is object


def _make_init(cls: type[QuantizedEstimator]) -> Callable[..., None]:
    parent_init = cls._parent.__init__  # type: ignore[misc]
    signature = inspect.signature(parent_init)
    added = cls._added_parameters

    @functools.wraps(parent_init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        values = {p.name: kwargs.pop(p.name, p.default) for p in added}
        parent_init(self, *args, **kwargs)
        for name, value in values.items():
            setattr(self, name, value)

    parameters = [*signature.parameters.values(), *added]
    __init__.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return __init__


def _make_fit(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """``fit`` or ``partial_fit``: the parent's, then quantize on all rows it has learned from."""
    parent_fit = inspect.getattr_static(cls._parent, name)
    parent_fit = getattr(parent_fit, "fn", parent_fit)
    signature = inspect.signature(parent_fit)

    @documented_as(cls, name, parent_fit)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._in_float:
            return getattr(super(cls, self), name)(*args, **kwargs)
        quantize_fitted.check_bits(
            self.n_bits, self.rounding_threshold_bits, self.calibration, self.columns_per_feature
        )
        for parameter in ("n_bits", "columns_per_feature"):
            if is_lossless(getattr(self, parameter)) and not self._has_trees:
                raise ValueError(no_trees(type(self).__name__, parameter))
        bound = signature.bind(self, *args, **kwargs)
        arguments = dict(bound.arguments)
        bound.arguments["X"] = to_write_into(self, arguments["X"])
        vars(self).pop("quantized_module_", None)
        changes.forget_changes(self)
        goes_on = name == "partial_fit" or getattr(self, "warm_start", False)
        seen = vars(self).pop("_pending", None) if goes_on else None
        vars(self).pop("_pending", None)
        with self._answering_in_float(), parameters_in_float(self):
            check_trainable(self)
            self._train(getattr(super(cls, self), name), bound)
        X, sample_weight = arguments["X"], arguments.get("sample_weight")
        is_lazy = lazy_fit_setting() and not _has_contamination(self) and not _trains_integers(self)
        is_pending = _continues(self) or is_lazy
        if is_pending:
            self._pending = seen or PendingData()
            self._pending.parameters = self._quantization_parameters()
        if name == "partial_fit":
            self._pending.add(self, X, sample_weight)
            return self
        X = numeric_array(self, X, dense=False)
        if is_pending:
            self._pending.add(self, X, sample_weight)
            if not (goes_on or is_lazy) or _has_contamination(self):
                self._quantize_data(self._pending.collected(), X)
        else:
            self._quantize_data(CalibrationData.of(X, sample_weight), X)
        return self

    return fit


def _parent_method(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    method = inspect.getattr_static(cls._parent, name)
    return getattr(method, "fn", method)


def _ready(self: Any, name: str, signature: inspect.Signature, *args: Any, **kwargs: Any) -> Any:
    """X of a call of a fitted estimator's method; refuses unsupported arguments."""
    changes.check_unchanged(self)
    check_is_fitted(self, "quantized_module_")
    arguments = signature.bind(self, *args, **kwargs).arguments
    for key, value in arguments.items():
        default = signature.parameters[key].default
        if key not in IGNORED_ARGUMENTS and value is not default and value not in (False, {}):
            raise UnsupportedModelError(
                f"{type(self).__name__}.{name} predicts in integers and does not take "
                f"{key}={value!r}. Use scikit-learn's {type(self)._parent.__name__} for that."
            )
    return arguments["X"]


def _make_method(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """A method that the integer program computes."""
    parent_method = _parent_method(cls, name)
    signature = inspect.signature(parent_method)

    asks = frozenset(_names_in(parent_method)) & frozenset(INTEGER_METHODS)
    returns_std = "return_std" in signature.parameters

    @documented_as(cls, name, parent_method)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._in_float or (self._overridden and asks & self._overridden):
            return getattr(super(cls, self), name)(*args, **kwargs)
        if len(args) == 1 and not kwargs:
            result = self._predict_table(name, args[0])
            if result is not None:
                return result
        arguments = signature.bind(self, *args, **kwargs).arguments if returns_std else {}
        if arguments.get("return_std"):
            mean = method(self, arguments["X"])
            with self._answering_in_float():
                _, std = getattr(super(cls, self), name)(arguments["X"], return_std=True)
            return mean, std
        X = _ready(self, name, signature, *args, **kwargs)
        if name == "predict_log_proba":
            return log_probabilities(self.predict_proba(X))
        return self._predict_validated(name, X)

    return method


def _names_in(function: Any) -> tuple[str, ...]:
    """Names that a function's code looks up, including methods that it calls on itself."""
    names: tuple[str, ...] = inspect.unwrap(function).__code__.co_names
    return names


def _make_staged(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """A generator that runs the program of the first stage, of the first two, and so on."""
    parent_method = _parent_method(cls, name)
    signature = inspect.signature(parent_method)

    @documented_as(cls, name, parent_method)
    def method(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        if self._in_float:
            yield from getattr(super(cls, self), name)(*args, **kwargs)
            return
        X = _ready(self, name, signature, *args, **kwargs)
        for module in staged.staged_modules(self.quantized_module_, self):
            result = self._predict_validated(name.removeprefix("staged_"), X, module)
            yield staged.as_the_parent_yields(self, name, result)

    return method


def _make_leaf_method(cls: type[QuantizedEstimator], name: str) -> Callable[..., Any]:
    """``apply`` or ``decision_path``, with the integer thresholds that predictions use."""
    parent_method = _parent_method(cls, name)
    signature = inspect.signature(parent_method)

    @documented_as(cls, name, parent_method)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._in_float:
            return getattr(super(cls, self), name)(*args, **kwargs)
        X = _ready(self, name, signature, *args, **kwargs)
        leaves = self._predict_validated("apply", X, staged.leaf_module(self.quantized_module_))
        return staged.as_the_parent_returns(self, name, leaves)

    return method


def _continues(estimator: Any) -> bool:
    """Whether a later call may continue the training."""
    return hasattr(estimator, "partial_fit") or bool(getattr(estimator, "warm_start", False))


def _trains_integers(estimator: Any) -> bool:
    """Whether the integers are trained, which needs the targets."""
    return bool(getattr(estimator, "qat_epochs", 0))


def _has_contamination(estimator: Any) -> bool:
    """Whether the offset of an outlier detector follows from the integer scores of its rows."""
    contamination: Any = getattr(estimator, "contamination", "auto")
    return hasattr(estimator, "offset_") and contamination != "auto"


def _is_conditional(parent: type, name: str) -> bool:
    """Whether the parent has a method for some parameters only."""
    return not inspect.isfunction(inspect.getattr_static(parent, name, None)) and hasattr(
        inspect.getattr_static(parent, name, None), "check"
    )


def _like_parent(cls: type[QuantizedEstimator], name: str, function: Callable[..., Any]) -> Any:
    """The function, available where the parent's method of that name is."""
    if not _is_conditional(cls._parent, name):
        return function

    # the parent's check: its error, which has the reason, is the cause of the AttributeError
    return available_if(inspect.getattr_static(cls._parent, name).check)(function)
