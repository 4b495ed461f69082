"""Which elements of a tensor share a scale: all, those of a channel, or those of a block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from skq.quantization.spec.errors import BlockSizeMismatchError, ValidationError
from skq.quantization.spec.record import FrozenRecord
from skq.quantization.spec.registry import ClassRegistryMixin

Shape = tuple[int, ...]


class QuantizationGranularity(ClassRegistryMixin, FrozenRecord):
    """Base class of granularities: which elements of a tensor share quantization parameters.

    Register subclasses with ``@QuantizationGranularity.register(key)``. Instances are frozen, and
    compare and hash by value.

    Examples
    --------
    >>> sorted(QuantizationGranularity.list_registry_keys())
    ['per_block', 'per_channel', 'per_tensor']
    """

    @abstractmethod
    def get_block_size(self, shape: Sequence[int]) -> Shape:
        """Return the block that shares parameters, one length for each axis.

        Parameters
        ----------
        shape : sequence of int
            Shape of the tensor.

        Returns
        -------
        tuple of int

        Raises
        ------
        ValueError
            If the granularity does not fit the shape.
        """

    def get_qparams_shape(self, shape: Sequence[int]) -> Shape:
        """Return the shape of scale, zero point and minval: the number of blocks along each axis.

        Examples
        --------
        >>> PerBlockGranularity(axis=1, block_size=8).get_qparams_shape((7, 16, 3, 3))
        (7, 2, 1, 1)
        """
        block = self.get_block_size(shape)
        return tuple(n // b if b else 1 for n, b in zip(shape, block, strict=True))

    @classmethod
    def maybe_build_from_dict(cls, data: Any) -> Any:
        """Build a granularity from a dictionary; return other objects unchanged.

        Parameters
        ----------
        data : dict or object
            The key ``type`` is a registered key, the others are the constructor's arguments.

        Raises
        ------
        ValueError
            If ``type`` is missing, or a field is not valid.
        KeyError
            If no granularity is registered as ``type``.

        Examples
        --------
        >>> QuantizationGranularity.maybe_build_from_dict({"type": "per_channel", "axis": 0})
        PerChannelGranularity(axis=0)
        """
        if not isinstance(data, dict):
            return data
        if "type" not in data:
            raise ValidationError(
                "A granularity given as a dict needs the key 'type', one of "
                f"{', '.join(sorted(map(repr, QuantizationGranularity.list_registry_keys())))}. "
                f"Got {data!r}."
            )
        arguments = {name: value for name, value in data.items() if name != "type"}
        return QuantizationGranularity.get_class(data["type"])(**arguments)

    def model_dump(self) -> dict[str, Any]:
        """Return the fields, and the registered key under ``type``.

        Examples
        --------
        >>> PerBlockGranularity(axis=1, block_size=32).model_dump()
        {'axis': 1, 'block_size': 32, 'type': 'per_block'}
        """
        return {**self._values(), "type": QuantizationGranularity.get_key(type(self))}


@QuantizationGranularity.register("per_tensor")
class PerTensorGranularity(QuantizationGranularity):
    """All elements share a scale.

    Parameters
    ----------
    axis : None
        Always None; the field exists because all granularities have it.

    Examples
    --------
    >>> PerTensorGranularity().get_block_size((10, 20))
    (10, 20)
    """

    axis: None = None

    @classmethod
    def _validated(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values["axis"] is not None:
            raise ValidationError(
                f"Per-tensor granularity has no axis: it must be None. Got {values['axis']!r}."
            )
        return values

    def get_block_size(self, shape: Sequence[int]) -> Shape:
        return tuple(shape)


@QuantizationGranularity.register("per_channel")
class PerChannelGranularity(QuantizationGranularity):
    """The elements of a channel share a scale.

    Parameters
    ----------
    axis : int or None, default=None
        Axis of the channels; a negative axis counts from the end. None must be replaced by an axis
        that depends on the kind of layer, before the granularity is used.

    Examples
    --------
    >>> PerChannelGranularity(axis=-2).get_block_size((10, 20, 30))
    (10, 1, 30)
    """

    axis: int | None = None

    @classmethod
    def _validated(cls, values: dict[str, Any]) -> dict[str, Any]:
        axis = values["axis"]
        if axis is not None and not _is_int(axis):
            raise ValidationError(f"axis must be an int or None. Got {axis!r} instead.")
        return values

    def get_block_size(self, shape: Sequence[int]) -> Shape:
        rank = len(shape)
        if self.axis is None:
            raise ValidationError(
                "Per-channel granularity has axis=None, which no layer has resolved: "
                "give the axis of the channels."
            )
        if not -rank <= self.axis < rank:
            raise ValidationError(
                f"axis must lie in [{-rank}, {rank}) for a tensor of rank {rank}. Got {self.axis}."
            )
        axis = self.axis % rank
        return tuple(1 if i == axis else n for i, n in enumerate(shape))


@QuantizationGranularity.register("per_block")
class PerBlockGranularity(QuantizationGranularity):
    """The elements of a block share a scale.

    Parameters
    ----------
    axis : {0, 1} or None, default=None
        Axis that is divided into blocks if `block_size` is an int. The other one of the axes 0
        and 1 has blocks of length 1; all other axes are not divided.
    block_size : int or sequence of int
        Length of a block along `axis`, or along each axis of the tensor; -1 means the whole axis.

    Examples
    --------
    >>> PerBlockGranularity(axis=1, block_size=8).get_block_size((7, 16, 3, 3))
    (1, 8, 3, 3)
    >>> PerBlockGranularity(block_size=(4, 2, -1, 1)).get_block_size((8, 16, 3, 3))
    (4, 2, 3, 1)
    """

    axis: int | None = None
    block_size: int | Shape

    @classmethod
    def _validated(cls, values: dict[str, Any]) -> dict[str, Any]:
        axis, size = values["axis"], values["block_size"]
        if axis is not None and not (_is_int(axis) and axis in (0, 1)):
            raise ValidationError(f"axis must be 0, 1 or None. Got {axis!r} instead.")
        if isinstance(size, list | tuple):
            size = tuple(size)
            is_sound = bool(size) and all(_is_int(n) and (n > 0 or n == -1) for n in size)
        else:
            is_sound = _is_int(size) and size > 0
        if not is_sound:
            raise ValidationError(
                "block_size must be a positive int, or a sequence of them with -1 for a whole "
                f"axis. Got {size!r} instead."
            )
        return {"axis": axis, "block_size": size}

    def get_block_size(self, shape: Sequence[int]) -> Shape:
        rank = len(shape)
        if isinstance(self.block_size, tuple):
            block = self._of_all_axes(shape)
        elif self.axis is None:
            raise ValidationError(
                "Per-block granularity has axis=None, which no layer has resolved: "
                "give the axis that is cut into blocks, or one block length for each axis."
            )
        elif self.axis >= rank:
            raise ValidationError(f"A tensor of rank {rank} has no axis {self.axis}.")
        else:
            lengths = {self.axis: self.block_size, 1 - self.axis: 1}
            block = tuple(lengths.get(i, n) for i, n in enumerate(shape))
        for i, (n, b) in enumerate(zip(shape, block, strict=True)):
            if b and n % b:
                raise BlockSizeMismatchError(
                    f"Axis {i} has {n} elements, which is not a multiple of the block size {b}."
                )
        return block

    def _of_all_axes(self, shape: Sequence[int]) -> Shape:
        sizes = self.block_size
        assert isinstance(sizes, tuple)
        if self.axis is not None:
            raise ValidationError(
                f"axis must be None where block_size has one entry for each axis. Got {self.axis}."
            )
        if len(sizes) != len(shape):
            raise ValidationError(
                f"block_size has {len(sizes)} entries; the tensor has the shape {tuple(shape)}."
            )
        return tuple(n if b == -1 else b for n, b in zip(shape, sizes, strict=True))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
