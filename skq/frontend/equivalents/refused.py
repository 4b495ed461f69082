"""Classes without an integer representation: the reason, an alternative, and the error."""

from __future__ import annotations

from typing import Any

from skq.exceptions import UnsupportedModelError

_KERNEL = (
    "a kernel machine compares with its training rows, which has no integer representation here"
)
_ROWS = "it compares with its training rows, which has no integer representation here"
_WRAPPED = "its base estimators may be of any kind"
_ONE_EACH = "it holds several models"
_PART = "its predictions are those of the estimator in it"
_LABELS = "it labels the rows that it was fitted on"
_DENSITY = "it models the density of each class"

#: Class name → why it is refused, and the nearest alternative.
REFUSED = {
    "BernoulliNB": f"{_DENSITY}; use LogisticRegression on the same columns",
    "BernoulliRBM": "it is a transformer of probabilities, not a predictor; use MLPClassifier",
    "CCA": "it predicts from components; use Ridge",
    "CategoricalNB": f"{_DENSITY}; use LogisticRegression behind a OneHotEncoder",
    "ClassifierChain": f"{_ONE_EACH}; put quantized classifiers into it",
    "ComplementNB": f"{_DENSITY}; use LogisticRegression on the same columns",
    "DummyClassifier": "it does not read X; keep it in scikit-learn",
    "DummyRegressor": "it does not read X; keep it in scikit-learn",
    "EllipticEnvelope": "it measures Mahalanobis distances; use IsolationForest or SGDOneClassSVM",
    "FixedThresholdClassifier": f"{_PART}; put a quantized classifier into it",
    "GaussianNB": f"{_DENSITY}; use LogisticRegression or HistGradientBoostingClassifier",
    "GaussianProcessClassifier": f"{_ROWS}; use MLPClassifier or a forest",
    "GaussianProcessRegressor": f"{_ROWS}; use MLPRegressor or a forest",
    "IsotonicRegression": ("it interpolates; use HistGradientBoostingRegressor with monotonic_cst"),
    "KNeighborsClassifier": f"{_ROWS}; use MLPClassifier or a forest",
    "KNeighborsRegressor": f"{_ROWS}; use MLPRegressor or a forest",
    "KernelRidge": f"{_KERNEL}; use MLPRegressor, or Ridge behind a SplineTransformer",
    "LabelPropagation": f"{_LABELS}; train LogisticRegression or a forest on these labels",
    "LabelSpreading": f"{_LABELS}; train LogisticRegression or a forest on these labels",
    "LinearDiscriminantAnalysis": f"{_DENSITY}; use LogisticRegression or RidgeClassifier",
    "LocalOutlierFactor": f"{_ROWS}; use IsolationForest or SGDOneClassSVM",
    "MultiOutputClassifier": f"{_ONE_EACH}; put quantized classifiers into it",
    "MultiOutputRegressor": f"{_ONE_EACH}; put quantized regressors into it",
    "MultinomialNB": f"{_DENSITY}; use LogisticRegression on the same columns",
    "NearestCentroid": "it measures distances; use LogisticRegression or RidgeClassifier",
    "NuSVC": f"{_KERNEL}; use LinearSVC, MLPClassifier or a forest",
    "NuSVR": f"{_KERNEL}; use LinearSVR, or MLPRegressor",
    "OneClassSVM": f"{_KERNEL}; use SGDOneClassSVM or IsolationForest",
    "OneVsOneClassifier": f"{_ONE_EACH}; put a quantized classifier into it",
    "OneVsRestClassifier": f"{_ONE_EACH}; put a quantized classifier into it",
    "OutputCodeClassifier": f"{_ONE_EACH}; put a quantized classifier into it",
    "PLSCanonical": "it predicts from components; use Ridge",
    "PLSRegression": "it predicts from components; use Ridge",
    "PassiveAggressiveClassifier": (
        "scikit-learn has deprecated it; use SGDClassifier(loss='hinge', penalty=None)"
    ),
    "PassiveAggressiveRegressor": (
        "scikit-learn has deprecated it; use SGDRegressor(loss='epsilon_insensitive', penalty=None)"
    ),
    "QuadraticDiscriminantAnalysis": f"{_DENSITY}; use MLPClassifier or a forest",
    "RANSACRegressor": "it wraps a model; quantize its `estimator_`, or use HuberRegressor",
    "RadiusNeighborsClassifier": f"{_ROWS}; use MLPClassifier or a forest",
    "RadiusNeighborsRegressor": f"{_ROWS}; use MLPRegressor or a forest",
    "RandomTreesEmbedding": "it is a transformer with sparse output; use ExtraTreesClassifier",
    "RegressorChain": f"{_ONE_EACH}; put quantized regressors into it",
    "SVC": f"{_KERNEL}; use LinearSVC, MLPClassifier or a forest",
    "SVR": f"{_KERNEL}; use LinearSVR, or MLPRegressor",
    "SelfTrainingClassifier": f"{_PART}; quantize its `estimator_` with skq.quantize",
    "StackingClassifier": f"{_WRAPPED}; put quantized estimators into it",
    "StackingRegressor": f"{_WRAPPED}; put quantized estimators into it",
    "TransformedTargetRegressor": f"{_PART}; put a quantized regressor into it",
    "TunedThresholdClassifierCV": f"{_PART}; put a quantized classifier into it",
}


def unsupported(estimator: Any, reason: str) -> UnsupportedModelError:
    """Error that refuses an estimator or a step.

    Parameters
    ----------
    estimator : object
        Its class is named.
    reason : str
        Ends with what to use instead, without a full stop.
    """
    return UnsupportedModelError(f"{type(estimator).__name__} cannot be quantized: {reason}.")
