"""Constructors with some arguments filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PartialConstructor(Generic[T]):
    """A class, or a function that constructs, with some keywords filled in.

    Parameters
    ----------
    constructor : callable
        Class or `PartialConstructor`.
    **keywords
        Arguments of each construction; those given at the call override them.

    Attributes
    ----------
    keywords : dict of str to object
        The arguments filled in.
    callable_keywords : dict of str to callable
        Functions without arguments that are called at each construction.

    Examples
    --------
    >>> make = PartialConstructor(dict, a=1).with_callable_args(b=list)
    >>> first, second = make(), make(a=2)
    >>> first, second["a"], first["b"] is second["b"]
    ({'a': 1, 'b': []}, 2, False)
    """

    def __init__(self, constructor: Callable[..., T], **keywords: Any) -> None:
        self.constructor = constructor
        self.keywords = keywords
        self.callable_keywords: dict[str, Callable[[], Any]] = {}
        name = getattr(constructor, "__name__", type(constructor).__name__)
        self.__module__ = f"{constructor.__module__}.{name}"

    def __call__(self, *args: Any, **keywords: Any) -> T:
        made = {
            name: function()
            for name, function in self.callable_keywords.items()
            if name not in keywords
        }
        return self.constructor(*args, **{**self.keywords, **made, **keywords})

    def with_args(self, **keywords: Any) -> PartialConstructor[T]:
        """Return a constructor with these arguments filled in too."""
        outer = PartialConstructor(self, **keywords)
        outer.__module__ = self.__module__
        return outer

    def with_callable_args(self, **functions: Callable[[], Any]) -> PartialConstructor[T]:
        """Return a constructor that calls these functions at each construction.

        Parameters
        ----------
        **functions : callable without arguments
            The result is the argument of that name, unless the call gives it.
        """
        other = PartialConstructor(self.constructor, **self.keywords)
        other.callable_keywords = {**self.callable_keywords, **functions}
        other.__module__ = self.__module__
        return other

    def __repr__(self) -> str:
        name = getattr(self.constructor, "__name__", repr(self.constructor))
        filled = [*self.keywords, *self.callable_keywords]
        return f"PartialConstructor({name}, {', '.join(filled)})"
