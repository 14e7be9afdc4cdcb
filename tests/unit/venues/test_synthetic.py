"""The made-up market: believable, and the same for a seed whatever the polls."""

from collections import defaultdict
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.domain.market import Bar, MarketEvent, Quote, Trade
from engine.ports import LiveFeed
from engine.venues.synthetic import CATCH_UP_NS, SyntheticFeed
from tests.unit.venues.data_files import MINUTE, S

START = 1_760_000_003 * S + 123_456_789
MS = 1_000_000


def polled(feed: LiveFeed, start: int, seconds: int) -> list[MarketEvent]:
    return [event for second in range(seconds + 1) for event in feed.poll(start + second * S)]


@settings(max_examples=25)
@given(st.integers(-(2**63), 2**63 - 1), st.lists(st.integers(1, 4_000), min_size=1, max_size=30))
def test_the_same_seed_and_start_give_the_same_events_whatever_the_polls(seed: int, waits_ms: list[int]):
    one, other = (SyntheticFeed(seed, START, steps_ns=[15 * S]) for _ in range(2))
    end = START + sum(waits_ms) * MS
    seen = [event for waited in accumulate(waits_ms) for event in one.poll(START + waited * MS)]
    again = [event for ts in range(START, end, 100 * MS) for event in other.poll(ts)]
    assert seen == again + list(other.poll(end))


def test_events_come_in_order_and_not_before_their_time():
    feed = SyntheticFeed(1, START)
    last = START
    for second in range(30):
        due, now = feed.next_at(), START + second * S
        events = feed.poll(now)
        assert bool(events) == (due <= now)
        assert all(last <= event.ts <= now for event in events)
        last = max([last, *(event.ts for event in events)])
        assert feed.next_at() > now


def test_prices_and_sizes_lie_on_the_instruments_steps():
    feed = SyntheticFeed(2, START, symbols=["BTCUSDT", "XRPUSDT", "DOGEUSDT"])
    steps = {instrument.symbol: instrument for instrument in feed.instruments}
    events = polled(feed, START, 60)
    for event in events:
        instrument = steps[event.symbol]
        match event:
            case Trade():
                prices, quantities = [event.price], [event.qty]
            case Quote():
                prices, quantities = [event.bid, event.ask], [event.bid_qty, event.ask_qty]
                assert event.bid < event.ask
            case Bar():
                prices, quantities = [event.open, event.high, event.low, event.close], [event.volume]
        assert all(instrument.price(price) == Decimal(repr(price)) for price in prices)
        assert all(instrument.price(price) % instrument.tick == 0 for price in prices)
        assert all(
            instrument.qty(qty) > 0 and instrument.qty(qty) % instrument.lot == 0 for qty in quantities
        )


def test_bars_hold_the_trades_inside_them_and_coarser_bars_the_finer():
    start = 1_760_000_040 * S  # a whole minute, so that every bar is seen from its beginning
    events = polled(SyntheticFeed(3, start, steps_ns=[15 * S, MINUTE]), start, 180)
    trades: dict[tuple[str, int], list[Trade]] = defaultdict(list)
    bars: dict[tuple[str, int], list[Bar]] = defaultdict(list)
    for event in events:
        if isinstance(event, Trade):
            trades[event.symbol, event.ts // (5 * S)].append(event)
        elif isinstance(event, Bar):
            bars[event.symbol, event.step_ns].append(event)
    assert {step for _, step in bars} == {5 * S, 15 * S, MINUTE}
    for (symbol, step), told in bars.items():
        for bar in told:
            inside = [
                trade
                for slot in range((bar.ts - step) // (5 * S), bar.ts // (5 * S))
                for trade in trades[symbol, slot]
            ]
            prices = [trade.price for trade in inside]
            assert (bar.open, bar.close, bar.count) == (prices[0], prices[-1], len(inside))
            assert (bar.high, bar.low) == (max(prices), min(prices))
            assert bar.volume == pytest.approx(sum(trade.qty for trade in inside))


def test_a_bar_that_began_before_the_start_is_whole():
    events = polled(SyntheticFeed(3, START, symbols=["BTCUSDT"]), START, 10)
    first = next(event for event in events if isinstance(event, Bar))
    seen = [event for event in events if isinstance(event, Trade) and event.ts < first.ts]
    assert first.count > len(seen)
    assert first.low <= first.open <= first.high


@pytest.mark.parametrize("rate", [30.0, 1_000.0, 10_000.0])
def test_the_market_is_about_as_busy_as_asked(rate: float):
    seconds = 60 if rate < 100 else 3
    events = polled(SyntheticFeed(4, START, events_per_s=rate), START, seconds)
    assert 0.5 < len(events) / seconds / rate < 2.0


def test_the_spread_is_wider_where_the_market_is_wilder():
    spreads, moves = [], []
    for hour in range(40):
        start = START + hour * 3600 * S
        quotes = [
            event
            for event in polled(SyntheticFeed(5, start, symbols=["BTCUSDT"]), start, 4)
            if isinstance(event, Quote)
        ]
        if quotes:
            spreads.append(max(quote.ask - quote.bid for quote in quotes))
            moves.append(max(quote.mark for quote in quotes) - min(quote.mark for quote in quotes))
    wild = sorted(zip(moves, spreads, strict=True))
    third = len(wild) // 3
    assert sum(spread for _, spread in wild[-third:]) > sum(spread for _, spread in wild[:third])


def test_after_a_long_stall_what_is_old_is_skipped():
    feed = SyntheticFeed(6, START)
    feed.poll(START + S)
    now = START + 3600 * S
    events = feed.poll(now)
    assert events
    assert events[0].ts >= now - CATCH_UP_NS
    assert feed.skipped_ns == pytest.approx(3600 * S - S - CATCH_UP_NS, abs=2 * S)
    assert feed.poll(now) == []
    later = [event for event in feed.poll(now + 5 * S) if isinstance(event, Bar)]
    assert later


def test_a_restarted_market_goes_on_at_the_same_prices():
    first = polled(SyntheticFeed(7, START), START, 60)
    second = polled(SyntheticFeed(7, START + 30 * S), START + 30 * S, 30)
    assert [event for event in first if event.ts >= START + 35 * S and not isinstance(event, Bar)] == [
        event for event in second if event.ts >= START + 35 * S and not isinstance(event, Bar)
    ]


def test_the_history_ends_at_the_start_and_leads_into_the_live_prices():
    feed = SyntheticFeed(8, START, steps_ns=[MINUTE])
    bars = feed.history(50)
    assert bars == SyntheticFeed(8, START, steps_ns=[MINUTE]).history(50)
    assert all(before.ts <= after.ts for before, after in pairwise(bars))
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        for step in (5 * S, MINUTE):
            own = [bar for bar in bars if (bar.symbol, bar.step_ns) == (symbol, step)]
            assert len(own) >= 45  # all but silent ones
            assert own[-1].ts == START // step * step
            assert all(
                bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in own
            )
    live = next(event for event in feed.poll(START + 5 * S) if isinstance(event, Trade))
    before = next(bar for bar in reversed(bars) if bar.symbol == live.symbol)
    assert live.price == pytest.approx(before.close, rel=0.005)


def test_a_silent_time_has_no_bars():
    feed = SyntheticFeed(8, START, symbols=["BTCUSDT"])
    ends = [bar.ts for bar in feed.history(3_000)]
    assert len(ends) < 3_000
    gap = next(before for before, after in pairwise(ends) if after - before > 5 * S)
    quiet = SyntheticFeed(8, gap, symbols=["BTCUSDT"])
    assert quiet.next_at() > gap + 4 * S


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"symbols": ["BTCUSD"]}, "the synthetic market has no 'BTCUSD'; it has BTCUSDT, ETHUSDT"),
        ({"symbols": []}, "needs one symbol at least"),
        ({"symbols": ["BTCUSDT", "BTCUSDT"]}, "each once"),
        ({"steps_ns": [7 * S]}, "cannot make bars of 7 s from 5 s"),
        ({"base_step_ns": 300 * MS}, "cannot make bars of 0.3 s from 0.3 s"),
        ({"events_per_s": 0.0}, "events_per_s must be above 0 and at most 20000"),
        ({"events_per_s": 1e9}, "events_per_s must be above 0"),
    ],
)
def test_settings_that_make_no_market_are_refused(settings_: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        SyntheticFeed(1, START, **settings_)
