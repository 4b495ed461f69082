"""Methods that a meta-estimator has where the estimator inside has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def inner_has(method: str, fitted: str) -> Callable[[Any], bool]:
    """Check for ``available_if``: the estimator inside, fitted or not, has the method."""

    def check(self: Any) -> bool:
        getattr(getattr(self, fitted, self.estimator), method)
        return True

    return check
