"""The reference page names every public member of the packages that it documents."""

import re
from pathlib import Path

import pytest

import skq.quantization.spec
import skq.training

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "fake-quantizers.md"


@pytest.mark.parametrize("package", [skq.quantization.spec, skq.training])
def test_every_member_is_named(package):
    named = set(re.findall(r"\w+", PAGE.read_text()))
    assert set(package.__all__) <= named
