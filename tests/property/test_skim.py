"""Bars that are skimmed leave the same bits as bars that are taken one by one."""

import random
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.machine import Machine
from engine.core.setup import CoreSetup
from engine.domain.market import NS_PER_DAY, Bar
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
from engine.strategy.syntax import canonical
from engine.venues.datafile import BarColumns
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from engine.venues.stretch import TapeStretch
from tests.builders import BTC, DAY0, STEP, instrument, setup, spec
from tests.property.rules import rules

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


tapes = st.builds(tape_of, st.integers(0, 10**6), st.integers(1, 300))


@st.composite
def runs(draw: st.DrawFn) -> tuple[CoreSetup, SimulatedConfig]:
    rule: dict[str, Any] = {
        name: Rule(draw(entries)) if draw(st.booleans()) else None
        for name in ("long_exit", "short_entry", "short_exit")
    }
    play = spec(
        long_entry=Rule(draw(entries)),
        stop_loss=draw(distances),
        take_profit=draw(distances),
        sizing=draw(sizings),
        **rule,
        **draw(extras),
    )
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

    def skim(self, stretch: TapeStretch) -> None:
        """Take a stretch as a backtest does."""
        Skimmer(self.loop, self.venue, self.finish).play(stretch)

    def one_by_one(self, bars: Iterator[Bar]) -> None:
        """Take bars as the live path does."""
        for bar in bars:
            self.finish(self.loop.due(bar.ts))
            steps = self.loop.market(bar, bar.ts)
            if steps is not None:
                self.finish(steps)


@slow
@given(run=runs(), tape=tapes, data=st.data())
def test_a_skimmed_stretch_leaves_what_its_bars_leave_one_by_one(
    run: tuple[CoreSetup, SimulatedConfig], tape: BarColumns, data: st.DataObject
):
    start = int(tape.ts[0])
    plain, skimmed = Run(*run, start), Run(*run, start)
    cuts = sorted({0, data.draw(st.integers(0, tape.ts.size)), tape.ts.size})
    for first, last in pairwise(cuts):
        part = BarColumns(*(getattr(tape, field.name)[first:last] for field in fields(tape)))
        stretch = TapeStretch(BTC, STEP, part, last - first)
        plain.one_by_one(stretch.bars(0, len(stretch)))
        skimmed.skim(stretch)
        assert skimmed.state() == plain.state()
    assert skimmed.batches == plain.batches


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
    stretch = TapeStretch(BTC, STEP, tape_of(seed=5, count=900), 900)
    plain, skimmed = (Run(facts, SimulatedConfig(latency_ns=1), stretch.ts[0]) for _ in range(2))
    plain.one_by_one(stretch.bars(0, len(stretch)))
    skimmed.skim(stretch)
    assert skimmed.state() == plain.state()
    assert skimmed.batches == plain.batches
    assert plain.loop.machine.ledger.fills > 20 or changes.get("daily_loss_max")
