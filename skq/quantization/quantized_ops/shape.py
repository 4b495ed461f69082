"""Operators that move elements: they change a tensor's view and need no instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import Node
from skq.program import Concat
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.combine import integers
from skq.quantization.lower.constant_lookup import looked_up, trained_rows
from skq.quantization.lower.joint_features import JointFeatures
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    BatchConstant,
    Features,
    FeatureStep,
    Operand,
    QuantizedTensor,
    scalar,
)
from skq.quantization.lower.rows import ROWS_SELECTED, slices_rows
from skq.quantization.lower.trained import given_as_codes
from skq.quantization.lower.truth_values import is_not_zero
from skq.quantization.lower.views import Indices, at, elements, lay_out, moved
from skq.quantization.operator_facts import ErrorStep, Reach

#: Integers that are wider than codes by more than this are made codes before they are joined: what
#: follows rescales all parts with one shift, and multipliers have the room that the widest leaves.
WIDER_BITS = 20


@quantizes("Identity")
class QuantizedIdentity(QuantizedOp):
    """The tensor itself."""

    moves_elements = True
    keeps_element_order = True
    follows_link = True
    selects_elements = True
    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        return [x[0]]


@quantizes("Dropout")
class QuantizedDropout(QuantizedOp):
    """The tensor itself: dropout is for training only."""

    raw_inputs = frozenset({1, 2})
    selects_elements = True
    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if (
            len(x) > 2
            and x[2] is not None
            and not (isinstance(x[2], np.ndarray) and not np.any(x[2]))
        ):
            raise self.unsupported("training_mode drops elements at random; export in eval mode")
        return [x[0], np.ones(outputs[-1].shape[1:], bool)[None]][: len(outputs)]


@quantizes("Cast")
class QuantizedCast(QuantizedOp):
    """A cast of the features is folded into their quantizer; integers have no dtype to change."""

    follows_link = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        tensor, kind = x[0], outputs[0].dtype.kind
        if kind == "f":
            if isinstance(tensor, Features):
                return [tensor.then(FeatureStep("cast", dtype=outputs[0].dtype.name))]
            return [tensor]
        tensor = low.tensor(tensor)
        if kind == "b":
            return [tensor if reals[0].dtype.kind == "b" else tensor.then(is_not_zero)]
        if kind not in "iu":
            raise self.unsupported(f"it casts to {outputs[0].dtype}")
        return [tensor if reals[0].dtype.kind in "biu" else tensor.then(np.trunc)]


class ElementMove(QuantizedOp):
    """An operator that moves elements: its float function is run on the indices of elements."""

    moves_elements = True
    raw_inputs = frozenset(range(1, 5))
    selects_elements = True
    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if isinstance(x[0], np.ndarray | BatchConstant):
            raise self.unsupported("it takes elements of a constant at indices of the input")
        tensor = low.tensor(x[0])
        shapes = [real.shape[1:] for real in outputs]
        indices = self._indices(elements(low, tensor), low.type(tensor.value).size, x[1:], shapes)
        return [moved(low, tensor, found) for found in indices]

    def _indices(
        self,
        found: Indices,
        size: int,
        others: Sequence[Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> list[Indices]:
        """Sources of the elements of a row of each output; negative numbers are not changed.

        Batches of two rows and of three are moved, so that a length that the graph fixes for the
        rows is detected.
        """
        if self._selects_rows(others):
            raise self.unsupported(ROWS_SELECTED)
        first: list[Indices] = []
        for n_rows in (2, 3):
            starts = size * np.arange(n_rows).reshape(-1, *(1,) * found.ndim)
            results = self._moved_numbers((found + starts).astype(np.float64), others)
            for real, result in zip(shapes, results, strict=True):
                if result.shape != (n_rows, *real):
                    raise self.unsupported(ROWS_SELECTED)
                row = result[0].astype(np.int64)
                first.append(row)
                for number, other in enumerate(result):
                    if not np.array_equal(other, np.where(row < 0, row, row + number * size)):
                        raise self.unsupported(ROWS_SELECTED)
        return first[: len(shapes)]

    def _selects_rows(self, others: Sequence[Any]) -> bool:
        """Whether it takes some of the rows where these are more than three."""
        return False

    def _moved_numbers(self, numbers: Array, others: Sequence[Any]) -> tuple[Array, ...]:
        arguments = []
        for value in others:
            if isinstance(value, Features | QuantizedTensor):
                raise self.unsupported("where elements go must be constant")
            is_batch = isinstance(value, BatchConstant)
            arguments.append(value.for_rows(len(numbers)) if is_batch else value)
        try:
            return self._bound(1 + len(arguments), {})(numbers, *arguments)
        except (ValueError, IndexError, TypeError) as error:
            count = {2: "two", 3: "three"}[len(numbers)]
            raise self.unsupported(f"for {count} rows it fails: {error}") from error


@quantizes("Reshape")
class QuantizedReshape(ElementMove):
    """The same elements in another shape."""

    keeps_element_order = True
    follows_link = True


@quantizes("Flatten")
class QuantizedFlatten(ElementMove):
    """Two axes: the rows, and everything else."""

    keeps_element_order = True


@quantizes("Squeeze")
class QuantizedSqueeze(ElementMove):
    """Axes of length 1 dropped."""

    keeps_element_order = True
    follows_link = True


@quantizes("Unsqueeze")
class QuantizedUnsqueeze(ElementMove):
    """Axes of length 1 inserted."""

    keeps_element_order = True
    follows_link = True


@quantizes("DepthToSpace")
class QuantizedDepthToSpace(ElementMove):
    """Channels moved into blocks of pixels (torch's PixelShuffle)."""


@quantizes("SpaceToDepth")
class QuantizedSpaceToDepth(ElementMove):
    """Blocks of pixels moved into channels."""


@quantizes("Resize")
class QuantizedResize(ElementMove):
    """Pixels repeated or left out, by the nearest-neighbour rule."""


@quantizes("Transpose")
class QuantizedTranspose(ElementMove):
    """Axes in another order; rows stay first."""


@quantizes("Expand")
class QuantizedExpand(ElementMove):
    """Elements repeated along axes of length 1."""


@quantizes("Slice")
class QuantizedSlice(ElementMove):
    """A part of each axis."""

    follows_link = True

    def _selects_rows(self, others: Sequence[Any]) -> bool:
        return slices_rows(others)


@quantizes("Gather")
class QuantizedGather(ElementMove):
    """Elements at constant positions of an axis, or of a constant vector at integers' positions."""

    follows_link = True

    @classmethod
    def reach(cls, node: Node, constants: Mapping[int, Array]) -> Reach | None:
        """Codes for all entries of a constant that is indexed along axis 0."""
        table = constants.get(0)
        if table is None or not table.ndim or node.attributes.get("axis", 0) % table.ndim:
            return None
        return Reach(1, 0, len(table) - 1, size=len(table))

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        table, index = x
        if not isinstance(table, np.ndarray) or not isinstance(index, Features | QuantizedTensor):
            return super().lower(low, x, reals, outputs)
        axis = int(self.attributes.get("axis", 0)) % max(table.ndim, 1)
        if axis or table.ndim not in (1, 2) or table.dtype.kind not in "fiub":
            raise self.unsupported(
                "a constant that is indexed by a value of the model must be a vector or a "
                "matrix of numbers, along axis 0"
            )
        reach = np.array([min(float(reals[1].min()), 0.0), len(table) - 1])
        known = given_as_codes(low, self.node, 0)
        tensor = integers(low, low.tensor(index), reach)
        if known is not None:
            return [trained_rows(low, tensor, known)]
        return [looked_up(low, tensor, table, outputs[0])]


@quantizes("Split")
class QuantizedSplit(ElementMove):
    """Parts of an axis."""

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        if step.weight.size == step.values.size == len(step.values):  # one element a row
            return step.weight.reshape(step.values.shape)
        return None

    def _n_outputs(self) -> int:
        if 1 in self.constants:
            return int(np.asarray(self.constants[1]).size)
        return int(self.attributes.get("num_outputs", 1))


@quantizes("Pad")
class QuantizedPad(ElementMove):
    """Elements added around: copies of others, or a constant, whose code is gathered."""

    selects_elements = False

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if self.attributes.get("mode", "constant") != "constant":
            return super().lower(low, x, reals, outputs)
        if not all(value is None or isinstance(value, np.ndarray) for value in x[1:]):
            raise self.unsupported("how much is added, and what, must be constant")
        constant = 0.0 if len(x) < 3 or x[2] is None else float(np.ravel(x[2])[0])
        n_bits = low.settings.rounding.limit(low.settings.n_bits["op_inputs"])
        tensor = low.codes(x[0], reals[0], n_bits=n_bits, hold=constant)
        if not tensor.has_one_scale or tensor.zero_point != np.rint(tensor.zero_point):
            ends = (float(reals[0].min()), float(reals[0].max()), constant)
            tensor = low.materialize(tensor, min(ends), max(ends), n_bits)
        others = [scalar(-1.0) if i == 1 else value for i, value in enumerate(x[1:])]
        if len(others) == 1:
            others.append(scalar(-1.0))
        size = low.type(tensor.value).size
        (indices,) = self._indices(elements(low, tensor), size, others, [outputs[0].shape[1:]])
        code = int(np.rint(constant / tensor.scale + tensor.zero_point))
        parameters = [tensor.scale, tensor.zero_point]
        return [lay_out(low, tensor.value, indices, parameters, fill=code)]


@quantizes("Concat")
class QuantizedConcat(QuantizedOp):
    """Tensors and constants joined along an axis; each part has its scale."""

    moves_elements = True
    follows_link = True
    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        axis = int(self.attributes["axis"]) % outputs[0].ndim
        if axis == 0:
            raise self.unsupported("it joins rows (axis 0)")
        kinds = [type(part) for part in x]
        if outputs[0].ndim == 2 and kinds == [Features, *[QuantizedTensor] * (len(x) - 1)]:
            # the features are not quantized: trees read them
            pairs = zip(x[1:], reals[1:], strict=True)
            derived = tuple(combine.plain(low, part, real) for part, real in pairs)
            return [JointFeatures(x[0], derived)]  # type: ignore[list-item]
        n_bits = low.settings.n_bits["op_inputs"]
        tensors = [low.tensor(v) for v in x if not isinstance(v, np.ndarray)]
        clip = tensors[0].clip
        wide = {t.value for t in tensors if low.type(t.value).bits > n_bits + WIDER_BITS}
        if wide or any(t.function is not None or t.clip != clip for t in tensors):
            clip = None
            tensors = [
                t if t.is_plain and t.value not in wide else low.codes(t, r, n_bits=n_bits)
                for t, r in zip(
                    tensors,
                    (r for v, r in zip(x, reals, strict=True) if not isinstance(v, np.ndarray)),
                    strict=True,
                )
            ]
        if clip is not None and len(tensors) < len(x):
            raise self.unsupported("it joins a clipped tensor and a constant")
        sizes = [low.type(t.value).size for t in tensors]
        starts = dict(zip(map(id, tensors), np.cumsum([0, *sizes[:-1]]), strict=True))
        flat = tensors[0].value
        if len(tensors) > 1:
            flat = low.add(Concat(tuple(t.value for t in tensors)))
        rest = iter(tensors)
        parts = [
            self._constant(v)
            if isinstance(v, np.ndarray)
            else self._part(low, tensor := next(rest), int(starts[id(tensor)]))
            for v in x
        ]
        indices, scale, zero_point = (
            np.concatenate(arrays, axis=axis - 1) for arrays in zip(*parts, strict=True)
        )
        indices = indices.astype(np.int64)
        is_narrow = all(low.type(t.value).bits <= n_bits for t in tensors)
        if is_narrow and len(tensors) == len(x):
            # the next operator gathers: each element has its scale until then
            vectors = [_flat(p, indices, sum(sizes)) for p in (scale, zero_point)]
            tensor = QuantizedTensor(flat, vectors[0], vectors[1], clip=clip)
            return [moved(low, tensor, indices)]
        return [replace(lay_out(low, flat, indices, [scale, zero_point]), clip=clip)]

    def _part(self, low: Lowering, tensor: QuantizedTensor, start: int) -> tuple[Array, ...]:
        found = elements(low, tensor)
        parameters = [
            np.broadcast_to(at(low, tensor, p, found), found.shape)
            for p in (tensor.scale, tensor.zero_point)
        ]
        return found + start, *parameters

    def _constant(self, value: Array) -> tuple[Array, ...]:
        """Zeros, whose zero point represents the constant."""
        if value.shape[0] != 1:
            raise self.unsupported("it joins a constant that differs from row to row")
        row = np.asarray(value[0], dtype=np.float64)
        return np.full(row.shape, -1), np.ones_like(row), -row


def _flat(parameter: Array, indices: Array, size: int) -> Array:
    """Parameters of elements as one for each element of the flat value; a scalar if all agree."""
    if np.all(parameter == parameter.flat[0]):
        return scalar(parameter.flat[0])
    found = np.ones(size)
    found[indices] = parameter
    return found


@quantizes("Shape")
class QuantizedShape(QuantizedOp):
    """Lengths of axes, all known except the number of rows."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        (for_two,) = self._bound(1, {})(np.empty((2, *reals[0].shape[1:])))
        (for_three,) = self._bound(1, {})(np.empty((3, *reals[0].shape[1:])))
        if np.array_equal(for_two, for_three):
            return [for_two]
        return [BatchConstant(for_two, for_three)]


class _Constant(QuantizedOp):
    """Folded when a graph is converted: it depends on constants and shapes alone."""

    raw_inputs = frozenset({0})

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if any(isinstance(value, Features | QuantizedTensor) for value in x):
            raise self.unsupported("its input must be constant")
        return [outputs[0]]


@quantizes("Constant")
class QuantizedConstant(_Constant):
    """A constant."""

    follows_link = True


@quantizes("ConstantOfShape")
class QuantizedConstantOfShape(_Constant):
    """A constant of a shape."""
