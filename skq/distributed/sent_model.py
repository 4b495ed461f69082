"""The model as it is sent to workers: the bytes of a saved model, loaded once in each process."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections import OrderedDict
from functools import cached_property
from typing import Any

from skq.distributed.results import METHODS, ResultForm
from skq.exceptions import UnsupportedModelError
from skq.quantization.quantized_module import QuantizedModule
from skq.serialization import files
from skq.serving.saved_model import METHODS as METHODS_OF_FILES
from skq.serving.saved_model import IntegerPredictor, as_saved, load, load_bytes

__all__ = ["SentModel", "received"]

#: Models that a process holds at most; the one that was not used for the longest time is dropped.
MOST_MODELS = 4

#: No limit for what this process has loaded or trained itself; see `skq.load`.
_NO_LIMIT = 1 << 40

_models: OrderedDict[str, SentModel] = OrderedDict()
_lock = threading.Lock()


class SentModel:
    """A model and the method to call, which pickles as bytes and loads once in each process.

    Parameters
    ----------
    data : bytes
        A saved model, as `skq.save` writes it; or a pickle of an estimator that a file cannot hold.
    method : str
    is_pickle : bool

    Attributes
    ----------
    token : str
        Hash of all of this: what has the same token predicts the same.
    """

    def __init__(self, data: bytes, method: str, is_pickle: bool = False) -> None:
        self.data, self.method, self.is_pickle = data, method, is_pickle
        self.token = hashlib.sha256(f"{method} {is_pickle} ".encode() + data).hexdigest()

    def __reduce__(self) -> Any:
        return received, (self.data, self.method, self.is_pickle)

    def __dask_tokenize__(self) -> str:
        return self.token

    @cached_property
    def model(self) -> Any:
        """The model: an IntegerPredictor or a QuantizedModule, or what was pickled."""
        if self.is_pickle:
            return pickle.loads(self.data)
        return load_bytes(self.data, max_bytes=_NO_LIMIT)

    @property
    def reads_texts(self) -> bool:
        """Whether X may hold texts and categories, which the model itself encodes."""
        model = self.model
        if isinstance(model, IntegerPredictor):
            return model.lookup is not None
        return getattr(model, "_table_lookup", None) is not None or hasattr(model, "steps")

    def result(self, X: Any, form: ResultForm) -> Any:
        """What the method returns for X; no rows are allowed."""
        if len(X) == 0:
            return form.for_no_rows()
        result = getattr(self.model, self.method)(X)
        return list(result) if isinstance(result, tuple) else result


def received(data: bytes, method: str, is_pickle: bool) -> SentModel:
    """The `SentModel` of this process for what came over the wire."""
    new = SentModel(data, method, is_pickle)
    with _lock:
        known = _models.setdefault(new.token, new)
        _models.move_to_end(new.token)
        while len(_models) > MOST_MODELS:
            _models.popitem(last=False)
        return known


def sent_model(model: Any, method: str) -> SentModel:
    """A fitted model, checked, as workers get it.

    Parameters
    ----------
    model : fitted model, or path of a saved one
    method : str

    Raises
    ------
    ValueError
        For a method that is not one of `METHODS`.
    AttributeError
        If the model has no such method.
    TypeError
        If the model is none of skq's, or is not fitted.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if isinstance(model, str | os.PathLike):
        model = load(model)
    while hasattr(model, "best_estimator_"):  # a search
        model = model.best_estimator_
    try:
        saved: Any = as_saved(model)
    except UnsupportedModelError:  # the model is skq's, but a file cannot hold it
        saved = None
    is_whole = isinstance(model, IntegerPredictor | QuantizedModule)  # a file has all its methods
    if saved is not None and (method in METHODS_OF_FILES or is_whole):
        _check_has(saved, method)
        return SentModel(files.to_bytes(saved), method)
    _check_has(model, method)
    return SentModel(pickle.dumps(model), method, is_pickle=True)


def _check_has(model: Any, method: str) -> None:
    if callable(getattr(model, method, None)):
        return
    name = getattr(model, "estimator", None) if isinstance(model, IntegerPredictor) else None
    there = [known for known in METHODS if callable(getattr(model, known, None))]
    raise AttributeError(
        f"{name or type(model).__name__} has no {method}; it has {', '.join(there) or 'none'}."
    )
