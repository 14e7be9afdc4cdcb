"""Any play on any tape: backtest, live path, and live path restarted in between decide the same bits.

The live path here is the pump that runs live, driven by its tape clock, without disk and process around it;
those are tried with whole programs in tests/parity.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.orders import OrderKind
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    EntryOrder,
    LadderStep,
    LossGuard,
    PlaySpec,
    Protections,
    Rule,
    ScaleIn,
    Sizing,
    SizingKind,
    TimeStop,
    Trailing,
)
from engine.runtime.backtest import play_tape
from engine.runtime.binding import PlayFile
from engine.runtime.building import build_loop
from engine.runtime.drivers import Gauges, TapeTime
from engine.runtime.factory import tape_config
from engine.runtime.inbox import Inbox
from engine.runtime.loop import NO_REFUSALS
from engine.runtime.pump import Pump
from engine.runtime.recovery import NullRecorder
from engine.runtime.session import SessionConfig, decode_state, encode_state
from engine.runtime.tapes import tape_feed
from engine.strategy.syntax import canonical
from engine.venues.datafile import BarColumns, Quirks, TradeColumns
from engine.venues.replay import DataSource, FileFeed, MergedFeed, Tape, load_tape
from tests.builders import BTC, ETH, STEP, instrument
from tests.property.rules import LEGS, leg_rules, rules

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = (
    "bars/bitmex_xbtusd_1m_2020.csv.gz",
    "bars/freqtrade_unittestbtc_1m_2017.csv.gz",
    "trades/binance_usdm_ethusdt_20240808_trades.csv.gz",
)
BUSY = ("close > close[1]", "close < close[1]", "close crosses_above sma(3)", "close crosses_below sma(3)")
ROWS = 250
slow = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


# tapes


def bars_tape(symbol: str, seed: int, rows: int = ROWS) -> Tape:
    """A random walk of minutes with some missing, gaps in price and bars without volume."""
    chance = np.random.default_rng(seed)
    ts = (1_000_000 + np.cumsum(chance.choice([1, 1, 1, 1, 3], rows))) * STEP
    close = np.round(100 * np.exp(np.cumsum(chance.normal(0, 0.004, rows))), 1)
    opened = np.round(np.roll(close, 1) + chance.choice([0.0, 0.0, 0.5, -0.5], rows), 1)
    opened[0] = close[0]
    wick = np.round(chance.exponential(0.3, (2, rows)), 1)
    high, low = np.maximum(opened, close) + wick[0], np.minimum(opened, close) - wick[1]
    volume = np.round(chance.choice([0.0, 1.0, 30.0, 500.0], rows) * chance.random(rows), 2)
    columns = BarColumns(
        ts, opened, np.round(high, 1), np.round(low, 1), close, volume, np.zeros(rows, np.int64)
    )
    return made(symbol, columns, STEP)


def trades_tape(symbol: str, seed: int, rows: int = 4 * ROWS) -> Tape:
    """A random walk of prints, several in a millisecond."""
    chance = np.random.default_rng(seed)
    ts = 60_000_000_000_000 + np.cumsum(chance.choice([0, 0, 1, 700, 9_000], rows)) * 1_000_000
    price = np.round(100 * np.exp(np.cumsum(chance.normal(0, 0.0005, rows))), 1)
    qty = np.round(chance.exponential(5, rows), 2)
    return made(symbol, TradeColumns(ts, price, qty, chance.choice([-1, 1], rows)), 5_000_000_000)


def made(symbol: str, columns: BarColumns | TradeColumns, step_ns: int) -> Tape:
    ts = columns.ts
    quirks = Quirks(rows=ts.size, first=int(ts[0]), last=int(ts[-1]), base_step_ns=step_ns)
    facts = instrument(
        symbol, volume_caps_fills=True, maker_fee=Decimal("0.0002"), taker_fee=Decimal("0.001")
    )
    return Tape(Path(f"{symbol}.csv"), "0" * 64, facts, columns, quirks, ())


@cache
def recorded(name: str) -> Tape:
    return load_tape(DataSource(DATA / name))


def slice_of(tape: Tape, start: int) -> Tape:
    """Return ROWS rows of a recorded file from some row on."""
    first = start % (tape.columns.ts.size - ROWS)
    kind = type(tape.columns)
    columns = kind(*(getattr(tape.columns, name)[first : first + ROWS] for name in kind.__slots__))
    return Tape(tape.path, tape.sha256, tape.instrument, columns, tape.quirks, ())


random_tapes = st.one_of(
    st.builds(bars_tape, st.just(BTC), st.integers(0, 2**32)),
    st.builds(trades_tape, st.just(BTC), st.integers(0, 2**32)),
)
real_tapes = st.builds(
    lambda name, start: slice_of(recorded(name), start), st.sampled_from(REAL), st.integers(0, 10**6)
)
some_tapes = st.one_of(random_tapes, random_tapes, real_tapes) if DATA.exists() else random_tapes

# plays

distances = st.one_of(
    st.none(),
    st.builds(Distance, st.just(DistanceKind.PERCENT), st.sampled_from([0.1, 0.4, 1.5])),
    st.builds(Distance, st.just(DistanceKind.ATR), st.sampled_from([0.5, 2.0]), st.integers(1, 5)),
)
sizings = st.one_of(
    st.builds(Sizing, st.just(SizingKind.NOTIONAL), st.sampled_from([Decimal(500), Decimal(9_000)])),
    st.builds(Sizing, st.just(SizingKind.EQUITY_FRACTION), st.just(Decimal("0.3"))),
    st.just(Sizing(SizingKind.VOLATILITY_TARGET, Decimal(20), notional_max=Decimal(5_000), period=5)),
)


near, far = Distance(DistanceKind.PERCENT, 0.2), Distance(DistanceKind.ATR, 2.0, 3)
# What a play may do besides, a few at a time.
EXTRAS: dict[str, list[Any]] = {
    "entry": [
        EntryOrder(OrderKind.LIMIT, near, valid_bars=2, replace=True),
        EntryOrder(OrderKind.LIMIT, near, post_only=True, valid_bars=3),
        EntryOrder(OrderKind.STOP, near, valid_bars=3),
    ],
    "ladder": [(LadderStep(near, Decimal(40)), LadderStep(Distance(DistanceKind.PERCENT, 0.8), Decimal(60)))],
    "trailing": [Trailing(near), Trailing(far, after=near)],
    "break_even": [BreakEven(near, 0.05)],
    "time_stop": [TimeStop(bars=7), TimeStop(after_ns=20 * STEP)],
    "scale_in": [
        ScaleIn(3, when=Rule(BUSY[0])),
        ScaleIn(2, every=near, against=True, size_factor=Decimal(2)),
    ],
    "protections": [
        Protections(cooldown_bars=4, trades_per_day_max=9),
        Protections(stop_loss_guard=LossGuard(trades=2, within_ns=60 * STEP, pause_ns=30 * STEP)),
    ],
}


@st.composite
def extras(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(EXTRAS)), max_size=3, unique=True))
    return {name: draw(st.sampled_from(EXTRAS[name])) for name in names}


@st.composite
def plays(draw: st.DrawFn, *, several: bool = False) -> PlaySpec:
    """A play of random rules, busy ones among them, so that most plays trade."""
    any_rule = st.one_of(st.sampled_from(BUSY).map(Rule), (leg_rules if several else rules).map(text_of))
    more = draw(extras())
    return PlaySpec(
        name="probe",
        legs=LEGS if several else (),
        timeframe=draw(st.sampled_from(["base", "base", "5m", "trade"])),
        sizing=draw(sizings),
        long_entry=draw(any_rule),
        long_exit=draw(st.one_of(st.none(), any_rule)),
        short_entry=draw(st.one_of(st.none(), any_rule)),
        short_exit=draw(st.one_of(st.none(), any_rule)),
        stop_loss=draw(distances),
        take_profit=None if "ladder" in more else draw(distances),
        **more,
    )


def text_of(rule) -> Rule:
    return Rule(canonical(rule))


# three ways


class Willing:
    """A dispatcher that stores nothing and refuses nothing."""

    async def commit(self, batch, now):
        return NO_REFUSALS


class Cut:
    """A tape that stops its driver before some of its events."""

    def __init__(self, feed: FileFeed | MergedFeed, before: int, ended: asyncio.Event) -> None:
        self._feed, self._before, self._ended = feed, before, ended
        self.instruments, self.base_step_ns = feed.instruments, feed.base_step_ns

    def events(self, offset: int = 0):
        for number, event in enumerate(self._feed.events(offset), start=offset):
            if number == self._before:
                self._ended.set()
            yield event

    def __len__(self) -> int:
        return len(self._feed)

    def fingerprint(self) -> dict[str, str]:
        return {}


def configured(mode: str, spec: PlaySpec, tapes: Sequence[Tape], latency_ms: float):
    """Return a session's facts and its feed, or leave the example where the play does not fit the tape."""
    wish = Settings.model_validate(
        {
            "mode": mode,
            "arm": True,
            "speed": "max",
            "account": {"equity": 20_000},
            "limits": {"stale_after_s": 3600.0},
            "simulated": {"latency_ms": latency_ms, "participation": 0.5},
        }
    )
    files = (PlayFile(Path("probe.yaml"), spec),)
    try:
        return tape_config(wish, tapes, files, 0), tape_feed(tapes, files)
    except ConfigError:
        assume(False)
        raise


def outcome(machine):
    tally, ledger = machine.tally, machine.ledger
    counts = (ledger.fills, ledger.trades, machine.desk.sequence)
    return (tally.signal_hash, tally.trade_hash, ledger.exact_equity(), ledger.drawdown_max, counts)


async def live(config: SessionConfig, feed: FileFeed | MergedFeed, cuts: Sequence[int] = ()):
    """Run the live path; at each cut its state goes through bytes into an engine that begins anew."""
    loop = build_loop(config)
    pump = Pump(loop, dispatcher=Willing(), recorder=NullRecorder())
    await pump.begin(next(iter(feed.events())).ts)
    for cut in [*sorted(cuts), -1]:
        ended = asyncio.Event()
        tape = Cut(feed, cut, ended)
        await TapeTime(pump, Inbox(), tape, Gauges(), speed=None, next_at=loop.next_at).run(ended)
        if ended.is_set():
            kept = encode_state(pump.state("s", config.shape, {}))
            loop = build_loop(config)
            pump = Pump(loop, dispatcher=Willing(), recorder=NullRecorder())
            pump.restore(decode_state(kept))
    return outcome(loop.machine)


def hold(spec: PlaySpec, tapes: Sequence[Tape], latency_ms: float, data: st.DataObject) -> None:
    config, feed = configured("backtest", spec, tapes, latency_ms)
    loop = build_loop(config)
    play_tape(loop, feed)
    expected = outcome(loop.machine)
    config, feed = configured("replay", spec, tapes, latency_ms)
    assert asyncio.run(live(config, feed)) == expected
    cuts = data.draw(st.lists(st.integers(0, len(feed) - 1), min_size=1, max_size=3, unique=True), "cuts")
    assert asyncio.run(live(config, feed, cuts)) == expected


latencies = st.sampled_from([0.0, 50.0, 59_000.0])


@slow
@given(spec=plays(), tape=some_tapes, latency_ms=latencies, data=st.data())
def test_any_play_decides_the_same_three_ways(spec, tape, latency_ms, data):
    hold(spec, (tape,), latency_ms, data)


@slow
@given(
    spec=plays(several=True), seeds=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)), data=st.data()
)
def test_any_play_on_two_symbols_decides_the_same_three_ways(spec, seeds, data):
    tapes = (bars_tape(BTC, seeds[0]), bars_tape(ETH, seeds[1]))
    hold(spec, tapes, 0.0, data)


def test_the_plays_that_are_tried_do_trade():
    spec = PlaySpec(
        name="probe",
        sizing=Sizing(SizingKind.NOTIONAL, Decimal(500)),
        long_entry=Rule(BUSY[2]),
        long_exit=Rule(BUSY[3]),
    )
    prints = msgspec.structs.replace(spec, timeframe="trade")
    for play, tape in ((spec, bars_tape(BTC, 1)), (spec, trades_tape(BTC, 1)), (prints, trades_tape(BTC, 1))):
        config, feed = configured("backtest", play, (tape,), 50.0)
        loop = build_loop(config)
        play_tape(loop, feed)
        assert loop.machine.ledger.trades > 3
