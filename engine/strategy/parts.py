"""The parts of a play in words: sizes and entries, what ends its positions, what keeps it from entering."""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

import msgspec

from engine.domain.money import canonical
from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import (
    Distance,
    DistanceKind,
    EntryOrder,
    ModelRef,
    PlaySpec,
    Protections,
    ScaleIn,
    Sizing,
    SizingKind,
    StopLevel,
    TimeStop,
)
from engine.strategy.timeframes import timeframe_of


class PartFacts(msgspec.Struct, frozen=True):
    """A part of a play, in words."""

    name: str
    text: str


def parts_of(spec: PlaySpec) -> tuple[PartFacts, ...]:
    """Return what a play says besides its rules."""
    model = [("model", _model(spec.model))] if spec.model is not None else []
    return tuple(PartFacts(name, text) for name, text in (*model, *_parts(spec)))


def _parts(spec: PlaySpec) -> Iterator[tuple[str, str]]:
    yield "size", _size(spec.sizing)
    if spec.entry is not None:
        yield "entry", _entry(spec.entry)
    if spec.stop_loss is not None:
        yield "stop", f"{_distance(spec.stop_loss)} from the entry price"
    if spec.stop_level is not None:
        yield "stop", _level(spec.stop_level)
    if spec.take_profit is not None:
        yield "target", f"{_distance(spec.take_profit)} from the entry price"
    for rung in spec.ladder:
        yield "target", f"{_distance(rung.distance)} from the entry price for {canonical(rung.close)} %"
    if spec.trailing is not None:
        after = spec.trailing.after
        begins = "from the start" if after is None else f"once {_distance(after)} in profit"
        yield "trailing", f"{_distance(spec.trailing.distance)} behind the best price, {begins}"
    if spec.break_even is not None:
        even = spec.break_even
        better = f"{even.offset_percent:g} % better than" if even.offset_percent else "at"
        yield "break-even", f"{better} the entry price, once {_distance(even.after)} in profit"
    if spec.time_stop is not None:
        yield "time stop", _time(spec.time_stop)
    if spec.scale_in is not None:
        yield "scale-in", _scale_in(spec.scale_in)
    if spec.protections is not None:
        for text in _protections(spec.protections):
            yield "protection", text


def _distance(distance: Distance) -> str:
    match distance.kind:
        case DistanceKind.PERCENT:
            return f"{distance.value:g} %"
        case DistanceKind.ATR:
            return f"{distance.value:g} ATR({distance.period})"
        case DistanceKind.TICKS:
            return f"{distance.value:g} ticks"
        case _:
            assert_never(distance.kind)


def _size(sizing: Sizing) -> str:
    value = canonical(sizing.value)
    most = "" if sizing.notional_max is None else f", worth at most {canonical(sizing.notional_max)}"
    match sizing.kind:
        case SizingKind.NOTIONAL:
            return f"worth {value}"
        case SizingKind.EQUITY_FRACTION:
            return f"worth {canonical(sizing.value * Decimal(100))} % of equity{most}"
        case SizingKind.RISK_PERCENT:
            return f"{value} % of equity is lost at the stop{most}"
        case SizingKind.VOLATILITY_TARGET:
            return f"varies by {value} % a year, measured over {sizing.period} bars{most}"
        case _:
            assert_never(sizing.kind)


def _entry(entry: EntryOrder) -> str:
    side = "better" if entry.kind is OrderKind.LIMIT else "worse"
    base = "its price" if entry.at is not None else "the close"
    rests = entry.kind is not OrderKind.MARKET
    off = "at" if entry.offset is None else f"{_distance(entry.offset)} {side} than"
    where = f" {off} {base}" if rests else ""
    more = [
        "post-only" if entry.post_only else "",
        "" if entry.tif is TimeInForce.GTC else entry.tif.value,
        f"for {entry.valid_bars} bars" if entry.valid_bars else "",
        "replaced by a later signal" if entry.replace else "",
    ]
    return ", ".join([f"{entry.kind}{where}", *(word for word in more if word)])


def _level(level: StopLevel) -> str:
    pad = "" if level.pad is None else f", {_distance(level.pad)} further away"
    return f"at its price when the entry is signaled{pad}"


def _time(limit: TimeStop) -> str:
    return f"after {limit.bars} bars" if limit.bars else f"after {timeframe_of(limit.after_ns)}"


def _scale_in(part: ScaleIn) -> str:
    far = "any step" if part.every is None else _distance(part.every)
    side = "against" if part.against else "in favour of"
    factor = "" if part.size_factor == 1 else f", each {canonical(part.size_factor)} times the one before"
    rule = "" if part.when is None else ", where its rule is true"
    return f"{far} {side} the position from the last entry{rule}, up to {part.entries_max} entries{factor}"


def _protections(guards: Protections) -> Iterator[str]:
    if guards.cooldown_bars:
        yield f"rests for {guards.cooldown_bars} bars after a trade"
    if guards.trades_per_day_max:
        yield f"opens at most {guards.trades_per_day_max} positions a day"
    stops, profit, fall = guards.stop_loss_guard, guards.low_profit, guards.drawdown
    if stops is not None:
        yield f"{stops.trades} stops with a loss within {_pause(stops.within_ns, stops.pause_ns)}"
    if profit is not None:
        less = f"less than {profit.percent_min:g} % from at least {profit.trades} trades"
        yield f"{less} within {_pause(profit.within_ns, profit.pause_ns)}"
    if fall is not None:
        yield f"a fall of {fall.percent:g} % within {_pause(fall.within_ns, fall.pause_ns)}"


def _pause(within_ns: int, pause_ns: int) -> str:
    return f"{timeframe_of(within_ns)} pauses it for {timeframe_of(pause_ns)}"


def _model(model: ModelRef) -> str:
    what = f"{model.architecture or 'model'} of {len(model.features)} features"
    rise = f" by more than {model.rise_percent:g} %" if model.rise_percent else ""
    hash_ = model.sha256[:12] or "not trained"
    return f"{what} ({hash_}): is the close higher{rise} {model.horizon_bars} bars on?"
