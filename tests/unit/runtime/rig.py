"""What the runtime tests share: stand-ins for its ports, tapes and plays on disk, and one way to wait."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import CapturingLogger

from engine.config.settings import Settings
from engine.domain.commands import Command, SubmitOrder
from engine.domain.errors import StorageError
from engine.domain.events import Event
from engine.domain.reasons import Reason
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
    """Return a paper session on a busy embedded market, whose play trades every few seconds."""
    facts: dict[str, Any] = {
        "mode": "paper",
        "plays": (write_play(folder),),
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
