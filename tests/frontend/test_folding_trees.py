"""Trees behind projections and products: the float graph is the parent, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skq.exceptions import UnsupportedModelError
from skq.frontend.convert import float_graph
from skq.frontend.equivalents.pipelines import known_representations
from skq.frontend.equivalents.transformers import append_transformer
from skq.frontend.numpy_module import NumpyModule
from skq.frontend.predictors import LayerInputs, Layers
from skq.graph.preprocessing import Preprocessing

RNG = np.random.default_rng(0)
X = RNG.normal(size=(700, 5)) * [1, 10, 0.1, 3, 1] + [0, 5, 0, 40, 1e4]
Y = np.sin(X[:, 0]) + 0.1 * X[:, 1] + 3 * X[:, 2] * X[:, 0]

BOOSTING = HistGradientBoostingRegressor(max_iter=10)
FOREST = RandomForestRegressor(5, random_state=0)


def weighted(**weights):
    parts = [("scaled", StandardScaler()), ("sums", PCA(2))]
    return FeatureUnion(parts, transformer_weights=weights)


PIPELINES = {
    "PCA": make_pipeline(PCA(), BOOSTING),
    "PCA, float32": make_pipeline(PCA(), FOREST),
    "PCA, whitened": make_pipeline(PCA(4, whiten=True), BOOSTING),
    "scaled": make_pipeline(StandardScaler(), TruncatedSVD(4), StandardScaler(), BOOSTING),
    "products": make_pipeline(PolynomialFeatures(2), BOOSTING),
    "products, float32": make_pipeline(StandardScaler(), PolynomialFeatures(3), FOREST),
    "scaled products": make_pipeline(PolynomialFeatures(2), StandardScaler(), BOOSTING),
    "sums of products": make_pipeline(StandardScaler(), PolynomialFeatures(2), PCA(6), BOOSTING),
    "beside": make_pipeline(weighted(sums=0.5), BOOSTING),
    "falling": make_pipeline(weighted(scaled=-2.0), FOREST),
    "falling products": make_pipeline(
        FeatureUnion([("x", StandardScaler())], transformer_weights={"x": -1.0}),
        PolynomialFeatures(2),
        FOREST,
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_all_rows_take_the_parents_way(name):
    """Histogram boosting splits at values of training rows, which must not be a matter of luck."""
    pipeline = PIPELINES[name].fit(X, Y)
    graph = NumpyModule(float_graph(pipeline, X))
    np.testing.assert_allclose(graph(X), pipeline.predict(X), rtol=0, atol=1e-12 * np.ptp(Y))


def further(pipeline, X):
    bounds = X.min(axis=0), X.max(axis=0)
    return known_representations(pipeline.fit(X, Y[: len(X)]), bounds).scores.derived


def test_only_what_trees_read_is_computed():
    tree = DecisionTreeRegressor(max_leaf_nodes=3, random_state=0)
    (layer,) = further(make_pipeline(PCA(), tree), X)
    assert isinstance(layer, Layers)
    assert layer.n_scores <= 2
    assert further(make_pipeline(weighted(), StandardScaler(), tree), X) == ()
    (products,) = further(make_pipeline(PolynomialFeatures((2, 2), include_bias=False), tree), X)
    assert isinstance(products, LayerInputs)
    assert products.n_products <= 2


def test_products_of_categories_are_products_of_bits():
    kinds = np.random.default_rng(1).integers(0, 3, size=(700, 2)).astype(float)
    target = (kinds[:, 0] == 1) * (kinds[:, 1] == 2) + 0.1 * kinds[:, 0]
    encoder = OneHotEncoder(sparse_output=False)
    tree = DecisionTreeRegressor(max_depth=4)
    pipeline = make_pipeline(encoder, PolynomialFeatures(2, interaction_only=True), tree)
    graph = NumpyModule(float_graph(pipeline.fit(kinds, target), kinds))
    np.testing.assert_allclose(graph(kinds), pipeline.predict(kinds), atol=1e-12)


def test_missing_values_beside_a_sum_do_not_enter_it():
    from sklearn.compose import ColumnTransformer

    rows = X.copy()
    rows[::7, 3] = np.nan
    columns = ColumnTransformer([("sum", PCA(1), [0, 1]), ("own", "passthrough", [3])])
    pipeline = make_pipeline(columns, BOOSTING).fit(rows, Y)
    graph = NumpyModule(float_graph(pipeline, rows))
    np.testing.assert_allclose(graph(rows), pipeline.predict(rows), atol=1e-12)


def test_a_projections_matrix_loses_nothing_to_its_offset():
    rows = X + 1e7
    pca = PCA().fit(rows)
    front = append_transformer(pca, Preprocessing.identity(5))
    np.testing.assert_allclose(front.matrix, pca.components_.T, rtol=1e-14, atol=0)
    scaled_and_reduced = FeatureUnion([("s", StandardScaler()), ("p", PCA(1))]).fit(rows)
    front = append_transformer(scaled_and_reduced, Preprocessing.identity(5))
    assert [front.column(j) is not None for j in range(6)] == [True] * 5 + [False]


def test_columns_of_rounding_noise_are_refused():
    """Where trees split on them: then scikit-learn's own answers are a matter of rounding."""
    refusals = []
    for seed in range(4):
        mixture = np.random.default_rng(seed).normal(size=(2, 2))
        flat = np.hstack([X, X[:, :2] @ mixture])
        pipeline = make_pipeline(PCA(), BOOSTING).fit(flat, Y)
        try:
            float_graph(pipeline, flat)
        except UnsupportedModelError as error:
            refusals.append(str(error))
    assert refusals
    assert all("0 up to rounding errors" in r and "fewer components" in r for r in refusals)
