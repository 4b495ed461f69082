"""Frozen, validated, keyword-only records: the base of specs and granularities."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from inspect import Parameter, Signature
from typing import Any, ClassVar, dataclass_transform

from skq.quantization.spec.errors import FrozenRecordError, ValidationError


@dataclass_transform(
    frozen_default=True, kw_only_default=True, eq_default=True, field_specifiers=(field,)
)
class FrozenRecord:
    """A frozen dataclass whose annotated attributes are its keyword-only, validated fields.

    A subclass is written like a dataclass, without the decorator. It validates and normalizes its
    fields in `_validated`.

    Examples
    --------
    >>> class Pair(FrozenRecord):
    ...     first: int
    ...     second: int = 2
    >>> Pair(first=1)
    Pair(first=1, second=2)
    >>> Pair(first=1) == Pair(first=1, second=2)
    True
    """

    #: Whether undeclared keywords are dropped; else they are errors.
    _drops_unknown: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(init=False, eq=False, kw_only=True)(cls)
        parameters = [
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=_signature_default(f))
            for f in fields(cls)  # type: ignore[arg-type]  # a dataclass as of the line above
        ]
        cls.__signature__ = Signature(parameters)  # type: ignore[attr-defined]

    def __init__(self, **values: Any) -> None:
        declared = fields(self)  # type: ignore[arg-type]
        unknown = sorted(set(values) - {f.name for f in declared})
        if unknown and not self._drops_unknown:
            raise ValidationError(
                f"{type(self).__name__} has no field {', '.join(map(repr, unknown))}. "
                f"Fields: {', '.join(f.name for f in declared) or 'none'}."
            )
        given = {}
        for f in declared:
            if f.name in values:
                given[f.name] = values[f.name]
            elif f.default_factory is not MISSING:
                given[f.name] = f.default_factory()
            elif f.default is not MISSING:
                given[f.name] = f.default
            else:
                raise ValidationError(f"{type(self).__name__} needs the field {f.name!r}.")
        self.__dict__.update(self._validated(given))

    @classmethod
    def _validated(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return the fields in their normal form.

        Raises
        ------
        ValidationError
            If a field has a value that it cannot have.
        """
        return values

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenRecordError(
            f"{type(self).__name__} is frozen: {name!r} cannot be assigned. "
            "Build another one, for example with dataclasses.replace."
        )

    def __delattr__(self, name: str) -> None:
        raise FrozenRecordError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted.")

    def _values(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        values = (tuple(v) if isinstance(v, list) else v for v in self._values().values())
        return hash((type(self), *values))

    def model_dump(self) -> dict[str, Any]:
        """Return the fields as a dictionary that the constructor accepts."""
        return self._values()


def _signature_default(f: Any) -> Any:
    if f.default is not MISSING:
        return f.default
    return f.default_factory() if f.default_factory is not MISSING else Parameter.empty
