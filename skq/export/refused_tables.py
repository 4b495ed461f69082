"""Models whose program starts after a stage that no export writes: texts, and float steps."""

from __future__ import annotations

from typing import Any

from skq.exceptions import UnsupportedModelError

#: Columns that a message names.
SHOWN = 5


def refuse_raw_tables(model: Any) -> None:
    """Raise for a model that encodes texts, or computes in floats, before its program runs.

    Parameters
    ----------
    model : quantized estimator, wrapper, loaded model or QuantizedModule

    Raises
    ------
    UnsupportedModelError
        The message names the columns and an alternative.
    """
    lookup = getattr(model, "_table_lookup", None)
    if lookup is not None and lookup.columns:
        names = [repr(j if lookup.names is None else lookup.names[j]) for j in lookup.features]
        more = ", ..." if len(names) > SHOWN else ""
        raise UnsupportedModelError(
            f"{type(model).__name__} reads texts in the columns {', '.join(names[:SHOWN])}{more}; "
            "exported models take numbers only. Encode the texts with an OrdinalEncoder, quantize "
            "the steps after it, and export these."
        )
    if getattr(model, "preprocessing", None) is not None:
        raise UnsupportedModelError(
            "the saved Pipeline computes its transformers in floats, before the integer program "
            "of its last step. Export the last step only, or quantize the whole Pipeline "
            "(skq.quantize(pipeline, X)) and export that."
        )
