"""Where two runs part: the first bar on which they decided otherwise, with the state of both.

One side is a backtest, run again up to that bar; the other is what a session's database says was decided, and
the state that its record leads to, handled again up to that bar.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from engine.config.layers import load_settings
from engine.config.settings import Settings
from engine.core.machine import Machine
from engine.core.runner import Runner
from engine.domain.commands import SaveFill, SaveSignal
from engine.domain.errors import TraderError
from engine.domain.market import MarketEvent
from engine.domain.money import canonical
from engine.domain.positions import Fill
from engine.domain.signals import Signal
from engine.execution.desk import describe
from engine.runtime.backtest import run_backtest
from engine.runtime.binding import keep_models, load_plays
from engine.runtime.building import build_loop
from engine.runtime.factory import tape_config
from engine.runtime.loop import Batch
from engine.runtime.parity.report import FirstDifference, Row
from engine.runtime.pump import Pump
from engine.runtime.recovery import NullRecorder
from engine.runtime.rehandle import RecordedRefusals, begins_at, recorded_refusals, rehandle
from engine.runtime.session import decode_config, decode_state
from engine.runtime.study.figures import moment_text
from engine.runtime.tapes import load_tapes, reopen_feed, tape_feed
from engine.storage.database import open_reader
from engine.storage.decisions import DecisionRepository
from engine.storage.ledger import LedgerRepository
from engine.storage.modelstore import models_of
from engine.storage.record_reader import RecordReader
from engine.storage.records import session_directories

NOTHING = "nothing"
_ALL = 2**62


class Decision(msgspec.Struct, frozen=True):
    """A signal or a fill, with what the hashes of a run cover."""

    ts: int
    text: str


def find_difference(
    arguments: Mapping[str, Any], environment: Mapping[str, str], state: Path
) -> FirstDifference | None:
    """Compare a backtest with a replay whose state lies in a folder; None where every decision agrees.

    `arguments` are settings as flags name them, `environment` what the runs were told besides.
    """
    settings = load_settings({**arguments, "mode": "backtest"}, env={**os.environ, **environment})
    folder = next(path.parent for path in state.rglob("engine.sqlite"))
    ours = backtest_decisions(settings)
    theirs = asyncio.run(session_decisions(folder / "engine.sqlite"))
    ts = first_difference(ours, theirs)
    if ts is None:
        return None
    mine = walk_to(settings, ts)
    try:
        other, text = asyncio.run(record_to(folder / "records", ts)), ""
    except TraderError as error:
        other, text = None, f"the replay's state could not be found again: {error}"
    decided = Row("decided", _of_bar(ours, ts), _of_bar(theirs, ts))
    rows = (decided, *compare_states(mine, other)) if other is not None else (decided,)
    if not text and all(row.same for row in rows[1:]):
        text = (
            "the replay's record leads to the state of the backtest: what it decided then does not come again"
        )
    return FirstDifference(ts=ts, at=moment_text(ts), bar=_bar(mine), rows=rows, text=text)


class _Decisions:
    """A watch that keeps signals and fills."""

    def __init__(self) -> None:
        self.found: list[Decision] = []

    def begins(self, tapes: object, config: object, loop: object) -> None:
        """Nothing to note."""

    def takes(self, batch: Batch) -> None:
        """Keep what was decided."""
        for command in batch:
            if type(command) is SaveSignal:
                self.found.append(_signal(command.signal))
            elif type(command) is SaveFill:
                self.found.append(_fill(command.fill))


def backtest_decisions(settings: Settings) -> list[Decision]:
    """Run a backtest and return what it decided, in order."""
    seen = _Decisions()
    run_backtest(settings, watch=seen)
    return seen.found


async def session_decisions(database: Path) -> list[Decision]:
    """Return what the sessions of a database decided, in order: of one time, fills before signals."""
    async with open_reader(database) as reader:
        signals = [_signal(saved.signal) for saved in await DecisionRepository(reader).newest_signals(_ALL)]
        fills = [_fill(fill) for fill in await LedgerRepository(reader).newest_fills(_ALL)]
    return sorted([*reversed(fills), *reversed(signals)], key=lambda decision: decision.ts)


def first_difference(a: Iterable[Decision], b: Iterable[Decision]) -> int | None:
    """Return the time (ns UTC) of the first decision that only one side has, None where there is none."""
    for one, other in zip_longest(a, b):
        if one != other:
            return min(decision.ts for decision in (one, other) if decision is not None)
    return None


def walk_to(settings: Settings, ts: int) -> Machine:
    """Return the machine of a backtest after the last event of a time."""
    plays, tapes = load_plays(settings.plays), load_tapes(settings)
    loop = build_loop(tape_config(settings, tapes, plays, 0), keep_models(plays))
    for event in tape_feed(tapes, plays).events():
        if event.ts > ts:
            break
        for _ in loop.due(event.ts):
            pass
        for _ in loop.market(event, event.ts) or ():
            pass
    return loop.machine


class _ReachedError(Exception):
    """The tape went past the time that was asked for."""


class _Until:
    """A tape that ends with an error past a time."""

    def __init__(self, feed: Any, ts: int) -> None:
        self._feed, self._ts = feed, ts
        self.instruments, self.base_step_ns = feed.instruments, feed.base_step_ns

    def events(self, offset: int = 0) -> Iterator[MarketEvent]:
        """Yield the tape's events."""
        for event in self._feed.events(offset):
            if event.ts > self._ts:
                raise _ReachedError
            yield event

    def __len__(self) -> int:
        return len(self._feed)

    def fingerprint(self) -> dict[str, str]:
        """Return the files'."""
        return dict(self._feed.fingerprint())


async def record_to(records: Path, ts: int) -> Machine:
    """Return the machine that the sessions' records lead to after the last event of a time.

    Raises TraderError where the records cannot be handled again.
    """
    machine: Machine | None = None
    for directory in session_directories(records):
        reader = RecordReader(directory)
        config = decode_config(reader.header.config)
        feed = reopen_feed(config, reader.header.files)
        loop = build_loop(config, models_of(directory))
        machine = loop.machine
        pump = Pump(
            loop, dispatcher=RecordedRefusals(recorded_refusals(reader.entries())), recorder=NullRecorder()
        )
        try:
            if reader.header.initial_state is None:
                await pump.begin(begins_at(feed, reader.header.started))
            else:
                pump.restore(decode_state(reader.header.initial_state))
            await rehandle(pump, reader.entries(), None if feed is None else _Until(feed, ts))
        except _ReachedError:
            return machine
    if machine is None:
        raise TraderError(f"{records} holds no record")
    return machine


def compare_states(a: Machine, b: Machine) -> list[Row]:
    """Return position, orders, money and the indicators of every play, side by side."""
    rows = [
        Row("equity", canonical(a.ledger.exact_equity()), canonical(b.ledger.exact_equity())),
        Row("max drawdown", repr(a.ledger.drawdown_max), repr(b.ledger.drawdown_max)),
    ]
    for mine, other in zip_longest(a.trading.runners, b.trading.runners):
        left, right = (dict(_facts(m, runner)) for m, runner in ((a, mine), (b, other)))
        rows += [
            Row(name, left.get(name, "-"), right.get(name, "-")) for name in dict.fromkeys([*left, *right])
        ]
    return rows


def _facts(machine: Machine, runner: Runner | None) -> Iterator[tuple[str, str]]:
    """Yield what a play knows and holds; floats in full, so that one bit shows."""
    if runner is None:
        return
    play, symbol = runner.binding.spec.name, runner.binding.symbol
    position = machine.ledger.position(play, symbol)
    orders = [
        f"{describe(order.request)} {order.state}"
        for order in machine.desk.book.open_orders()
        if order.request.play == play
    ]
    yield f"{play} position", f"{canonical(position.qty)} {symbol} for {canonical(position.entry_notional)}"
    yield f"{play} orders", "; ".join(orders) or NOTHING
    yield f"{play} bars seen", f"{runner.evaluator.bars:,}"
    for name, value in runner.evaluator.values():
        yield name, repr(value)


def _bar(machine: Machine) -> str:
    """Write the last bar that the first play saw."""
    runner = machine.trading.runners[0]
    window = machine.market.window(runner.binding.symbol, runner.binding.step_ns)
    if not window:
        return "no bar yet"
    last = window[-1]
    return (
        f"{last.symbol} open {last.open!r} high {last.high!r} low {last.low!r} close {last.close!r}"
        f" volume {last.volume!r}"
    )


def _of_bar(decisions: Iterable[Decision], ts: int) -> str:
    return "; ".join(decision.text for decision in decisions if decision.ts == ts) or NOTHING


def _signal(signal: Signal) -> Decision:
    return Decision(signal.ts, f"{signal.kind} {signal.side} {signal.symbol}")


def _fill(fill: Fill) -> Decision:
    price, qty, fee = (canonical(amount) for amount in (fill.price, fill.qty, fill.fee))
    return Decision(fill.ts, f"filled {fill.side} {qty} {fill.symbol} at {price}, fee {fee}")
