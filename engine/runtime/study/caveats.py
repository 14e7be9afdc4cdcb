"""What a reader of a backtest must know before believing its figures, a sentence each."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from engine.core.machine import Machine
from engine.domain.market import NS_PER_S, InstrumentKind
from engine.runtime.account import counted_in
from engine.venues.replay import Tape


def caveats(machine: Machine, tapes: Sequence[Tape]) -> tuple[str, ...]:
    """Return what the run assumed of its instruments, and the plays that its data was too short for."""
    return (*(line for tape in tapes for line in _assumed(tape)), *_cold(machine), *_demoted(machine))


def _assumed(tape: Tape) -> Iterator[str]:
    instrument = tape.instrument
    symbol = instrument.symbol
    if instrument.kind is not InstrumentKind.LINEAR:
        yield f"{symbol}: {instrument.kind} is simulated as linear, with profits in {counted_in(instrument)}"
    elif instrument.settle != instrument.quote:
        yield f"{symbol}: priced in {instrument.quote}, counted as {instrument.settle} one to one"
    if not instrument.volume_caps_fills:
        yield f"{symbol}: fills are not capped by volume: it is 0 or not in base units"
    if tape.derived:
        yield tape.headline


def _cold(machine: Machine) -> Iterator[str]:
    for runner in machine.trading.runners:
        evaluator = runner.evaluator
        if not evaluator.is_warm:
            yield (
                f"{runner.binding.spec.name}: no signal: it warms up for"
                f" {evaluator.warmup_bars:,} bars and the data has {evaluator.bars:,}"
            )


def _demoted(machine: Machine) -> Iterator[str]:
    for row in machine.trading.watch.rows(machine.trading.runners):
        if row.demoted:
            at = datetime.fromtimestamp(row.demoted // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M")
            yield f"{row.play}: its model was demoted at {at} UTC and entered no more ({row.text})"
