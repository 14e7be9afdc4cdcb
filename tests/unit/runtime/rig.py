"""What the runtime tests share: stand-ins for its ports, tapes and plays on disk, and one way to wait."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
from structlog.testing import CapturingLogger

from engine.config.settings import Settings
from engine.domain.commands import Command, SubmitOrder
from engine.domain.errors import StorageError
from engine.domain.events import Event
from engine.domain.market import MarketEvent
from engine.domain.reasons import Reason
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.runtime.exitreport import ExitReport
from engine.runtime.loop import Batch, Refusals
from engine.storage.codec import Consumed, Effects, Tape

DEADLINE_S = 20.0  # no test waits so long unless it fails
MINUTE_MS = 60_000
START_MS = 1_700_000_040_000  # a whole minute in November 2023

PLAY = """\
name: {name}
timeframe: base
size: {{notional: 1000}}
long:
  enter: close crosses_above sma(3)
  exit: close crosses_below sma(3)
short:
  enter: close crosses_below sma(3)
  exit: close crosses_above sma(3)
stop_loss: {{percent: 0.6}}
take_profit: {{percent: 0.9}}
"""

INSTRUMENT = """\
symbol: {symbol}
tick: 0.1
lot: 0.001
qty_min: 0.001
notional_min: 1
base: {base}
quote: USDT
maker_fee: 0.0002
taker_fee: 0.0005
bar_ts: open
volume_unit: base
"""

# Enters on every bar that finds it flat, and leaves on the next one.
RESTLESS = """\
name: {name}
timeframe: base
size: {{notional: 1000}}
long:
  enter: close > 0
  exit: close > 0
stop_loss: {{percent: 5}}
"""


async def eventually(met: Callable[[], Any], *, within_s: float = DEADLINE_S) -> Any:
    """Wait until a condition holds and return what it gave; fail past the deadline."""
    deadline_s = time.monotonic() + within_s
    while not (found := met()):
        assert time.monotonic() < deadline_s, "the condition was never met"
        await asyncio.sleep(0.005)
    return found


# files


def write_play(folder: Path, name: str = "zigzag", text: str = PLAY) -> Path:
    """Write a play that trades often."""
    path = folder / f"{name}.yaml"
    path.write_text(text.format(name=name))
    return path


def write_tape(folder: Path, bars: int = 300, seed: int = 1, symbol: str = "BTCUSDT") -> Path:
    """Write a random walk of minute bars; the same seed gives the same file."""
    source = random.Random(seed)
    lines = ["ts_ms,open,high,low,close,volume"]
    price = 1000.0
    for number in range(bars):
        opened, price = price, round(price * (1 + source.gauss(0, 0.003)), 1)
        high = round(max(opened, price) + source.random() * 2, 1)
        low = round(min(opened, price) - source.random() * 2, 1)
        volume = source.randint(500, 2000)
        lines.append(f"{START_MS + number * MINUTE_MS},{opened},{high},{low},{price},{volume}")
    path = folder / f"{symbol.lower()}_{seed}_{bars}.csv"
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".instrument.yaml").write_text(INSTRUMENT.format(symbol=symbol, base=symbol[:3]))
    return path


def tape_settings(folder: Path, **changes: Any) -> Settings:
    """Return an armed replay, as fast as it goes, over a small tape written to the folder."""
    bars, seed = changes.pop("bars", 300), changes.pop("seed", 1)
    facts: dict[str, Any] = {
        "mode": "replay",
        "plays": (write_play(folder),),
        "data": (f"BTCUSDT={write_tape(folder, bars, seed)}",),
        "state_dir": folder / "state",
        "arm": True,
        "speed": "max",
        "limits": {"stale_after_s": 3600.0},
    }
    return Settings.model_validate(facts | changes)


def market_settings(folder: Path, **changes: Any) -> Settings:
    """Return a paper session on a busy embedded market, whose play trades every second."""
    facts: dict[str, Any] = {
        "mode": "paper",
        "plays": (write_play(folder, "restless", RESTLESS),),
        "state_dir": folder / "state",
        "synthetic": {"symbols": ["BTCUSDT"], "events_per_s": 400.0, "base_step_s": 1},
        "simulated": {"latency_ms": 1.0},
    }
    return Settings.model_validate(facts | changes)


# ports


class Lines:
    """A log that is kept: `events` names what was said, in order."""

    def __init__(self) -> None:
        self._log = CapturingLogger()
        self.logger = structlog.wrap_logger(
            self._log, wrapper_class=structlog.make_filtering_bound_logger(0), processors=[_as_keywords]
        )

    @property
    def events(self) -> list[str]:
        """The names of the lines."""
        return [call.kwargs["event"] for call in self._log.calls]

    def facts(self, event: str) -> dict[str, Any]:
        """Return what the newest line of a name says."""
        return [call.kwargs for call in self._log.calls if call.kwargs["event"] == event][-1]


def _as_keywords(_logger: Any, _name: str, line: Any) -> Any:
    return line


class MemoryJournal:
    """A journal in memory: `stored` holds what is durable, `broken` makes its disk fail."""

    def __init__(self) -> None:
        self.stored: list[Command] = []
        self.commits = 0
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, commands: Iterable[Command]) -> None:
        """Store, or fail as a whole; wait while the gate is closed."""
        batch = list(commands)
        await self.gate.wait()
        self.commits += 1
        if self.broken:
            raise StorageError("the disk is full")
        self.stored += batch


class MemoryRecorder:
    """A record in memory."""

    def __init__(self) -> None:
        self.entries: list[Consumed | Tape | Effects] = []

    def consumed(self, sequence: int, now: int, event: Event) -> None:
        """Keep an event."""
        self.entries.append(Consumed(sequence, now, event))

    def tape(self, sequence: int, offset: int) -> None:
        """Keep how far the tape came."""
        self.entries.append(Tape(sequence, offset))

    def effects(self, sequence: int, digest: bytes) -> None:
        """Keep a digest."""
        self.entries.append(Effects(sequence, digest))

    def of(self, kind: type) -> list[Any]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if isinstance(entry, kind)]


class Committed:
    """A dispatcher that keeps batches; while `refuse` names a reason, no entry may be sent."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, Batch]] = []
        self.refuse: Reason | None = None

    async def commit(self, batch: Batch, now: int) -> Refusals:
        """Keep a batch."""
        self.batches.append((now, batch))
        if self.refuse is None:
            return {}
        entries = [c for c in batch if isinstance(c, SubmitOrder) and c.increases]
        return {entry.request.client_id: self.refuse for entry in entries}


# engines


class HookedTape:
    """A tape that lets a test act before an event is handed out: `at` holds what to call, by offset."""

    def __init__(self, tape: Any, at: dict[int, Callable[[], object]]) -> None:
        self._tape, self._at = tape, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tape, name)

    def events(self, offset: int = 0) -> Iterator[MarketEvent]:
        """Yield the tape's events and act in between."""
        for number, event in enumerate(self._tape.events(offset), start=offset):
            self._at.pop(number, lambda: None)()
            yield event


@asynccontextmanager
async def engine_on(
    settings: Settings,
    at: dict[int, Callable[[Engine], object]] | None = None,
    *,
    checkpoints: bool = True,
    **options: Any,
) -> AsyncIterator[Engine]:
    """Open an engine; `at` holds what to do before events of its tape, by offset.

    `checkpoints`: whether it saves some of its own while it runs; the one at its end comes in any case.
    """
    async with open_context(settings, headless=False) as opened:
        hooks: dict[int, Callable[[], object]] = {}
        context = opened
        if at:
            tape: Any = HookedTape(context.source.tape, hooks)
            context = replace(context, source=msgspec.structs.replace(context.source, tape=tape))
        engine = Engine(context, **({"leave_at_end": True} | options))
        hooks |= {offset: partial(act, engine) for offset, act in (at or {}).items()}
        if not checkpoints:
            engine._upkeep._keep_checkpoints = _never  # type: ignore[method-assign]  # a test saves its own
        yield engine


async def _never() -> None:
    """Do nothing until the engine ends."""
    await asyncio.Event().wait()


async def run_engine(
    settings: Settings, at: dict[int, Callable[[Engine], object]] | None = None, **options: Any
) -> ExitReport:
    """Run an engine to its end and return its report."""
    async with asyncio.timeout(DEADLINE_S), engine_on(settings, at, **options) as engine:
        return await engine.run()


def copy_state(settings: Settings, to: Path) -> Settings:
    """Copy an instance's state as it lies on disk now: what a kill at this moment would leave.

    Returns the settings of an engine on the copy.
    """
    assert settings.state_dir is not None
    left_out = shutil.ignore_patterns("engine.lock", "engine.owner.json", "engine.sock")
    shutil.copytree(settings.state_dir, to, ignore=left_out)
    return settings.model_copy(update={"state_dir": to})
