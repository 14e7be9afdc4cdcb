"""A real venue's live market is opened: symbols, lengths of bars, addresses, and what goes wrong."""

import asyncio
from pathlib import Path

import pytest

from engine.config.settings import Settings
from engine.domain.errors import ConfigError, TransientError
from engine.domain.market import NS_PER_S
from engine.runtime.binding import PlayFile, load_plays
from engine.runtime.clock import SystemClock
from engine.runtime.factory import Source, open_source
from engine.runtime.livemarket import address_of, open_stream, steps, timing_of, wanted
from engine.venues.ws_source import Address
from engine.venues.ws_venues import NATIVE
from tests.builders import spec
from tests.loopback import LoopbackVenue
from tests.unit.venues.bybit_history import linear

MINUTE = 60 * NS_PER_S


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"mode": "paper", "venue": "bybit"} | changes)


def play(*symbols: str, timeframe: str = "base") -> PlayFile:
    return PlayFile(Path("p.yaml"), spec("p", symbols=symbols, timeframe=timeframe))


def test_symbols_are_the_plays_own_and_the_settings_where_a_play_names_none():
    given = settings(stream={"symbols": "ETHUSDT,BTCUSDT"})
    assert wanted(given, []) == ("ETHUSDT", "BTCUSDT")
    assert wanted(given, [play("SOLUSDT")]) == ("SOLUSDT",)
    assert wanted(given, [play("BTCUSDT"), play()]) == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize(
    ("timeframes", "lengths"),
    [((), (60,)), (("base",), (60,)), (("5m",), (60, 300)), (("15s", "1m"), (15, 60)), (("trade",), (60,))],
)
def test_the_base_is_a_minute_or_the_shortest_length_a_play_names(timeframes, lengths):
    plays = [play(timeframe=timeframe) for timeframe in timeframes]
    assert steps(settings(), plays) == tuple(length * NS_PER_S for length in lengths)


def test_addresses_stand_in_for_the_venue_s_own():
    assert address_of(settings()) == Address()
    local = settings(venue="local", local={"port": 9_999})
    assert address_of(local) == Address("ws://127.0.0.1:9999/v5/public/linear", "http://127.0.0.1:9999")
    assert "testnet" in address_of(settings(), NATIVE["bybit"].test).stream_url
    elsewhere = settings(venue="local", stream={"query_url": "http://127.0.0.1:1/"})
    assert address_of(elsewhere).query_url == "http://127.0.0.1:1"


@pytest.mark.parametrize("url", ["bybit.com", "ftp://x", "http://", "wss://x/?a=b"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="must read like wss://HOST"):
        settings(stream={"stream_url": url})


def test_the_rhythm_comes_from_the_settings():
    timing = timing_of(settings(stream={"silent_s": 9, "ping_s": 2, "renew_h": 1}))
    assert (timing.silent_s, timing.ping_s, timing.pong_s, timing.renew_s) == (9, 2, 2, 3_600)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "p.yaml"
    rest = ("size: {notional: 500}", "long: {enter: close > 0}", "stop_loss: {percent: 5}")
    path.write_text("\n".join(("name: p", *lines, *rest)))
    return path


def listed(_query: object) -> object:
    return {"retCode": 0, "result": {"list": [linear(), linear("ETHUSDT", "ETH")], "nextPageCursor": ""}}


async def opened(venue: LoopbackVenue, /, *plays: PlayFile, **changes: object) -> Source:
    given = settings(stream={"query_url": venue.query_url}, **changes)
    return await asyncio.to_thread(open_source, given, plays, 0, SystemClock())


async def test_a_session_is_configured_by_what_the_venue_says(tmp_path):
    async with LoopbackVenue({"/v5/market/instruments-info": listed}) as venue:
        plays = load_plays([written(tmp_path, "timeframe: 5m")])
        source = await opened(venue, *plays)
        config = source.configure(birth_s=7)
    assert source.stream is not None
    assert source.stream.name == "bybit"
    assert (config.market, config.data) == ("bybit", ())
    assert [i.symbol for i in config.setup.instruments] == ["BTCUSDT"]
    assert source.stream.base_step_ns == MINUTE
    assert config.setup.plays[0].step_ns == 5 * MINUTE
    assert config.setup.takes_orders


async def test_shadow_takes_no_orders():
    async with LoopbackVenue({"/v5/market/instruments-info": listed}) as venue:
        source = await opened(venue, mode="shadow")
    assert not source.configure(birth_s=7).setup.takes_orders


async def test_two_venues_are_two_shapes():
    async with LoopbackVenue({"/v5/market/instruments-info": listed}) as venue:
        bybit, local = await opened(venue), await opened(venue, venue="local")
    assert bybit.configure(birth_s=7).shape != local.configure(birth_s=7).shape


async def test_an_unknown_symbol_is_told_where_it_was_written(tmp_path):
    async with LoopbackVenue({"/v5/market/instruments-info": listed}) as venue:
        path = written(tmp_path, "timeframe: base\nsymbols: [BTCUSD]")
        with pytest.raises(ConfigError, match=r"p\.yaml: symbols: bybit has no market 'BTCUSD'"):
            await opened(venue, *load_plays([path]))
        given = settings(stream={"query_url": venue.query_url, "symbols": ["BTCUSD"]})
        with pytest.raises(ConfigError, match="--symbol: bybit has no market 'BTCUSD'"):
            await asyncio.to_thread(open_stream, given, (), SystemClock())


@pytest.mark.parametrize(("venue", "remedy"), [("bybit", "check the network"), ("local", "trader-tui venue")])
async def test_a_venue_that_does_not_answer_is_told_with_what_to_do(venue, remedy):
    async with LoopbackVenue() as gone:
        pass
    with pytest.raises(TransientError, match=f"nobody listens there. Nothing was started: .*{remedy}"):
        await opened(gone, venue=venue)


async def test_an_unknown_venue_is_told_with_what_is_close():
    with pytest.raises(ConfigError, match="'bybitt' is no venue; did you mean bybit"):
        await asyncio.to_thread(open_stream, settings(venue="bybitt"), (), SystemClock())
