"""Registries: base classes with a dictionary of their implementations by name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from skq.quantization.spec.errors import UnknownKeyError

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=type)


class RegistryMixin:
    """A dictionary for each subclass: keys that a class registers are visible on that class only.

    Examples
    --------
    >>> class Shape(ClassRegistryMixin):
    ...     pass
    >>> @Shape.register("circle")
    ... class Circle(Shape):
    ...     pass
    >>> Shape.get_class("circle") is Circle, Shape.list_registry_keys()
    (True, {'circle'})
    >>> Circle.list_registry_keys()
    set()
    """

    _registry: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._registry = {}

    @classmethod
    def list_registry_keys(cls) -> set[str]:
        """Return the keys that are registered on this class."""
        return set(cls._registry)

    @classmethod
    def list_registry_values(cls) -> set[Any]:
        """Return what is registered on this class."""
        return set(cls._registry.values())


class ClassRegistryMixin(RegistryMixin):
    """A registry of classes."""

    @classmethod
    def register(cls, key: str) -> Callable[[T], T]:
        """Return a decorator that registers a class and returns it unchanged.

        Parameters
        ----------
        key : str
            If it is in use, a warning is logged and the later class replaces the earlier one.
        """

        def add(registered: T) -> T:
            if key in cls._registry:
                logger.warning(
                    "%s: the key %r was registered for %s and is now registered for %s.",
                    cls.__name__,
                    key,
                    cls._registry[key].__name__,
                    registered.__name__,
                )
            cls._registry[key] = registered
            return registered

        return add

    @classmethod
    def get_class(cls, key: str) -> Any:
        """Return the class that is registered under a key.

        Raises
        ------
        KeyError
            If there is none. The error lists the registered keys.
        """
        try:
            return cls._registry[key]
        except KeyError:
            raise UnknownKeyError(
                f"{cls.__name__} has no class registered as {key!r}. "
                f"Registered: {', '.join(sorted(map(repr, cls._registry))) or 'none'}."
            ) from None

    @classmethod
    def get_key(cls, registered: type) -> str:
        """Return the key of a registered class."""
        for key, value in cls._registry.items():
            if value is registered:
                return key
        raise UnknownKeyError(f"{registered!r} is not registered on {cls.__name__}.")
