"""Users' subclasses that override a method."""

import numpy as np
import pytest
from sklearn.datasets import make_classification

import skq
from skq.ensemble import RandomForestClassifier
from skq.exceptions import UnsupportedModelError
from skq.linear_model import LogisticRegression
from skq.tree import DecisionTreeClassifier

X, Y = make_classification(300, 6, n_informative=4, random_state=0)


class OwnThreshold(LogisticRegression):
    """Positive from a probability of 0.9."""

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.9).astype(int)]


class Shifted(LogisticRegression):
    """All scores are higher by 1."""

    def decision_function(self, X):
        return super().decision_function(X) + 1.0


class Swapped(RandomForestClassifier):
    """The classes' probabilities are swapped."""

    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


def test_a_threshold_of_its_own():
    model, plain = OwnThreshold().fit(X, Y), LogisticRegression().fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), plain.predict_proba(X)[:, 1] > 0.9)
    np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))
    assert model.score(X, Y) == np.mean(model.predict(X) == Y)


def test_methods_that_ask_an_overridden_one():
    model, plain = Shifted().fit(X, Y), LogisticRegression().fit(X, Y)
    scores = plain.decision_function(X) + 1.0
    np.testing.assert_array_equal(model.predict(X), scores > 0)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-scores)))


def test_the_override_reads_integers():
    model = Swapped(8, random_state=0, n_bits=2).fit(X, Y)
    plain = RandomForestClassifier(8, random_state=0, n_bits=2).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X)[:, ::-1])
    expected = model.classes_[model.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), expected)


def test_a_subclass_of_a_subclass():
    class Deeper(OwnThreshold):
        pass

    model = Deeper().fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), OwnThreshold().fit(X, Y).predict(X))


def test_a_file_would_lose_the_override(tmp_path):
    with pytest.raises(UnsupportedModelError, match=r"OwnThreshold overrides predict,.*pickle"):
        skq.save(OwnThreshold().fit(X, Y), tmp_path / "model.skq")
    assert not list(tmp_path.iterdir())


class OwnTree(DecisionTreeClassifier):
    """With parameters of its own."""

    def __init__(self, *, depth=3):
        super().__init__(max_depth=depth)
        self.depth = depth


def test_a_tree_of_ones_own_inside_bagging():
    assert OwnTree().fit(X, Y).score(X, Y) > 0.8
    model = skq.ensemble.BaggingClassifier(OwnTree(depth=4), random_state=0).fit(X, Y)
    assert isinstance(model.estimators_[0], OwnTree)
    assert model.score(X, Y) > 0.8
