"""Accounts at real venues as a session and `venue check` open them: against a desk on loopback."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.config.keys import LOCAL_KEYS
from engine.config.settings import Settings
from engine.domain.errors import ConfigError, LockHeldError
from engine.runtime import accounts, venuecheck
from engine.runtime.accounts import (
    AccountProbe,
    account_of,
    agree,
    lock_of,
    locked_by,
    refuse_second,
    site_of,
)
from engine.runtime.factory import Source, venue_probe
from engine.runtime.opening import open_trading, take_account
from engine.storage.venuechecks import check_path, why_locked
from engine.venues.ccxt_profiles import ADAPTER_VERSION, Endpoint
from tests.unit.venues.bybit_desk import NOW, BybitDesk, ok, serving
from tests.unit.venues.bybit_server.floor import StillMarket, open_floor

KEY = {"readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": []}}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "budget_dir", lambda: tmp_path)


def settings(port: int = 1, **changes: Any) -> Settings:
    return Settings.model_validate({"mode": "demo", "venue": "local", "local": {"port": port}} | changes)


def port_of(desk: BybitDesk) -> int:
    async def key(_: object) -> object:
        return ok(KEY)

    desk.always["/v5/user/query-api"] = key  # type: ignore[assignment]  # it takes any request
    return int(desk.url.rpartition(":")[2])


class Market:
    """A stream that has instruments and nothing else."""

    name = "local"

    def __init__(self, instruments: tuple[Any, ...]) -> None:
        self.instruments = instruments


def test_the_site_follows_mode_and_setting():
    assert site_of(settings(), real_money=False) is Endpoint.LOCAL
    assert site_of(settings(venue="bybit"), real_money=True) is Endpoint.LIVE
    assert site_of(settings(venue="bybit"), real_money=False) is Endpoint.DEMO
    testnet = settings(venue="bybit", orders={"demo_site": "testnet"})
    assert site_of(testnet, real_money=False) is Endpoint.TESTNET
    with pytest.raises(ConfigError, match="no real money"):
        site_of(settings(), real_money=True)
    with pytest.raises(ConfigError, match="did you mean 'bybit'"):
        site_of(settings(venue="bybti"), real_money=False)


def test_a_venue_is_locked_until_its_cases_passed_here(tmp_path: Path):
    assert locked_by(settings()) == ""
    assert "never run" in locked_by(settings(venue="bybit", state_dir=tmp_path))
    for venue in ("binanceusdm", "okx", "krakenfutures", "hyperliquid"):
        assert "its stops are not to be relied on" in locked_by(settings(venue=venue, state_dir=tmp_path))
        with pytest.raises(ConfigError, match=f"{venue} cannot be unlocked"):
            venuecheck.check_venue(settings(venue=venue), "BTCUSDT", lambda *_: None)


async def test_a_session_takes_equity_and_instruments_from_the_account():
    async with serving() as desk, AsyncExitStack() as stack:
        found = settings(port_of(desk))
        probing = account_of(found, Endpoint.LOCAL, ("BTCUSDT",), LOCAL_KEYS, now=lambda: NOW)
        stack.push_async_callback(probing.close)
        await probing.open()
        market = Market(tuple(probing.instruments))
        source = Source(settings=found, plays=(), files={}, stream=market)  # type: ignore[arg-type]  # as much as is needed
        opened = await open_trading(stack, source, LOCAL_KEYS, lambda: NOW)
        assert opened.trading is not None
        assert (opened.trading.name, opened.trading.locked) == ("local", "")
        assert str(opened.trading.equity) == "1000.5"
        section = opened.venue_section()
        assert section.name == "local"
        assert section.budgets
        coarse = msgspec.structs.replace(market.instruments[0], tick=market.instruments[0].tick * 5)
        with pytest.raises(ConfigError, match="two sets of rules for BTCUSDT"):
            agree([coarse], probing.instruments, "local")


async def test_a_mode_without_an_account_opens_none():
    async with AsyncExitStack() as stack:
        source = Source(settings=settings(), plays=(), files={})
        assert await open_trading(stack, source, None, lambda: NOW) is source


async def test_a_probe_opens_asks_and_closes():
    async with serving() as desk:
        probe = venue_probe(settings(port_of(desk)), LOCAL_KEYS)
        assert isinstance(probe, AccountProbe)
        told = await probe.facts()
        assert told.symbols == {"BTCUSDT"}
        assert told.keys.can_trade


async def test_a_check_plays_the_cases_and_keeps_what_unlocks_the_venue(tmp_path: Path):
    market = StillMarket()
    market.stand_at(100.0, 100.5, 5.0)
    told: list[str] = []
    async with open_floor(market) as (_, address):
        chosen = settings(address.port, state_dir=tmp_path)
        check = await venuecheck._check(chosen, "BTCUSDT", lambda number, *_: told.append(number))
    assert check.passed, check
    assert told == [case.number for case in check.cases]
    assert check_path(tmp_path, "local").is_file()
    assert why_locked(tmp_path, "local", ADAPTER_VERSION) == ""


def test_a_check_without_keys_says_which_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("BYBIT_DEMO_API_KEY", "BYBIT_DEMO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="BYBIT_DEMO_API_KEY"):
        venuecheck.check_venue(settings(venue="bybit"), "BTCUSDT", lambda *_: None)


def test_a_second_engine_on_an_account_is_refused_before_its_work_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "state_root", lambda: tmp_path)
    held = lock_of(settings(), Endpoint.LOCAL, LOCAL_KEYS)
    refuse_second(settings())
    held.acquire("day", NOW)
    with pytest.raises(LockHeldError, match=r"local http://127.0.0.1:1: this account is traded by pid"):
        refuse_second(settings())
    refuse_second(settings(port=2))
    refuse_second(settings(mode="paper"))
    refuse_second(settings(venue="bybti"))
    refuse_second(settings(venue="bybit", keys_file=tmp_path / "none.yaml"))
    held.release()
    refuse_second(settings())


async def test_a_start_takes_the_account_and_gives_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "state_root", lambda: tmp_path)
    async with AsyncExitStack() as stack:
        take_account(stack, settings(), None, NOW)
        refuse_second(settings())
        take_account(stack, settings(), LOCAL_KEYS, NOW)
        with pytest.raises(LockHeldError):
            refuse_second(settings())
    refuse_second(settings())
