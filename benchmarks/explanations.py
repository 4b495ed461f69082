"""Explanations of a quantized model against those of its float model, at 8, 4 and 2 bits.

Run it with ``python benchmarks/explanations.py [--bits 8 4 2] [--rows 30]``; SHAP values need
``pip install shap``. All four widths are set to n. The data are `sklearn.datasets.load_wine`: 13
features, half of the rows for training.

`labels` is the share of test labels that are equal in the integer and the float model. SHAP values
of the float model come from an explainer that reads its arrays (`TreeExplainer`,
`LinearExplainer`), those of the integer model from `KernelExplainer` with all 2**13 coalitions, so
the difference is that of the two models. `shap` is the mean absolute difference in percent of the
mean absolute value, `top` the share of rows and outputs whose most important feature is the same.
`permutation` is the largest difference of an importance in points of accuracy, and `rank` is
Spearman's correlation of the importances: of mean absolute SHAP values, and of permutation.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.datasets import load_wine
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tables import line, print_header

from skq.ensemble import RandomForestClassifier
from skq.estimators.requantize import float_model, requantized
from skq.linear_model import LogisticRegression
from skq.quantization.n_bits import KEYS

try:
    import shap
except ImportError:
    shap = None

HEADER = ("model", "n_bits", "labels", "shap", "top", "rank", "permutation", "rank")
WIDTHS = (24, 8, 8, 8, 8, 8, 12, 8)
#: Rows that stand for absent features.
N_BACKGROUND = 10
N_REPEATS = 30

Array = NDArray[np.float64]

#: Each model, the method that is explained, and the explainer that reads the parent's arrays.
MODELS = {
    "RandomForestClassifier": (
        RandomForestClassifier(50, random_state=0),
        "predict_proba",
        "TreeExplainer",
    ),
    "LogisticRegression": (LogisticRegression(), "decision_function", "LinearExplainer"),
}


def from_arrays(model: Any, explainer: str, background: Array, rows: Array) -> Array:
    """SHAP values from the arrays of the float parent, (n_rows, n_features, n_outputs)."""
    return np.asarray(getattr(shap, explainer)(model, background).shap_values(rows))


def from_predictions(method: Any, background: Array, rows: Array) -> Array:
    """SHAP values from predictions with all coalitions of features, of the same shape."""
    explainer = shap.KernelExplainer(method, background)
    n_features = rows.shape[1]
    values = explainer.shap_values(rows, nsamples=2**n_features, l1_reg=False, silent=True)
    return np.asarray(values)


def compared_shap(float_values: Array, values: Array) -> tuple[str, str, str]:
    """The columns `shap`, `top` and `rank`."""
    difference = np.abs(values - float_values).mean() / np.abs(float_values).mean()
    top = np.mean(np.abs(values).argmax(axis=1) == np.abs(float_values).argmax(axis=1))
    means = [np.abs(v).mean(axis=(0, 2)) for v in (values, float_values)]
    return f"{difference:.1%}", f"{top:.0%}", f"{spearmanr(*means).statistic:.3f}"


def compared_permutations(
    model: Any, float_importances: Array, X: Array, y: Any
) -> tuple[str, str]:
    """The columns `permutation` and `rank`."""
    importances = permuted(model, X, y)
    largest = 100 * np.abs(importances - float_importances).max()
    return f"{largest:.1f}", f"{spearmanr(importances, float_importances).statistic:.3f}"


def permuted(model: Any, X: Array, y: Any) -> Array:
    """Importance of each feature by permutation."""
    result = permutation_importance(model, X, y, n_repeats=N_REPEATS, random_state=0)
    return np.asarray(result.importances_mean)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bits", nargs="*", type=int, default=[8, 4, 2])
    parser.add_argument("--rows", type=int, default=30, help="test rows to explain by SHAP")
    options = parser.parse_args()
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    background = X_train[:N_BACKGROUND]
    rows = X_test[: options.rows]
    if shap is None:
        print("shap is not installed, so only permutation importances are compared.\n")
    print_header(HEADER, WIDTHS)
    for name, (model, method, explainer) in MODELS.items():
        model.fit(X_train, y_train)
        with float_model(model) as parent:
            labels, importances = parent.predict(X_test), permuted(parent, X_test, y_test)
        float_values = None if shap is None else from_arrays(model, explainer, background, rows)
        for bits in options.bits:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                narrow = requantized(model, X_train, dict.fromkeys(KEYS, bits))
            agree = f"{np.mean(narrow.predict(X_test) == labels):.1%}"
            shares = ("", "", "")
            if float_values is not None:
                values = from_predictions(getattr(narrow, method), background, rows)
                shares = compared_shap(float_values, values)
            permutation = compared_permutations(narrow, importances, X_test, y_test)
            print(line((name, bits, agree, *shares, *permutation), WIDTHS), flush=True)


if __name__ == "__main__":
    main()
