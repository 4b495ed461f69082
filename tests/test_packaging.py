"""constraints.txt is a complete list of exact pins that agrees with pyproject.toml."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALLED_EXTRAS = ("plot", "test")


def pins() -> dict[str, Version]:
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            requirement = Requirement(text)
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"not an exact pin: {text}"
            if requirement.marker is None or requirement.marker.evaluate():
                found[requirement.name.lower()] = Version(specifier.version)
    return found


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    texts = [
        *PROJECT["dependencies"],
        *(text for name in INSTALLED_EXTRAS for text in extras[name]),
    ]
    found = [Requirement(text) for text in texts]
    return [r for r in found if r.marker is None or r.marker.evaluate()]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_every_dependency_has_a_pin_that_satisfies_it(requirement: Requirement) -> None:
    pinned = pins()
    assert requirement.name in pinned
    assert pinned[requirement.name] in requirement.specifier


def test_the_boosters_are_optional() -> None:
    boosters = {"xgboost", "xgboost-cpu", "lightgbm"}
    assert boosters.isdisjoint({Requirement(text).name for text in PROJECT["dependencies"]})
    extras = PROJECT["optional-dependencies"]
    assert [Requirement(text).name for text in extras["xgboost"]] == ["xgboost"]
    assert [Requirement(text).name for text in extras["lightgbm"]] == ["lightgbm"]
    assert extras["boosters"] == ["skq[xgboost,lightgbm]"]


def test_the_tests_install_the_boosters() -> None:
    names = {requirement.name for requirement in requirements()}
    assert "lightgbm" in names
    assert names & {"xgboost", "xgboost-cpu"}
