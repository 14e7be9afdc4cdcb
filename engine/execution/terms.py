"""What an entry is asked for with: its order's kind and price, and the plan for the position it opens."""

from decimal import Decimal

import msgspec

from engine.domain.market import Instrument
from engine.domain.money import canonical
from engine.domain.orders import OrderKind
from engine.domain.play import DistanceKind, EntryOrder, PlaySpec
from engine.domain.reasons import Reason
from engine.domain.signals import EntryPlan, Signal, SignalKind
from engine.execution.protect import Plan
from engine.risk.sizing import Refusal

_NOTHING = EntryPlan()
_AT_MARKET = EntryOrder(OrderKind.MARKET)
# Bound once: a look into an enum costs more than the comparison, and every entry passes here.
_MARKET, _LIMIT, _STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of an entry. `price` is what it is sized with: its own, or the close for one at market.

    `stop_distance` is that from the price to the planned stop, None without one.
    """

    order: EntryOrder
    price: Decimal
    plan: Plan
    stop_distance: Decimal | None = None

    @property
    def limit(self) -> Decimal | None:
        """The limit of a limit order."""
        return self.price if self.order.kind is _LIMIT else None

    @property
    def trigger(self) -> Decimal | None:
        """The trigger of a stop order."""
        return self.price if self.order.kind is _STOP else None


def terms_of(signal: Signal, spec: PlaySpec, instrument: Instrument) -> Terms | Refusal:
    """Return the terms of an entry, or why there can be none.

    A limit is rounded to the tick away from the market, a stop toward what it waits for. A further entry
    keeps the plan of the position: its stop is not looked at.
    """
    planned = signal.plan or _NOTHING
    order = spec.entry or _AT_MARKET
    price = _price(signal, planned, order, instrument)
    if type(price) is Refusal:  # isinstance costs more where it is none
        return price
    distance = None if signal.stop is None else Decimal(repr(signal.stop))
    plan = Plan(signal.stop, signal.target, ladder=planned.ladder)
    if planned.stop is None or signal.kind is SignalKind.SCALE_IN:
        return Terms(order=order, price=price, plan=plan, stop_distance=distance)
    level = _stop_level(signal, planned.stop, price, instrument)
    if isinstance(level, Refusal):
        return level
    plan = msgspec.structs.replace(plan, level=level)
    return Terms(order=order, price=price, plan=plan, stop_distance=abs(price - level))


def _price(
    signal: Signal, planned: EntryPlan, order: EntryOrder, instrument: Instrument
) -> Decimal | Refusal:
    """Return the price of the order: its own where it rests, the close where it does not."""
    close = instrument.price(signal.price)
    if order.kind is _MARKET:
        return close
    assert planned.price is not None, "an entry that rests is signaled with its price"
    buys, limit = signal.side.sign > 0, order.kind is OrderKind.LIMIT
    away = instrument.round_price_down if buys is limit else instrument.round_price_up
    price = away(Decimal(repr(planned.price)))
    if order.offset is not None and order.offset.kind is DistanceKind.TICKS:
        off = Decimal(repr(order.offset.value)) * instrument.tick
        price = price - off if buys is limit else price + off
    if not planned.price or price <= 0:
        return Refusal(Reason.PRICE_UNKNOWN, {"of": "entry", "price": canonical(price)})
    if not limit and (price <= close if buys else price >= close):
        return Refusal(Reason.TRIGGER_PASSED, {"trigger": canonical(price), "price": canonical(close)})
    return price


def _stop_level(signal: Signal, stop: float, price: Decimal, instrument: Instrument) -> Decimal | Refusal:
    """Return the price of the stop, rounded away from the entry to the tick."""
    buys = signal.side.sign > 0
    exact = Decimal(repr(stop))
    level = instrument.round_price_down(exact) if buys else instrument.round_price_up(exact)
    if level <= 0:
        return Refusal(Reason.PRICE_UNKNOWN, {"of": "stop", "price": canonical(level)})
    if level >= price if buys else level <= price:
        values = {"side": signal.side.value, "stop": canonical(level), "price": canonical(price)}
        return Refusal(Reason.STOP_WRONG_SIDE, values)
    return level
