"""scikit-learn's fitted estimators, each as an equivalent `Predictor`; scalers as `Affine`.

One short function a family. An estimator is looked up by the first class in its MRO that
scikit-learn defines, so subclasses (skq's own among them) share their parent's entry; what a
subclass changed in its predictions is caught by the parity check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.predictors import Affine, Head, Layers, Predictor, TreeEnsemble

Form = Predictor | Affine
Writer = Callable[[Any], Form]

_WRITERS: dict[str, Writer] = {}


def equivalent(*names: str) -> Callable[[Writer], Writer]:
    """Register the function that writes estimators of these scikit-learn classes."""

    def register(writer: Writer) -> Writer:
        for name in names:
            if name in _WRITERS:
                raise ValueError(f"{name} is registered already")
            _WRITERS[name] = writer
        return writer

    return register


def supported_estimators() -> list[str]:
    """Names of the scikit-learn classes that have an equivalent."""
    return sorted(_WRITERS)


def sklearn_class(estimator: Any) -> type:
    """The first class in the estimator's MRO that scikit-learn defines."""
    for cls in type(estimator).__mro__:
        if cls.__module__.startswith("sklearn."):
            return cls
    return type(estimator)


def to_form(model: Any) -> Form | None:
    """The fitted estimator or scaler as arrays; None if its class has no entry here.

    Raises
    ------
    UnsupportedModelError
        If this instance uses something that has no integer form.
    """
    writer = _WRITERS.get(sklearn_class(model).__name__)
    return None if writer is None else writer(model)


@equivalent("StandardScaler")
def _standard_scaler(scaler: Any) -> Affine:
    return Affine(
        subtract=scaler.mean_ if scaler.with_mean else None,
        divide=scaler.scale_ if scaler.with_std else None,
    )


@equivalent("RobustScaler")
def _robust_scaler(scaler: Any) -> Affine:
    return Affine(
        subtract=scaler.center_ if scaler.with_centering else None,
        divide=scaler.scale_ if scaler.with_scaling else None,
    )


@equivalent("MaxAbsScaler")
def _max_abs_scaler(scaler: Any) -> Affine:
    _refuse_clip(scaler)
    return Affine(divide=scaler.scale_)


@equivalent("MinMaxScaler")
def _min_max_scaler(scaler: Any) -> Affine:
    _refuse_clip(scaler)
    return Affine(multiply=scaler.scale_, add=scaler.min_)


def _refuse_clip(scaler: Any) -> None:
    if getattr(scaler, "clip", False):
        raise UnsupportedModelError(
            f"{type(scaler).__name__}(clip=True) has no integer form; use clip=False. The input "
            "quantizer saturates at the range of the calibration data anyway."
        )


def _layer(coef: Any, intercept: Any) -> Layers:
    weights = np.atleast_2d(np.asarray(coef, dtype=np.float64)).T
    bias = np.broadcast_to(np.asarray(intercept, dtype=np.float64), weights.shape[1:])
    return Layers((weights,), (np.array(bias),))


@equivalent("LinearRegression", "Ridge", "Lasso", "ElasticNet", "LinearSVR")
def _linear_regressor(estimator: Any) -> Predictor:
    flat = np.ndim(estimator.coef_) == 1
    return Predictor(
        _layer(estimator.coef_, estimator.intercept_), Head("regressor", "identity", flat=flat)
    )


@equivalent("LinearSVC")
def _linear_classifier(estimator: Any) -> Predictor:
    return _classifier(estimator, link=None)


@equivalent("LogisticRegression")
def _logistic_regression(estimator: Any) -> Predictor:
    binary = len(estimator.classes_) <= 2
    multi_class = getattr(estimator, "multi_class", "auto")  # gone in scikit-learn 1.8
    one_vs_rest = multi_class in ("ovr", "warn") or (
        multi_class in ("auto", "deprecated") and (binary or estimator.solver == "liblinear")
    )
    if binary:
        return _classifier(estimator, "sigmoid", score_factor=1.0 if one_vs_rest else 2.0)
    return _classifier(estimator, "ovr" if one_vs_rest else "softmax")


def _classifier(estimator: Any, link: str | None, score_factor: float = 1.0) -> Predictor:
    scores = _layer(estimator.coef_, estimator.intercept_)
    if scores.n_scores == 1:
        head = Head("binary", link, decision=True, score_factor=score_factor)
    else:
        head = Head("multiclass", link, decision=True, n_classes=(scores.n_scores,))
    return Predictor(scores, head)


@equivalent("MLPRegressor")
def _mlp_regressor(estimator: Any) -> Predictor:
    return Predictor(
        _mlp_layers(estimator), Head("regressor", estimator.out_activation_, flat=True)
    )


@equivalent("MLPClassifier")
def _mlp_classifier(estimator: Any) -> Predictor:
    layers = _mlp_layers(estimator)
    if estimator.out_activation_ == "softmax":
        return Predictor(layers, Head("multiclass", "softmax", n_classes=(layers.n_scores,)))
    multilabel = estimator._label_binarizer.y_type_.startswith("multilabel")
    return Predictor(layers, Head("multilabel" if multilabel else "binary", "sigmoid"))


def _mlp_layers(estimator: Any) -> Layers:
    return Layers(
        tuple(np.asarray(w, dtype=np.float64) for w in estimator.coefs_),
        tuple(np.asarray(b, dtype=np.float64) for b in estimator.intercepts_),
        estimator.activation,
    )


def _ensemble(
    trees: list[Any],
    leaf_weights: Callable[[Any], Any],
    *,
    output: Any = None,
    base: Any,
    average: bool,
) -> TreeEnsemble:
    """Concatenate ``sklearn.tree._tree.Tree`` objects into flat arrays."""
    sizes = np.array([tree.node_count for tree in trees], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    shift = np.repeat(roots, sizes)

    def stack(name: str) -> Any:
        return np.concatenate([getattr(tree, name) for tree in trees])

    left = stack("children_left")
    leaf = left < 0
    return TreeEnsemble(
        roots=roots,
        feature=np.where(leaf, -1, stack("feature")).astype(np.int32),
        threshold=np.where(leaf, 0.0, stack("threshold")),
        left=np.where(leaf, -1, left + shift),
        right=np.where(leaf, -1, stack("children_right") + shift),
        missing_left=stack("missing_go_to_left").astype(bool) & ~leaf,
        leaf_weights=np.concatenate([leaf_weights(tree.value) for tree in trees]),
        output=np.zeros(len(trees), dtype=np.int64) if output is None else np.asarray(output),
        base=np.asarray(base, dtype=np.float64),
        average=average,
        float32_input=True,
    )


def _trees(estimator: Any) -> list[Any]:
    """The ``tree_`` objects of a tree or a forest."""
    return [tree.tree_ for tree in getattr(estimator, "estimators_", [estimator])]


@equivalent("DecisionTreeRegressor", "RandomForestRegressor")
def _tree_regressor(estimator: Any) -> Predictor:
    n_outputs = estimator.n_outputs_
    ensemble = _ensemble(
        _trees(estimator), lambda value: value[:, :, 0], base=np.zeros(n_outputs), average=True
    )
    return Predictor(ensemble, Head("regressor", flat=n_outputs == 1))


@equivalent("DecisionTreeClassifier", "RandomForestClassifier")
def _tree_classifier(estimator: Any) -> Predictor:
    n_classes = tuple(int(n) for n in np.atleast_1d(estimator.n_classes_))

    def probabilities(value: Any) -> Any:
        return np.concatenate([value[:, k, :n] for k, n in enumerate(n_classes)], axis=1)

    ensemble = _ensemble(
        _trees(estimator), probabilities, base=np.zeros(sum(n_classes)), average=True
    )
    return Predictor(ensemble, Head("multiclass", "identity", n_classes=n_classes))


@equivalent("GradientBoostingRegressor")
def _boosting_regressor(estimator: Any) -> Predictor:
    return Predictor(_boosting_ensemble(estimator), Head("regressor"))


@equivalent("GradientBoostingClassifier")
def _boosting_classifier(estimator: Any) -> Predictor:
    ensemble = _boosting_ensemble(estimator)
    if ensemble.n_scores > 1:
        head = Head("multiclass", "softmax", decision=True, n_classes=(ensemble.n_scores,))
        return Predictor(ensemble, head)
    factor = 2.0 if estimator.loss == "exponential" else 1.0
    head = Head("binary", "sigmoid", decision=True, score_factor=factor, zero_is_positive=True)
    return Predictor(ensemble, head)


def _boosting_ensemble(estimator: Any) -> TreeEnsemble:
    if estimator.init_ != "zero" and "Dummy" not in type(estimator.init_).__name__:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} with init={estimator.init!r} cannot be quantized: its "
            "first scores are another model's. Use init=None or init='zero'."
        )
    stages = estimator.estimators_
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))
    return _ensemble(
        [tree.tree_ for tree in stages.ravel()],
        lambda value: estimator.learning_rate * value[:, :, 0],
        output=np.tile(np.arange(stages.shape[1]), len(stages)),
        base=base[0],
        average=False,
    )
