"""Calibrated classifiers: sigmoid, isotonic and temperature calibration of scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.frontend.equivalents.combining import class_head, ensemble
from skq.frontend.equivalents.pipelines import to_base_estimator
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Calibration, EnsembleEstimator, Head, Predictor


@equivalent("CalibratedClassifierCV")
def _calibrated_classifier(estimator: Any) -> Predictor:
    n_classes = len(estimator.classes_)
    base_estimators = []
    for calibrated in estimator.calibrated_classifiers_:
        inner = calibrated.estimator
        if len(inner.classes_) != n_classes:
            raise unsupported(
                estimator,
                "a base estimator has not seen every class; use fewer folds (cv) or ensemble=False",
            )
        if hasattr(inner, "decision_function"):
            response_method = "decision_function"
        else:
            response_method = "positive" if n_classes == 2 else "predict_proba"
        calibration = _calibration(calibrated, response_method)
        if calibration.function == "softmax" and response_method == "positive":
            response_method = "predict_proba"
        representation = to_base_estimator(inner, estimator)
        n_features = estimator.n_features_in_
        base_estimators.append(
            EnsembleEstimator(representation, response_method, n_features, calibration=calibration)
        )
    class_head(base_estimators, estimator)
    head = Head("multiclass", "identity", n_classes=(n_classes,))
    return Predictor(ensemble(base_estimators, n_classes), head)


def _calibration(calibrated: Any, response_method: str) -> Calibration:
    """The fitted calibrators, one for each column; a temperature is one for all columns."""
    fitted = calibrated.calibrators
    if calibrated.method == "temperature":
        return Calibration(
            "softmax",
            slope=np.array([float(fitted[0].beta_)]),
            logarithm=response_method != "decision_function",
        )
    if calibrated.method == "sigmoid":
        return Calibration(
            "sigmoid",
            slope=np.array([float(c.a_) for c in fitted]),
            offset=np.array([float(c.b_) for c in fitted]),
        )
    knots = [(np.asarray(c.X_thresholds_), np.asarray(c.y_thresholds_)) for c in fitted]
    return Calibration(
        "interpolate", knots=tuple((x.astype(float), y.astype(float)) for x, y in knots)
    )
