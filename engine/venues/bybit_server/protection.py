"""The protective orders of a position: they close all of it when the last price reaches their trigger."""

from decimal import Decimal

from engine.domain.signals import Side
from engine.venues.bybit_server.account import Holding
from engine.venues.bybit_server.listing import Listing
from engine.venues.bybit_server.orders import ExchangeOrder, Force, Kind, Rising, Status, Ticket

TAKE_PROFIT, STOP_LOSS = "TakeProfit", "StopLoss"


def rising_of(kind: str, *, is_long: bool) -> Rising:
    """Return from where a position's protective order is reached."""
    return Rising.UP if is_long is (kind == TAKE_PROFIT) else Rising.DOWN


def protective_order(
    order_id: str, kind: str, holding: Holding, listing: Listing, *, level: Decimal, now: int
) -> ExchangeOrder:
    """Build the order that closes a position at a level."""
    is_long = holding.qty > 0
    ticket = Ticket(
        symbol=listing.instrument.symbol,
        side=Side.SELL if is_long else Side.BUY,
        kind=Kind.MARKET,
        qty=abs(holding.qty),
        force=Force.IOC,
        reduce_only=True,
        close_on_trigger=True,
        trigger=level,
        rising=rising_of(kind, is_long=is_long),
    )
    order = ExchangeOrder.of(ticket, order_id, now, listing.last)
    order.status, order.stop_kind, order.create_type = Status.UNTRIGGERED, kind, f"CreateBy{kind}"
    return order
