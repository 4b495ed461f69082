"""The numbers in docs/concepts/numerics.md are what the code computes."""

import doctest
import pathlib

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "concepts" / "numerics.md"


def test_the_page_on_numerics_runs():
    result = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert result.attempted > 30
    assert result.failed == 0
