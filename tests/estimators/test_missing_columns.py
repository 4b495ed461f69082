"""In which columns an estimator takes missing values: exactly where its own predict does."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skq.estimators.missing_values import takes_missing, takes_missing_in

X, y = load_wine(return_X_y=True)
X, y = np.column_stack([X[:, :4], np.round(X[:, 4] / 20)]), y == 1
WITH_NAN = np.where((np.arange(len(X)) % 5 == 0)[:, np.newaxis] & (np.arange(5) == 2), np.nan, X)

LINEAR = LogisticRegression(max_iter=1000)
TREE = DecisionTreeClassifier(max_depth=2)
IMPUTED = make_pipeline(SimpleImputer(), LINEAR)
HALF = ColumnTransformer([("i", SimpleImputer(), [0, 2]), ("s", StandardScaler(), [1, 3])])
ENCODED = ColumnTransformer([("e", OneHotEncoder(), [4])], remainder=SimpleImputer())
UNKNOWN = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)

CASES = {
    "linear": LINEAR,
    "tree": TREE,
    "boosting": GradientBoostingClassifier(n_estimators=2),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=2),
    "AdaBoost": AdaBoostClassifier(TREE, n_estimators=2),
    "imputer": IMPUTED,
    "frozen": FrozenEstimator(IMPUTED.fit(X, y)),
    "scaler, imputer": make_pipeline(make_pipeline(StandardScaler(), SimpleImputer()), LINEAR),
    "passthrough, imputer": make_pipeline("passthrough", SimpleImputer(), LINEAR),
    "function, imputer": make_pipeline(FunctionTransformer(), SimpleImputer(), LINEAR),
    "half imputed, linear": make_pipeline(HALF, LINEAR),
    "half imputed, boosting": make_pipeline(HALF, GradientBoostingClassifier(n_estimators=2)),
    "half imputed, trees": make_pipeline(HALF, TREE),
    "scaled, half imputed": make_pipeline(StandardScaler(), HALF, LINEAR),
    "selected, half imputed": make_pipeline(VarianceThreshold(1e-9), HALF, TREE),
    "encoded": make_pipeline(ENCODED, LINEAR),
    "encoded, unknown": make_pipeline(UNKNOWN, LINEAR),
    "selector that takes none": make_pipeline(SelectKBest(k=3), TREE),
    "selector that takes some": make_pipeline(VarianceThreshold(1.0), LINEAR),
    "union": make_pipeline(make_union(SimpleImputer(), MissingIndicator()), TREE),
    "vote": VotingClassifier([("a", IMPUTED), ("b", HistGradientBoostingClassifier(max_iter=2))]),
    "vote, half imputed": VotingClassifier([("a", IMPUTED), ("b", make_pipeline(HALF, LINEAR))]),
    "bagging": BaggingClassifier(IMPUTED, 2, max_features=3, random_state=0),
    "forest": RandomForestClassifier(2, random_state=0),
    "calibration": CalibratedClassifierCV(IMPUTED, cv=2),
}


#: Those that cannot be fitted where column 2 has NaN.
TAKE_NONE = ("linear", "boosting", "AdaBoost", "encoded, unknown", "selector that takes none")


@pytest.mark.parametrize(
    ("case", "rows"),
    [
        *[pytest.param(case, X, id=case) for case in CASES],
        *[pytest.param(c, WITH_NAN, id=f"{c}, NaN") for c in CASES if c not in TAKE_NONE],
    ],
)
def test_columns_are_those_in_which_predict_takes_them(case, rows):
    estimator = clone(CASES[case]).fit(rows, y)
    taken = []
    for column in range(X.shape[1]):
        try:
            estimator.predict(np.where(np.arange(5) == column, np.nan, X))
            taken.append(True)
        except ValueError:
            taken.append(False)
    assert takes_missing_in(estimator, 5).tolist() == taken
    assert takes_missing(estimator) >= any(taken)
    assert takes_missing(clone(CASES[case])) >= any(taken)
