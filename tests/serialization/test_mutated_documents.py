"""Documents that were changed: refused, or read as they were."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skq.exceptions import SerializationError
from skq.serialization import dumps, from_document, loads
from tests.serialization.serialization_cases import model, same, sealed

TEXT = dumps(model())


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_text_is_refused_or_the_same(data):
    place = data.draw(st.integers(0, len(TEXT) - 1))
    length = data.draw(st.integers(0, 8))
    inserted = data.draw(st.text(alphabet='0123456789abcABC"{}[],:$.-+eE \\/=', max_size=8))
    check_mutant(TEXT[:place] + inserted + TEXT[place + length :])


@pytest.mark.parametrize("keep", range(0, len(TEXT), 37))
def test_a_truncated_text_is_refused(keep):
    with pytest.raises(SerializationError):
        loads(TEXT[:keep])


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_content_with_a_right_checksum_never_fails_otherwise(data):
    """Without the checksum's help: an error of ours or some object, but nothing else."""
    document = json.loads(TEXT)
    node, key = document, "content"
    while True:
        child = node[key]
        keys = list(child) if isinstance(child, dict) else []
        keys = list(range(len(child))) if isinstance(child, list) else keys
        if not keys or data.draw(st.integers(0, 4)) == 0:
            break
        node, key = child, data.draw(st.sampled_from(keys))
    junk = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["$array", "$object", "$tuple", "dtype", "shape", "fields", "a"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=4,
    )
    node[key] = data.draw(junk)
    message = refusal_of(sealed(document["content"]))
    assert message is None or message.startswith("$")


def refusal_of(document):
    try:
        from_document(document)
    except SerializationError as error:
        return str(error)
    return None


def check_mutant(text):
    try:
        back = loads(text)
    except SerializationError:
        return
    assert same(back, model())
