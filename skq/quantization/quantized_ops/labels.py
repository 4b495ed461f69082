"""LabelEncoder of ai.onnx.ml: whole numbers looked up in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skq.graph.graph import ML_DOMAIN, Node
from skq.graph.ops.labels import encoded, label_table
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lower.combine import integers
from skq.quantization.lower.constant_lookup import function_of_integers
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand
from skq.quantization.operator_facts import Reach


@quantizes("LabelEncoder", domain=ML_DOMAIN)
class QuantizedLabelEncoder(QuantizedOp):
    """The value of the key that a whole number equals, or the default, as a table; exact."""

    follows_link = True
    jumps = True
    tells_integers_apart = True

    @classmethod
    def reach(cls, node: Node, constants: Mapping[int, Array]) -> Reach | None:
        """Codes for all keys, and one code below and one above them for all other numbers."""
        keys = label_table(node.attributes)[0]
        if keys.dtype.kind not in "iuf":
            return None
        ends = np.nanmin(keys), np.nanmax(keys)
        return Reach(0, int(np.floor(ends[0])) - 1, int(np.ceil(ends[1])) + 1)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        keys, values, default = label_table(self.attributes)
        if "O" in (keys.dtype.kind, values.dtype.kind):
            raise self.unsupported(
                "it encodes text, and an integer program takes and gives numbers; encode text "
                "before the model, or decode its labels after it"
            )
        if not np.all(keys == np.rint(keys)):
            raise self.unsupported(
                "its keys must be whole numbers: codes of other numbers are rounded"
            )

        if np.any(reals[0] != np.rint(reals[0])):
            raise self.unsupported("its input must hold whole numbers, which are its keys")
        ends = np.append(keys, [keys.min() - 1, keys.max() + 1])
        index = integers(low, low.tensor(x[0]), ends)
        everything = np.append(values, default).astype(values.dtype)

        def encode(numbers: Array) -> Array:
            return encoded(numbers, keys, values, default)

        return [function_of_integers(low, index, encode, everything, outputs[0])]
