"""`trader-tui venue check`: what it prints, what it returns, and what it refuses before it asks anybody."""

import json

import msgspec
import pytest

from engine.storage.venuechecks import CheckedCase, VenueCheck
from tests.unit.tui.test_cli import call
from tui import venue_check

CHECK = VenueCheck(
    venue="bybit",
    site="testnet",
    at=1,
    ccxt="4.5.90",
    adapter=1,
    passed=True,
    cases=(CheckedCase("C01", "pass"), CheckedCase("C02", "n/a", "there is none")),
)


@pytest.fixture
def played(monkeypatch):
    """Let the cases end as a test says."""

    def end(check):
        def check_venue(settings, symbol, tell):
            assert (settings.venue, symbol) == ("bybit", "ETHUSDT")
            for case in check.cases:
                tell(case.number, case.verdict, f"promise of {case.number}", case.text)
            return check

        monkeypatch.setattr(venue_check, "check_venue", check_venue)

    return end


WORDS = ("venue", "check", "--testnet", "--venue", "bybit", "--symbol", "ethusdt")


def test_each_case_is_told_when_it_is_done_and_then_what_that_means(played, capsys):
    played(CHECK)
    assert call(*WORDS) == 0
    out = capsys.readouterr().out
    assert "C01  pass  promise of C01\nC02  n/a   promise of C02\n      there is none" in out
    assert "bybit (testnet, ccxt 4.5.90): all cases passed, it takes orders" in out


def test_a_failed_case_ends_with_4(played, capsys):
    played(msgspec.structs.replace(CHECK, passed=False, cases=(CheckedCase("C01", "fail", "why"),)))
    assert call(*WORDS) == venue_check.NOT_PASSED
    assert "1 cases failed: it is there for data only" in capsys.readouterr().out


def test_json_is_one_object_and_nothing_else(played, capsys):
    played(CHECK)
    assert call(*WORDS, "--json") == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_the_cases_run_on_a_testnet_only_and_that_is_said(capsys):
    assert call("venue", "check", "--venue", "bybit") == 2
    assert "--testnet" in capsys.readouterr().err
