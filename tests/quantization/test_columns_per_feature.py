"""The parameter `columns_per_feature`."""

import numpy as np
import pytest

from skq.quantization.columns_per_feature import MAX_COLUMNS, check_columns


@pytest.mark.parametrize("value", [1, 2, np.int64(3), MAX_COLUMNS])
def test_numbers_of_columns(value):
    assert check_columns(value) == value


@pytest.mark.parametrize("value", [0, -1, MAX_COLUMNS + 1, 2.0, "2", True, None, [2]])
def test_other_values_are_refused_in_one_sentence(value):
    with pytest.raises(ValueError, match=r"columns_per_feature must be an int from 1 to 64.*Got"):
        check_columns(value)


def test_only_one_of_width_and_columns_is_lossless():
    assert check_columns("lossless", 4) is None
    with pytest.raises(ValueError, match="needs a width"):
        check_columns("lossless", "lossless")
