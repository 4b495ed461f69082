"""What quantizing prints and warns of."""

import re
import warnings

import numpy as np
import pytest
from sklearn import linear_model as floats
from sklearn.datasets import load_breast_cancer, make_regression

import skq
from skq.ensemble import RandomForestClassifier
from skq.exceptions import CalibrationWarning, PrecisionWarning, SkqWarning
from skq.linear_model import Ridge


def test_verbose_prints_every_step_and_its_time(capsys):
    X, y = load_breast_cancer(return_X_y=True)
    RandomForestClassifier(3, verbose=1, random_state=0).fit(X, y)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[skq]")]
    assert len(lines) == 3
    assert all(re.fullmatch(r"\[skq\] RandomForestClassifier: .*, \d+\.\d\d s", s) for s in lines)
    RandomForestClassifier(3, random_state=0).fit(X, y)
    assert capsys.readouterr().out == ""


def test_too_few_bits_are_warned_of_with_a_width_that_would_do():
    # one bit has no 0, so the 38 features that do not matter all weigh the same
    X, y = make_regression(200, 40, n_informative=2, noise=1, random_state=0)
    with pytest.warns(PrecisionWarning, match=r"Ridge with n_bits=1 is off .* Use n_bits=\d+\."):
        Ridge(n_bits=1).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkqWarning)
        Ridge(n_bits=8).fit(X, y)


def test_equal_calibration_rows_are_warned_of():
    X, y = make_regression(50, 3, random_state=0)
    fitted = floats.Ridge().fit(X, y)
    with pytest.warns(CalibrationWarning, match="Ridge was calibrated on .* the same"):
        skq.quantize(fitted, np.repeat(X[:1], 40, axis=0))


def test_quantize_is_verbose_on_demand(capsys):
    X, y = make_regression(50, 3, random_state=0)
    fitted = floats.Ridge().fit(X, y)
    skq.quantize(fitted, X)
    assert capsys.readouterr().out == ""
    skq.quantize(fitted, X, verbose=True)
    assert "Ridge: quantized with n_bits=8 on 50 rows" in capsys.readouterr().out
