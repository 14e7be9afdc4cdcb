"""What the simulated venue checks before an order may enter its book."""

from decimal import Decimal

import msgspec

from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.domain.reasons import Reason
from engine.venues.matching import Book

_MARKET = OrderKind.MARKET  # bound once: every order passes here


class Refusal(msgspec.Struct, frozen=True):
    """Why an order is not taken, with the numbers."""

    reason: Reason
    text: str


def refusal(request: OrderRequest, book: Book) -> Refusal | None:
    """Return why the venue refuses an order, None where it takes it.

    Minimums do not apply to reduce-only orders: what is left of a position must be closable.
    """
    off = _off_step(request, book)
    if off is not None:
        return off
    unfit = _increasing(request, book) if request.reduce_only else _without_market(request, book)
    if unfit is None and request.post_only:
        unfit = _post_only_taking(request, book)
    if unfit is None and not request.reduce_only:
        unfit = _under_minimum(request, book)
    return unfit


def _off_step(request: OrderRequest, book: Book) -> Refusal | None:
    tick, lot = book.instrument.tick, book.instrument.lot
    if request.price is not None or request.trigger is not None:
        for name, level in (("price", request.price), ("trigger", request.trigger)):
            if level is not None and (level <= 0 or level % tick):
                text = f"{name} {level} is not a positive multiple of the tick {tick}"
                return Refusal(Reason.OFF_TICK, text)
    if request.qty <= ZERO or request.qty % lot:
        return Refusal(Reason.OFF_LOT, f"quantity {request.qty} is not a positive multiple of the lot {lot}")
    return None


def _without_market(request: OrderRequest, book: Book) -> Refusal | None:
    if book.touch(request.side) is not None:
        return None
    return Refusal(Reason.NO_MARKET_YET, f"no price of {request.symbol} was seen yet")


def _increasing(request: OrderRequest, book: Book) -> Refusal | None:
    if book.reducible(request.side):
        return None
    return Refusal(
        Reason.REDUCE_ONLY_WOULD_INCREASE,
        f"a reduce-only {request.side} finds a position of {book.position}",
    )


def _post_only_taking(request: OrderRequest, book: Book) -> Refusal | None:
    if request.kind is not OrderKind.LIMIT or request.tif is not TimeInForce.GTC:
        return Refusal(Reason.POST_ONLY_WOULD_TAKE, f"a {request.kind} {request.tif} order never rests")
    assert request.price is not None, "a limit order has a price"
    if not book.crosses(request.side, float(request.price)):
        return None
    return Refusal(
        Reason.POST_ONLY_WOULD_TAKE,
        f"a post-only {request.side} at {request.price} crosses the market at {book.touch(request.side)}",
    )


def _under_minimum(request: OrderRequest, book: Book) -> Refusal | None:
    rules = book.instrument
    if request.qty < rules.qty_min:
        return Refusal(Reason.VENUE_MINIMUM, f"quantity {request.qty} is under the minimum {rules.qty_min}")
    if not rules.notional_min:
        return None
    notional = _price_of(request, book) * request.qty
    if notional < rules.notional_min:
        return Refusal(
            Reason.VENUE_MINIMUM,
            f"notional {notional} is under the minimum {rules.notional_min} {rules.quote}",
        )
    return None


def _price_of(request: OrderRequest, book: Book) -> Decimal:
    """Return the price an order's notional is counted at."""
    if request.kind is _MARKET:
        touch = book.touch(request.side)
        level = None if touch is None else book.instrument.price(touch)
    else:
        level = request.price if request.kind is OrderKind.LIMIT else request.trigger
    assert level is not None, f"a {request.kind} order has its price"
    return level
