"""What is at stake: positions at the marks and working entries, as the limits on capital look at them."""

from decimal import Decimal
from math import fsum

import msgspec

from engine.domain.orders import Order
from engine.domain.signals import Side
from engine.execution.book import OrderBook
from engine.execution.ledger import Ledger


class Exposure(msgspec.Struct, frozen=True, gc=False):
    """What is held and works. Notionals are gross, in quote units at the marks.

    `net` is the symbol's net quantity with its working entries of one side filled: what a further entry of
    that side comes on top of. Summed by fsum: no order of positions, which a restart may change, shows in it.
    """

    net: Decimal
    symbol: float
    total: float


def exposure(ledger: Ledger, book: OrderBook, symbol: str, side: Side) -> Exposure:
    """Return what is at stake in a symbol and in all. The work grows with what is open, not with the past."""
    net = ledger.net_qty(symbol)
    held, others = ledger.open_notionals(symbol)
    for order in book.entries.values():
        request = order.request
        if request.symbol != symbol:
            others.append(_worth(order, ledger))
            continue
        held.append(_worth(order, ledger))
        if request.side is side:
            net += order.remaining_qty * side.sign
    of_symbol = fsum(held) if held else 0.0
    return Exposure(net, of_symbol, fsum([*held, *others]) if others else of_symbol)


def _worth(order: Order, ledger: Ledger) -> float:
    """Return what is left of an entry at its own price, or at the mark where it has none."""
    request = order.request
    price = request.price or request.trigger
    left = float(order.remaining_qty if order.filled_qty else request.qty)
    return left * (ledger.mark_of(request.symbol) if price is None else float(price))
