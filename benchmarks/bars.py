"""Measures what a bar costs a backtest, in processor time and in turns of a bare loop beside it.

Two plays over the year file: one that never trades, for the bars on which nothing happens, and the EMA cross,
for orders. From both follows what a whole order costs, from its signal to its booked fill.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import YEAR_FILE, Row, loop_ns, scratch
from engine.api import load_settings
from engine.runtime.backtest import BIRTH_S, play_tape
from engine.runtime.binding import load_plays
from engine.runtime.building import build_loop
from engine.runtime.factory import tape_config
from engine.runtime.tapes import load_tapes, tape_feed
from engine.venues.replay import Tape

QUIET = """\
name: quiet
timeframe: base
size: {notional: 1000}
long:
  enter: ema(12) crosses_above ema(26) and close < 0
  exit: ema(12) crosses_below ema(26)
"""
FLAGS = {"mode": "backtest", "limits.order_notional_max": None, "limits.position_notional_max": None}


def _same(tape: Tape) -> Tape:
    return tape


class Cost(NamedTuple):
    """What a bar cost: nanoseconds of processor time, and turns of a bare loop."""

    bar_ns: float
    turns: float
    orders_a_bar: float


def cost_of(play: str, runs: int, file: Path = YEAR_FILE, change: Callable[[Tape], Tape] = _same) -> Cost:
    """Run a play over a file, in this process, and return the medians for each of its rows."""
    settings = load_settings({**FLAGS, "plays": (play,), "data": (str(file),)})
    plays, tapes = load_plays(settings.plays), tuple(map(change, load_tapes(settings)))
    found: list[Cost] = []
    for _ in range(runs):
        feed, loop = tape_feed(tapes, plays), build_loop(tape_config(settings, tapes, plays, BIRTH_S))
        bare = loop_ns()
        started = time.process_time()
        play_tape(loop, feed)
        bar_ns = (time.process_time() - started) / feed.rows * 1e9
        found.append(Cost(bar_ns, bar_ns * 2 / (bare + loop_ns()), loop.machine.desk.sequence / feed.rows))
    return Cost(*(statistics.median(column) for column in zip(*found, strict=True)))


def bars(runs: int = 5) -> list[Row]:
    """Return what a quiet bar, a bar of the EMA cross and a whole order cost."""
    if not YEAR_FILE.exists():
        return [Row("bars of a backtest", "the file is not on this machine", "-")]
    with scratch() as folder:
        path = Path(folder, "quiet.yaml")
        path.write_text(QUIET, encoding="utf-8")
        quiet = cost_of(str(path), runs)
    cross = cost_of("ema_cross", runs)
    order = (cross.turns - quiet.turns) / cross.orders_a_bar
    return [
        Row(
            "backtest: a bar on which nothing happens",
            f"{quiet.bar_ns / 1e3:.2f} us, {quiet.turns:.0f} turns of a bare loop",
            "94 turns (0.8 us at 8.5 ns)",
        ),
        Row(
            "backtest: a bar of the EMA cross, orders included",
            f"{cross.bar_ns / 1e3:.2f} us, {cross.turns:.0f} turns ({1e9 / cross.bar_ns:,.0f} bars/s)",
            "235 turns (500,000 bars/s at 8.5 ns)",
        ),
        Row(
            "backtest: a whole order, from signal to booked fill",
            f"{order:,.0f} turns",
            "3,530 turns (30 us)",
        ),
    ]
