"""Answers what a console asks for while it shows it. Reading only: nothing here changes what it reads."""

import math
from collections import deque
from collections.abc import Sequence

import msgspec

from engine.core.machine import Machine
from engine.core.runner import Runner, evaluator_for
from engine.core.setup import PlayBinding
from engine.core.sights import Blotted, Chart, ChartWish, Curve, Series
from engine.core.snapshot import ChartPoint
from engine.domain.market import Bar
from engine.execution.blotter import FillMark
from engine.strategy.evaluator import Evaluator
from engine.strategy.indicators.catalog import CATALOG
from engine.strategy.model import NO_MODELS, Models

BARS_MAX = 600
_PRICE_UNITS = frozenset({"price", "that of the series"})


class ChartFacts(msgspec.Struct, frozen=True):
    """What a chart is drawn from, gathered at one moment: nothing in it changes any more."""

    symbol: str
    step_ns: int
    binding: PlayBinding | None  # of the play whose indicators are shown
    models: Models
    window: tuple[Bar, ...]  # of all symbols of the play
    fills: tuple[FillMark, ...]
    bars: int
    plays: tuple[str, ...]  # that the symbol has a chart of


def chart_facts(machine: Machine, wish: ChartWish) -> ChartFacts | None:
    """Gather what a chart needs; None where no bars of the symbol are kept."""
    runners = _runners(machine, wish.symbol)
    named = [runner for runner in runners if runner.binding.spec.name == wish.play]
    runner = next(iter((*named, *runners)), None)
    if runner is None:
        step_ns = min(machine.market.steps(wish.symbol), default=0)
        window = machine.market.window(wish.symbol, step_ns)
    else:
        step_ns, window = runner.binding.step_ns, machine.trading.window(runner)
    if not any(bar.symbol == wish.symbol for bar in window):
        return None
    return ChartFacts(
        symbol=wish.symbol,
        step_ns=step_ns,
        binding=runner.binding if runner is not None else None,
        models=machine.trading.models,
        window=window,
        fills=tuple(fill for fill in machine.ledger.blotter.fills() if fill.symbol == wish.symbol),
        bars=max(1, min(wish.bars, BARS_MAX)),
        plays=tuple(dict.fromkeys(runner.binding.spec.name for runner in runners)),
    )


def _runners(machine: Machine, symbol: str) -> list[Runner]:
    """Return the plays that trade a symbol, then those that only look at it."""
    runners = [runner for runner in machine.trading.runners if symbol in runner.binding.symbols]
    return sorted(runners, key=lambda runner: runner.binding.symbol != symbol)


class Plotter:
    """Draws one play's indicators, bar by bar: what it has computed of older bars is kept."""

    def __init__(self, binding: PlayBinding, models: Models = NO_MODELS) -> None:
        self.binding = binding
        self._models = models
        self._evaluator: Evaluator = evaluator_for(binding, models)
        self._seen: Bar | None = None
        self._values: deque[tuple[str, int, tuple[float, ...]]] = deque(maxlen=BARS_MAX)

    def follow(self, window: Sequence[Bar]) -> int:
        """Take the bars that are new, all of them where the last one seen is no longer kept; count them."""
        fresh = self._fresh(window)
        for bar in fresh:
            self._evaluator.update(bar, 0)
            values = tuple(value for _, value in self._evaluator.values())
            self._values.append((bar.symbol, bar.ts, values))
            self._seen = bar
        return len(fresh)

    def _fresh(self, window: Sequence[Bar]) -> Sequence[Bar]:
        if self._seen is not None:
            for index in range(len(window) - 1, -1, -1):
                if window[index] == self._seen:
                    return window[index + 1 :]
            self._evaluator = evaluator_for(self.binding, self._models)
            self._values.clear()
        return window

    def series(self, bars: Sequence[Bar]) -> tuple[Series, ...]:
        """Return each indicator over bars of one symbol."""
        if not bars:
            return ()
        symbol = bars[0].symbol
        by_ts = {ts: values for of, ts, values in self._values if of == symbol}
        names = [name for name, _ in self._evaluator.values()]
        found = []
        for index, name in enumerate(names):
            values = [by_ts[bar.ts][index] if bar.ts in by_ts else math.nan for bar in bars]
            written = tuple(None if math.isnan(value) else value for value in values)
            found.append(Series(name, is_on_price(name, written, bars), written))
        return tuple(found)


def is_on_price(name: str, values: Sequence[float | None], bars: Sequence[Bar]) -> bool:
    """Tell whether an indicator belongs over the price: by its unit, and by where its values lie."""
    known = CATALOG.get(name.partition("(")[0])
    if known is not None and known.unit not in _PRICE_UNITS:
        return False
    shown = sorted(value for value in values if value is not None)
    if not shown:
        return False
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    room = high - low
    return low - room <= shown[len(shown) // 2] <= high + room


def draw(facts: ChartFacts, plotter: Plotter | None) -> Chart:
    """Draw the newest bars with what the plotter computed from them."""
    bars = [bar for bar in facts.window if bar.symbol == facts.symbol][-facts.bars :]
    since = bars[0].ts - facts.step_ns
    return Chart(
        symbol=facts.symbol,
        play=facts.binding.spec.name if facts.binding is not None else "",
        step_ns=facts.step_ns,
        bars=tuple(ChartPoint(bar.ts, bar.open, bar.high, bar.low, bar.close) for bar in bars),
        series=plotter.series(bars) if plotter is not None else (),
        fills=tuple(fill for fill in facts.fills if fill.ts >= since),
        plays=facts.plays,
    )


def blotted(machine: Machine, now: int) -> Blotted:
    """Return the closed trades with their totals."""
    blotter = machine.ledger.blotter
    return Blotted(blotter.trades(), blotter.session(), blotter.today(now))


def curve(machine: Machine) -> Curve:
    """Return equity over time."""
    return Curve(machine.ledger.curve.points())
