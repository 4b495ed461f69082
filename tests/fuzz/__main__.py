"""Load mutants of model files and predict with those that load, on every engine.

A mutant is named by its seed: ``python -m tests.fuzz --first SEED --count 1`` runs it again.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import json
import random
import signal
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

MODELS = Path(__file__).parent.parent / "data" / "models_v1"
METHODS = ("predict", "predict_proba", "decision_function", "score_samples", "predict_log_proba")
#: What a file may declare here, so that mutants are small; seconds that a mutant may take.
MAX_BYTES, SECONDS = 2**22, 5


def contents() -> dict[str, object]:
    """Content of each model of the first release, by name."""
    found = {}
    for path in sorted(MODELS.glob("*.skq")):
        text = zlib.decompress(path.read_bytes(), 16 + zlib.MAX_WBITS)
        found[path.stem] = json.loads(text)["content"]
    return found


def sealed(content: object) -> dict:
    """A document whose checksum is right."""
    text = json.dumps(content, separators=(",", ":"))
    checksum = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return {"format": "skq", "version": 1, "checksum": checksum, "content": content}


def rows(shape: tuple[int, ...], seed: int, missing: bool) -> np.ndarray:
    """Rows far out of range, with ties and zeros."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, *shape)) * 10.0 ** rng.integers(-1, 4, size=(5,) + (1,) * len(shape))
    x[0] = 0
    x[1] = np.round(x[1])
    x[2] = np.abs(x[2]) % 8
    if missing:
        x[3] = np.nan
    return x


def answers(model: object, seed: int) -> list:
    """What every method of a loaded model returns on the engine in force."""
    from skq.quantization import QuantizedModule
    from skq.serving.outputs import has_output

    if isinstance(model, QuantizedModule):
        xs = [rows(t.shape, seed, False) for t in model.program.inputs]
        results = model.forward(*xs)
        codes = model.quantize_input(*xs)
        codes = codes if isinstance(codes, tuple) else (codes,)
        return [*(results if isinstance(results, tuple) else [results]), *codes]
    x = rows((model.n_features_in_,), seed, bool(model.takes_missing.all()))
    found: list = []
    for method in METHODS:
        if has_output(model.quantized_module_, method.replace("_log", "")):
            result = getattr(model, method)(x)
            found.extend(result if isinstance(result, list) else [result])
    return found


def same(a: list, b: list) -> bool:
    return len(a) == len(b) and all(
        x.dtype == y.dtype
        and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(a, b, strict=True)
    )  # fmt: skip


def check(document: dict, seed: int, engines: list[str]) -> str:
    """``"refused"``, ``"loaded"``, or what is wrong."""
    import skq
    from skq.exceptions import SerializationError
    from skq.serialization import from_document
    from skq.serving.saved_model import _PARTS

    models = (skq.serving.saved_model.IntegerPredictor, skq.quantization.QuantizedModule)
    try:
        model = from_document(document, models, max_bytes=MAX_BYTES, classes={*models, *_PARTS})
    except SerializationError as error:
        return "refused" if str(error).startswith("$") else f"an error without a place: {error}"
    except Exception as error:
        return f"loading raised {type(error).__name__}: {error}"
    results = []
    for engine in engines:
        with skq.config_context(engine=engine):
            try:
                results.append(answers(model, seed))
            except Exception as error:
                return f"{engine} raised {type(error).__name__}: {error}"
    for engine, result in zip(engines[1:], results[1:], strict=True):
        if not same(results[0], result):
            return f"{engine} differs from {engines[0]}"
    return "loaded"


def hung(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=2000, help="number of mutants")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--sanitized", action="store_true", help="build and use sanitized kernels")
    parser.add_argument("--extension", help="folder of the kernels to use")
    arguments = parser.parse_args()
    if arguments.sanitized:
        from tests.fuzz.sanitized import run_sanitized

        with tempfile.TemporaryDirectory() as folder:
            given = [a for a in sys.argv[1:] if a != "--sanitized"]
            return run_sanitized(Path(folder), given)
    faulthandler.enable()
    warnings.simplefilter("ignore")
    if arguments.extension:
        from tests.kernels.sanitized_run import use_extension

        use_extension(arguments.extension)
    from skq.engines import native
    from tests.fuzz.mutations import mutate

    engines = ["reference", "numpy", *(["native"] if native.UNAVAILABLE is None else [])]
    originals = contents()
    names = list(originals)
    signal.signal(signal.SIGALRM, hung)
    counts = {"refused": 0, "loaded": 0, "wrong": 0}
    longest, start, seed = 0.0, time.monotonic(), arguments.first
    print(f"engines: {', '.join(engines)}", flush=True)
    while seed < arguments.first + arguments.count:
        if time.monotonic() - start > arguments.seconds:
            break
        rng = random.Random(seed)
        name = rng.choice(names)
        document = sealed(mutate(originals[name], rng))
        if seed % 500 == 0:
            print(f"seed {seed}: {counts}, longest {longest:.2f} s", flush=True)
        signal.alarm(2 * SECONDS)
        begin = time.monotonic()
        try:
            result = check(document, seed, engines)
        except TimeoutError as error:
            result = f"hang: {error}"
        finally:
            signal.alarm(0)
        took = time.monotonic() - begin
        longest = max(longest, took)
        if took > SECONDS and result in counts:
            result = f"hang: {took:.1f} s"
        counts[result if result in counts else "wrong"] += 1
        if result not in counts:
            print(f"seed {seed} ({name}): {result}", flush=True)
        seed += 1
    n = seed - arguments.first
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(
        f"{n} mutants: {summary}; longest {longest:.2f} s, {time.monotonic() - start:.0f} s in all"
    )
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
