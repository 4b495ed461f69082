"""XGBoost's scikit-learn classes, read from their saved JSON; needs no import of it.

Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html, the model's schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.decision_trees import OneTree, stack
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import before_training, equivalent
from skq.frontend.predictors import Floats, Head, Predictor, TreeEnsemble

#: Link of each objective of a regressor; base scores are saved after the link.
_LINKS = {
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "reg:logistic": "sigmoid",
    "binary:logistic": "sigmoid",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}

#: Objectives of a classifier.
_OF_CLASSIFIERS = ("binary:logistic", "multi:softprob", "multi:softmax")

_TO_MARGIN: dict[str, Callable[[Any], Any]] = {
    "identity": lambda score: score,
    "exp": np.log,
    "sigmoid": lambda score: np.log(score) - np.log1p(-score),
}


@before_training("XGBRegressor", "XGBRFRegressor", "XGBClassifier", "XGBRFClassifier")
def _check_options(estimator: Any) -> None:
    objective = estimator.objective
    if objective is not None and objective not in _known(estimator):
        raise _unknown_objective(estimator, objective)
    if estimator.booster == "gblinear":
        raise _linear(estimator)
    _check_missing(estimator)


def _known(estimator: Any) -> Sequence[str]:
    """Supported objectives of the estimator's class."""
    return _OF_CLASSIFIERS if hasattr(estimator, "predict_proba") else tuple(_LINKS)


def _check_missing(estimator: Any) -> None:
    if not np.isnan(estimator.missing):
        raise unsupported(
            estimator, f"it takes {estimator.missing} for missing values; use missing=nan"
        )


def _linear(estimator: Any) -> UnsupportedModelError:
    return unsupported(
        estimator, "it is linear; use Ridge or LogisticRegression, or booster='gbtree'"
    )


@equivalent("XGBRegressor", "XGBRFRegressor")
def _regressor(estimator: Any) -> Predictor:
    model = _model(estimator)
    link = _LINKS.get(model["objective"]["name"])
    if link is None:
        raise _unknown_objective(estimator, model["objective"]["name"])
    ensemble = _ensemble(estimator, model, link)
    return Predictor(ensemble, Head("regressor", link, flat=ensemble.n_scores == 1))


@equivalent("XGBClassifier", "XGBRFClassifier")
def _classifier(estimator: Any) -> Predictor:
    model = _model(estimator)
    name = model["objective"]["name"]
    if name == "binary:logistic":
        ensemble = _ensemble(estimator, model, "sigmoid")
        several = int(model["learner_model_param"].get("num_target", 1)) > 1
        return Predictor(ensemble, Head("multilabel" if several else "binary", "sigmoid"))
    if name in _OF_CLASSIFIERS:
        ensemble = _ensemble(estimator, model, "identity")
        return Predictor(ensemble, Head("multiclass", "softmax", n_classes=(ensemble.n_scores,)))
    raise _unknown_objective(estimator, model["objective"]["name"])


def _model(estimator: Any) -> Any:
    """The learner's part of the saved model."""
    _check_missing(estimator)
    return json.loads(estimator.get_booster().save_raw(raw_format="json"))["learner"]


def _ensemble(estimator: Any, model: Any, link: str) -> TreeEnsemble:
    booster = model["gradient_booster"]
    if booster["name"] == "gblinear":
        raise _linear(estimator)
    trees = booster.get("gbtree", booster)["model"]
    output = np.asarray(trees["tree_info"], dtype=np.int64)
    weights = np.asarray(booster.get("weight_drop", np.ones(len(output))))  # of the dart booster
    end = _end(estimator, trees)
    base = _base(model, link)
    return stack(
        [
            _tree(estimator, tree, weight)
            for tree, weight in zip(trees["trees"][:end], weights[:end], strict=True)
        ],
        base=base,
        average=False,
        output=output[:end],
    )


def _end(estimator: Any, trees: Any) -> int:
    """Number of trees that predictions use: up to the best iteration, if it stopped early."""
    try:
        best = int(estimator.best_iteration)
    except AttributeError:
        return len(trees["trees"])
    starts = trees.get("iteration_indptr")
    if starts is not None:
        return int(starts[best + 1])
    n_outputs = max(trees["tree_info"]) + 1
    parallel = int(trees["gbtree_model_param"].get("num_parallel_tree", 1))
    return (best + 1) * n_outputs * parallel


def _base(model: Any, link: str) -> Floats:
    """The first score of each output, as a margin."""
    parameters = model["learner_model_param"]
    given = np.array(parameters["base_score"].strip("[]").split(","), dtype=np.float32)
    n_scores = max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)
    margin = _TO_MARGIN[link](given.astype(np.float64))
    return np.array(np.broadcast_to(margin, (n_scores,)))


def _tree(estimator: Any, tree: Any, weight: float) -> OneTree:
    """One tree.

    A row goes left where its float32 value is below the threshold, that is, at most the float32
    before the threshold.
    """
    if int(tree["tree_param"]["size_leaf_vector"] or 1) > 1:
        raise unsupported(
            estimator, "its leaves are vectors; use multi_strategy='one_output_per_tree'"
        )
    if any(tree["split_type"]):
        raise unsupported(
            estimator, "it splits by category; number the categories and train it on numbers"
        )
    left, right = (np.asarray(tree[f"{side}_children"]) for side in ("left", "right"))
    nodes = _reached(left, right)
    index = np.full(len(left), -1)
    index[nodes] = np.arange(len(nodes))
    leaf = left[nodes] < 0
    value = np.asarray(tree["split_conditions"], dtype=np.float32)[nodes]
    below = np.nextafter(value, np.float32(-np.inf)).astype(np.float64)
    return OneTree(
        feature=np.where(leaf, -1, np.asarray(tree["split_indices"])[nodes]),
        threshold=np.where(leaf, 0.0, below),
        left=np.where(leaf, -1, index[left[nodes]]),
        right=np.where(leaf, -1, index[right[nodes]]),
        missing_left=np.asarray(tree["default_left"]).astype(bool)[nodes] & ~leaf,
        leaf_weights=(value.astype(np.float64) * weight)[:, np.newaxis],
    )


def _reached(left: Any, right: Any) -> Any:
    """Nodes in level order from the root: pruned ones are left out."""
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        inner = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack([left[inner], right[inner]], axis=1).ravel())
    return np.concatenate(levels)


def _unknown_objective(estimator: Any, objective: Any) -> UnsupportedModelError:
    name = getattr(objective, "__name__", objective)
    return unsupported(
        estimator,
        f"its objective {name!r} has no integer representation; use one of "
        f"{', '.join(_known(estimator))}",
    )
