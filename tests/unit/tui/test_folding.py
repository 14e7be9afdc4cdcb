"""What is printed to a terminal breaks between words, and stays as it is for programs."""

import io

import pytest

from tui.folding import folded

TOLD = "the engine goes on (pid 14413, instance default); `trader-tui attach` comes back to it"
ID = "dbf2d1ab-9b48-4052-8e70-b0bf6652eafd"


class Screen(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def test_words_ids_and_commands_stay_whole():
    assert folded(TOLD, Screen()).split("\n") == [
        "the engine goes on (pid 14413, instance default);",
        "  `trader-tui attach` comes back to it",
    ]
    assert f"  {ID}" in folded(f"    stop sell 0.017 BTCUSDT, acknowledged; at the venue {ID}", Screen())


def test_what_fits_and_what_programs_read_is_left_alone():
    table = "rung       FULL\nlimits     nearest:   1%"
    assert folded(table, Screen()) == table
    assert folded(TOLD, io.StringIO()) == TOLD


def test_a_terminal_too_narrow_to_fold_for_breaks_lines_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "10")
    assert folded(TOLD, Screen()) == TOLD
