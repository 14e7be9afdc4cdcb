"""One play on one symbol, bar by bar: the bar in, a signal out where a rule fired."""

import math
from collections.abc import Callable
from itertools import repeat

import msgspec

from engine.domain.errors import CheckpointError
from engine.domain.market import Bar, Stretch
from engine.domain.play import TRADE_TIMEFRAME, Distance, DistanceKind, PlaySpec, Rule
from engine.domain.signals import Side, Signal, SignalKind
from engine.strategy.compiler import Compiler
from engine.strategy.expression import parse_feature, parse_rule
from engine.strategy.model import NO_MODELS, Models
from engine.strategy.operators import Test, either, never
from engine.strategy.plan import Meter, needs_meter
from engine.strategy.program import BAR, CLOSE, Program, ProgramState
from engine.strategy.scope import Scope
from engine.strategy.syntax import Call, Forecast
from engine.strategy.timeframes import step_of

Measure = Callable[[], float]  # a distance in price units, NaN where it is missing
# Bound once: a look into an enum costs more than the comparison, and every signal passes here.
_BUY, _SELL = Side.BUY, Side.SELL
_ENTRY, _EXIT = SignalKind.ENTRY, SignalKind.EXIT


class EvaluatorState(msgspec.Struct, frozen=True, array_like=True):
    """All that an evaluator remembers between bars; `waiting` is a bar whose cycle is not complete."""

    symbols: tuple[str, ...]
    main: ProgramState
    legs: list[ProgramState] = []
    waiting: Bar | None = None


_STATES = msgspec.msgpack.Decoder(EvaluatorState)  # made ahead: the first of a type takes a millisecond


class Evaluator:
    """Evaluates a play's rules on closed bars of one symbol.

    Flat: an entry where exactly one of the entry rules is true. In a position: an exit where its exit rule or
    the other side's entry rule is true. Nothing before all numbers could have had their first value; that
    takes `warmup_bars` bars of the length `step_ns`, which counts only where the play looks at coarser
    timeframes and leaves its own to the data. Raises ConfigError for a rule that cannot be used.
    """

    __slots__ = (
        "_forecast",
        "_gate",
        "_last_close",
        "_legs",
        "_long_entry",
        "_program",
        "_reads_bars",
        "_row",
        "_runs",
        "_short_entry",
        "_shown",
        "_stop",
        "_target",
        "_warmup",
        "_watch",
        "bars",
        "meter",
        "spec",
        "symbol",
        "symbols",
        "warmup_bars",
    )

    def __init__(
        self, spec: PlaySpec, symbol: str, *others: str, step_ns: int = 0, models: Models = NO_MODELS
    ) -> None:
        self.spec, self.symbol, self.symbols = spec, symbol, (symbol, *others)
        assert len(self.symbols) == max(1, len(spec.legs)), f"{spec.name} has legs {spec.legs}"
        self.bars = 0
        # How many prints make a minute is nobody's to say: their bars count as if of unknown length.
        step_ns = 0 if spec.timeframe == TRADE_TIMEFRAME else step_of(spec.timeframe, step_ns)
        scope = Scope(legs=spec.legs, step_ns=step_ns, model=spec.model is not None)
        compiler = _compiler(spec, scope, models)
        self._long_entry = _test(compiler, scope, spec.long_entry)
        self._short_entry = _test(compiler, scope, spec.short_entry)
        long_exit = _test(compiler, scope, spec.long_exit)
        short_exit = _test(compiler, scope, spec.short_exit)
        # Indexed by the side of the position: 0 flat, 1 long, -1 short.
        self._watch = (
            _any(self._long_entry, self._short_entry),
            _any(long_exit, self._short_entry),
            _any(short_exit, self._long_entry),
        )
        self._stop = _measure(compiler, spec.stop_loss)
        self._target = _measure(compiler, spec.take_profit)
        self.meter = Meter(compiler, scope, spec) if needs_meter(spec) else None
        self._forecast = compiler.number(Forecast()).slot if spec.model else 0
        self._gate = compiler.seal()
        self._program = program = compiler.main
        self._legs = tuple(compiler.legs.values())
        self._row, self._last_close, self._runs = program.row, program.last_close, program.runs
        self._reads_bars = program.reads_bars
        self._shown = tuple(compiler.shown.items())
        self._warmup = program.warmup
        self.warmup_bars = bars_needed(compiler, step_ns)

    def update(self, bar: Bar, side: int) -> Signal | None:
        """Take a closed bar; `side` is the sign of the play's own position. Return a signal or None."""
        row = self._row
        if self._last_close:
            row[self._last_close] = row[CLOSE]
        row[CLOSE] = bar.close
        row[BAR] = bar
        for slot, function, source, kept in self._runs:
            row[kept] = row[slot]
            row[slot] = function(row[source])
        self.bars += 1
        return self._fired(bar, side) if self._watch[side]() else None

    def skim(self, stretch: Stretch, first: int, last: int, side: int) -> tuple[int, Signal | None]:
        """Take bars of [first, last) until one leads to a signal: the same as `update` with each.

        Return the end of what was taken and the signal. Only for a play on one symbol.
        """
        row, runs, last_close, watch = self._row, self._runs, self._last_close, self._watch[side]
        bars = stretch.bars(first, last) if self._reads_bars else repeat(None)
        before = self.bars - first + 1
        for index, close, bar in zip(range(first, last), stretch.close[first:last], bars, strict=False):
            if last_close:
                row[last_close] = row[CLOSE]
            row[CLOSE] = close
            row[BAR] = bar
            for slot, function, source, kept in runs:
                row[kept] = row[slot]
                row[slot] = function(row[source])
            if watch():
                self.bars = before + index
                signal = self._fired(bar or stretch.bar(index), side)
                if signal is not None:
                    return index + 1, signal
        self.bars = before + last - 1
        return last, None

    def _fired(self, bar: Bar, side: int) -> Signal | None:
        """Return the signal of a bar on which a rule is true."""
        if not self.is_warm:
            return None
        if side:
            return self._signal(bar, _SELL if side > 0 else _BUY, _EXIT)
        return self._entry(bar)

    @property
    def is_warm(self) -> bool:
        """Whether every number could have had its first value: signals may come."""
        return self.bars >= self._warmup and (self._gate is None or self._gate.is_open)

    def _entry(self, bar: Bar) -> Signal | None:
        """An entry rule is true: return its signal, unless both are or a distance is unusable."""
        enters_long = self._long_entry()
        if enters_long and self._short_entry():
            return None
        return self.would_enter(bar, _BUY if enters_long else _SELL)

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

    def leave(self, bar: Bar, side: Side) -> Signal:
        """Return an exit that no rule led to."""
        return self._signal(bar, side, SignalKind.EXIT)

    def further(self, bar: Bar, side: Side) -> Signal | None:
        """Return the signal of a further entry, None where a distance of the play is missing."""
        signal = self._signal(bar, side, SignalKind.SCALE_IN)
        return signal if self.meter is None else self.meter.planned(signal)

    def values(self) -> tuple[tuple[str, float], ...]:
        """Return the present value of each indicator by its canonical name, NaN where it is missing."""
        return tuple((name, self._row[slot]) for name, slot in self._shown)

    @property
    def forecast(self) -> float:
        """What the play's model says to the last bar, NaN where that is missing; for a play that has one."""
        assert self._forecast, "there is no forecast without a model"
        return float(self._row[self._forecast])

    @property
    def close(self) -> float:
        """The last close that the rules were evaluated on."""
        return float(self._row[CLOSE])

    def number(self, name: str) -> float:
        """Return the present value of what a rule reads, by its canonical name; a truth is 1 or 0.

        NaN where it is missing. Raises KeyError where no rule reads it.
        """
        return float(self._row[self._program.operands[name].slot])

    def would_enter(self, bar: Bar, side: Side) -> Signal | None:
        """Return the entry that a rule would lead to on a bar, None where a distance of it is missing."""
        stop = self._stop() if self._stop else None
        target = self._target() if self._target else None
        if not (_usable(stop) and _usable(target)):
            return None
        signal = self._signal(bar, side, _ENTRY, stop, target)
        return signal if self.meter is None else self.meter.planned(signal)

    def warmups(self) -> dict[tuple[str, str], int]:
        """Return the warm-up of each stream of bars by leg and timeframe, empty for the traded one's own."""
        programs = (self._program, *self._legs)
        own = {(program.leg, ""): program.warmup for program in programs}
        return own | {
            (program.leg, timeframe): coarse.program.warmup
            for program in programs
            for timeframe, coarse in program.coarse.items()
        }

    def state(self) -> bytes:
        """Return all that is remembered; `restore` goes on from it with the same bits."""
        self._program.bars = self.bars
        return msgspec.msgpack.encode(
            EvaluatorState(
                symbols=self.symbols,
                main=self._program.state(),
                legs=[leg.state() for leg in self._legs],
                waiting=self._waiting(),
            )
        )

    def _waiting(self) -> Bar | None:
        return None

    def restore(self, state: bytes) -> None:
        """Take up a state of an evaluator of the same symbols and indicators.

        Sizes, percentages and the like may differ. Raises CheckpointError; the evaluator is of no use then.
        """
        try:
            found = _STATES.decode(state)
            self._take_up(found)
        except (msgspec.DecodeError, ValueError, IndexError) as error:
            text = f"the state is not one of {self.spec.name} on {', '.join(self.symbols)} as it is now"
            raise CheckpointError(f"{text}: {error}") from None

    def _take_up(self, found: EvaluatorState) -> None:
        if found.symbols != self.symbols:
            raise ValueError(f"it is one on {', '.join(found.symbols)}")
        self._program.restore(found.main)
        for leg, before in zip(self._legs, found.legs, strict=True):
            leg.restore(before)
        self.bars = found.main.bars


def _compiler(spec: PlaySpec, scope: Scope, models: Models) -> Compiler:
    """Return a compiler for the rules of a play, with what its model needs."""
    if spec.model is None:
        return Compiler(spec.legs)
    own = msgspec.structs.replace(scope, model=False)
    features = tuple(parse_feature(text, own) for text in spec.model.features)
    return Compiler(spec.legs, features, models.model(spec.model.sha256).forecaster())


def bars_needed(compiler: Compiler, step_ns: int) -> int:
    """Return how many bars of a length the first signal takes, where none of them is missing.

    Of a coarser timeframe, the interval that the data begins in may be lost. A length of 0 counts each coarse
    bar as one.
    """
    main = compiler.main
    copied = max((_needed(leg, step_ns) for leg in compiler.legs.values()), default=0)
    own = _needed(main, step_ns)
    return max(own, copied + max(main.tail, 1) - 1)


def _needed(program: Program, step_ns: int) -> int:
    bars = program.warmup
    for coarse in program.coarse.values():
        times = coarse.step_ns // step_ns if step_ns else 1
        bars = max(bars, (coarse.program.warmup + 1) * times - 1 + max(program.tail, 1) - 1)
    return bars


def _test(compiler: Compiler, scope: Scope, rule: Rule | None) -> Test:
    return compiler.test(parse_rule(rule.text, scope)) if rule else never


def _any(left: Test, right: Test) -> Test:
    """Return a test that is true where one of two is, leaving out what never is: it is run on every bar."""
    if right is never:
        return left
    return right if left is never else either(left, right)


def _measure(compiler: Compiler, distance: Distance | None) -> Measure | None:
    """Compile a distance in price units at the present bar."""
    if distance is None:
        return None
    row, value = compiler.main.row, distance.value
    if distance.kind is DistanceKind.PERCENT:
        return lambda: row[CLOSE] * value / 100.0
    slot = compiler.number(Call("atr", None, (distance.period,))).slot
    return lambda: row[slot] * value


def _usable(distance: float | None) -> bool:
    return distance is None or (distance > 0.0 and math.isfinite(distance))
