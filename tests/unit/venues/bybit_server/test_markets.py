"""The exchange's markets: a recorded file moved to the present, the made-up one, and klines over both."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from engine.domain.market import NS_PER_S, Bar, Quote, Trade
from engine.venues.bybit_server.candles import INTERVALS, MINUTE_NS, MINUTES_KEPT, Candles
from engine.venues.bybit_server.market import SyntheticMarket
from engine.venues.bybit_server.tape import TapeMarket
from engine.venues.replay import DataSource, Tape, load_tape
from tests.unit.venues.bybit_server.floor import SYMBOL, StillMarket, rules

OPENED_MS = 1_600_000_020_000  # a full minute
START = 1_700_000_000 * NS_PER_S
HOUR_NS = 60 * MINUTE_NS


def tape_of(folder: Path, lines: list[str], header: str) -> Tape:
    """Write a file and load it."""
    path = folder / "btcusdt.csv.gz"
    path.write_bytes(gzip.compress("\n".join([header, *lines, ""]).encode()))
    return load_tape(DataSource(path))


def minutes(folder: Path, count: int) -> Tape:
    """Return a tape of minutes that rise by one each."""
    lines = [
        f"{OPENED_MS + 60_000 * at},{100 + at},{102 + at},{99 + at},{101 + at},4.0" for at in range(count)
    ]
    return tape_of(folder, lines, "ts_ms,open,high,low,close,volume")


def prints(folder: Path, count: int) -> Tape:
    """Return a tape of one print a second."""
    sides = ("buy", "sell")
    lines = [f"{OPENED_MS + 1_000 * at},{100 + at % 7}.5,0.25,{sides[at % 2]}" for at in range(count)]
    return tape_of(folder, lines, "ts_ms,price,qty,side")


def told(market: TapeMarket, seconds: float) -> list[Trade | Quote]:
    """Return what a market says within some seconds of its start."""
    events = market.poll(START + int(seconds * NS_PER_S))
    assert all(isinstance(event, (Trade, Quote)) for event in events)
    return [event for event in events if isinstance(event, (Trade, Quote))]


def test_a_bar_becomes_its_four_prices_in_order_of_time(tmp_path: Path):
    market = TapeMarket([minutes(tmp_path, 3)], START)
    events = told(market, 10_000)
    trades = [event for event in events if isinstance(event, Trade)]
    assert [trade.price for trade in trades[:4]] == [100, 99, 102, 101]
    assert sum(trade.qty for trade in trades) == 12
    assert all(one.ts <= other.ts for one, other in pairwise(events))
    assert START <= events[0].ts < START + MINUTE_NS
    assert market.next_at() is None


def test_prints_keep_their_distance_and_have_a_book_around_them(tmp_path: Path):
    market = TapeMarket([prints(tmp_path, 20)], START)
    events = told(market, 10_000)
    trades = [event for event in events if isinstance(event, Trade)]
    assert len(trades) == 20
    assert {other.ts - one.ts for one, other in pairwise(trades)} == {NS_PER_S}
    for quote, trade in zip(events[::2], events[1::2], strict=True):
        assert isinstance(quote, Quote)
        assert isinstance(trade, Trade)
        assert trade.price == (quote.ask if trade.side > 0 else quote.bid)
        assert quote.bid < quote.ask


def test_time_may_run_faster(tmp_path: Path):
    market = TapeMarket([prints(tmp_path, 21)], START, speed=10)
    trades = [event for event in told(market, 10_000) if isinstance(event, Trade)]
    assert trades[-1].ts - trades[0].ts == 2 * NS_PER_S


@pytest.mark.parametrize("kind", [minutes, prints])
def test_the_lead_is_past_already(tmp_path: Path, kind: object):
    tape = minutes(tmp_path, 200) if kind is minutes else prints(tmp_path, 12_000)
    market = TapeMarket([tape], START, lead_ns=100 * MINUTE_NS)
    bars = market.past(tape.instrument.symbol, MINUTE_NS, START - 50 * MINUTE_NS, START)
    assert 49 <= len(bars) <= 51, "whole minutes, and those that the ends cut"
    assert {other.ts - one.ts for one, other in pairwise(bars)} == {MINUTE_NS}
    assert all(bar.ts <= START + MINUTE_NS for bar in bars)
    hours = market.past(tape.instrument.symbol, HOUR_NS, START - 3 * HOUR_NS, START)
    assert sum(bar.volume for bar in hours) > 0
    assert (
        market.past(tape.instrument.symbol, MINUTE_NS, START - 900 * MINUTE_NS, START - 800 * MINUTE_NS) == []
    )


def test_a_tape_opens_at_its_last_price_or_its_first(tmp_path: Path):
    symbol = "BTCUSDT"
    assert TapeMarket([minutes(tmp_path, 30)], START).opening(symbol, START) == 101
    later = TapeMarket([minutes(tmp_path, 30)], START, lead_ns=10 * MINUTE_NS).opening(symbol, START)
    assert 108 <= later <= 111
    assert TapeMarket([prints(tmp_path, 5)], START).opening(symbol, START) == 100.5


def test_a_market_that_was_left_alone_goes_on_by_the_clock(tmp_path: Path):
    market = TapeMarket([prints(tmp_path, 600)], START)
    market.skip_to(START + 300 * NS_PER_S)
    assert market.poll(START + 300 * NS_PER_S)[0].ts >= START + 239 * NS_PER_S


def test_the_made_up_markets_past_is_known_at_any_time():
    market = SyntheticMarket(1, START, ["BTCUSDT"], 30.0)
    bars = market.past("BTCUSDT", HOUR_NS, START - 24 * HOUR_NS, START)
    assert len(bars) == 24
    assert market.past("BTCUSDT", HOUR_NS, START - 24 * HOUR_NS, START) == bars
    assert market.next_at() >= START
    assert {event.symbol for event in market.poll(START + NS_PER_S)} == {"BTCUSDT"}


# klines


def heard(candles: Candles, start: int, count: int, every_ns: int) -> None:
    for at in range(count):
        price = 100.0 + at % 10
        candles.add(Trade(start + at * every_ns, SYMBOL, price, 1.0, 1, price, price))


def test_klines_of_every_interval_meet_at_the_start_without_a_seam():
    start = START + 17 * NS_PER_S
    candles = Candles(rules(), StillMarket(), start)
    heard(candles, start, 300, 30 * NS_PER_S)
    now = start + 300 * 30 * NS_PER_S
    for step in INTERVALS.values():
        bars = candles.between(step, now - 20 * step, now)
        assert {other.ts - one.ts for one, other in pairwise(bars)} <= {step}
        assert bars[-1].ts >= now
        assert len(bars) >= 20


def test_a_coarser_bar_is_what_its_minutes_are():
    start = START // HOUR_NS * HOUR_NS
    candles = Candles(rules(), StillMarket(), start)
    heard(candles, start, 240, 15 * NS_PER_S)
    (hour,) = candles.between(HOUR_NS, start, start)
    fine = candles.between(MINUTE_NS, start, start + 59 * MINUTE_NS)
    assert len(fine) == 60
    assert (hour.open, hour.high, hour.low, hour.close) == (100, 109, 100, fine[-1].close)
    assert (hour.volume, hour.count) == (240, 240)


def test_a_minute_without_trades_ends_by_the_clock_and_has_no_bar():
    candles = Candles(rules(), StillMarket(), START)
    heard(candles, START, 1, 1)
    ended = candles.close_at(START + 5 * MINUTE_NS)
    assert isinstance(ended, Bar)
    assert candles.close_at(START + 6 * MINUTE_NS) is None


def test_so_many_minutes_are_kept():
    candles = Candles(rules(), StillMarket(), START)
    heard(candles, START, MINUTES_KEPT + 10, MINUTE_NS)
    now = START + (MINUTES_KEPT + 10) * MINUTE_NS
    bars = candles.between(MINUTE_NS, START, now)
    assert {other.ts - one.ts for one, other in pairwise(bars)} == {MINUTE_NS}
