"""`qat_epochs`: quantization-aware training of estimators.

After the parent's ``fit`` and post-training quantization the integers are trained further, with
the parent's loss and regularizer (`skq.training.fit_codes`). What comes out replaces the integers,
and the coefficients of the parent, if such training is better on rows that were held back.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_random_state

from skq.estimators import quantize_fitted
from skq.estimators.base import ADDED_PARAMETERS, QuantizedEstimator
from skq.estimators.calibration import CalibrationData
from skq.estimators.diagnostics import Progress
from skq.estimators.parent_objectives import Fitted, objective_of, targets_of, weights_of
from skq.exceptions import UnsupportedModelError
from skq.frontend.convert import float_graph
from skq.frontend.equivalents import to_representation
from skq.frontend.equivalents.writers import sklearn_class
from skq.frontend.predictors import Layers, Predictor
from skq.quantization.n_bits import get_n_bits_dict, has_layers
from skq.quantization.quantized_module import QuantizedModule

if TYPE_CHECKING:
    from skq.training.code_network import CodeNetwork
    from skq.training.fake_codes import Constraints
    from skq.training.held_back import TrainingData
    from skq.training.objectives import Objective
    from skq.training.single_layer import Course

Floats = NDArray[np.float64]

#: With fewer rows nothing is trained: too few could be held back.
LEAST_ROWS = 20

#: Training uses at most this many values of X; rows are drawn at random where there are more.
MAX_VALUES = 20_000_000

#: Up to this width of the codes of X their zero points are real: a program compares with edges.
#: Wider codes have whole zero points, which cost less and lose less.
EDGE_BITS = 4


class TrainedForWidth(QuantizedEstimator):
    """Mixin before a scikit-learn class whose loss torch can compute: adds ``qat_epochs``."""

    _added_parameters = (
        *ADDED_PARAMETERS,
        inspect.Parameter("qat_epochs", inspect.Parameter.KEYWORD_ONLY, default=0),
    )

    qat_epochs: Any

    def _train(self, train: Callable[..., Any], bound: inspect.BoundArguments) -> None:
        _check_epochs(self)
        vars(self).pop("_qat_targets", None)
        y, sample_weight = (bound.arguments.get(name) for name in ("y", "sample_weight"))
        super()._train(train, bound)
        if self.qat_epochs and train.__name__ == "fit":
            self._qat_targets = y, sample_weight

    def _quantize_data(self, data: CalibrationData, X: Any = None) -> None:
        targets = vars(self).pop("_qat_targets", None)
        self._trainer = None if targets is None or X is None else Trainer(self, X, *targets)
        try:
            super()._quantize_data(data, X)
        finally:
            trainer = vars(self).pop("_trainer")
        if trainer is not None and trainer.learned:
            module = vars(self).pop("quantized_module_")
            for name, value in trainer.learned.items():
                setattr(self, name, value)
            self.quantized_module_ = module

    def _module_from(self, parent: Any, data: CalibrationData) -> QuantizedModule:
        trainer = vars(self).get("_trainer")
        return self._build(parent, data, None if trainer is None else trainer.train)


def _check_epochs(estimator: Any) -> None:
    """Check ``qat_epochs`` before training.

    Raises
    ------
    ValueError, UnsupportedModelError
    """
    epochs = estimator.qat_epochs
    if (
        isinstance(epochs, bool | np.bool_)
        or not isinstance(epochs, numbers.Integral)
        or epochs < 0
    ):
        raise ValueError(f"qat_epochs must be an int of at least 0. Got {epochs!r} instead.")
    columns = estimator.columns_per_feature
    if epochs and columns != 1:
        raise ValueError(
            "qat_epochs needs one column of codes for each feature: columns_per_feature "
            f"must be 1. Got {columns!r} instead."
        )
    if epochs and has_layers(estimator.n_bits):
        raise ValueError(
            "qat_epochs needs the same width for all layers: n_bits must be an int, or a dict "
            f"without 'layers'. Got {estimator.n_bits!r} instead."
        )
    if epochs and getattr(estimator, "activation", None) == "identity":
        raise UnsupportedModelError(
            f"{type(estimator).__name__} with activation='identity' cannot be trained with "
            "qat_epochs, because its layers are merged. Use a linear model or another activation."
        )


class Trainer:
    """Trains the integers of a fitted estimator on the rows of ``fit``.

    First the estimator is fitted, rounded and trained on most of the rows, and the rounded and the
    trained integers are compared on the others, which neither has seen. If training is better, the
    integers of the estimator are trained on all rows.

    Attributes
    ----------
    learned : dict
        Learned attributes of the parent that training has changed.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.estimator, self.X, self.y, self.sample_weight = estimator, X, np.asarray(y), None
        if sample_weight is not None:
            self.sample_weight = np.asarray(sample_weight, dtype=np.float64)
        self.learned: dict[str, Any] = {}

    def train(
        self, parent: Any, module: QuantizedModule, data: CalibrationData, progress: Progress
    ) -> QuantizedModule:
        """The trained module, or the given one if that is not worse.

        Parameters
        ----------
        parent : estimator
            The fitted scikit-learn estimator; its coefficients become the trained ones.
        module : QuantizedModule
            Of post-training quantization.
        data : CalibrationData
        progress : Progress
        """
        from skq.training.code_graph import quantized_as_trained

        random = check_random_state(_seed(self.estimator))
        rows = self._rows(random)
        if len(rows.X) < LEAST_ROWS:
            return module
        is_better, course = self._gains(parent, rows, random, progress)
        if not is_better:
            return module
        problem = _Problem.of(parent, module, rows)
        network, _ = problem.trained(self.estimator, random, course=course)
        has_bias = problem.constraints.has_bias
        self.learned = _with_layers(parent, *network.float_layers(), has_bias=has_bias)
        return quantized_as_trained(
            float_graph(parent, data.rows),
            network,
            data.rows,
            n_bits=get_n_bits_dict(self.estimator.n_bits),
            rounding_threshold_bits=self.estimator.rounding_threshold_bits,
            sample_weight=data.weight,
            ranges=[data.ranges],
            has_bias=has_bias,
        )

    def _gains(
        self, parent: Any, rows: Rows, random: np.random.RandomState, progress: Progress
    ) -> tuple[bool, Course | None]:
        """Whether training beats rounding on rows that neither has seen, and its course."""
        from skq.training.held_back import Judge, split

        is_classifier = hasattr(parent, "classes_")
        few, held = split(rows.y, random, is_classes=is_classifier)
        if not len(held):
            return False, None
        known, unseen = rows.part(few), rows.part(held)
        part = clone(parent)
        weights = {} if known.given is None else {"sample_weight": known.given}
        part.fit(known.X, known.y, **weights)
        data = CalibrationData.of(known.X, known.given)
        rounded = quantize_fitted.quantize_graph(
            float_graph(part, data.rows),
            data,
            n_bits=self.estimator.n_bits,
            rounding_threshold_bits=self.estimator.rounding_threshold_bits,
            calibration=self.estimator.calibration,
        )
        problem = _Problem.of(part, rounded, known)
        judge = Judge(problem.objective, problem.of_rows(unseen), is_classifier=is_classifier)
        network, course = problem.trained(self.estimator, random, judge=judge, report=progress.line)
        new = network.scores(unseen.X)
        old = _scores_of(rounded, unseen.X, new.shape)
        old = problem.start.scores(unseen.X) if old is None else old
        is_better = judge.prefers(new, old)
        progress.line(
            f"held-back loss {judge.quality(old).loss:.4g} after rounding, "
            f"{judge.quality(new).loss:.4g} after training: "
            + ("the integers are trained on all rows" if is_better else "training is dropped")
        )
        return is_better, course

    def _rows(self, random: np.random.RandomState) -> Rows:
        """Dense rows of positive weight, their targets, and their weights."""
        X, y, given = self.X, self.y, self.sample_weight
        weight = weights_of(self.estimator, y, given, X.shape[0])
        rows = np.flatnonzero(weight > 0)
        most = max(LEAST_ROWS, MAX_VALUES // max(X.shape[1], 1))
        if len(rows) > most:
            rows = np.sort(random.choice(rows, most, replace=False))
        X = X.tocsr()[rows].toarray() if sparse.issparse(X) else X[rows]
        given = None if given is None else np.broadcast_to(given, weight.shape)[rows]
        return Rows(np.asarray(X, dtype=np.float64), y[rows], weight[rows], given)


class Rows(NamedTuple):
    """Rows of X, targets as ``fit`` takes them, weights with those of classes, and those given."""

    X: Floats
    y: Any
    weight: Floats
    given: Floats | None

    def part(self, rows: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        given = None if self.given is None else self.given[rows]
        return Rows(self.X[rows], self.y[rows], self.weight[rows], given)


class _Problem(NamedTuple):
    """What is trained, on what, and how: see `skq.training.fit_codes.train_codes`."""

    start: CodeNetwork
    data: TrainingData
    objective: Objective
    constraints: Constraints
    fitted: Fitted
    layers: Layers

    @classmethod
    def of(cls, parent: Any, module: QuantizedModule, rows: Rows) -> _Problem:
        """The training of a fitted estimator from the module that rounding has given."""
        from skq.training.code_network import float_scores, starting_network
        from skq.training.fake_codes import Constraints
        from skq.training.held_back import TrainingData

        predictor = to_representation(parent)
        assert isinstance(predictor, Predictor)
        layers = predictor.scores
        assert isinstance(layers, Layers)
        scores = float_scores(layers, rows.X)[-1]
        total = float(rows.weight.sum())
        fitted = Fitted(parent, predictor.head, scores.shape[1], total, scores)
        objective = objective_of(sklearn_class(parent).__name__, fitted)
        has_bias = bool(getattr(parent, "fit_intercept", True))
        start = starting_network(
            module.program, layers, rows.X, rows.weight / total, module.n_bits, has_bias=has_bias
        )
        constraints = Constraints(
            has_bias=has_bias,
            nonnegative=bool(getattr(parent, "positive", False)),
            whole_zeros=module.n_bits["model_inputs"] > EDGE_BITS,
        )
        targets = targets_of(fitted, rows.y, objective.loss)
        data = TrainingData(rows.X, targets, rows.weight, scores)
        return cls(start, data, objective, constraints, fitted, layers)

    def of_rows(self, rows: Rows) -> TrainingData:
        """Other rows, for the same objective."""
        from skq.training.code_network import float_scores
        from skq.training.held_back import TrainingData

        targets = targets_of(self.fitted, rows.y, self.objective.loss)
        scores = float_scores(self.layers, rows.X)[-1]
        return TrainingData(rows.X, targets, rows.weight, scores)

    def trained(
        self, estimator: Any, random: np.random.RandomState, **options: Any
    ) -> tuple[CodeNetwork, Course | None]:
        """The network after ``qat_epochs`` of an estimator."""
        from skq.training.fit_codes import train_codes

        return train_codes(
            self.start,
            self.data,
            self.objective,
            epochs=int(estimator.qat_epochs),
            random=random,
            constraints=self.constraints,
            **options,
        )


def _seed(estimator: Any) -> Any:
    """``random_state``; 0 for None, so that a fit gives the same integers every time."""
    seed = getattr(estimator, "random_state", None)
    return 0 if seed is None else seed


def _scores_of(module: QuantizedModule, X: Floats, shape: tuple[int, ...]) -> Floats | None:
    """The dequantized scores of a module; None if none of its results has this shape."""
    program = module.program
    reals = [v for v in program.outputs.values() if not program.types[v].is_integer]
    for result in module.session.run({0: X}, reals):
        if result.size == np.prod(shape):
            return np.asarray(result, dtype=np.float64).reshape(shape)
    return None


def _with_layers(
    parent: Any, weights: list[Floats], biases: list[Floats], *, has_bias: bool
) -> dict[str, Any]:
    """Give a fitted estimator other coefficients; what was set, by name."""
    if hasattr(parent, "coefs_"):
        learned: dict[str, Any] = {
            "coefs_": [_like(w, old) for w, old in zip(weights, parent.coefs_, strict=True)],
            "intercepts_": [
                _like(b, old) for b, old in zip(biases, parent.intercepts_, strict=True)
            ],
        }
    else:
        learned = {"coef_": _like(weights[0].T, parent.coef_)}
        if has_bias:
            learned["intercept_"] = _like(biases[0], parent.intercept_)
    for name, value in learned.items():
        setattr(parent, name, value)
    return learned


def _like(values: Floats, old: Any) -> Any:
    """Values in the shape of an attribute; a number where that is a number."""
    if np.ndim(old) == 0 and not isinstance(old, np.ndarray):
        return float(values.ravel()[0])
    return np.ascontiguousarray(values.reshape(np.shape(old)))
