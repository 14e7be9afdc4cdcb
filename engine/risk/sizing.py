"""How much to buy or sell: the play's wish, rounded to what the venue takes."""

from decimal import Decimal
from typing import assert_never, final

import msgspec

from engine.domain.market import Instrument
from engine.domain.money import ZERO, canonical, ceil_to, divide
from engine.domain.play import Sizing, SizingKind
from engine.domain.reasons import Reason

_PERCENT = Decimal(100)


@final
class Refusal(msgspec.Struct, frozen=True):
    """Why no quantity came out."""

    reason: Reason
    values: dict[str, str]


def size_entry(
    sizing: Sizing,
    *,
    equity: Decimal,
    price: Decimal,
    instrument: Instrument,
    stop_distance: Decimal | None = None,
    volatility: float | None = None,
) -> Decimal | Refusal:
    """Return the entry's quantity in base units on the lot size, or why there is none.

    `stop_distance` is the distance from the entry price to the stop in quote units, None without a stop;
    `volatility` is in percent a year, 0 where nothing moved.

    Fixed, or a part of equity: quantity = notional / price.
    By risk: quantity = equity * percent / 100 / stop distance, the distance rounded up to the tick as the
    stop's price is rounded away: where the stop fills at its price, no more is lost (fees apart).
    By volatility: notional = equity * target / volatility, both in percent a year, so that a position of
    that size varies by the target (Moreira and Muir, Volatility-Managed Portfolios, Journal of Finance 72,
    2017).
    All of them rounded toward zero to the lot, and worth no more than `notional_max`.
    """
    if equity <= ZERO and sizing.kind is not SizingKind.NOTIONAL:
        return Refusal(Reason.EQUITY_EXHAUSTED, {"equity": canonical(equity)})
    match sizing.kind:
        case SizingKind.NOTIONAL:
            wanted = divide(sizing.value, price)
        case SizingKind.EQUITY_FRACTION:
            wanted = divide(equity * sizing.value, price)
        case SizingKind.RISK_PERCENT:
            assert stop_distance is not None, "a play that sizes by risk has a stop: checked at load"
            wanted = divide(equity * sizing.value, _PERCENT * ceil_to(stop_distance, instrument.tick))
        case SizingKind.VOLATILITY_TARGET:
            if not volatility and sizing.notional_max is None:
                return Refusal(Reason.VOLATILITY_UNKNOWN, {"volatility": "0"})
            notional = (
                divide(equity * sizing.value, Decimal(repr(volatility)))
                if volatility
                else sizing.notional_max
            )
            wanted = divide(notional or ZERO, price)
        case _:
            assert_never(sizing.kind)
    most = wanted if sizing.notional_max is None else divide(sizing.notional_max, price)
    qty = instrument.round_qty(min(wanted, most))
    return check_minimum(qty, price, instrument) or qty


def check_minimum(qty: Decimal, price: Decimal, instrument: Instrument) -> Refusal | None:
    """Return why the venue would find the quantity too small, None where it would not."""
    if qty < instrument.qty_min or qty <= ZERO:
        values = {"qty": canonical(qty), "qty_min": canonical(instrument.qty_min)}
        return Refusal(Reason.QTY_BELOW_MINIMUM, values)
    notional = qty * price
    if notional < instrument.notional_min:
        values = {"notional": canonical(notional), "notional_min": canonical(instrument.notional_min)}
        return Refusal(Reason.NOTIONAL_BELOW_MINIMUM, values)
    return None
