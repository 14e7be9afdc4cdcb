"""Bars that are skimmed leave the same bits as bars that are taken one by one."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.core.machine import Machine
from engine.core.setup import CoreSetup
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_DAY, NS_PER_S, MarketEvent
from engine.domain.orders import OrderKind
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    DrawdownStop,
    EntryOrder,
    LadderStep,
    Level,
    LossGuard,
    LowProfit,
    Protections,
    Rule,
    ScaleIn,
    Sizing,
    SizingKind,
    StopLevel,
    TimeStop,
    Trailing,
)
from engine.runtime.loop import Batch, Loop, Steps
from engine.runtime.skim import Skimmer
from engine.strategy.legs import evaluator_of
from engine.strategy.syntax import canonical
from engine.strategy.timeframes import step_of
from engine.venues.datafile import BarColumns, Quirks, TradeColumns
from engine.venues.replay import FileFeed, Tape
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from tests.builders import BTC, DAY0, STEP, instrument, setup, spec
from tests.property.rules import rules

Columns = BarColumns | TradeColumns
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=80)
_BEFORE_MIDNIGHT = DAY0 + NS_PER_DAY - 40 * STEP

plain_rules = st.sampled_from(
    [
        "close crosses_above ema(3)",
        "close crosses_below ema(2)",
        "ema(2) > ema(4)",
        "close > 100",
        "close < 98",
        "high > highest(3)[1]",
        "volume > 3 and close > sma(2)@5m",
        "bars_since(close > 102) > 2",
    ]
)
entries = st.one_of(plain_rules, plain_rules, plain_rules, rules.map(canonical))
distances = st.one_of(
    st.none(),
    st.none(),
    st.builds(Distance, st.just(DistanceKind.PERCENT), st.sampled_from([0.5, 2.0, 7.5])),
    st.builds(Distance, st.just(DistanceKind.ATR), st.sampled_from([0.5, 2.0]), st.integers(1, 4)),
)
two_percent = Distance(DistanceKind.PERCENT, 2.0)
extras: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {},
        {
            "entry": EntryOrder(
                OrderKind.LIMIT, Distance(DistanceKind.PERCENT, 0.5), valid_bars=2, replace=True
            )
        },
        {"entry": EntryOrder(OrderKind.STOP, Distance(DistanceKind.PERCENT, 0.2), valid_bars=3)},
        {"trailing": Trailing(two_percent)},
        {"time_stop": TimeStop(bars=7)},
        {"scale_in": ScaleIn(3, when=Rule("close > ema(2)"))},
        {"protections": Protections(cooldown_bars=4, trades_per_day_max=5)},
        {
            "protections": Protections(
                stop_loss_guard=LossGuard(2, 60 * STEP, 20 * STEP),
                low_profit=LowProfit(2, 90 * STEP, -1.0, 9 * STEP),
                drawdown=DrawdownStop(0.1, 90 * STEP, 9 * STEP),
            ),
            "stop_level": StopLevel(Level("lowest(4)", "highest(4)"), two_percent),
            "ladder": (LadderStep(two_percent, Decimal(50)),),
            "break_even": BreakEven(Distance(DistanceKind.PERCENT, 0.5)),
        },
    ]
)
sizings = st.sampled_from(
    [
        Sizing(SizingKind.NOTIONAL, Decimal(500)),
        Sizing(SizingKind.EQUITY_FRACTION, Decimal(2)),
        Sizing(SizingKind.NOTIONAL, Decimal(100)),
        Sizing(SizingKind.VOLATILITY_TARGET, Decimal(50), Decimal(900), 5),
    ]
)


def tape_of(seed: int, count: int) -> BarColumns:
    """A walk of minute bars over midnight, with holes, and opens that may lie outside their bars."""
    chance = random.Random(seed)
    ts, price, rows = _BEFORE_MIDNIGHT, 1000, []
    for _ in range(count):
        ts += STEP * chance.choice((1, 1, 1, 1, 1, 2, 9))
        opened, price = price + chance.choice((0, 0, 0, 3)), max(900, price + chance.randint(-9, 9))
        low, high = min(opened, price) - chance.randint(-1, 4), max(opened, price) + chance.randint(-1, 4)
        volume = chance.choice((0.1, 5.0, 1000.3, 1000.3, 1000.3))
        rows.append((ts, opened / 10, max(high, price) / 10, min(low, price) / 10, price / 10, volume))
    times, opens, highs, lows, closes, volumes = (np.array(column) for column in zip(*rows, strict=True))
    return BarColumns(times, opens, highs, lows, closes, volumes, np.zeros(count, np.int64))


def prints_of(seed: int, count: int) -> TradeColumns:
    """A walk of prints over midnight, several in a moment, some seconds apart."""
    chance = random.Random(seed)
    ts, price, rows = DAY0 + NS_PER_DAY - 90 * NS_PER_S, 1000, []
    for _ in range(count):
        ts += chance.choice((0, 0, 0, 1, 400_000, NS_PER_S // 3, NS_PER_S // 3, NS_PER_S, 7 * NS_PER_S))
        price = max(900, price + chance.choice((0, 0, 1, -1, 4, -4, 20, -20)))
        rows.append((ts, price / 10, chance.choice((0.1, 5.0, 1000.3)), chance.choice((-1, 1))))
    times, prices, volumes, sides = (np.array(column) for column in zip(*rows, strict=True))
    return TradeColumns(times, prices, volumes, sides)


prints = st.builds(prints_of, st.integers(0, 10**6), st.integers(1, 400))
tapes = st.builds(tape_of, st.integers(0, 10**6), st.integers(1, 300))


@st.composite
def runs(
    draw: st.DrawFn, timeframes: tuple[str, ...] = ("base", "base", "5m")
) -> tuple[CoreSetup, SimulatedConfig]:
    rule: dict[str, Any] = {
        name: Rule(draw(entries)) if draw(st.booleans()) else None
        for name in ("long_exit", "short_entry", "short_exit")
    }
    play = spec(
        timeframe=draw(st.sampled_from(timeframes)),
        long_entry=Rule(draw(entries)),
        stop_loss=draw(distances),
        take_profit=draw(distances),
        sizing=draw(sizings),
        **rule,
        **draw(extras),
    )
    try:
        evaluator_of(play, BTC, step_ns=step_of(play.timeframe, STEP))
    except ConfigError:  # rules about minutes that cannot be made of the play's bars
        assume(False)
    capped = instrument(
        taker_fee=Decimal("0.001"), volume_caps_fills=draw(st.sampled_from([False, False, True]))
    )
    facts = setup(
        play,
        symbols=(BTC,),
        instruments=(capped,),
        window_bars=draw(st.sampled_from([1, 5, 50])),
        start_equity=Decimal(draw(st.sampled_from([1000, 1000, 1000, 0, 1]))),
        daily_loss_max=draw(st.sampled_from([None, None, None, Decimal(5)])),
    )
    venue = SimulatedConfig(
        match_on=draw(st.sampled_from([MatchOn.BARS, MatchOn.BARS, MatchOn.TRADES])),
        latency_ns=draw(st.sampled_from([STEP // 2, 0, 3 * STEP])),
        participation=draw(st.sampled_from([Decimal(1), Decimal("0.3")])),
    )
    return facts, venue


class Run:
    """A loop with all the commands it led to."""

    def __init__(self, facts: CoreSetup, config: SimulatedConfig, now: int) -> None:
        self.venue = SimulatedVenue(facts.instruments, config)
        self.loop = Loop(Machine(facts), self.venue)
        self.batches: list[Batch] = []
        self.finish(self.loop.start(now))

    def finish(self, steps: Steps) -> None:
        """Carry out all that follows."""
        self.batches.extend(steps)

    def state(self) -> bytes:
        """What a checkpoint would hold."""
        return msgspec.msgpack.encode(self.loop.state())

    def skim(self, feed: FileFeed) -> int:
        """Take a tape as a backtest does."""
        return Skimmer(self.loop, self.venue, self.finish).play(feed)

    def one_by_one(self, events: Iterable[MarketEvent]) -> int:
        """Take events as the live path does."""
        now = 0
        for event in events:
            now = event.ts
            self.finish(self.loop.due(now))
            steps = self.loop.market(event, now)
            if steps is not None:
                self.finish(steps)
        return now


def feed_of(columns: BarColumns | TradeColumns, steps_ns: tuple[int, ...] = ()) -> FileFeed:
    """A tape of one symbol; trades are built to bars of 5 s at least."""
    base = STEP if isinstance(columns, BarColumns) else 5 * NS_PER_S
    quirks = Quirks(
        rows=columns.ts.size, first=int(columns.ts[0]), last=int(columns.ts[-1]), base_step_ns=base
    )
    return FileFeed(Tape(Path("a.csv"), "0" * 64, instrument(), columns, quirks, ()), steps_ns)


def parts_of(tape: Columns, *cuts: int) -> Iterator[Columns]:
    """Cut a tape."""
    for first, last in pairwise(sorted({0, *cuts, tape.ts.size})):
        yield type(tape)(*(getattr(tape, field.name)[first:last] for field in fields(tape)))


def hold(run: tuple[CoreSetup, SimulatedConfig], parts: Iterable[FileFeed]) -> Run:
    """Take tapes both ways, one after another; assert that the ways leave the same."""
    plain = skimmed = None
    for feed in parts:
        if plain is None or skimmed is None:
            start = next(feed.events()).ts
            plain, skimmed = Run(*run, start), Run(*run, start)
        assert skimmed.skim(feed) == plain.one_by_one(feed.events())
        assert skimmed.state() == plain.state()
        assert skimmed.batches == plain.batches
    assert plain is not None
    return plain


@slow
@given(run=runs(), tape=tapes, steps=st.sampled_from([(), (), (5 * STEP,)]), data=st.data())
def test_a_skimmed_tape_of_bars_leaves_what_its_bars_leave_one_by_one(
    run: tuple[CoreSetup, SimulatedConfig], tape: BarColumns, steps: tuple[int, ...], data: st.DataObject
):
    cut = data.draw(st.integers(0, tape.ts.size))
    hold(run, (feed_of(part, steps) for part in parts_of(tape, cut)))


@slow
@given(run=runs(timeframes=("trade", "trade", "5s", "10s")), tape=prints, data=st.data())
def test_a_skimmed_tape_of_trades_leaves_what_its_trades_leave_one_by_one(
    run: tuple[CoreSetup, SimulatedConfig], tape: TradeColumns, data: st.DataObject
):
    cut = data.draw(st.integers(0, tape.ts.size))
    hold(run, (feed_of(part, (10 * NS_PER_S,)) for part in parts_of(tape, cut)))


def test_a_tape_that_is_cut_short_is_skimmed_to_there():
    tape = prints_of(seed=3, count=200)
    whole = feed_of(tape)
    for limit in (0, 1, 7, 60, len(whole)):
        feed = FileFeed(whole.tapes[0], limit=limit)
        facts = setup(spec(timeframe="trade"), symbols=(BTC,))
        plain, skimmed = (Run(facts, SimulatedConfig(), int(tape.ts[0])) for _ in range(2))
        assert skimmed.skim(feed) == plain.one_by_one(feed.events())
        assert skimmed.state() == plain.state()


@pytest.mark.parametrize("stop", [None, Distance(DistanceKind.PERCENT, 1.5)])
@pytest.mark.parametrize(
    "changes", [{}, {"daily_loss_max": Decimal(3)}, {"start_equity": Decimal(0)}], ids=["", "loss", "poor"]
)
def test_positions_held_through_skimmed_stretches_have_the_same_drawdown(
    stop: Distance | None, changes: dict
):
    play = spec(
        long_entry=Rule("ema(3) crosses_above ema(8)"),
        long_exit=Rule("ema(3) crosses_below ema(8)"),
        short_entry=Rule("ema(3) crosses_below ema(8)"),
        short_exit=None,
        stop_loss=stop,
        take_profit=None,
    )
    facts = setup(play, symbols=(BTC,), instruments=(instrument(taker_fee=Decimal("0.0001")),), **changes)
    feed = feed_of(tape_of(seed=5, count=900))
    plain = hold((facts, SimulatedConfig(latency_ns=1)), [feed])
    assert plain.loop.machine.ledger.fills > 20 or changes.get("daily_loss_max")
