"""`trader-tui keys`: what is printed, for people and for programs, and how a file is refused."""

import json
from pathlib import Path

import pytest

from tui import keysview
from tui.cli import main
from tui.keynames import flaw, normal, typed_easily


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.keysview.user_directory", lambda: tmp_path)


def test_the_keys_that_ship(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """By group, with the id that a file names."""
    assert keysview.show(None, as_json=False) == 0
    said = capsys.readouterr().out
    assert f"The keys that ship; {tmp_path / 'keymap.yaml'} would change them." in said
    assert "  F12, Ctrl-\\      flatten          Flatten" in said
    assert "  (palette)        save-layout" in said
    assert "tmux or the terminal take them: Ctrl-A, Ctrl-B" in said


def test_the_users_keys_are_marked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Those that differ."""
    (tmp_path / "keymap.yaml").write_text("pause: f5\narm: a\n")
    assert keysview.show(None, as_json=False) == 0
    said = capsys.readouterr().out
    assert "* F5               pause" in said
    assert "  a                arm" in said
    assert keysview.show(None, as_json=True) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["file"] == str(tmp_path / "keymap.yaml")
    assert facts["keys"]["pause"] == ["f5"]


def test_a_file_is_checked_before_it_is_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 2, one sentence."""
    file = tmp_path / "mine.yaml"
    file.write_text("arm: a\npauze: p\n")
    assert main(["keys", str(file)]) == 2
    assert "mine.yaml:2: pauze: there is no such action; did you mean pause?" in capsys.readouterr().err
    assert main(["keys", str(tmp_path / "absent.yaml")]) == 2
    assert "absent.yaml: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Ctrl-D", "ctrl+d"),
        ("Shift-Tab", "shift+tab"),
        ("PgUp", "pageup"),
        ("Esc", "escape"),
        ("?", "question_mark"),
        ("G", "G"),
        ("-", "-"),
        ("minus", "-"),
        ("alt+x", "alt+x"),
    ],
)
def test_a_key_has_one_name(written: str, key: str) -> None:
    """However it is written."""
    assert normal(written) == key
    assert flaw(key) == ""


@pytest.mark.parametrize(
    ("key", "easy"), [("k", True), ("enter", True), ("f", True), ("f9", False), ("ctrl+k", False)]
)
def test_what_is_typed_by_accident(key: str, *, easy: bool) -> None:
    """Letters, and what writing presses."""
    assert typed_easily(key) is easy
