"""`BitWidthSearchCV(per_layer=True)` and sensitivities in reports."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.inspection import quantization_report
from skq.model_selection import BitWidthSearchCV
from skq.neural_network import MLPClassifier
from skq.quantization import get_n_bits_dict


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def network(n_bits=8):
    return MLPClassifier((6, 4), solver="lbfgs", max_iter=300, random_state=0, n_bits=n_bits)


def test_layers_are_narrowed_within_the_loss(data):
    pipeline = make_pipeline(StandardScaler(), network())
    search = BitWidthSearchCV(pipeline, n_bits=[8, 6], cv=2, max_loss=0.03, per_layer=True)
    uniform = BitWidthSearchCV(pipeline, n_bits=[8, 6], cv=2, max_loss=0.03).fit(*data)
    search.fit(*data)
    results = search.cv_results_
    assert list(search.sensitivities_) == ["Gemm", "Gemm_1", "Gemm_2"]
    np.testing.assert_array_equal(
        results["mean_test_score"][:2], uniform.cv_results_["mean_test_score"]
    )
    params = results["params"]
    first = min(search.sensitivities_, key=search.sensitivities_.get)
    assert list(params[2]["mlpclassifier__n_bits"]["layers"]) == [first]
    costs = results["mean_cost"]
    assert costs[search.best_index_] < uniform.cv_results_["mean_cost"].min()
    assert search.best_score_ >= search.float_score_ - 0.03
    chosen = search.best_params_["mlpclassifier__n_bits"]
    assert search.best_estimator_[-1].n_bits_ == chosen


def test_sensitivities_are_errors_of_one_layer_alone(data):
    layers = {"Gemm_1": {"op_inputs": 2, "op_weights": 2}}
    model = network({**get_n_bits_dict(10), "layers": layers}).fit(*data)
    report = quantization_report(model, *data, sensitivities=True)
    of_layers = {part.node: part.sensitivity for part in report.parts if part.kind == "layer"}
    assert max(of_layers, key=of_layers.get) == "Gemm_1"
    assert of_layers["Gemm_1"] > 10 * of_layers["Gemm"]
    assert all(np.isnan(part.sensitivity) for part in report.parts if part.kind == "feature")
    assert "sensitivity" in str(report)
    assert "sensitivity" in report._repr_html_()
    assert "sensitivity" not in str(quantization_report(model, *data))


def test_what_has_no_layers_to_narrow_is_refused(data, tmp_path):
    model = network().fit(*data)
    skq.save(model, tmp_path / "model.skq")
    with pytest.raises(ValueError, match="need the float graph"):
        quantization_report(skq.load(tmp_path / "model.skq"), *data, sensitivities=True)
    with pytest.raises(ValueError, match="per_layer=True gives layers"):
        BitWidthSearchCV(network().set_params(qat_epochs=1), per_layer=True).fit(*data)
