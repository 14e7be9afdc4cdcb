"""One play on one symbol, bar by bar: the bar in, a signal out where a rule fired."""

import math
from collections.abc import Callable

import msgspec

from engine.domain.errors import CheckpointError
from engine.domain.market import Bar
from engine.domain.play import Distance, DistanceKind, PlaySpec, Rule
from engine.domain.signals import Side, Signal, SignalKind
from engine.strategy.expression import parse_rule
from engine.strategy.operators import Test, either, never
from engine.strategy.program import Program
from engine.strategy.syntax import Call

Measure = Callable[[], float]  # a distance in price units, NaN where it is missing


class EvaluatorState(msgspec.Struct, frozen=True, array_like=True):
    """All that an evaluator remembers between bars."""

    symbol: str
    names: tuple[str, ...]
    bars: int
    row: list[float]
    memories: list[list[float]]


class Evaluator:
    """Evaluates a play's rules on closed bars of one symbol.

    Flat: an entry where exactly one of the entry rules is true. In a position: an exit where its exit rule or
    the other side's entry rule is true. Nothing before `warmup_bars` bars were seen. Raises ConfigError for a
    rule that cannot be parsed.
    """

    __slots__ = (
        "_long_entry",
        "_program",
        "_row",
        "_shifts",
        "_short_entry",
        "_steps",
        "_stop",
        "_target",
        "_watch",
        "_wide",
        "bars",
        "spec",
        "symbol",
        "warmup_bars",
    )

    def __init__(self, spec: PlaySpec, symbol: str) -> None:
        self.spec, self.symbol = spec, symbol
        self.bars = 0
        self._program = program = Program()
        self._long_entry = _test(program, spec.long_entry)
        self._short_entry = _test(program, spec.short_entry)
        long_exit, short_exit = _test(program, spec.long_exit), _test(program, spec.short_exit)
        # Indexed by the side of the position: 0 flat, 1 long, -1 short.
        self._watch = (
            _any(self._long_entry, self._short_entry),
            _any(long_exit, self._short_entry),
            _any(short_exit, self._long_entry),
        )
        self._stop = _measure(program, spec.stop_loss)
        self._target = _measure(program, spec.take_profit)
        self._row, self._wide = program.row, program.wide
        self._shifts, self._steps = tuple(program.shifts), tuple(program.steps)
        self.warmup_bars = program.warmup_bars

    def update(self, bar: Bar, side: int) -> Signal | None:
        """Take a closed bar; `side` is the sign of the play's own position. Return a signal or None."""
        row = self._row
        for slot, source in self._shifts:
            row[slot] = row[source]
        row[0] = bar.close
        if self._wide:
            row[1] = bar.open
            row[2] = bar.high
            row[3] = bar.low
            row[4] = bar.volume
        for slot, function, source in self._steps:
            row[slot] = function(row[source])
        self.bars += 1
        if not self._watch[side]() or self.bars < self.warmup_bars:
            return None
        if side:
            return self._signal(bar, Side.SELL if side > 0 else Side.BUY, SignalKind.EXIT)
        return self._entry(bar)

    def _entry(self, bar: Bar) -> Signal | None:
        """An entry rule is true: return its signal, unless both are or a distance is unusable."""
        enters_long = self._long_entry()
        if enters_long and self._short_entry():
            return None
        stop = self._stop() if self._stop else None
        target = self._target() if self._target else None
        if not (_usable(stop) and _usable(target)):
            return None
        return self._signal(bar, Side.BUY if enters_long else Side.SELL, SignalKind.ENTRY, stop, target)

    def _signal(
        self, bar: Bar, side: Side, kind: SignalKind, stop: float | None = None, target: float | None = None
    ) -> Signal:
        return Signal(
            ts=bar.ts,
            play=self.spec.name,
            symbol=self.symbol,
            side=side,
            kind=kind,
            price=bar.close,
            stop=stop,
            target=target,
        )

    def values(self) -> tuple[tuple[str, float], ...]:
        """Return the present value of each indicator by its canonical name, NaN where it is missing."""
        return tuple((name, self._row[slot]) for name, slot in self._program.shown)

    def state(self) -> bytes:
        """Return all that is remembered; `restore` goes on from it with the same bits."""
        return msgspec.msgpack.encode(
            EvaluatorState(
                symbol=self.symbol,
                names=self._program.names,
                bars=self.bars,
                row=self._row,
                memories=[memory.state() for memory in self._program.memories],
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up a state of an evaluator of the same symbol and indicators.

        Sizes, percentages and the like may differ. Raises CheckpointError; the evaluator is of no use then.
        """
        try:
            found = msgspec.msgpack.decode(state, type=EvaluatorState)
        except msgspec.DecodeError as error:
            raise CheckpointError(f"the state of {self.spec.name} cannot be read: {error}") from None
        mine = (self.symbol, self._program.names)
        if (found.symbol, found.names) != mine or len(found.row) != len(self._row):
            raise CheckpointError(f"the state is not one of {self.spec.name} on {self.symbol} as it is now")
        try:
            for memory, remembered in zip(self._program.memories, found.memories, strict=True):
                memory.restore(remembered)
        except (ValueError, IndexError) as error:
            raise CheckpointError(f"the state of {self.spec.name} is damaged: {error}") from None
        self._row[:] = found.row
        self.bars = found.bars


def _test(program: Program, rule: Rule | None) -> Test:
    return program.test(parse_rule(rule.text)) if rule else never


def _any(left: Test, right: Test) -> Test:
    """Return a test that is true where one of two is, leaving out what never is: it is run on every bar."""
    if right is never:
        return left
    return right if left is never else either(left, right)


def _measure(program: Program, distance: Distance | None) -> Measure | None:
    """Compile a distance in price units at the present bar."""
    if distance is None:
        return None
    row, value = program.row, distance.value
    match distance.kind:
        case DistanceKind.PERCENT:
            return lambda: row[0] * value / 100.0
        case DistanceKind.ATR:
            slot = program.number(Call("atr", None, distance.period)).slot
            return lambda: row[slot] * value


def _usable(distance: float | None) -> bool:
    return distance is None or (distance > 0.0 and math.isfinite(distance))
