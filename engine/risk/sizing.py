"""How much to buy or sell: the play's wish, rounded to what the venue takes."""

from decimal import Decimal
from typing import assert_never

import msgspec

from engine.domain.market import Instrument
from engine.domain.money import ZERO, canonical, divide
from engine.domain.play import Sizing, SizingKind
from engine.domain.reasons import Reason


class Refusal(msgspec.Struct, frozen=True):
    """Why no quantity came out."""

    reason: Reason
    values: dict[str, str]


def size_entry(
    sizing: Sizing, *, equity: Decimal, price: Decimal, instrument: Instrument
) -> Decimal | Refusal:
    """Return the entry's quantity in base units on the lot size, or why there is none.

    quantity = notional / price, rounded toward zero to the lot; it is fixed or a part of equity.
    """
    match sizing.kind:
        case SizingKind.NOTIONAL:
            notional = sizing.value
        case SizingKind.EQUITY_FRACTION:
            if equity <= ZERO:
                return Refusal(Reason.EQUITY_EXHAUSTED, {"equity": canonical(equity)})
            notional = equity * sizing.value
        case _:
            assert_never(sizing.kind)
    qty = instrument.round_qty(divide(notional, price))
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
