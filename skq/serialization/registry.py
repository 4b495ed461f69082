"""The registry of the classes that may be written and read, by name.

``@serializable("name")`` registers a class. The decoder builds objects of no other class, and never
uses a name as a module path: reading a file imports nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

State = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A registered class: how an object becomes a dict of fields (`state`), and back (`build`)."""

    name: str
    cls: type
    state: Callable[[Any], State]
    build: Callable[[State], Any]


_BY_NAME: dict[str, Entry] = {}
_BY_CLASS: dict[type, Entry] = {}


def serializable(
    name: str, *, fields: tuple[str, ...] | None = None, as_dict: bool = False
) -> Callable[[type[T]], type[T]]:
    """Class decorator: register a class under a stable name, so that it can be written and read.

    The first row that applies determines the fields that are written:

    ==================================  ====================================  ====================
    the class has                       written                               built by
    ==================================  ====================================  ====================
    a method ``__skq_state__(self)``    the dict that it returns              ``cls(**state)``
    ``fields=("a", "b")`` here          the attributes of these names         ``cls(a=..., b=...)``
    ``as_dict=True`` here               ``vars(obj)``                         ``vars(obj).update``
    ``@dataclass``, here or inherited   the fields with ``init=True``         ``cls(**fields)``
    ==================================  ====================================  ====================

    A class method ``__skq_build__(cls, state)`` replaces the third column, and a method
    ``__skq_validate__(self)`` is called after ``as_dict`` has filled the object. Subclasses of a
    registered class are not registered with it.

    Parameters
    ----------
    name : str
        The name in files. It must not change once files exist.
    fields : tuple of str, optional
        Attributes that are also arguments of the constructor.
    as_dict : bool, default=False
        Write everything in ``vars(obj)``; the constructor is not called on reading.

    Raises
    ------
    ValueError
        If the name or the class is registered already. A class that is defined again, as by a cell
        of a notebook, replaces the former one.
    TypeError
        If none of the four rows applies.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @serializable("registry-example")
    ... @dataclass
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    """

    def register(cls: type[T]) -> type[T]:
        taken = entry_named(name) or entry_of(cls)
        if taken is not None and (taken.name != name or not _is_defined_again(taken.cls, cls)):
            raise ValueError(
                f"cannot register {cls!r} as {name!r}: {taken.cls!r} is registered as "
                f"{taken.name!r}. Give each class a name that no other class has."
            )
        entry = Entry(name, cls, _state_of(cls, fields, as_dict), _build_of(cls, as_dict))
        _BY_NAME[name] = entry
        _BY_CLASS[cls] = entry
        return cls

    return register


def _is_defined_again(former: type, cls: type) -> bool:
    return former is not cls and (former.__module__, former.__qualname__) == (
        cls.__module__,
        cls.__qualname__,
    )


def entry_of(cls: type) -> Entry | None:
    """Return the entry of exactly this class, or None."""
    return _BY_CLASS.get(cls)


def entry_named(name: str) -> Entry | None:
    """Return the entry registered under this name, or None."""
    return _BY_NAME.get(name)


def registered_names() -> list[str]:
    """Return all registered names, sorted."""
    return sorted(_BY_NAME)


def _state_of(cls: type, fields: tuple[str, ...] | None, as_dict: bool) -> Callable[[Any], State]:
    hook = getattr(cls, "__skq_state__", None)
    if hook is not None:
        return hook
    if as_dict:
        return lambda obj: dict(vars(obj))
    if fields is None:
        if not _is_built_as_dataclass(cls):
            raise TypeError(
                f"{cls!r} does not define the fields to write. Make it a dataclass, pass "
                "fields=(...) or as_dict=True to @serializable, or give it a method __skq_state__."
            )
        fields = tuple(field.name for field in dataclasses.fields(cls) if field.init)
    names = fields
    return lambda obj: {name: getattr(obj, name) for name in names}


def _is_built_as_dataclass(cls: type) -> bool:
    """Whether ``@dataclass`` generated the constructor, for this class or a parent."""
    owner = next((c for c in cls.__mro__ if "__dataclass_fields__" in vars(c)), None)
    return owner is not None and cls.__init__ is owner.__init__  # type: ignore[misc]


def _build_of(cls: type, as_dict: bool) -> Callable[[State], Any]:
    hook = getattr(cls, "__skq_build__", None)
    if hook is not None:
        return hook
    if not as_dict:
        return lambda state: cls(**state)

    def build(state: State) -> Any:
        obj: Any = object.__new__(cls)
        vars(obj).update(state)
        if hasattr(obj, "__skq_validate__"):
            obj.__skq_validate__()
        return obj

    return build
