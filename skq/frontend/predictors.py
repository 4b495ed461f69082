"""Representations of models: layers or trees for the raw scores, and a head.

A fitted scikit-learn estimator is first written as a `Predictor` (`skq.frontend.equivalents`),
plain arrays in float64. Hummingbird connects it with the steps before it, and torch's exporter
turns the result into an ONNX graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Layers:
    """Affine layers with one activation between them; a linear model is a single layer.

    Parameters
    ----------
    weights : tuple of ndarray of shape (n_in, n_out)
    biases : tuple of ndarray of shape (n_out,)
    activation : {"identity", "relu", "tanh", "logistic"}
        Between layers, not after the last.
    inputs : LayerInputs or None
        Inputs of the first layer. None means X.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    activation: str = "identity"
    inputs: LayerInputs | None = None

    @property
    def n_scores(self) -> int:
        """Number of raw scores."""
        return int(self.weights[-1].shape[1])


@dataclass(frozen=True, eq=False)
class LayerInputs:
    """Inputs of the first layer instead of X: features without missing values, bits, products.

    Parameters
    ----------
    fill : ndarray of shape (n_features,) or None
        Value that replaces NaN in each feature; NaN if NaN is not replaced.
    bits : TreeEnsemble or None
        Trees whose scores, 0 or 1, are derived columns after the features.
    bits_alone : bool
        Whether the layers read only the bits.
    products : tuple of ndarray of shape (n_products, degree), or empty
        Columns that are multiplied, by rising degree; if there are any, the layers read only these.
    source, factor, offset : ndarray of shape (n_columns,) or None
        The columns that are multiplied: ``factor * x[source] + offset``.
    """

    fill: Floats | None = None
    bits: TreeEnsemble | None = None
    bits_alone: bool = False
    products: tuple[Ints, ...] = ()
    source: Ints | None = None
    factor: Floats | None = None
    offset: Floats | None = None

    @property
    def n_products(self) -> int:
        """Number of products."""
        return sum(len(part) for part in self.products)


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Decision trees whose reached leaves are summed or averaged.

    Nodes of all trees are concatenated; children are absolute node numbers. At an inner
    node a row goes left where ``x[feature] <= threshold``; NaN goes left where `missing_left`.

    Parameters
    ----------
    roots : ndarray of shape (n_trees,)
    feature : ndarray of shape (n_nodes,)
        -1 for a leaf.
    threshold : ndarray of shape (n_nodes,), float64
    left, right : ndarray of shape (n_nodes,)
    missing_left : ndarray of shape (n_nodes,), bool
    leaf_weights : ndarray of shape (n_nodes, width), float64
        Values that a leaf adds; rows of inner nodes are not used.
    output : ndarray of shape (n_trees,)
        First score that a tree adds to.
    base : ndarray of shape (n_scores,)
        Added to the sums.
    average : bool
        Divide the sum over trees by their number.
    float32_input : bool
        Whether the estimator casts X to float32 before it compares, as ``sklearn.tree`` does.
    derived : tuple of TreeEnsemble, LayerInputs and Layers
        Compute derived columns, which follow those of X in this order: trees whose scores are 0 or
        1 (splits by category), products, one layer (projections).
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: NDArray[np.bool_]
    leaf_weights: Floats
    output: Ints
    base: Floats
    average: bool
    float32_input: bool
    derived: tuple[TreeEnsemble | LayerInputs | Layers, ...] = ()

    @property
    def n_scores(self) -> int:
        """Number of raw scores."""
        return len(self.base)


@dataclass(frozen=True, eq=False)
class Mixture:
    """An affine function of base estimators' scores after a nonlinearity: votes, probabilities.

    Parameters
    ----------
    base_estimators : Layers or TreeEnsemble
        The base estimators' scores, concatenated; each has the same number.
    n_estimators : int
    function : {"vote", "sigmoid", "exp"}
        Of one base estimator's scores. "vote" gives, for a single score, whether it is positive,
        and for n scores whether the winner is later than class 0, 1, … n - 2.
    weights : ndarray of shape (n_estimators * width, n_scores)
    bias : ndarray of shape (n_scores,)
    score_factor : float
        The scores are multiplied by it before the function.
    zero_is_positive : bool
        Whether a single score of exactly 0 is a vote for the positive class.
    """

    base_estimators: Layers | TreeEnsemble
    n_estimators: int
    function: str
    weights: Floats
    bias: Floats
    score_factor: float = 1.0
    zero_is_positive: bool = False

    @property
    def n_scores(self) -> int:
        """Number of raw scores."""
        return len(self.bias)


@dataclass(frozen=True, eq=False)
class Median:
    """The weighted median of the scores of a row; see `skq.graph.ops.median.weighted_median`.

    Parameters
    ----------
    base_estimators : Layers or TreeEnsemble
        A score for each base estimator.
    weights : ndarray of shape (n_estimators,), int64
    threshold : int
        Sum of the weights at which the median is reached.
    """

    base_estimators: Layers | TreeEnsemble
    weights: NDArray[np.int64]
    threshold: int

    @property
    def n_scores(self) -> int:
        """Number of raw scores."""
        return 1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of a base estimator's response, column by column, to probabilities.

    Two or more columns are normalized to a sum of 1; a single one is that of the positive class.

    Parameters
    ----------
    function : {"sigmoid", "interpolate", "softmax"}
        "sigmoid": ``1 / (1 + exp(slope * x + offset))``; "interpolate": linear between knots, as
        ``numpy.interp``; "softmax": of ``slope * x``, over the columns.
    slope, offset : ndarray of shape (n_columns,)
    knots : tuple of (x, y), one per column
        ndarrays of shape (n_knots,), x rising.
    logarithm : bool
        Whether "softmax" reads ``log(x + 1e-12)``, for x that are probabilities.
    """

    function: str
    slope: Floats | None = None
    offset: Floats | None = None
    knots: tuple[tuple[Floats, Floats], ...] = ()
    logarithm: bool = False


@dataclass(frozen=True, eq=False)
class EnsembleEstimator:
    """A base estimator of an `Ensemble`, and how its response is computed.

    Parameters
    ----------
    model : Predictor, or Pipeline that ends in one
    response_method : {"predict_proba", "positive", "decision_function", "predict", "vote"}
        The response that is averaged. "positive": the probability of the second class; "vote": 1
        for the class of its label and 0 for the others.
    n_features : int
        Columns that it reads.
    features : ndarray of shape (n_features,) or None
        Which columns of X they are; None for all.
    classes : ndarray of shape (n_seen_classes,) or None
        Indices of its classes among those of the ensemble; None for all.
    calibration : Calibration or None
    """

    model: Any
    response_method: str
    n_features: int
    features: Ints | None = None
    classes: Ints | None = None
    calibration: Calibration | None = None

    @property
    def head(self) -> Head:
        """Head of the model."""
        last = self.model if isinstance(self.model, Predictor) else self.model.steps[-1][1]
        head: Head = last.head
        return head


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The weighted mean of the responses of base estimators.

    Each base estimator's scores are integers of the program. Responses that need a softmax, a
    sigmoid or a calibration are computed from dequantized scores; the mean and the label then are
    too.

    Parameters
    ----------
    base_estimators : tuple of EnsembleEstimator
    weights : ndarray of shape (n_estimators,)
        The mean is divided by their sum.
    n_scores : int
        Classes of a classifier, outputs of a regressor.
    """

    base_estimators: tuple[EnsembleEstimator, ...]
    weights: Floats
    n_scores: int


Scores = Layers | TreeEnsemble | Mixture | Median | Ensemble


@dataclass(frozen=True, eq=False)
class Affine:
    """``(x - subtract) / divide * multiply + add``, for each feature, as in scalers.

    Each is an ndarray of shape (n_features,), or None if the scaler does not have the step.
    """

    subtract: Floats | None = None
    divide: Floats | None = None
    multiply: Floats | None = None
    add: Floats | None = None


@dataclass(frozen=True)
class Head:
    """Computation of the results of an estimator's methods from raw scores.

    Parameters
    ----------
    kind : {"regressor", "binary", "multiclass", "multilabel", "outlier"}
        "binary": one score per row; "multiclass": one per class, of one output or several.
    link : {None, "identity", "exp", "sigmoid", "softmax", "ovr", "clip", "exp2"}
        From scores to ``predict`` of a regressor, to ``predict_proba`` (None: there is none), or
        to ``score_samples`` of an outlier detector. "ovr": sigmoids, normalized; "clip":
        ``(clip(s, -1, 1) + 1) / 2``, normalized; "exp2": ``-2 ** -s``.
    decision : bool
        Whether there is a ``decision_function``.
    flat : bool
        Whether one score per row is returned with shape ``(n_rows,)``.
    score_factor : float
        Scores are multiplied by it before the link.
    threshold : float
        Scores above it mean the positive class.
    zero_is_positive : bool
        Whether a score of exactly that means the positive class.
    n_classes : tuple of int
        Classes of each output of a multiclass head.
    outlier_offset : float
        Difference between ``score_samples`` and ``decision_function`` of an outlier detector.
    """

    kind: str
    link: str | None = "identity"
    decision: bool = False
    flat: bool = True
    score_factor: float = 1.0
    threshold: float = 0.0
    zero_is_positive: bool = False
    n_classes: tuple[int, ...] = ()
    outlier_offset: float = 0.0

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the graph outputs: the methods' names, with ``_0``, ``_1`` … for several."""
        if self.kind == "regressor":
            return ("predict",)
        if self.kind == "outlier":
            return ("score_samples", "decision_function", "predict")
        several = len(self.n_classes) > 1
        suffixes = [f"_{k}" for k in range(len(self.n_classes))] if several else [""]
        names = ["decision_function"] if self.decision else []
        if self.link is not None:
            names += [f"predict_proba{suffix}" for suffix in suffixes]
        return (*names, *(f"predict{suffix}" for suffix in suffixes))


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted model as arrays: raw scores, then a head.

    `decision`: the result of ``decision_function`` if it differs from the scores.
    """

    scores: Scores
    head: Head = field(default_factory=lambda: Head("regressor"))
    decision: Layers | TreeEnsemble | Ensemble | None = None
