"""Files are played in one order, with the bars that plays ask for, from any offset."""

import hashlib
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import Bar, MarketEvent, Trade
from engine.ports import HistoricalFeed
from engine.venues.instruments import BarTime
from engine.venues.replay import (
    CHUNK_ROWS,
    DataSource,
    FileFeed,
    MergedFeed,
    clip,
    load_tape,
    open_feed,
    parse_source,
)
from tests.unit.venues.data_files import MINUTE, TRADE_HEADER, S, rows_of, shared_file, write, write_bars

HOUR = 60 * MINUTE


def tape(path: Path, symbol: str | None = None, **more: object):
    return load_tape(DataSource(path, symbol), **more)  # type: ignore[arg-type]  # the tests' own keywords


def minute_bars(path: Path, count: int, first_ms: int = 0) -> Path:
    rows = [
        f"{first_ms + number * 60_000},{100 + number},{102 + number},{99 + number},{101 + number},1.5"
        for number in range(count)
    ]
    return write_bars(path, *rows)


def shown(events: list[MarketEvent]) -> list[tuple[float, str, int]]:
    """Show events as (seconds, symbol, step in seconds or 0 for a trade)."""
    return [
        (event.ts / S, event.symbol, event.step_ns // S if isinstance(event, Bar) else 0) for event in events
    ]


def test_a_bar_is_told_under_the_time_of_its_close(tmp_path: Path):
    path = minute_bars(tmp_path / "x_btcusdt.csv", 2)
    first = next(FileFeed(tape(path)).events())
    assert first == Bar(MINUTE, "BTCUSDT", 100.0, 102.0, 99.0, 101.0, 1.5, MINUTE, 0)
    assert next(FileFeed(tape(path, bar_ts=BarTime.CLOSE)).events()).ts == 0


def test_a_coarser_bar_follows_the_bar_that_completes_it_and_the_tape_end_closes_the_last(tmp_path: Path):
    feed = FileFeed(tape(minute_bars(tmp_path / "x_btcusdt.csv", 4)), [2 * MINUTE, 3 * MINUTE, MINUTE])
    assert [(ts, step) for ts, _, step in shown(list(feed.events()))] == [
        (60, 60),
        (120, 60),
        (120, 120),
        (180, 60),
        (180, 180),
        (240, 60),
        (240, 120),
        (360, 180),
    ]
    coarse = [event for event in feed.events() if isinstance(event, Bar) and event.step_ns == 3 * MINUTE]
    assert coarse[0] == Bar(3 * MINUTE, "BTCUSDT", 100.0, 104.0, 99.0, 103.0, 4.5, 3 * MINUTE, 0)


def test_trades_become_bars_of_5_s_told_before_the_next_trade(tmp_path: Path):
    path = write(
        tmp_path / "x_btcusdt.csv",
        TRADE_HEADER,
        "1000,10,1,buy,1",
        "4999,11,2,sell,2",
        "5000,12,4,buy,3",
        "17000,13,8,buy,4",
    )
    feed = FileFeed(tape(path), [10 * S])
    assert (feed.base_step_ns, feed.has_trades, feed.has_quotes, feed.rows) == (5 * S, True, False, 4)
    assert [(ts, step) for ts, _, step in shown(list(feed.events()))] == [
        (1, 0),
        (4.999, 0),
        (5, 5),
        (5, 0),
        (10, 5),
        (10, 10),
        (17, 0),
        (20, 5),
        (20, 10),
    ]
    trade, _, bar = list(feed.events())[:3]
    assert trade == Trade(S, "BTCUSDT", 10.0, 1.0, 1, 10.0, 10.0)
    assert bar == Bar(5 * S, "BTCUSDT", 10.0, 11.0, 10.0, 11.0, 3.0, 5 * S, 2)


def test_a_feed_can_be_cut_short_and_taken_up_anywhere(tmp_path: Path):
    source = tape(minute_bars(tmp_path / "x_btcusdt.csv", 3 * CHUNK_ROWS))
    whole = list(FileFeed(source, [HOUR]).events())
    feed = FileFeed(source, [HOUR], limit=2_000)
    assert len(feed) == 2_000
    assert list(feed.events()) == whole[:2_000]
    for offset in (0, 59, 60, 61, CHUNK_ROWS, 1_999, 2_000, 2_001):
        assert list(feed.events(offset)) == whole[offset:2_000]
    assert len(FileFeed(source, limit=10**9)) == 3 * CHUNK_ROWS


def test_a_step_that_the_files_bars_cannot_add_up_to_is_refused(tmp_path: Path):
    source = tape(minute_bars(tmp_path / "x_btcusdt.csv", 4))
    for step in (90 * S, 30 * S):
        with pytest.raises(
            ConfigError, match=r"x_btcusdt\.csv: bars of \d+ s cannot be built: the file's step is 60 s"
        ):
            FileFeed(source, [step])


def test_at_one_time_bars_come_before_trades_and_files_in_their_order(tmp_path: Path):
    trades = write(tmp_path / "a_ethusdt.csv", TRADE_HEADER, "59000,1,1,buy,1", "60000,2,1,buy,2")
    bars = minute_bars(tmp_path / "b_btcusdt.csv", 3)
    feed = MergedFeed([tape(trades), tape(bars)])
    assert feed.base_step_ns == MINUTE
    assert (feed.has_trades, feed.has_quotes, feed.rows, len(feed)) == (True, False, 5, 9)
    assert [instrument.symbol for instrument in feed.instruments] == ["ETHUSDT", "BTCUSDT"]
    assert shown(list(feed.events())) == [
        (59, "ETHUSDT", 0),
        (60, "ETHUSDT", 5),
        (60, "ETHUSDT", 60),
        (60, "BTCUSDT", 60),
        (60, "ETHUSDT", 0),
        (65, "ETHUSDT", 5),
        (120, "ETHUSDT", 60),
        (120, "BTCUSDT", 60),
        (180, "BTCUSDT", 60),
    ]
    assert len(MergedFeed([tape(trades), tape(bars)], limit=4)) == 4


def test_two_files_of_one_symbol_must_be_told_apart(tmp_path: Path):
    bars = minute_bars(tmp_path / "b_btcusdt.csv", 3)
    with pytest.raises(
        ConfigError, match=r"b_btcusdt\.csv is of BTCUSDT too; name one of them: --data SYMBOL="
    ):
        MergedFeed([tape(bars), tape(bars)])
    feed = open_feed([tape(bars), tape(bars, "OTHER")])
    assert [instrument.symbol for instrument in feed.instruments] == ["BTCUSDT", "OTHER"]
    assert isinstance(open_feed([tape(bars)]), FileFeed)


def test_a_source_may_carry_the_symbol_it_is_bound_to(tmp_path: Path):
    assert parse_source("XBTUSD=d/f.csv.gz") == DataSource(Path("d/f.csv.gz"), "XBTUSD")
    assert parse_source("d/f=1.csv") == DataSource(Path("d/f=1.csv"))
    odd = write(tmp_path / "a=b.csv", TRADE_HEADER)
    assert parse_source(str(odd)) == DataSource(odd)


def test_a_tape_can_be_clipped_to_a_time(tmp_path: Path):
    source = tape(minute_bars(tmp_path / "x_btcusdt.csv", 6))
    clipped = FileFeed(clip(source, 2 * MINUTE, 5 * MINUTE), [2 * MINUTE])
    assert clipped.rows == 3
    assert [(ts, step) for ts, _, step in shown(list(clipped.events()))] == [
        (120, 60),
        (120, 120),
        (180, 60),
        (240, 60),
        (240, 120),
    ]
    assert FileFeed(clip(source)).rows == 6
    with pytest.raises(ConfigError, match="has no rows in the time asked for"):
        clip(source, 7 * MINUTE)


def test_the_fingerprint_names_the_files_as_they_were_read(tmp_path: Path):
    path = minute_bars(tmp_path / "x_btcusdt.csv", 3)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    feeds: list[HistoricalFeed] = [open_feed([tape(path)]), open_feed([tape(path), tape(path, "Y")])]
    path.write_text("changed")
    assert [feed.fingerprint() for feed in feeds] == [{str(path): digest}] * 2


def test_fees_of_the_caller_reach_the_instrument(tmp_path: Path):
    path = minute_bars(tmp_path / "x_btcusdt.csv", 3)
    instrument = tape(path, maker_fee=Decimal("0.001"), taker_fee=Decimal("0.002")).instrument
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal("0.001"), Decimal("0.002"))


@pytest.mark.shared
def test_real_trades_play_as_recorded_though_the_recorders_clock_was_behind():
    path = shared_file("trades/binance_usdm_btcusdt_20240808_trades.csv.gz")
    source = tape(path)
    events = list(FileFeed(source, [MINUTE]).events())
    trades = [event for event in events if isinstance(event, Trade)]
    assert source.quirks.recv_behind == 21_313
    assert [event.ts for event in events] == sorted(event.ts for event in events)
    assert [trade.ts for trade in trades] == [int(row["ts_ms"]) * 1_000_000 for row in rows_of(path).values()]
    counts = Counter(event.step_ns // S for event in events if isinstance(event, Bar))
    assert counts == {5: 69, 60: 6}
    for step in (5 * S, MINUTE):
        inside = sum(event.count for event in events if isinstance(event, Bar) and event.step_ns == step)
        assert inside == 21_313


@pytest.mark.shared
def test_minutes_that_are_missing_in_a_real_file_are_not_filled():
    source = tape(shared_file("bars/freqtrade_unittestbtc_1m_2017.csv.gz"))
    events = list(FileFeed(source).events())
    assert len(events) == 13_681
    steps = [after.ts - before.ts for before, after in pairwise(events)]
    assert sum(step != MINUTE for step in steps) == source.quirks.gaps == 538
