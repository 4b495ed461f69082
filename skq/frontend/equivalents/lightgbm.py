"""LightGBM's scikit-learn classes, read from ``booster_.dump_model()``; needs no import of it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.categories import Memberships
from skq.frontend.equivalents.decision_trees import Node, OneTree, stack
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import before_training, equivalent, sklearn_class
from skq.frontend.predictors import Head, Predictor, TreeEnsemble

_IDENTITY = {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}
_EXP = {"poisson", "gamma", "tweedie"}


#: Objectives of LightGBM, and their aliases, that are not supported.
_UNKNOWN = {
    *("multiclassova", "multiclass_ova", "ova", "ovr"),
    *("cross_entropy", "xentropy", "cross_entropy_lambda", "xentlambda"),
    *("lambdarank", "rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart"),
}


@before_training("LGBMClassifier", "LGBMRegressor")
def _check_options(estimator: Any) -> None:
    params = estimator.get_params()
    if params.get("linear_tree") or params.get("linear_trees"):
        raise _linear_tree(estimator)
    if params.get("zero_as_missing"):
        raise _zero_as_missing(estimator)
    if params.get("objective") in _UNKNOWN:
        raise unsupported(
            estimator,
            f"its objective {params['objective']!r} has no integer representation; leave it out",
        )


def _linear_tree(estimator: Any) -> UnsupportedModelError:
    return unsupported(
        estimator, "linear_tree=True puts a linear model into each leaf; use linear_tree=False"
    )


def _zero_as_missing(estimator: Any) -> UnsupportedModelError:
    return unsupported(estimator, "it takes zeros for missing values; use zero_as_missing=False")


@equivalent("LGBMRegressor")
def _regressor(estimator: Any) -> Predictor:
    model = _model(estimator)
    objective = model["objective"].split()
    if objective[0] not in _IDENTITY | _EXP or "sqrt" in objective:
        raise unsupported(
            estimator, f"its objective {model['objective']!r} has no integer representation"
        )
    link = "exp" if objective[0] in _EXP else "identity"
    return Predictor(_ensemble(estimator, model), Head("regressor", link))


@equivalent("LGBMClassifier")
def _classifier(estimator: Any) -> Predictor:
    model = _model(estimator)
    name, *options = model["objective"].split()
    ensemble = _ensemble(estimator, model)
    decision = hasattr(estimator, "decision_function")  # since LightGBM 4.7
    sums = None
    if decision and model.get("average_output"):  # boosting_type="rf": raw scores are sums
        sums = _ensemble(estimator, {**model, "average_output": False})
    if name == "binary":
        settings = dict(option.split(":") for option in options if ":" in option)
        factor = float(settings.get("sigmoid", 1.0))
        head = Head("binary", "sigmoid", decision=decision, score_factor=factor)
        return Predictor(ensemble, head, sums)
    if name == "multiclass":
        n_classes = (ensemble.n_scores,)
        head = Head("multiclass", "softmax", decision=decision, n_classes=n_classes)
        return Predictor(ensemble, head, sums)
    raise unsupported(
        estimator, f"its objective {model['objective']!r} has no integer representation"
    )


def _model(estimator: Any) -> Any:
    model = estimator.booster_.dump_model(num_iteration=getattr(estimator, "best_iteration_", None))
    if model.get("pandas_categorical") and not getattr(estimator, "_skq_reads_codes", False):
        raise unsupported(
            estimator,
            "it numbers the categories of a dataframe itself. Quantize it alone, with a dataframe; "
            "inside another estimator, train it on numbers",
        )
    return model


def pandas_categories(estimator: Any) -> list[Any]:
    """Categories of each column of the dtype category; none for other estimators."""
    if sklearn_class(estimator).__name__ not in ("LGBMClassifier", "LGBMRegressor"):
        return []
    return list(getattr(estimator.booster_, "pandas_categorical", None) or [])


def reading_codes(estimator: Any) -> Any:
    """The same estimator for X with numbers of categories, as its trees see them."""
    twin = copy.copy(estimator)
    twin._skq_reads_codes = True
    return twin


def _ensemble(estimator: Any, model: Any) -> TreeEnsemble:
    n_scores = int(model["num_tree_per_iteration"])
    memberships = Memberships(int(model["max_feature_idx"]) + 1)
    trees = [_tree(estimator, info["tree_structure"], memberships) for info in model["tree_info"]]
    n_stages = len(trees) // n_scores
    if model.get("average_output"):
        trees = [replace(tree, leaf_weights=tree.leaf_weights / n_stages) for tree in trees]
    ensemble = stack(
        trees,
        base=np.zeros(n_scores),
        average=False,
        output=np.tile(np.arange(n_scores), n_stages),
        float32_input=False,
    )
    return replace(ensemble, derived=memberships.derived())


def _tree(estimator: Any, root: Any, memberships: Memberships) -> OneTree:
    nodes: list[Node] = []

    def add(node: Any) -> int:
        number = len(nodes)
        if node.get("leaf_features"):
            raise _linear_tree(estimator)
        if "leaf_value" in node:
            nodes.append((-1, 0.0, -1, -1, False, float(node["leaf_value"])))
            return number
        nodes.append((0, 0.0, 0, 0, False, 0.0))
        feature, threshold, missing_left = _split(estimator, node, memberships)
        left, right = add(node["left_child"]), add(node["right_child"])
        nodes[number] = (feature, threshold, left, right, missing_left, 0.0)
        return number

    add(root)
    return OneTree.from_nodes(nodes)


def _split(estimator: Any, node: Any, memberships: Memberships) -> tuple[int, float, bool]:
    """Feature, threshold, and whether NaN goes left."""
    feature = int(node["split_feature"])
    if node["decision_type"] == "==":
        left = np.array(sorted(float(part) for part in node["threshold"].split("||")))
        column = memberships.column(feature, left, np.ones(len(left), dtype=bool), False)
        return column, 0.5, False
    threshold = float(node["threshold"])
    if node["missing_type"] == "NaN":
        return feature, threshold, bool(node["default_left"])
    if node["missing_type"] == "None":  # NaN counts as 0
        return feature, threshold, threshold >= 0.0
    raise _zero_as_missing(estimator)
