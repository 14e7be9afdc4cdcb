"""What counts as pasted: much text at once that would command."""

import pytest
from textual import events

from tui.bursts import AFTER_S, Bursts

COMMANDS = frozenset({"a", "p", "R", "ctrl+x"})
PANIC = frozenset({"f12", "ctrl+backslash"})


def keys(*names):
    return [events.Key(name, "\r" if name == "enter" else name if len(name) == 1 else None) for name in names]


def sorted_out(*names, at=0.0, bursts=None):
    kept, text = (bursts or Bursts()).sort(keys(*names), COMMANDS, at, PANIC)
    return [getattr(message, "key", type(message).__name__) for message in kept], text


@pytest.mark.parametrize(
    "typed",
    [
        ("p",),
        ("j", "j", "p"),
        ("p", "p", "p", "p", "p"),
        ("j", "k", "j", "k", "l", "h"),
        ("down", "down", "down", "down", "enter"),
        ("f12", "f12"),
        ("ctrl+x", "down", "enter"),
        ("f12", "a", "p", "R"),
    ],
)
def test_what_a_person_may_have_typed_is_left_alone(typed):
    assert sorted_out(*typed) == (list(typed), "")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (("a", "enter", "c", "d", "enter"), "a\ncd\n"),
        (("w", "h", "y", "enter"), "why\n"),
        (("x", "y", "z", "p"), "xyzp"),
        (("x", "y", "f12", "f12", "z", "a"), "xyza"),
    ],
)
def test_a_burst_becomes_a_paste_and_nothing_else_of_it_counts(typed, text):
    assert sorted_out(*typed) == (["Paste"], text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (("j", "k", "l", "p", "f12", "f12"), ["Paste", "f12", "f12"]),
        (("f12", "j", "k", "l", "p", "f12"), ["f12", "Paste", "f12"]),
        (("f12", "f12", "j", "k", "l", "p"), ["f12", "f12", "Paste"]),
        (("j", "k", "l", "p", "f12", "ctrl+x", "f12"), ["Paste", "f12"]),
    ],
)
def test_the_kill_switch_at_either_end_of_a_burst_counts(typed, kept):
    """What was typed while the line stood still must not swallow it."""
    assert sorted_out(*typed)[0] == kept


def test_the_rest_of_a_burst_belongs_to_it_and_a_moment_later_keys_count_again():
    bursts = Bursts()
    sorted_out("a", "b", "c", "d", bursts=bursts)
    assert sorted_out("p", at=AFTER_S / 2, bursts=bursts) == (["Paste"], "p")
    assert sorted_out("f12", at=AFTER_S, bursts=bursts) == (["f12"], "")
    assert sorted_out("p", at=2 * AFTER_S + 0.001, bursts=bursts) == (["p"], "")


def test_what_is_no_key_passes():
    paste = events.Paste("a\n")
    kept, text = Bursts().sort([paste, *keys("x", "y", "z", "a")], COMMANDS, 0.0)
    assert kept[0] is paste
    assert text == "xyza"


def test_only_a_key_that_commands_waits_for_more():
    assert Bursts().wants_more(keys("j", "a"), COMMANDS)
    assert not Bursts().wants_more(keys("j", "f12"), COMMANDS)
