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
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_every_dependency_has_a_pin_that_satisfies_it(requirement: Requirement) -> None:
    pinned = pins()
    assert requirement.name in pinned
    assert pinned[requirement.name] in requirement.specifier


def test_the_boosters_are_optional() -> None:
    names = {requirement.name for requirement in requirements()}
    assert names.isdisjoint({"xgboost", "lightgbm"})
    assert len(PROJECT["optional-dependencies"]["boosters"]) == 2
