"""Spans of time, and verify from the command line: sessions by name, words and JSON."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from engine.api import ConfigError, state_directory
from engine.runtime.verify import Verdict
from tui import offline
from tui.offline import Span

START = datetime(2020, 1, 31, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
VERDICT = Verdict(
    session="s2",
    identical=True,
    events=10,
    decisions=3,
    fingerprint="ab12",
    difference="",
    torn="",
    ended=True,
)


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-31",
        "20200131",
        "2020-01-31T00:00",
        "2020-01-31T01:00+01:00",
        "2020-01-31T00:00:00Z",
        "1580428800000",
    ],
)
def test_a_moment_is_a_date_a_time_or_milliseconds(text):
    assert Span.of(text, None) == Span(START_NS, None)
    assert Span.of(None, text) == Span(None, START_NS)


@pytest.mark.parametrize("text", ["soon", "2020-13-01", "", "1969-12-31", "99999999999999999"])
def test_what_is_no_moment_names_its_option(text):
    with pytest.raises(ConfigError, match="--from"):
        Span.of(text, None)
    with pytest.raises(ConfigError, match="--to"):
        Span.of(None, text)


def test_a_span_has_a_length():
    with pytest.raises(ConfigError, match="must lie after --from"):
        Span.of("2020-02-01", "2020-02-01")
    assert Span.of(None, None) == Span()


@pytest.fixture
def records(settings):
    """The folder of an instance's sessions, with two in it."""
    folder = state_directory(settings) / "paper" / "records"
    for name in ("s1", "s2"):
        (folder / name).mkdir(parents=True)
        (folder / name / "000000.segment").touch()
    return folder


@pytest.mark.parametrize(("named", "found"), [("last", "s2"), ("s1", "s1")])
def test_a_session_is_found_by_name(settings, records, capsys, monkeypatch, named, found):
    asked = []

    def verify(path):
        asked.append(path)
        return VERDICT

    monkeypatch.setattr(offline, "verify_session", verify)
    assert offline.verify(settings, named, as_json=False) == 0
    assert offline.verify(settings, str(records / found), as_json=False) == 0
    assert asked == [records / found] * 2
    assert capsys.readouterr().out.startswith("identical: 10 events, 3 decisions, fingerprint ab12\n")


def test_a_difference_is_exit_code_4_with_its_notes(settings, records, capsys, monkeypatch):
    verdict = msgspec.structs.replace(
        VERDICT, identical=False, difference="at 2", torn="a torn end", ended=False
    )
    monkeypatch.setattr(offline, "verify_session", lambda _path: verdict)
    assert offline.verify(settings, "s1", as_json=False) == 4
    words = capsys.readouterr().out
    assert words.startswith("DIFFERENT")
    assert "  at 2\n  a torn end\n  the session broke off\n" in words
    assert offline.verify(settings, "s1", as_json=True) == 4
    assert json.loads(capsys.readouterr().out)["difference"] == "at 2"


def test_an_unknown_session_lists_the_newest(settings, records):
    with pytest.raises(ConfigError, match=r"no session 's9' in .*; the newest there: s1, s2"):
        offline.verify(settings, "s9", as_json=False)


def test_there_may_be_no_session_at_all(settings):
    with pytest.raises(ConfigError, match="the newest there: none"):
        offline.verify(settings, "last", as_json=False)
