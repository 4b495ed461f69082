"""Between quantizers there are integers only, their intervals hold, and rows do not mix."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skq.engines.reference import evaluate
from skq.program import Bin, Dequantize, Quantize
from tests.estimators.cases import CLASSIFIERS, SAMPLE, has_trees, name_of, small_data_for

WIDTHS = (2, 8)


@pytest.fixture(scope="module", params=SAMPLE, ids=name_of)
def estimator(request):
    return request.param


@pytest.fixture(scope="module", params=WIDTHS)
def fitted(request, estimator):
    X, y = small_data_for(estimator)
    keys = ("op_inputs", "op_weights", "model_inputs", "model_outputs")
    return clone(estimator).set_params(n_bits=dict.fromkeys(keys, request.param)).fit(X, y)


def test_no_value_between_the_quantizers_is_a_float(fitted, estimator):
    program = fitted.quantized_module_.program
    X, _ = small_data_for(estimator)
    numbers = [number for number, _, _ in program.steps()]
    values = evaluate(program, {0: X}, numbers)
    for (number, step, type_), value in zip(program.steps(), values, strict=True):
        if isinstance(step, Quantize | Bin):
            assert step.inputs == (0,)
        else:
            assert all(program.types[operand].is_integer for operand in step.inputs)
        if isinstance(step, Dequantize):
            assert number in program.outputs.values()
        else:
            assert type_.is_integer
            assert value.dtype == np.int64


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_intervals_hold_whatever_the_input(fitted, data):
    program = fitted.quantized_module_.program
    n_features = program.inputs[0].shape[0]
    rows = data.draw(
        st.lists(
            st.lists(st.floats(-1e300, 1e300), min_size=n_features, max_size=n_features),
            min_size=1,
            max_size=4,
        )
    )
    numbers = [number for number, _, type_ in program.steps() if type_.is_integer]
    for number, value in zip(numbers, evaluate(program, {0: np.array(rows)}, numbers), strict=True):
        lo, hi = program.types[number].interval
        assert lo <= int(value.min())
        assert int(value.max()) <= hi


WITH_GRIDS = [e for e in SAMPLE if not has_trees(e)]  # bins have no range


@pytest.mark.parametrize("estimator", WITH_GRIDS, ids=name_of, indirect=True, scope="module")
def test_out_of_range_rows_saturate(fitted, estimator):
    X, _ = small_data_for(estimator)
    middle, spread = (X.max(axis=0) + X.min(axis=0)) / 2, np.ptp(X, axis=0)
    far, farther = (middle + np.array([[-k], [k]]) * spread for k in (1e2, 1e5))
    np.testing.assert_array_equal(fitted.predict(farther), fitted.predict(far))


def test_one_row_many_rows_any_batch_gives_the_same(fitted, estimator):
    X, _ = small_data_for(estimator)
    whole = fitted.predict(X)
    np.testing.assert_array_equal(
        np.concatenate([fitted.predict(row[None]) for row in X[:20]]), whole[:20]
    )
    for size in (7, 64):
        parts = [fitted.predict(X[i : i + size]) for i in range(0, len(X), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("convert", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2]])
def test_memory_order_does_not_matter(fitted, estimator, convert):
    X, _ = small_data_for(estimator)
    np.testing.assert_array_equal(fitted.predict(convert(X)), fitted.predict(X))


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)
def test_labels_are_the_best_scores(estimator):
    X, y = small_data_for(estimator)
    model = clone(estimator).fit(X, y)
    scores = (
        model.predict_proba(X) if hasattr(model, "predict_proba") else model.decision_function(X)
    )
    np.testing.assert_array_equal(model.classes_[scores.argmax(axis=1)], model.predict(X))
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, rtol=1e-12)


def test_stages_compose_to_forward(fitted, estimator):
    X, _ = small_data_for(estimator)
    module = fitted.quantized_module_
    codes = module.quantize_input(X)
    codes = codes if isinstance(codes, tuple) else (codes,)
    assert all(code.dtype == np.int64 for code in codes)
    results = module.quantized_forward(*codes)
    assert all(result.dtype == np.int64 for result in results)
    staged, direct = module.dequantize_output(*results), module.forward(X)
    if not isinstance(direct, tuple):
        staged, direct = (staged,), (direct,)
    for a, b in zip(staged, direct, strict=True):
        np.testing.assert_array_equal(a, b)


def test_codes_outside_of_their_interval_are_refused(fitted, estimator):
    X, _ = small_data_for(estimator)
    module = fitted.quantized_module_
    codes = module.quantize_input(X)
    codes = codes if isinstance(codes, tuple) else (codes,)
    with pytest.raises(ValueError, match=r"Codes must lie in \[0, "):
        module.quantized_forward(*(code + 1000 for code in codes))
    with pytest.raises(ValueError, match="must be integers"):
        module.quantized_forward(*(code.astype(float) for code in codes))
