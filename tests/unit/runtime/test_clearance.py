"""A start on a real venue is cleared before anything is opened: one message names all that is wrong."""

import asyncio
import time

import pytest

from engine.config.settings import Settings
from engine.domain.errors import AuthError, ConfigError, TransientError
from engine.domain.modes import Mode
from engine.risk.clearance import KeyFacts, VenueFacts
from engine.runtime import clearance
from engine.runtime.clearance import clear_at_home, clear_at_venue, clear_start
from engine.runtime.doctor import Check, Verdict, check_key_file

KEYS = {"BYBIT_API_KEY": "k", "BYBIT_API_SECRET": "s"}


@pytest.fixture
def live(tmp_path, monkeypatch):
    """Settings of a start that lacks nothing but its environment."""
    monkeypatch.setattr(clearance, "examine_machine", lambda *_: (Check("disk", Verdict.OK, "room"),))
    return Settings(
        mode=Mode.LIVE,
        venue="bybit",
        confirm=True,
        plays=(tmp_path / "play.yaml",),
        state_dir=tmp_path,
        keys_file=tmp_path / "keys.yaml",
    )


class Probe:
    """A venue that says what a test tells it to."""

    def __init__(self, told: VenueFacts | Exception) -> None:
        self._told = told

    async def facts(self) -> VenueFacts:
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


class SilentProbe:
    """A venue that does not answer."""

    async def facts(self) -> VenueFacts:
        return await asyncio.Future()


def cleared(settings, env, *, real_money=True):
    return clear_at_home(settings, real_money=real_money, now=time.time_ns(), env=env)


def test_modes_inside_this_program_need_no_clearance(tmp_path):
    assert clear_start(Settings(state_dir=tmp_path), time.time_ns()) is None


def test_a_key_file_that_others_can_read_is_told_once(live, monkeypatch):
    monkeypatch.setattr(clearance, "examine_machine", lambda *_: (check_key_file(live.keys_file),))
    file = live.keys_file
    file.write_text("bybit: {api_key: a, api_secret: b}\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        cleared(live, {"CONFIRM_LIVE_TRADING": "true"})
    assert str(caught.value).count("others can read") == 1
    assert f"chmod 600 {file}" in str(caught.value)


def test_what_only_reduces_needs_nothing_but_keys(live, monkeypatch):
    for name in ("CONFIRM_LIVE_TRADING", *KEYS):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="BYBIT_API_KEY"):
        clear_start(live, time.time_ns(), only_reduces=True)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    keys = clear_start(live, time.time_ns(), only_reduces=True)
    assert keys is not None
    assert keys.api_key.reveal() == "k"


def test_a_start_that_lacks_nothing_gets_its_keys(live, monkeypatch):
    env = KEYS | {"CONFIRM_LIVE_TRADING": "true"}
    assert cleared(live, env).api_key.reveal() == "k"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clearance, "check_start", lambda _: None)
    credentials = clear_start(live, time.time_ns())
    assert credentials is not None
    assert credentials.api_key.reveal() == "k"


def test_everything_that_is_wrong_is_named_in_one_message(live, monkeypatch):
    sick = Check("disk", Verdict.FAIL, "0.1 GB free", "Make room")
    monkeypatch.setattr(clearance, "examine_machine", lambda *_: (sick, Check("clock", Verdict.WARN, "")))
    bare = live.model_copy(update={"confirm": False, "plays": ()})
    with pytest.raises(ConfigError) as caught:
        cleared(bare, {})
    message = str(caught.value)
    assert message.startswith("live does not start, for 5 reasons:")
    parts = (
        "--confirm",
        "CONFIRM_LIVE_TRADING",
        "BYBIT_API_KEY",
        "no play",
        "disk: 0.1 GB free. Make room",
    )
    for part in parts:
        assert part in message
    assert caught.value.exit_code == 2


def test_a_demo_account_needs_its_own_keys_and_no_confirmation(live):
    demo = live.model_copy(update={"confirm": False})
    with pytest.raises(ConfigError, match="BYBIT_DEMO_API_KEY"):
        cleared(demo, KEYS, real_money=False)
    own = {"BYBIT_DEMO_API_KEY": "d", "BYBIT_DEMO_API_SECRET": "s"}
    assert cleared(demo, own, real_money=False).api_key.reveal() == "d"


def test_real_money_on_the_simulated_venue_is_a_venue_that_is_missing(live):
    with pytest.raises(ConfigError, match="live does not start: no venue is named: --venue NAME"):
        cleared(live.model_copy(update={"venue": "simulated"}), {"CONFIRM_LIVE_TRADING": "true"})


async def test_a_venue_that_agrees_clears_the_start(live):
    told = VenueFacts(keys=KeyFacts(real_money=True), symbols=frozenset({"BTCUSDT"}))
    await clear_at_venue(live, Probe(told), real_money=True, symbols=("BTCUSDT",))


async def test_everything_the_venue_speaks_against_is_named_in_one_message(live):
    told = VenueFacts(keys=KeyFacts(can_withdraw=True, can_trade=False), clock_offset_ms=9_000)
    with pytest.raises(ConfigError, match="for 4 reasons"):
        await clear_at_venue(live, Probe(told), real_money=True, symbols=("BTCUSDT",))


async def test_keys_that_the_venue_refuses_are_told_with_the_account_they_should_be_of(live):
    for real_money, kind in ((True, "real"), (False, "demo")):
        with pytest.raises(ConfigError, match=f"keys .10003.; are they those of a {kind} account"):
            await clear_at_venue(live, Probe(AuthError("10003")), real_money=real_money, symbols=())


async def test_a_silent_venue_is_no_clearance(live, monkeypatch):
    monkeypatch.setattr(clearance, "ANSWER_TIMEOUT_S", 0.01)
    with pytest.raises(ConfigError, match=r"bybit did not answer within 0\.01 s"):
        await clear_at_venue(live, SilentProbe(), real_money=True, symbols=())


async def test_other_failures_of_the_venue_are_the_callers(live):
    with pytest.raises(TransientError):
        await clear_at_venue(live, Probe(TransientError("reset")), real_money=True, symbols=())
