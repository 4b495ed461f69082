"""Write small models and what they predict, as files of version 1 of skq.

Run with the release whose files are to be kept readable: ``python make_models.py DIRECTORY``.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression as FloatLinearRegression
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier as FloatTree

import skq
from skq.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.linear_model import (
    GammaRegressor,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDOneClassSVM,
)
from skq.neural_network import MLPClassifier, MLPRegressor
from skq.svm import LinearSVC, LinearSVR
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

METHODS = ("predict", "predict_proba", "decision_function", "score_samples")


def models():
    iris, flower = load_iris(return_X_y=True)
    names = load_iris().target_names[flower]
    diabetes, progress = load_diabetes(return_X_y=True)
    diabetes, progress = diabetes[:150], progress[:150] / 100
    holes = iris.copy()
    holes[::7, 1] = np.nan
    for name, model, X, y in [
        ("logistic_regression_8", LogisticRegression(max_iter=500), iris, names),
        ("logistic_regression_2", LogisticRegression(max_iter=500, n_bits=2), iris, flower),
        ("ridge_8", Ridge(), diabetes, progress),
        ("ridge_two_outputs_3", Ridge(n_bits=3), diabetes, np.stack([progress, -progress], axis=1)),
        ("ridge_classifier_4", RidgeClassifier(n_bits=4), iris, names),
        ("gamma_regressor_8", GammaRegressor(), diabetes, progress),
        ("one_class_svm_8", SGDOneClassSVM(random_state=0), iris, None),
        ("linear_svc_4", LinearSVC(n_bits=4, random_state=0), iris, flower),
        ("linear_svr_8", LinearSVR(random_state=0), diabetes, progress),
        ("tree_4", DecisionTreeClassifier(n_bits=4, random_state=0), iris, names),
        ("tree_missing_8", DecisionTreeClassifier(random_state=0), holes, flower),
        (
            "tree_regressor_lossless",
            DecisionTreeRegressor(max_depth=5, n_bits="lossless"),
            diabetes,
            progress,
        ),
        ("extra_tree_3", ExtraTreeClassifier(n_bits=3, random_state=0), iris, flower),
        ("forest_8", RandomForestClassifier(4, max_depth=4, random_state=0), iris, names),
        (
            "forest_2",
            RandomForestClassifier(4, max_depth=4, n_bits=2, random_state=0),
            iris,
            flower,
        ),
        (
            "forest_regressor_16",
            RandomForestRegressor(3, max_depth=4, n_bits=16, random_state=0),
            diabetes,
            progress,
        ),
        (
            "gradient_boosting_8",
            GradientBoostingClassifier(n_estimators=3, random_state=0),
            iris,
            names,
        ),
        (
            "gradient_boosting_regressor_3",
            GradientBoostingRegressor(n_estimators=5, n_bits=3),
            diabetes,
            progress,
        ),
        ("hist_boosting_8", HistGradientBoostingClassifier(max_iter=3), holes, flower),
        (
            "hist_boosting_regressor_4",
            HistGradientBoostingRegressor(max_iter=5, n_bits=4),
            diabetes,
            progress,
        ),
        ("adaboost_8", AdaBoostClassifier(n_estimators=4, random_state=0), iris, names),
        (
            "adaboost_regressor_8",
            AdaBoostRegressor(n_estimators=3, random_state=0),
            diabetes,
            progress,
        ),
        (
            "bagging_8",
            BaggingClassifier(n_estimators=3, max_features=0.7, random_state=0),
            iris,
            flower,
        ),
        (
            "isolation_forest_8",
            IsolationForest(n_estimators=8, max_samples=32, contamination=0.1, random_state=0),
            iris,
            None,
        ),
        ("mlp_8", MLPClassifier((6,), max_iter=200, random_state=0, solver="lbfgs"), iris, names),
        (
            "mlp_3",
            MLPClassifier(
                (6, 5), activation="tanh", n_bits=3, max_iter=200, random_state=0, solver="lbfgs"
            ),
            iris,
            flower,
        ),
        (
            "mlp_regressor_8",
            MLPRegressor(hidden_layer_sizes=(6,), max_iter=200, random_state=0, solver="lbfgs"),
            diabetes,
            progress,
        ),
        (
            "pipeline_8",
            skq.QuantizedClassifier(
                make_pipeline(
                    StandardScaler(), PolynomialFeatures(2), FloatLogisticRegression(max_iter=500)
                )
            ),
            iris,
            names,
        ),
        (
            "pipeline_trees_8",
            skq.QuantizedClassifier(
                make_pipeline(
                    SimpleImputer(add_indicator=True), FloatTree(max_depth=4, random_state=0)
                )
            ),
            holes,
            flower,
        ),
        (
            "voting_8",
            skq.QuantizedClassifier(
                VotingClassifier(
                    [("a", FloatLogisticRegression(max_iter=500)), ("b", FloatTree(max_depth=3))],
                    voting="soft",
                )
            ),
            iris,
            names,
        ),
        (
            "calibrated_8",
            skq.QuantizedClassifier(
                CalibratedClassifierCV(FloatTree(max_depth=3, random_state=0), cv=2)
            ),
            iris,
            flower,
        ),
        (
            "one_hot_8",
            skq.QuantizedRegressor(
                make_pipeline(
                    ColumnTransformer(
                        [("codes", OneHotEncoder(handle_unknown="ignore"), [1])],
                        remainder="passthrough",
                    ),
                    FloatLinearRegression(),
                )
            ),
            np.column_stack([diabetes[:, 0], (diabetes[:, 1] > 0) * 2.0, diabetes[:, 2]]),
            progress,
        ),
    ]:
        yield name, model.fit(X, y), X
    for name, network, X in networks():
        from skq.quantization import NumpyModule, PostTrainingAffineQuantization

        module = PostTrainingAffineQuantization(8, NumpyModule(network, (X,))).quantize_module(X)
        yield name, module, X


def networks():
    import torch

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(40, 1, 8, 8)).astype(np.float32)
    yield (
        "convolutions_8",
        torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(27, 4),
        ).eval(),
        images,
    )
    yield (
        "attention_like_8",
        torch.nn.Sequential(
            torch.nn.Linear(6, 8),
            torch.nn.Sigmoid(),
            torch.nn.Linear(8, 3),
            torch.nn.Softmax(dim=1),
        ).eval(),
        rng.normal(size=(60, 6)).astype(np.float32),
    )


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    results = {}
    for name, model, X in models():
        skq.save(model, directory / f"{name}.skq")
        rows = np.concatenate([X[::9], X[:2] * 3])
        results[f"{name}/X"] = rows
        loaded = skq.load(directory / f"{name}.skq")
        if isinstance(loaded, skq.quantization.QuantizedModule):
            results[f"{name}/forward"] = loaded.forward(rows)
            continue
        for method in METHODS:
            if hasattr(model, method):
                results[f"{name}/{method}"] = getattr(loaded, method)(rows)
    np.savez_compressed(directory / "results.npz", **results)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(Path(sys.argv[1]))
