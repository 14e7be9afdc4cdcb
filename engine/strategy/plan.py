"""What an entry or an open position needs to know of the market: prices and distances of a compiled play."""

import math
from operator import attrgetter

import msgspec

from engine.domain.orders import OrderKind
from engine.domain.play import Distance, DistanceKind, Level, PlaySpec, SizingKind
from engine.domain.signals import EntryPlan, Part, Signal
from engine.strategy.compiler import Compiler
from engine.strategy.expression import parse_price, parse_rule
from engine.strategy.operators import Test, never
from engine.strategy.scope import Scope
from engine.strategy.syntax import Call, Node, Numeric, Series

YEAR_NS = 365 * 86_400 * 1_000_000_000  # markets that never close; see annualised


class Meter:
    """Reads off a play's row what its parts need; all of it is compiled with the rules, warm-up included."""

    __slots__ = (
        "_atr",
        "_offset",
        "_per_year",
        "_price",
        "_row",
        "_spec",
        "_stop",
        "_volatility",
        "scale_in",
    )

    def __init__(self, compiler: Compiler, scope: Scope, spec: PlaySpec) -> None:
        self._row, self._spec = compiler.main.row, spec
        self._atr = {node.arguments[0]: compiler.number(node).slot for node in atr_nodes(spec)}
        self._price = self._levels(compiler, scope, spec.entry.at if spec.entry else None)
        self._stop = self._levels(compiler, scope, spec.stop_level.at if spec.stop_level else None)
        volatility = volatility_node(spec.sizing.period) if sizes_by_volatility(spec) else None
        self._volatility = 0 if volatility is None else compiler.number(volatility).slot
        self._per_year = annualised(scope.step_ns)
        rule = spec.scale_in.when if spec.scale_in else None
        self.scale_in: Test = compiler.test(parse_rule(rule.text, scope)) if rule else never

    @staticmethod
    def _levels(compiler: Compiler, scope: Scope, level: Level | None) -> dict[int, int]:
        """Compile the prices of a level; return their slots by the sign of the side."""
        texts = {} if level is None else {1: level.long, -1: level.short}
        return {sign: compiler.number(parse_price(text, scope)).slot for sign, text in texts.items() if text}

    def distance(self, distance: Distance, price: float) -> float:
        """Return a distance from a price, in price units; NaN where it is missing, 0 for one in ticks."""
        match distance.kind:
            case DistanceKind.PERCENT:
                return price * distance.value / 100.0
            case DistanceKind.ATR:
                return float(self._row[self._atr[distance.period]]) * distance.value
            case DistanceKind.TICKS:
                return 0.0

    def planned(self, signal: Signal) -> Signal | None:
        """Add to an entry what it needs; None where a distance of the ladder is missing."""
        sign, close = signal.side.sign, signal.price
        parts = [Part(self.distance(rung.distance, close), rung.close) for rung in self._spec.ladder]
        if not all(part.distance > 0.0 and math.isfinite(part.distance) for part in parts):
            return None
        plan = EntryPlan(
            price=self._entry_price(sign, close),
            stop=self._stop_price(sign, close),
            ladder=tuple(sorted(parts, key=attrgetter("distance"))),
            volatility=_known(self._row[self._volatility] * self._per_year) if self._volatility else None,
        )
        return msgspec.structs.replace(signal, plan=plan)

    def _entry_price(self, sign: int, close: float) -> float | None:
        """Return where a limit or stop entry lies: a limit on the better side of its base, a stop beyond."""
        order = self._spec.entry
        if order is None or order.kind is OrderKind.MARKET:
            return None
        base = close if order.at is None else self._row[self._price[sign]]
        offset = 0.0 if order.offset is None else self.distance(order.offset, base)
        return _known(base - sign * offset if order.kind is OrderKind.LIMIT else base + sign * offset)

    def _stop_price(self, sign: int, close: float) -> float | None:
        level = self._spec.stop_level
        if level is None:
            return None
        pad = 0.0 if level.pad is None else self.distance(level.pad, close)
        return _known(self._row[self._stop[sign]] - sign * pad)


def needs_meter(spec: PlaySpec) -> bool:
    """Tell whether a play has a part that is more than a rule or a distance from the entry price."""
    parts = (spec.entry, spec.stop_level, spec.ladder, spec.trailing, spec.break_even, spec.scale_in)
    return any(parts) or sizes_by_volatility(spec)


def annualised(step_ns: int) -> float:
    """Return what a deviation of changes over a bar is multiplied by for one over a year; 0 without a length.

    The square root of the bars in a year of 365 days: independent changes add up in variance (J. Hull,
    Options, Futures, and Other Derivatives, on estimating volatility).
    """
    return math.sqrt(YEAR_NS / step_ns) if step_ns else 0.0


def volatility_node(period: int) -> Call:
    """Return the number that a volatility is made of: the deviation of the last changes, in percent."""
    return Call("stddev", Call("roc", Series("close"), (1,)), (period,))


def sizes_by_volatility(spec: PlaySpec) -> bool:
    """Tell whether the size of an entry depends on the volatility."""
    return spec.sizing.kind is SizingKind.VOLATILITY_TARGET


def distances_of(spec: PlaySpec) -> tuple[Distance, ...]:
    """Return every distance that a play measures by itself; those of a plain stop and target are others."""
    entry, level, trailing = spec.entry, spec.stop_level, spec.trailing
    found = (
        entry.offset if entry else None,
        level.pad if level else None,
        *(rung.distance for rung in spec.ladder),
        *((trailing.distance, trailing.after) if trailing else ()),
        spec.break_even.after if spec.break_even else None,
        spec.scale_in.every if spec.scale_in else None,
    )
    return tuple(distance for distance in found if distance is not None)


def atr_nodes(spec: PlaySpec) -> list[Call]:
    """Return the average true ranges that the distances are made of."""
    return [Call("atr", None, (d.period,)) for d in distances_of(spec) if d.kind is DistanceKind.ATR]


def price_nodes(spec: PlaySpec, scope: Scope) -> dict[str, Numeric]:
    """Return the prices of the rule language by what they are for, as a check shows them."""
    levels = (
        ("entry", spec.entry.at if spec.entry else None),
        ("stop", spec.stop_level.at if spec.stop_level else None),
    )
    found: dict[str, Numeric] = {}
    for name, level in levels:
        if level is None:
            continue
        if level.long == level.short:
            found[name] = parse_price(level.long, scope)
            continue
        for side, text in (("long", level.long), ("short", level.short)):
            if text:
                found[f"{side}_{name}"] = parse_price(text, scope)
    return found


def nodes_of(spec: PlaySpec, scope: Scope) -> list[Node]:
    """Return every number that the parts of a play read besides its rules."""
    volatility = [volatility_node(spec.sizing.period)] if sizes_by_volatility(spec) else []
    return [*price_nodes(spec, scope).values(), *atr_nodes(spec), *volatility]


def _known(price: float) -> float:
    return price if price > 0.0 and math.isfinite(price) else 0.0
