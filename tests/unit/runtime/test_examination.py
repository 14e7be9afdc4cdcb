"""The doctor's whole round: settings, machine, keys, venue."""

import time

import pytest

from engine.config.settings import Settings
from engine.domain.errors import AuthError, TransientError
from engine.domain.modes import Mode
from engine.risk.clearance import KeyFacts, VenueFacts
from engine.runtime import examination
from engine.runtime.doctor import Verdict
from engine.runtime.examination import check_config, check_venue, examine
from tests.unit.runtime.rig import write_play
from tests.unit.runtime.test_clearance import Probe, SilentProbe


@pytest.fixture
def settings(tmp_path):
    return Settings(
        mode=Mode.LIVE,
        venue="bybit",
        plays=(write_play(tmp_path),),
        state_dir=tmp_path / "state",
        keys_file=tmp_path / "keys.yaml",
    )


def of(checks, name):
    return [check for check in checks if check.name == name]


async def look(settings, *, offline=True):
    return await examine(settings, now=time.time_ns(), offline=offline)


async def test_paper_has_everything_in_this_program(settings):
    paper = settings.model_copy(update={"mode": Settings().mode, "venue": "simulated"})
    checks = await look(paper, offline=False)
    assert [c.text for c in of(checks, "config")] == ["paper on simulated: zigzag"]
    assert [c.text for c in of(checks, "venue")] == ["simulated: inside this program"]
    assert not of(checks, "account")


def test_a_play_that_cannot_be_read_is_found(settings, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: [\n")
    wrong = {"mode": Settings().mode, "venue": "simulated", "plays": (tmp_path / "bad.yaml",)}
    bad = settings.model_copy(update=wrong)
    check = check_config(bad)
    assert check.verdict is Verdict.FAIL
    assert "bad.yaml:" in check.text


async def test_real_money_without_a_venue_or_a_play(settings):
    nothing = settings.model_copy(update={"venue": "simulated", "plays": ()})
    checks = await look(nothing)
    (config,), (venue,) = of(checks, "config"), of(checks, "venue")
    assert (config.verdict, config.text, config.remedy) == (
        Verdict.FAIL,
        "live needs a play, and none is named",
        "Name it: --play FILE",
    )
    assert (venue.verdict, venue.remedy) == (Verdict.FAIL, "Name it: --venue NAME")
    assert not of(checks, "account"), "whose keys, nobody knows"


async def test_a_real_account_without_keys(settings, monkeypatch):
    monkeypatch.delenv("BYBIT_API_KEY", raising=False)
    (account,) = of(await look(settings), "account")
    assert account.verdict is Verdict.FAIL
    assert "BYBIT_API_KEY" in account.text


async def test_the_same_keys_for_both_accounts(settings, monkeypatch):
    for name in ("BYBIT", "BYBIT_DEMO"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
        monkeypatch.setenv(f"{name}_API_SECRET", "s")
    (account,) = of(await look(settings), "account")
    assert (account.verdict, account.text) == (
        Verdict.FAIL,
        "the keys of the demo account are those of the real one",
    )


async def test_offline_the_venue_is_not_asked(settings, monkeypatch):
    monkeypatch.setenv("BYBIT_API_KEY", "k")
    monkeypatch.setenv("BYBIT_API_SECRET", "s")
    asked: list[object] = []

    def probe(*facts: object) -> Probe:
        asked.append(facts)
        return Probe(VenueFacts())

    monkeypatch.setattr(examination, "venue_probe", probe)
    checks = await look(settings)
    assert [c.verdict for c in of(checks, "venue")] == [Verdict.SKIPPED]
    assert asked == []
    checks = await look(settings, offline=False)
    assert [c.verdict for c in of(checks, "venue")] == [Verdict.OK]


async def test_what_the_venue_speaks_against_is_a_failure_each(settings):
    told = VenueFacts(keys=KeyFacts(can_withdraw=True), clock_offset_ms=5_000)
    checks = await check_venue(settings, Probe(told), real_money=True)
    assert [c.verdict for c in checks] == [Verdict.FAIL, Verdict.FAIL]


async def test_a_venue_that_refuses_or_is_silent(settings, monkeypatch):
    (check,) = await check_venue(settings, Probe(AuthError("10003")), real_money=True)
    assert (check.verdict, check.text) == (Verdict.FAIL, "bybit: 10003")
    away = Probe(TransientError("local cannot be reached: nobody listens there"))
    local = settings.model_copy(update={"mode": Mode.DEMO, "venue": "local"})
    (check,) = await check_venue(local, away, real_money=False)
    assert check.text == "local cannot be reached: nobody listens there", "the venue is named once"
    assert check.remedy == "Start the local exchange: trader-tui venue"
    monkeypatch.setattr(examination, "ANSWER_TIMEOUT_S", 0.01)
    (check,) = await check_venue(settings, SilentProbe(), real_money=True)
    assert "did not answer" in check.text


async def test_positions_at_a_real_venue_are_told(settings, monkeypatch):
    paper = settings.model_copy(update={"mode": Settings().mode, "venue": "simulated"})
    monkeypatch.setattr(examination, "open_elsewhere", lambda *_: ("the live account has positions",))
    (check,) = of(await look(paper), "positions")
    assert (check.verdict, check.text) == (Verdict.WARN, "the live account has positions")
