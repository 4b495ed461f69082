"""`to_c`: a fitted model as a header and a source in C99."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from skq.export.c99.entry_points import Plan
from skq.export.c99.file_texts import header_text, source_text
from skq.export.c99.inputs import INTEGER_FEATURES
from skq.export.c99.result import CSource
from skq.export.c99.subject import Subject

FEATURES = ("float", *INTEGER_FEATURES)
GOALS = ("size", "speed")
FUNCTIONS = ("predict", "scores", "proba")

_KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while main""".split()  # noqa: SIM905 (a list of words)
)


def to_c(
    model: Any,
    *,
    name: str,
    features: str = "float",
    optimize: str = "size",
    functions: Iterable[str] | None = None,
    progmem: bool = False,
) -> CSource:
    """Export a fitted model as C99 for microcontrollers.

    The results of the functions are bit-identical to those of the model. The functions use no heap,
    no static RAM and no library; several threads or interrupts may run them at the same time.

    Parameters
    ----------
    model : fitted quantized estimator, loaded model or QuantizedModule
        The model to export.
    name : str
        Prefix of all identifiers, and name of the two files; a C identifier.
    features : {"float", "int8", "uint8", "int16", "uint16", "int32", "uint32"}, default="float"
        Type T of a feature. With "float", features are quantized in ``double``. With an integer
        type, features are the integers that the model was trained on, and the object file contains
        no float: trees compare them with integer thresholds; linear models and networks scale them
        in fixed point that is exact for every value of the type.
    optimize : {"size", "speed"}, default="size"
        "size" writes loops over bit-packed tables, "speed" writes trees as code, and plain arrays.
    functions : iterable of {"predict", "scores", "proba"}, default=None
        Functions to write:

        - ``int32_t name_predict(const T x[])``: index of the class of a classifier, or -1 and 1 of
          an outlier detector. For a regressor it returns the value as ``float``;
          ``name_predict_integer`` returns its integer, whose scale and zero point are in the
          header. Models with several outputs write them to a second argument.
        - ``void name_scores(const T x[], int32_t out[])``: the integers that labels are chosen
          from; ``int64_t`` if the proven width needs it. Their scales are in the header.
        - ``void name_proba(const T x[], float out[])``: probabilities, computed with ``<math.h>``.

        None means "predict", if the model has it, and "scores".
    progmem : bool, default=False
        Whether to store constants in program memory on an AVR. The source then includes
        ``<avr/pgmspace.h>`` there.

    Returns
    -------
    CSource
        The two files, with ``header``, ``source``, ``write(directory)`` and ``report()``.

    Raises
    ------
    UnsupportedModelError
        If a part of the model is not supported in C. The message names the part.
    ValueError
        If an argument is not one of its choices.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skq.ensemble import RandomForestClassifier
    >>> from skq.export import to_c
    >>> X, y = load_digits(return_X_y=True)
    >>> forest = RandomForestClassifier(5, max_depth=4, random_state=0, n_bits=4).fit(X, y)
    >>> files = to_c(forest, name="digits", features="uint8")
    >>> files.report().functions[0]
    'int32_t digits_predict(const uint8_t x[DIGITS_N_FEATURES]);'
    """
    _check(name, features, optimize)
    subject = Subject.of(model)
    asked = _asked(functions, subject)
    plan = Plan(subject, name, features, optimize, asked, bool(progmem))
    return CSource(name, header_text(plan), source_text(plan), plan.report())


def _check(name: Any, features: Any, optimize: Any) -> None:
    valid = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name, re.ASCII)
    if not valid or name in _KEYWORDS:
        raise ValueError(
            "name must be a C identifier: a letter, then letters, digits and underscores, and no "
            f"keyword of C. Got {name!r}."
        )
    for argument, value, options in (
        ("features", features, FEATURES),
        ("optimize", optimize, GOALS),
    ):
        if not isinstance(value, str) or value not in options:
            raise ValueError(
                f"{argument} must be one of {', '.join(map(repr, options))}. Got {value!r} instead."
            )


def _asked(functions: Iterable[str] | None, subject: Subject) -> tuple[str, ...] | None:
    if functions is None:
        return None
    asked = (functions,) if isinstance(functions, str) else tuple(functions)
    unknown = [f for f in asked if f not in FUNCTIONS]
    if unknown or not asked:
        raise ValueError(
            f"functions must be some of {', '.join(map(repr, FUNCTIONS))}. Got {asked!r} instead."
        )
    return tuple(f for f in FUNCTIONS if f in asked)
