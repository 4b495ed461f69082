"""The suite is complete: every predictor of scikit-learn is there, or refused with a reason."""

import importlib
import inspect
from pathlib import Path

import pytest
import sklearn
from sklearn.utils import all_estimators

import skq
from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import refused, writers
from tests.estimators.cases import MODULES, classes, quick
from tests.estimators.checks_of_sklearn import failures, run_checks

SUITE = set(
    """
ARDRegression AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor BayesianRidge
DecisionTreeClassifier DecisionTreeRegressor ElasticNet ElasticNetCV ExtraTreeClassifier
ExtraTreeRegressor ExtraTreesClassifier ExtraTreesRegressor GammaRegressor
GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier
HistGradientBoostingRegressor HuberRegressor IsolationForest Lars LarsCV Lasso LassoCV LassoLars
LassoLarsCV LassoLarsIC LinearRegression LinearSVC LinearSVR LogisticRegression LogisticRegressionCV
MLPClassifier MLPRegressor MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV
OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV Perceptron PoissonRegressor QuantileRegressor
RandomForestClassifier RandomForestRegressor Ridge RidgeCV RidgeClassifier RidgeClassifierCV
SGDClassifier SGDOneClassSVM SGDRegressor TheilSenRegressor TweedieRegressor
""".split()  # noqa: SIM905
)

#: Combinations of other models: `quantize` and the meta-estimators take them.
WRAPPED = {"VotingClassifier", "VotingRegressor"}


def offered():
    """Public estimators of scikit-learn's modules that the suite mirrors: module by class name."""
    found = {name: cls.__module__.split(".")[1] for name, cls in all_estimators()}
    return {name: module for name, module in found.items() if module in MODULES}


def test_the_suite_has_every_class_that_it_promises():
    assert [cls.__name__ for cls in classes()] == sorted(SUITE)
    for cls in classes():
        module = cls._parent.__module__.split(".")[1]
        assert cls.__module__ == f"skq.{module}"
        assert cls.__name__ in getattr(skq, module).__all__


def test_every_class_of_scikit_learn_is_there_or_refused():
    unknown = sorted(set(offered()) - SUITE - WRAPPED - set(refused.REFUSED))
    assert not unknown, (
        f"scikit-learn {sklearn.__version__} offers {unknown}. Add each to its skq module and name "
        "it in @equivalent(...) of skq/frontend/equivalents, or say in refused.py why not."
    )
    assert not SUITE & set(refused.REFUSED)
    assert SUITE | WRAPPED <= set(writers.supported_estimators())


@pytest.mark.parametrize("name", sorted(refused.REFUSED))
def test_a_refusal_is_one_sentence_with_an_alternative(name):
    cls = dict(all_estimators()).get(name)
    if cls is None:
        pytest.skip(f"not in scikit-learn {sklearn.__version__}")
    message = f"^{name} cannot be quantized: .*\\.$"
    with pytest.raises(UnsupportedModelError, match=message) as error:
        writers.to_representation(cls.__new__(cls))
    assert "; " in str(error.value)


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_signature_and_docs(cls):
    own, parent = (inspect.signature(c).parameters for c in (cls, cls._parent))
    added = ["n_bits", "rounding_threshold_bits", "calibration", "columns_per_feature"]
    assert [*parent, *added] == list(own)[: len(parent) + len(added)]
    assert all(own[name].kind == parent[name].kind for name in parent)
    for name in ("fit", "predict"):
        ours, theirs = (inspect.signature(getattr(c, name)) for c in (cls, cls._parent))
        assert ours == theirs
    assert "n_bits : int, " in cls.__doc__
    assert f"sklearn.{cls.__module__.removeprefix('skq.')}" in cls.__doc__


@pytest.mark.parametrize("name", sorted({*SUITE, *refused.REFUSED}))
def test_the_user_guide_names_it(name):
    guide = Path(skq.__file__).parents[1] / "docs" / "user-guide" / "estimators.md"
    stem = name.removesuffix("Regressor").removesuffix("Classifier")
    assert name in guide.read_text() or (name in refused.REFUSED and stem in guide.read_text())


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_check_estimator(cls):
    results = run_checks(cls)
    assert not failures(results)
    assert sum(r["status"] == "passed" for r in results) > 40


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_methods_are_there_where_the_parent_has_them(cls):
    ours = quick(cls)
    known = inspect.signature(cls._parent).parameters
    theirs = cls._parent(**{k: v for k, v in ours.get_params().items() if k in known})
    for name in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "score_samples",
        "partial_fit",
        "staged_predict",
        "staged_predict_proba",
        "apply",
        "decision_path",
        "fit_predict",
        "score",
    ):
        assert hasattr(ours, name) == hasattr(theirs, name), name


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_help_says_what_is_integer_and_where_the_parent_is_documented(cls):
    for name in ("fit", "predict", "predict_proba", "decision_function", "score_samples"):
        method = inspect.getattr_static(cls, name, None)
        if method is None:
            continue
        method = getattr(method, "fn", method)
        first, path = method.__doc__.splitlines()[0], method.__doc__.splitlines()[2]
        assert "integer program" in first or "quantize" in first
        module, _, parent = path.split("`")[1].removesuffix(f".{name}").rpartition(".")
        assert getattr(importlib.import_module(module), parent) is cls._parent
        assert method.__module__.startswith("skq.")
        assert inspect.getsourcefile(method).endswith("estimators/base.py")
        assert inspect.signature(method) == inspect.signature(
            getattr(inspect.getattr_static(cls._parent, name), "fn", getattr(cls._parent, name))
        )
