"""What the exchange checks of an order beyond what the simulated venue does."""

from decimal import Decimal

import msgspec

from engine.domain.money import ZERO
from engine.domain.reasons import Reason
from engine.venues.admission import refusal
from engine.venues.bybit_server.account import Account
from engine.venues.bybit_server.listing import Listing, request_of
from engine.venues.bybit_server.orders import ExchangeOrder, Rising, Ticket
from engine.venues.bybit_server.refusals import (
    NO_BALANCE,
    TOO_MANY_ORDERS,
    TOO_MANY_STOPS,
    TRIGGER_NOT_ABOVE,
    TRIGGER_NOT_BELOW,
    RefusedError,
    of_reason,
    parameter_error,
)

ACTIVE_MAX = 500  # resting orders in one symbol
WAITING_MAX = 10  # conditional ones, without those of the position itself


def require_room(ticket: Ticket, listing: Listing) -> None:
    """Refuse one order too many in a symbol. Raises RefusedError."""
    if ticket.trigger is not None:
        own = sum(order.stop_kind == "Stop" for order in listing.waiting.values())
        if own >= WAITING_MAX:
            raise RefusedError(TOO_MANY_STOPS, f"the number of stop orders exceeds {WAITING_MAX}")
    elif len(listing.book.orders) >= ACTIVE_MAX:
        raise RefusedError(TOO_MANY_ORDERS, f"not allowed to have more than {ACTIVE_MAX} active orders")


def require_change(order: ExchangeOrder, wanted: ExchangeOrder) -> None:
    """Refuse an amendment that changes nothing, or leaves nothing to fill. Raises RefusedError."""
    if order.protects:
        raise parameter_error("take-profit and stop-loss of a position are set by trading-stop")
    if (wanted.qty, wanted.price, wanted.trigger) == (order.qty, order.price, order.trigger):
        raise parameter_error("The order remains unchanged as the parameters entered match the existing ones")
    if wanted.qty <= order.filled:
        raise parameter_error("qty must be greater than what is filled")


def require_fit(order: ExchangeOrder, listing: Listing, now: int) -> None:
    """Check steps and minimums of an order that does not meet the market now. Raises RefusedError."""
    request = msgspec.structs.replace(
        request_of(order, now), trigger=order.trigger, reduce_only=False, post_only=False
    )
    refused = refusal(request, listing.book)
    if refused is not None and not (refused.reason is Reason.VENUE_MINIMUM and order.reduces):
        raise of_reason(refused.reason, refused.text)


def require_margin(order: ExchangeOrder, listing: Listing, account: Account, available: Decimal) -> None:
    """Check that what an order may add to a position can be paid for. Raises RefusedError."""
    adds = max(ZERO, order.qty - order.filled - listing.book.reducible(order.ticket.side))
    price = order.price or listing.last
    fee = adds * price * listing.instrument.taker_fee
    if adds and account.margin_for(order.ticket.symbol, adds, price) + fee > available:
        raise RefusedError(NO_BALANCE, "ab not enough for new order")


def require_ahead(listing: Listing, rising: Rising, trigger: Decimal | None) -> None:
    """Refuse a trigger that the market is past already. Raises RefusedError."""
    assert trigger is not None, "a conditional order has a trigger"
    last = listing.last
    if not last:
        raise parameter_error("no price was traded yet")
    if rising is Rising.UP and trigger <= last:
        raise RefusedError(
            TRIGGER_NOT_ABOVE, f"expect Rising, but trigger_price[{trigger}] <= current[{last}]"
        )
    if rising is Rising.DOWN and trigger >= last:
        raise RefusedError(
            TRIGGER_NOT_BELOW, f"expect Falling, but trigger_price[{trigger}] >= current[{last}]"
        )
