"""Fills and the positions they add up to."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.money import ZERO
from engine.domain.signals import Side


class Liquidity(StrEnum):
    """Whether a fill took from the book or gave to it."""

    MAKER = "maker"
    TAKER = "taker"


class Fill(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One execution as the venue reports it, idempotent by `trade_id`. The fee is a cost in settle units."""

    ts: int
    client_id: str
    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    liquidity: Liquidity = Liquidity.TAKER
    venue_id: str = ""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A play's net quantity in a symbol; `entry_notional` is what the open quantity cost, signed like it."""

    play: str
    symbol: str
    qty: Decimal = ZERO
    entry_notional: Decimal = ZERO
    realized: Decimal = ZERO  # before fees
    fees: Decimal = ZERO
    opened: int = 0

    @property
    def is_flat(self) -> bool:
        """Whether nothing is open."""
        return not self.qty
