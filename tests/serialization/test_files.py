"""Files: whole or not at all; those of version 1 stay readable; the page on the format runs."""

import doctest
import json
import math
import os

import numpy as np
import pytest
from serialization_cases import ROOT, Model, model, same, sealed

from skq.exceptions import SerializationError
from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizer,
)
from skq.serialization import dumps, load, save


def test_files_round_trip(tmp_path):
    path = tmp_path / "model.skq"
    save([1], path)
    save(model(), str(path))
    assert same(load(path, expected=Model), model())
    assert path.read_text() == dumps(model())
    assert os.listdir(tmp_path) == ["model.skq"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.skq"
    save([1], path)
    with pytest.raises(SerializationError):
        save(object(), path)

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save([2], path)
    assert load(path) == [1]
    assert os.listdir(tmp_path) == ["model.skq"]


def test_errors_of_files_name_the_file(tmp_path):
    path = tmp_path / "bad.skq"
    path.write_bytes(b"\x80\x04\x95")
    with pytest.raises(SerializationError, match=r"bad\.skq: not a text file"):
        load(path)
    path.write_text(json.dumps(sealed({"a": {"$tuple": 1}})))
    with pytest.raises(SerializationError, match=r"bad\.skq: \$\.a: expected a list"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.skq")


def golden_value():
    """What tests/data/format-v1.json was written from."""
    options, stats = QuantizationOptions(2, is_signed=True), MinMaxQuantizationStats(2, -1)
    return {
        "plain": [None, True, 2**60, 0.1, math.inf, "é"],
        "more": ((1,), {2}, frozenset(), b"\x00", {1: -0.0}),
        "arrays": [
            np.array([[1, -2], [3, 400]]),
            np.array([0.5]),
            np.array(["ab"]),
            np.array([True]),
            np.array(["x", None], dtype=object),
            np.float32(0.5),
        ],
        "quantizer": UniformQuantizer(options, stats, no_clipping=True),
        "array": QuantizedArray(2, [0, 3], value_is_float=False, scale=0.5, zero_point=1),
    }


def test_files_of_version_1_stay_readable_and_are_what_is_written():
    path = ROOT / "tests" / "data" / "format-v1.json"
    assert same(load(path), golden_value())
    assert dumps(golden_value()) == path.read_text(encoding="ascii").strip()


def test_the_page_on_the_file_format_runs():
    page = ROOT / "docs" / "concepts" / "file-format.md"
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert result.attempted > 5
    assert result.failed == 0
