"""Files: whole or not at all; those of version 1 stay readable; the page on the format runs."""

import doctest
import gzip
import json
import math
import os
import pickle
import subprocess
import sys
import zlib

import numpy as np
import pytest

from skq.exceptions import SerializationError
from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizer,
)
from skq.serialization import dumps, load, save
from tests.serialization.serialization_cases import ROOT, Model, model, same, sealed


def test_files_round_trip(tmp_path):
    path = tmp_path / "model.skq"
    save([1], path)
    save(model(), str(path))
    assert same(load(path, expected=Model), model())
    assert gzip.decompress(path.read_bytes()).decode("ascii") == dumps(model())
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
    with pytest.raises(SerializationError, match=r"bad\.skq: the file is a pickle"):
        load(path)
    path.write_text(json.dumps(sealed({"a": {"$tuple": 1}})))
    with pytest.raises(SerializationError, match=r"bad\.skq: \$\.a: expected a list"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.skq")


def test_the_text_of_a_value_is_a_file_too(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(dumps(model()))
    assert same(load(path, expected=Model), model())


def test_the_same_value_gives_the_same_bytes(tmp_path):
    save(model(), tmp_path / "a.skq")
    save(model(), tmp_path / "b.skq")
    assert (tmp_path / "a.skq").read_bytes() == (tmp_path / "b.skq").read_bytes()


@pytest.mark.parametrize("bits", [1, 3, 4, 5, 8, 12, 20])
@pytest.mark.parametrize("signed", [False, True])
def test_integers_take_the_bits_that_they_need(tmp_path, bits, signed):
    lo = -(2 ** (bits - 1)) if signed else 0
    array = np.random.default_rng(0).integers(lo, lo + 2**bits, size=(300, 100))
    path = tmp_path / "array.skq"
    save(array, path)
    assert same(load(path), array)
    assert path.stat().st_size <= 1.01 * array.size * bits / 8 + 250


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "model.skq"
    save(model(), path)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        with pytest.raises(SerializationError, match=r"model\.skq: "):
            load(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            value = load(path)
        except SerializationError:
            refused += 1
        else:
            assert same(value, model())
    assert refused >= len(whole) - 7  # time, system and padding of the gzip format say nothing
    path.write_bytes(whole + b"more")
    with pytest.raises(SerializationError, match="was cut off, or something was appended"):
        load(path)


@pytest.mark.parametrize(
    "text",
    [b" " * (2**27 + 1), b"[" + b"0," * 2**20 + b"0]", b"[" * 2**21, b"{" * 2**21],
    ids=["spaces", "numbers", "lists", "objects"],
)
def test_a_small_file_of_a_large_text_is_refused(tmp_path, text):
    path = tmp_path / "bomb.skq"
    path.write_bytes(gzip.compress(text))
    with pytest.raises(
        SerializationError, match=r"bomb\.skq: the content of the file exceeds the limit"
    ):
        load(path, max_bytes=1000)


def test_the_limit_leaves_room_for_what_is_no_array(tmp_path):
    path = tmp_path / "many.skq"
    save(list(range(100_000)), path)
    assert load(path, max_bytes=0) == list(range(100_000))


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


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_an_existing_file_keeps_its_permissions_and_links_are_followed(tmp_path):
    target, link = tmp_path / "folder" / "model.skq", tmp_path / "link.skq"
    target.parent.mkdir()
    save([1], target)
    target.chmod(0o600)
    link.symlink_to(target)
    save([2], link)
    assert link.is_symlink()
    assert load(target) == [2]
    assert target.stat().st_mode & 0o777 == 0o600
    assert os.listdir(target.parent) == ["model.skq"]
    (tmp_path / "new.skq").symlink_to(target.parent / "absent.skq")
    save([3], tmp_path / "new.skq")
    assert load(target.parent / "absent.skq") == [3]


def test_long_names_are_taken(tmp_path):
    path = tmp_path / ("m" * 251 + ".skq")
    save([1], path)
    assert load(path) == [1]
    assert os.listdir(tmp_path) == [path.name]


KILLED = """
import os, sys
os.fsync = lambda _: os.kill(os.getpid(), 9)
from skq.serialization import save
save([1], sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_what_a_killed_save_leaves_is_removed_by_the_next(tmp_path):
    path = tmp_path / "model.skq"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, str(path)])
        assert len(os.listdir(tmp_path)) == 1  # of a second one the first is gone
    save([2], tmp_path / "other.skq")
    assert len(os.listdir(tmp_path)) == 2
    save([1], path)
    assert sorted(os.listdir(tmp_path)) == ["model.skq", "other.skq"]


def test_what_a_killed_save_of_an_earlier_release_left_is_removed(tmp_path):
    """They named it ``.<name>.<32 hex digits>.tmp``, and did not lock it."""
    path, digits = tmp_path / "a model[1].skq", "0123456789abcdef" * 2
    old, recent = tmp_path / f".{path.name}.{digits}.tmp", tmp_path / f".{path.name}.{'f' * 32}.tmp"
    others = [".other.skq." + digits + ".tmp", f".{path.name}.backup.tmp", f"{path.name}.tmp"]
    for file in (old, recent, *(tmp_path / name for name in others)):
        file.write_bytes(b"left")
        if file != recent:
            os.utime(file, (0, 0))
    save([1], path)
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, recent.name, *others])


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_what_another_process_writes_is_not_removed(tmp_path, monkeypatch):
    path = tmp_path / "model.skq"
    sync, seen = os.fsync, []

    def save_meanwhile(descriptor):
        monkeypatch.setattr(os, "fsync", sync)
        save([2], path)
        seen.append(sorted(os.listdir(tmp_path)))

    monkeypatch.setattr(os, "fsync", save_meanwhile)
    save([1], path)
    assert len(seen[0]) == 2
    assert load(path) == [1]


@pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
def test_a_device_is_written_into():
    save([1], os.devnull)
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (pickle.dumps({"a": 1}), "a pickle"),
        (zlib.compress(b"abc"), "joblib.dump"),
        (b"PK\x03\x04...", "a zip archive"),
        (b"\x93NUMPY\x01\x00", "an array of numpy.save"),
        (b"\x08\x09\x12\x03abc", "an ONNX model"),
    ],
)
def test_files_of_other_libraries_are_named(tmp_path, content, message):
    path = tmp_path / "other.skq"
    path.write_bytes(content)
    with pytest.raises(SerializationError, match=message):
        load(path)
