"""A play's features over a tape, as its model is given them in trading, and what came true of each bar."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from engine.core.runner import evaluator_for
from engine.core.setup import PlayBinding
from engine.domain.market import PRINT_STEP_NS, Bar, MarketEvent, Trade, bar_of
from engine.domain.play import ModelRef, PlaySpec
from engine.models.training import Rows
from engine.runtime.binding import PlayFile, bind
from engine.runtime.tapes import tape_feed
from engine.strategy.model import Forecaster, Model
from engine.venues.datafile import TradeColumns
from engine.venues.replay import Tape

TELL_EVERY = 10_000  # bars


class _Listener:
    """Stands for the model while its features are collected: it remembers the last row that it was given."""

    def __init__(self) -> None:
        self.row: tuple[float, ...] | None = None

    def model(self, sha256: str) -> Model:  # noqa: ARG002 - there is one
        """Return itself."""
        return self

    def forecaster(self) -> Forecaster:
        """Return what listens."""

        def listen(features: Sequence[float]) -> float:
            self.row = tuple(features)
            return 0.5

        return listen


class Seen(msgspec.Struct):
    """What a play saw of a tape: each close, its time, and the features where all were there."""

    closes: list[float] = []
    times: list[int] = []
    rows: list[tuple[float, ...] | None] = []


def seen_of(spec: PlaySpec, play: Path, tapes: Sequence[Tape], tell: Callable[[float], None]) -> Seen:
    """Run the play's own indicators over the tape, as they run when it trades. Raises ConfigError."""
    files = (PlayFile(play, spec),)
    printed = {tape.instrument.symbol for tape in tapes if isinstance(tape.columns, TradeColumns)}
    instruments = tuple(tape.instrument for tape in tapes)
    (binding,) = bind(files, instruments, min(tape.base_step_ns for tape in tapes), printed=printed)
    listener, seen = _Listener(), Seen()
    evaluator = evaluator_for(binding, listener)
    feed = tape_feed(tapes, files)
    for number, bar in enumerate(_bars(feed.events(), binding)):
        before = evaluator.bars
        evaluator.update(bar, 0)
        if evaluator.bars > before:
            seen.closes.append(evaluator.close)
            seen.times.append(bar.ts)
            seen.rows.append(listener.row if evaluator.is_warm else None)
            listener.row = None
        if not number % TELL_EVERY:
            tell(min(1.0, number / max(1, len(feed))))
    return seen


def _bars(events: Iterator[MarketEvent], binding: PlayBinding) -> Iterator[Bar]:
    """Yield the bars that a play is evaluated on."""
    for event in events:
        printed = isinstance(event, Trade) and binding.step_ns == PRINT_STEP_NS
        bar = bar_of(event) if printed and isinstance(event, Trade) else event
        if isinstance(bar, Bar) and bar.symbol in binding.symbols and bar.step_ns == binding.step_ns:
            yield bar


def rows_of(seen: Seen, wanted: ModelRef) -> Rows:
    """Label each bar by the close `horizon_bars` later; the last bars have no label and are left out."""
    horizon, count = wanted.horizon_bars, len(wanted.features)
    bars = [bar for bar, row in enumerate(seen.rows[: max(0, len(seen.rows) - horizon)]) if row is not None]
    closes = np.array(seen.closes)
    at = np.array(bars, dtype=np.int64)
    features = np.array([seen.rows[bar] for bar in bars], dtype=np.float64).reshape(len(bars), count)
    truth = closes[at + horizon] > closes[at] * (1.0 + wanted.rise_percent / 100.0)
    return Rows(features, truth, at, horizon)
