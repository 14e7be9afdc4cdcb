"""Keys from bytes: nothing that a terminal sends ends the reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from tui.keyreading import KeyReader

F12 = b"\x1b[24~"


def names(messages: list) -> list[str]:
    return [m.key if isinstance(m, events.Key) else type(m).__name__ for m in messages]


def test_keys_are_read_as_they_come():
    assert names(KeyReader().feed(b"a" + F12 + b"\x1c\r")) == ["a", "f12", "ctrl+backslash", "enter"]


def test_a_character_that_comes_in_two_parts_does_not_end_the_reading():
    """Over a slow line, and at the end of each full reading of a long paste."""
    reader = KeyReader()
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert reader.feed(first) == []
    (key,) = reader.feed(second)
    assert isinstance(key, events.Key)
    assert key.character == "é"
    assert names(reader.feed(F12 + F12)) == ["f12", "f12"]


@pytest.mark.parametrize("broken", [b"\x1b[:200~", b"\x1b[:A", b"\x1b[<\x1b[:1u"])
def test_a_sequence_that_the_parser_breaks_at_takes_nothing_else_with_it(broken):
    """The kill-switch behind it, in the same reading or in the next, is heard."""
    reader = KeyReader()
    assert names(reader.feed(b"j" + broken + F12 + F12))[-2:] == ["f12", "f12"]
    reader.feed(broken)
    assert names(reader.feed(F12)) == ["f12"]


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\x1b[", b"\x1b[:", b"\x1bO", b"\xc3", b"200~"])))
def test_whatever_comes_the_reading_goes_on(parts):
    reader = KeyReader()
    for part in parts:
        reader.feed(part)
        reader.tick()
    reader.feed(b"\x1b[201~ \x07" + b"x" * 64)
    assert names(reader.feed(F12))[-1:] == ["f12"]
    reader.close()


def test_an_end_is_no_exception():
    reader = KeyReader()
    reader.close()
    reader.close()
