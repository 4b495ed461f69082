"""Files that the first release wrote: they load, and predict what they predicted then."""

from pathlib import Path

import numpy as np
import pytest

import skq

FOLDER = Path(__file__).parent.parent / "data" / "models_v1"
FILES = sorted(FOLDER.glob("*.skq"))
METHODS = ("predict", "predict_proba", "decision_function", "score_samples", "forward")


@pytest.fixture(scope="module")
def results():
    with np.load(FOLDER / "results.npz") as arrays:
        return dict(arrays)


def test_every_result_has_its_file(results):
    assert {key.split("/")[0] for key in results} == {path.stem for path in FILES}


@pytest.mark.parametrize("engine", ["reference", "auto"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_predictions_are_those_of_the_first_release(path, engine, results):
    model = skq.load(path)
    expected = {m: results[f"{path.stem}/{m}"] for m in METHODS if f"{path.stem}/{m}" in results}
    assert expected
    with skq.config_context(engine=engine):
        for method, values in expected.items():
            found = getattr(model, method)(results[f"{path.stem}/X"])
            np.testing.assert_array_equal(found, values)
            assert found.dtype == values.dtype
