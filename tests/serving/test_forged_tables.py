"""Files of models that read tables: mutated lookups and preprocessings are refused or work."""

import gzip
import json
import random

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

import skq
from skq.exceptions import SerializationError
from tests.fuzz import __main__ as fuzz
from tests.fuzz import mutations

ROWS = {"color": ["red", "blue", None, "new"], "size": [1.0, -2.0, 0.5, None]}
N_MUTANTS = 150


def saved_content(model, path):
    skq.save(model, path)
    return json.loads(gzip.decompress(path.read_bytes()))["content"]


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    from skq.linear_model import Ridge as Quantized

    path = tmp_path_factory.mktemp("models") / "model.skq"
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"color": rng.choice(["red", "green", "blue"], 60), "size": rng.normal(size=60)}
    )
    y = X["size"] + (X["color"] == "red")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [("t", OneHotEncoder(handle_unknown="ignore"), ["color"]), ("n", numbers, ["size"])],
        sparse_threshold=0,
    )
    whole = skq.quantize(make_pipeline(columns, Ridge()).fit(X, y), X)
    transformed = make_pipeline(columns, PolynomialFeatures(2), PCA(3), Quantized()).fit(X, y)
    return {
        "lookup": saved_content(whole, path),
        "preprocessing": saved_content(transformed, path),
    }


def load(content, path):
    path.write_text(json.dumps(fuzz.sealed(content), separators=(",", ":")))
    return skq.load(path)


@pytest.mark.parametrize("part", ["lookup", "preprocessing"])
def test_the_originals_load(part, contents, tmp_path):
    assert np.isfinite(load(contents[part], tmp_path / "model.skq").predict(ROWS)).all()


@pytest.mark.parametrize("part", ["lookup", "preprocessing"])
def test_a_mutated_part_is_refused_or_predicts(part, contents, tmp_path):
    """Whatever a file holds: it is refused when it is loaded, or predictions do not fail."""
    refused, failed = [], []
    for seed in range(N_MUTANTS):
        content = json.loads(json.dumps(contents[part]))
        fields = content["fields"]
        fields[part] = mutations.mutate(fields[part], random.Random(seed))
        try:
            model = load(content, tmp_path / "model.skq")
        except SerializationError as error:
            refused.append(str(error))
            continue
        try:
            with np.errstate(all="ignore"):
                model.predict(ROWS)
        except ValueError as error:  # the rows are not what the mutated model takes
            failed.append(str(error))
    assert 0 < len(refused) < N_MUTANTS
    assert all("model.skq: $" in message for message in refused)
    known = (
        "columns are missing",
        "holds",
        "unknown category",
        "takes no missing",
        "NaN",
        "infinity",
    )
    assert all(any(text in message for text in known) for message in failed)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_features_in_", 3, "features"),
        ("lookup", {"$tuple": []}, "lookup must be a TableLookup"),
        ("preprocessing", {}, "preprocessing must be a Preprocessing"),
    ],
)
def test_parts_that_do_not_fit_are_refused(field, value, message, contents, tmp_path):
    content = json.loads(json.dumps(contents["lookup"]))
    content["fields"][field] = value
    with pytest.raises(SerializationError, match=message):
        load(content, tmp_path / "model.skq")
