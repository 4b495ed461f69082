"""scikit-learn's `check_estimator` on a quantized class, with what its parent is excused from."""

import warnings

from sklearn.utils._test_common import instance_generator
from sklearn.utils.estimator_checks import check_estimator


def run_checks(cls, **params):
    """Results of every check on the class, with the parameters that quicken its parent."""
    parent = next(iter(instance_generator._construct_instances(cls._parent)))
    estimator = cls(**parent.get_params(deep=False), **params)
    expected = instance_generator._get_expected_failed_checks(parent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check_estimator(estimator, expected_failed_checks=expected, on_fail=None)


def failures(results):
    """Checks that failed, with their exceptions."""
    return {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
