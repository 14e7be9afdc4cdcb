"""What trading costs, for a screen that says so before a person acts."""

from decimal import Decimal

import msgspec


class FeeRow(msgspec.Struct, frozen=True):
    """The fee rates of one symbol, as parts of the notional; a rebate is negative."""

    symbol: str
    maker: Decimal
    taker: Decimal
