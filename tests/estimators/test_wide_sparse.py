"""Sparse X of many columns: memory for the columns that occur, and the integers of a dense X."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import ensemble, linear_model, neural_network, svm, tree
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

import skq
import skq.ensemble
import skq.linear_model
import skq.neural_network
import skq.svm
import skq.tree
from skq.estimators.calibration import CalibrationData, Summary
from skq.graph.evaluator import GraphEvaluator
from skq.program import Gather
from skq.quantization.features_read import for_columns_read
from tests.peak_memory import peak_of

N_ROWS, N_FEATURES = 300, 1 << 16

MODELS = {
    "Ridge": skq.linear_model.Ridge(),
    "LogisticRegression": skq.linear_model.LogisticRegression(),
    "SGDClassifier": skq.linear_model.SGDClassifier(random_state=0),
    "LinearSVC": skq.svm.LinearSVC(),
    "DecisionTreeClassifier": skq.tree.DecisionTreeClassifier(max_depth=5, random_state=0),
    "RandomForestClassifier": skq.ensemble.RandomForestClassifier(5, random_state=0),
    "wrapper": skq.QuantizedClassifier(LogisticRegression()),
    "Pipeline": skq.QuantizedClassifier(make_pipeline(MaxAbsScaler(), LogisticRegression())),
    "selection": skq.QuantizedClassifier(
        make_pipeline(SelectKBest(chi2, k=100), LogisticRegression())
    ),
    "Bagging": skq.ensemble.BaggingClassifier(LogisticRegression(), 3, random_state=0),
}


def table(n_features=N_FEATURES, density=1e-4):
    X = sparse.random(N_ROWS, n_features, density, format="csr", rng=np.random.default_rng(0))
    return X, np.arange(N_ROWS) % 2


@pytest.mark.parametrize("name", MODELS)
def test_memory_is_that_of_the_columns_that_occur(name, tmp_path):
    model, (X, y) = MODELS[name], table()
    model.fit(*table(500, 0.002))  # what is imported then does not count
    n_occurring = len(np.unique(X.indices))
    dense = 8 * N_ROWS * n_occurring
    _, of_parent = peak_of(lambda: _parent(model).fit(X, y))
    _, of_fitting = peak_of(lambda: model.fit(X, y))
    # a few arrays of rows and columns that occur, and of one value for each feature and class
    assert of_fitting < of_parent + 12 * dense + 200 * N_FEATURES
    assert of_fitting < 0.5 * 8 * N_ROWS * N_FEATURES
    expected, of_predicting = peak_of(lambda: model.predict(X))
    assert of_predicting < 3 * dense + 30 * N_FEATURES
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    predicted, of_loaded = peak_of(lambda: loaded.predict(X))
    assert of_loaded < 3 * dense + 30 * N_FEATURES
    np.testing.assert_array_equal(predicted, expected)


def _parent(model):
    return (
        model.estimator
        if hasattr(model, "estimator_") and not hasattr(model, "_parent")
        else type(model)._parent(**model._as_parent().get_params(deep=False))
    )


FITTED = {
    "linear": linear_model.LogisticRegression(),
    "several classes": linear_model.SGDClassifier(random_state=0),
    "network": neural_network.MLPClassifier((4,), max_iter=5, random_state=0),
    "tree": tree.DecisionTreeClassifier(random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=5),
    "AdaBoost": ensemble.AdaBoostClassifier(linear_model.LogisticRegression(), n_estimators=3),
    "bagging": BaggingClassifier(svm.LinearSVC(), 3, random_state=0),
    "bagging of some features": BaggingClassifier(
        LogisticRegression(), 3, max_features=0.5, random_state=0
    ),
    "selection": make_pipeline(SelectKBest(chi2, k=20), LogisticRegression()),
    "scaled": make_pipeline(StandardScaler(with_mean=False), LogisticRegression()),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::skq.exceptions.PrecisionWarning")
@pytest.mark.parametrize("name", FITTED)
def test_predictions_are_those_of_a_model_calibrated_on_dense_rows(name):
    X, y = table(400, 0.002)
    y = np.asarray(X.sum(axis=1)).ravel() // 0.5 if name == "several classes" else y
    fitted = FITTED[name].fit(X, y)
    of_sparse, of_dense = skq.quantize(fitted, X), skq.quantize(fitted, X.toarray())
    others = sparse.random(50, 400, 0.1, format="csr", rng=np.random.default_rng(1))
    for rows in (X, others):
        for method in ("predict", "predict_proba", "decision_function"):
            if hasattr(fitted, method):
                expected = getattr(of_dense, method)(rows.toarray())
                for form in (rows, rows.tocsc(), rows.toarray()):
                    np.testing.assert_array_equal(getattr(of_sparse, method)(form), expected)
        for engine in ("reference", "numpy"):
            with skq.config_context(engine=engine):
                expected = of_dense.predict(rows.toarray())
                np.testing.assert_array_equal(of_sparse.predict(rows), expected)


def test_a_tree_that_compares_columns_which_the_calibration_data_lack():
    X, y = table(400, 0.01)
    fitted = tree.DecisionTreeClassifier(random_state=0).fit(X, y)
    few = X[:30]
    read = np.unique(fitted.tree_.feature[fitted.tree_.feature >= 0])
    assert not set(read) <= set(few.indices)
    quantized = skq.quantize(fitted, few)
    np.testing.assert_array_equal(quantized.predict(X), fitted.predict(X))


def test_the_float_graph_reads_all_features():
    X, y = table(400, 0.002)
    model = skq.linear_model.LogisticRegression().fit(X, y)
    graph = model.quantized_module_.graph
    results = GraphEvaluator(graph).run({"X": X.toarray()}, ("predict_proba",))
    np.testing.assert_allclose(results["predict_proba"], model._as_parent().predict_proba(X))
    assert model.onnx_model_.graph.input[0].type.tensor_type.shape.dim[1].dim_value == 400
    report = skq.inspection.quantization_report(model, X)
    assert len(str(report))


def test_sparse_rows_are_run_by_a_program_without_the_columns_that_are_not_read():
    X, y = table(400, 0.002)
    module = skq.linear_model.Ridge().fit(X, y).quantized_module_
    narrow, columns = for_columns_read(module)
    np.testing.assert_array_equal(columns, np.unique(X.indices))
    assert narrow.program.inputs[0].shape == (len(columns),)
    assert sum(isinstance(s, Gather) for s in module.program.instructions) == 1
    assert for_columns_read(module)[0] is narrow
    assert for_columns_read(skq.linear_model.Ridge().fit(X.toarray(), y).quantized_module_) is None


def test_batches_with_other_columns_are_merged():
    X, _ = table(300, 0.001)
    parts = [X[:100], X[100:150], X[150:]]
    dense = [CalibrationData.of(part.toarray()) for part in parts]
    data = [CalibrationData.of(part) for part in parts]
    assert len({len(d.columns) for d in data}) == 3
    merged = data[0].merged(data[1]).merged(data[2])
    expected = dense[0].merged(dense[1]).merged(dense[2])
    np.testing.assert_array_equal(merged.full_rows(len(merged.rows)), expected.rows)
    np.testing.assert_array_equal(merged.weight, expected.weight)
    joined = Summary.joined([Summary.of(part) for part in (*parts, parts[0].toarray())]).to_data()
    expected = Summary.joined([Summary.of(p.toarray()) for p in (*parts, parts[0])]).to_data()
    np.testing.assert_array_equal(joined.rows, expected.rows)
    np.testing.assert_array_equal(joined.weight, expected.weight)


def test_batches_of_partial_fit_take_the_memory_of_their_columns():
    X, y = table()
    model = skq.linear_model.SGDClassifier(random_state=0)
    model.partial_fit(*table(500, 0.002), classes=[0, 1]).predict(table(500, 0.002)[0])

    def train():
        model = skq.linear_model.SGDClassifier(random_state=0)
        for start in range(0, N_ROWS, 50):
            model.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1])
        return model.predict(X)

    predicted, peak = peak_of(train)
    assert peak < 12 * 8 * N_ROWS * len(np.unique(X.indices)) + 300 * N_FEATURES
    assert np.mean(predicted == y) > 0.9


def test_many_rows_of_many_columns_are_thinned():
    X = sparse.random(4000, 100_000, 1e-4, format="csr", rng=np.random.default_rng(0))
    data, peak = peak_of(lambda: CalibrationData.of(X))
    assert data.rows.nbytes <= 1 << 27
    assert peak < 1 << 29
    assert data.weight.sum() == pytest.approx(4000)
    np.testing.assert_array_equal(data.ranges.hi, X.max(axis=0).toarray().ravel())
