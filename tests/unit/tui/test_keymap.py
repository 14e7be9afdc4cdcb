"""The user's keys: what is written, what is refused and with which words."""

from pathlib import Path

import pytest

from engine.api import ConfigError, Snapshot
from tests.console_fakes import empty_snapshot, snapshot, trouble_snapshot
from tui.actions import ACTIONS, BY_ID, RESERVED_KEYS, key_name
from tui.actionspec import ActionSpec
from tui.keymap import default_keymap, load_keymap, textual_key
from tui.panes.content import Frame
from tui.theme import packaged_dir
from tui.widgets.rows import footer_row


def written(folder: Path, text: str) -> Path:
    file = folder / "keymap.yaml"
    file.write_text(text, "utf-8")
    return file


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    """A fresh user has none."""
    assert load_keymap(None) == default_keymap()
    assert load_keymap(tmp_path / "absent.yaml") == default_keymap()


def test_the_packaged_file_documents_the_defaults() -> None:
    """Whoever copies it changes nothing by that."""
    assert load_keymap(packaged_dir("configs") / "keymap.yaml") == default_keymap()


def test_keys_are_replaced_by_action(tmp_path: Path) -> None:
    """Lines left out keep their default."""
    keymap = load_keymap(written(tmp_path, "pause: f5\nhelp: ['?', f9]\nzoom: Ctrl-o\n"))
    assert keymap["pause"] == ("f5",)
    assert keymap["help"] == ("question_mark", "f9")
    assert keymap["zoom"] == ("ctrl+o",)
    assert keymap["arm"] == ("a",)


def test_a_key_that_is_given_is_taken_from_what_only_moves_about(tmp_path: Path) -> None:
    """So that a newer console with more keys starts with an older file."""
    keymap = load_keymap(written(tmp_path, "help: h\npause: L\n"))
    assert keymap["help"] == ("h",)
    assert keymap["left-pane"] == ("left",)
    assert keymap["layout"] == ()


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.id)
def test_keys_can_be_written_as_the_screen_writes_them(tmp_path: Path, spec: ActionSpec) -> None:
    """`Ctrl-Q`, `PgDn`, `?` as well as Textual's names."""
    for write in (key_name, str):
        names = ", ".join(f"'{write(key)}'" for key in spec.keys)
        assert load_keymap(written(tmp_path, f"{spec.id}: [{names}]\n"))[spec.id] == spec.keys


def test_an_action_may_lose_its_key(tmp_path: Path) -> None:
    """The palette still has it."""
    assert load_keymap(written(tmp_path, "theme:\n"))["theme"] == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pauze: p\n", ":1: pauze: there is no such action; did you mean pause?"),
        ("qqqq: p\n", "there is no such action; known actions: arm,"),
        ("arm: a\npause: a\n", ":2: pause: a is the key of both pause and arm; give one of them another"),
        ("pause: d\n", ":1: pause: d is the key of both pause and disarm"),
        ("zoom: Y\nhelp: Y\n", ":2: help: Y is the key of both help and zoom"),
        ("pause: pgdwn\n", ":1: pause: there is no key pgdwn; did you mean pagedown?"),
        ("pause: ctlr+y\n", "there is no ctlr+; a key may begin with ctrl+, shift+ or alt+"),
        ("pause: f99\n", "there is no key f99"),
        ("flatten: k\n", "flatten takes a key that nobody types by accident"),
        ("flatten: [f12, enter]\n", "flatten takes a key that nobody types by accident"),
        ("arm: ctrl+b\n", "ctrl+b belongs to tmux or the terminal"),
        ("arm: ' '\n", "a key is empty"),
        ("flatten:\n", "this action must keep a key"),
        ("arm: [\n", "this is not YAML"),
        ("arm\n", "expected `key: value` lines"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    """With file, line and action."""
    with pytest.raises(ConfigError) as error:
        load_keymap(written(tmp_path, text))
    assert said in str(error.value)
    assert "keymap.yaml" in str(error.value)


def test_the_table_is_sound() -> None:
    """Ids and keys are unique, none is reserved, and footers do not tie."""
    keys = [key for spec in ACTIONS for key in spec.keys]
    assert len(BY_ID) == len(ACTIONS)
    assert len(set(keys)) == len(keys)
    assert not RESERVED_KEYS & set(keys)
    order = [spec.footer for spec in ACTIONS if spec.footer]
    assert len(set(order)) == len(order)


def test_kill_needs_no_more_than_arm() -> None:
    """Flatten is two presses; arming is a dialog with a typed name."""
    assert BY_ID["flatten"].always
    assert not BY_ID["arm"].always


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("question_mark", "?"),
        ("ctrl+q", "Ctrl-Q"),
        ("f12", "F12"),
        ("ctrl+backslash", "Ctrl-\\"),
        ("G", "G"),
        ("tab", "Tab"),
    ],
)
def test_keys_are_called_as_people_call_them(key: str, name: str) -> None:
    """In the footer and in help."""
    assert key_name(key) == name


def test_punctuation_gets_textuals_name() -> None:
    """A user may write a slash."""
    assert textual_key("/") == "slash"
    assert textual_key("G") == "G"
    assert textual_key("f5") == "f5"


@pytest.mark.parametrize("moment", [None, snapshot(), empty_snapshot(), trouble_snapshot()])
def test_the_footer_has_at_most_six_keys_at_80_columns(moment: Snapshot | None) -> None:
    """More than that nobody reads; the rest is in help."""
    keys = tuple((spec.id, key_name(spec.keys[0])) for spec in ACTIONS if spec.keys)
    row = footer_row(Frame(moment, keys=keys), 80)
    assert len({name.partition(":")[2] for _, name in row if ":" in name}) <= 6
