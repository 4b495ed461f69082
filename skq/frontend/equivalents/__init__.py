"""scikit-learn's fitted estimators, each as an equivalent `Predictor`; scalers as `Affine`.

There is one module per family and one short function per kind. An estimator is looked up by the
first class in its MRO that scikit-learn defines, so subclasses (also those of skq) share the entry
of their parent. If a subclass changes its predictions, the parity check raises an error.
"""

# The families register what they write when they are imported.
from skq.frontend.equivalents import (
    bagging,
    boosting,
    calibrated,
    decision_trees,
    hist_boosting,
    lightgbm,
    linear,
    neural,
    scalers,
    voting,
    weight_boosting,
    xgboost,
)
from skq.frontend.equivalents.pipelines import (
    check_trainable,
    known_representations,
    last_step,
)
from skq.frontend.equivalents.transformers import supported_transformers
from skq.frontend.equivalents.writers import (
    equivalent,
    sklearn_class,
    supported_estimators,
    to_representation,
)

__all__ = [
    "bagging",
    "boosting",
    "calibrated",
    "check_trainable",
    "equivalent",
    "hist_boosting",
    "known_representations",
    "last_step",
    "lightgbm",
    "linear",
    "neural",
    "scalers",
    "sklearn_class",
    "supported_estimators",
    "supported_transformers",
    "to_representation",
    "decision_trees",
    "voting",
    "weight_boosting",
    "xgboost",
]
