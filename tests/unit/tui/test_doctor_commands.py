"""`trader-tui doctor` as a user types it."""

import json

import pytest

from tests.unit.tui.test_cli import call
from tui import doctor_commands


@pytest.fixture(autouse=True)
def _place(own_place, monkeypatch):
    monkeypatch.chdir(own_place)


def test_a_sound_machine_is_told_in_lines(capsys):
    assert call("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1] if not line.startswith(" ")] == [
        *("config", "clock", "disk", "state", "keys", "engines", "venue")
    ]
    assert lines[-1] == "7 checks, none failed"


def test_and_as_one_object(capsys):
    assert call("doctor", "--offline", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["ok"] is True
    assert {"name", "verdict", "text", "remedy"} == set(facts["checks"][0])


def test_a_check_that_fails_is_exit_code_4_and_says_what_to_do(capsys, monkeypatch):
    monkeypatch.delenv("BYBIT_API_KEY", raising=False)
    assert call("doctor", "--mode", "live", "--venue", "bybit") == doctor_commands.FAILED
    told = capsys.readouterr().out
    assert "FAIL  account      the keys of bybit are not complete: set BYBIT_API_KEY" in told
    assert "checks failed" in told
    assert "                   Keys come from the environment or a 0600 file." in told


def test_settings_that_cannot_be_read_are_said_as_everywhere(capsys):
    assert call("doctor", "--mode", "papre") == 2
    assert "--mode" in capsys.readouterr().err


def test_what_is_well_needs_no_remedy():
    from engine.runtime.doctor import Check, Verdict

    lines = doctor_commands.lines_of((Check("disk", Verdict.OK, "room", "Make room"),))
    assert lines == ["ok    disk         room", "1 checks, none failed"]
