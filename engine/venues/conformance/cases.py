"""The numbered cases of orders. Each holds one promise; its number is never given to another."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec

from engine.domain.events import (
    CancelRejected,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderRejected,
    OrderTimedOut,
)
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderState, TimeInForce
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.venues.conformance.ground import Ground, require

LIMIT, STOP = OrderKind.LIMIT, OrderKind.STOP
NEAR = Decimal("-0.02")  # through the market


class Case(msgspec.Struct, frozen=True):
    """One case: its number, its promise in a sentence, and what shows it."""

    number: str
    promise: str
    play: Callable[[Ground], Awaitable[None]]


async def _rests(ground: Ground) -> None:
    order = await ground.order(kind=LIMIT)
    acked = await ground.accepted(order)
    require(bool(acked.venue_id), "the acknowledgement has no id of the venue")
    listed = {each.client_id: each for each in (await ground.report()).orders}
    require(order.client_id in listed, "the order is not listed under our id")
    found = listed[order.client_id]
    told = (found.symbol, found.side, found.qty, found.filled_qty, found.venue_id)
    sent = (order.symbol, order.side, order.qty, ZERO, acked.venue_id)
    require(told == sent, f"listed as {told}, sent as {sent}")
    ground.cancel(order)
    await ground.ended(order)
    left = [each.client_id for each in (await ground.report()).orders]
    require(order.client_id not in left, "the canceled order is still listed")


async def _fills(ground: Ground) -> None:
    order = await ground.order()
    fills = await ground.filled(order)
    require(sum((fill.qty for fill in fills), ZERO) == order.qty, "trades do not add up to the order")
    require(all(fill.price > 0 and fill.trade_id and fill.side is order.side for fill in fills), str(fills))
    require(await ground.position() == order.qty, "the position is not what was bought")


async def _sells(ground: Ground) -> None:
    order = await ground.order(Side.SELL)
    await ground.filled(order)
    held = await ground.position()
    require(held == -order.qty, f"sold {order.qty}, and the position is {held}")


async def _closes(ground: Ground) -> None:
    order = await ground.order()
    await ground.filled(order)
    await ground.filled(await ground.order(Side.SELL, qty=order.qty, reduce_only=True))
    held = await ground.position()
    require(held == ZERO, f"{held} is left")


async def _reduces_nothing(ground: Ground) -> None:
    order = await ground.order(Side.SELL, reduce_only=True)
    ground.submit(order)
    await ground.ended(order)
    require(not ground.said(Fill, order.client_id), "it traded")
    require(await ground.position() == ZERO, "it opened a position")


async def _stays_passive(ground: Ground) -> None:
    order = await ground.order(kind=LIMIT, away=NEAR, post_only=True)
    ground.submit(order)
    await ground.ended(order)
    require(not ground.said(Fill, order.client_id), "it traded")


async def _ends_at_once(ground: Ground, tif: TimeInForce) -> None:
    order = await ground.order(kind=LIMIT, tif=tif)
    ground.submit(order)
    await ground.ended(order)
    require(not ground.said(Fill, order.client_id), "it traded")


async def _stop_rests(ground: Ground) -> None:
    entry = await ground.order()
    await ground.filled(entry)
    stop = await ground.order(Side.SELL, STOP, qty=entry.qty, reduce_only=True)
    await ground.accepted(stop)
    listed = {each.client_id: each for each in (await ground.report()).orders}
    require(stop.client_id in listed, "the stop is not listed under our id")
    found = listed[stop.client_id]
    require(not found.triggered and found.state is OrderState.ACKNOWLEDGED, f"it is listed as {found}")
    require(await ground.position() == entry.qty, "the stop has changed the position")
    ground.cancel(stop)
    await ground.ended(stop)


async def _stop_triggers(ground: Ground) -> None:
    entry = await ground.order()
    await ground.filled(entry)
    stop = await ground.order(Side.SELL, STOP, qty=entry.qty, reduce_only=True, away=NEAR)
    ground.submit(stop)
    # The trigger lies where the market is already: the venue refuses it or closes the position at once.
    await ground.any(
        "a refusal, or the close",
        lambda _: bool(ground.said(OrderRejected, stop.client_id) or ground.said(Fill, stop.client_id)),
    )


async def _one_id_one_order(ground: Ground) -> None:
    order = await ground.order(kind=LIMIT)
    await ground.accepted(order)
    ground.submit(order)
    await ground.any(
        "a refusal of the second, or a time-out",
        lambda _: bool(
            ground.said(OrderRejected, order.client_id) or ground.said(OrderTimedOut, order.client_id)
        ),
    )
    listed = [each for each in (await ground.report()).orders if each.client_id == order.client_id]
    require(len(listed) == 1, f"{len(listed)} orders have one id")


async def _cancel_of_nothing(ground: Ground) -> None:
    ground.cancel(order := await ground.order(kind=LIMIT))
    refused = await ground.until(CancelRejected, "a refusal", lambda e: e.client_id == order.client_id)
    require(refused.reason is Reason.ORDER_NOT_FOUND, f"the reason is {refused.reason}")


async def _unknown_is_unknown(ground: Ground) -> None:
    order = await ground.order(kind=LIMIT)
    report = await ground.report_order(order.client_id)
    require(report.order is None and report.complete and not report.fills, f"it reports {report}")


async def _too_small(ground: Ground) -> None:
    tiny = ground.instrument.lot / 2
    order = await ground.order(kind=LIMIT, qty=tiny)
    ground.submit(order)
    await ground.until(OrderRejected, "a refusal", lambda e: e.client_id == order.client_id)


async def _off_tick(ground: Ground) -> None:
    order = await ground.order(kind=LIMIT, off=ground.instrument.tick / 3)
    ground.submit(order)
    await ground.until(OrderRejected, "a refusal", lambda e: e.client_id == order.client_id)


async def _tells_the_end(ground: Ground) -> None:
    order = await ground.order()
    fills = await ground.filled(order)
    report = await ground.report_order(order.client_id)
    require(report.order is not None and report.complete, f"it reports {report}")
    assert report.order is not None, "required above"
    require(report.order.state is OrderState.FILLED, f"it ended as {report.order.state}")
    require(report.order.filled_qty == order.qty, "it is not filled as its trades say")
    told, heard = ({(f.trade_id, f.qty, f.price) for f in each} for each in (report.fills, fills))
    require(told == heard, f"the report has trades {told}, the stream told {heard}")
    average = report.order.average_price
    notional = sum((fill.qty * fill.price for fill in fills), ZERO)
    off = abs(average * order.qty - notional) if average is not None else None
    tolerance = ground.instrument.tick * order.qty
    require(off is None or off <= tolerance, f"the average price is {average}")


async def _trades_of_late(ground: Ground) -> None:
    order = await ground.order()
    await ground.filled(order)
    fills = [fill for fill in (await ground.report()).fills if fill.client_id == order.client_id]
    require(sum((fill.qty for fill in fills), ZERO) == order.qty, f"the report has {fills}")


async def _many_at_once(ground: Ground) -> None:
    orders = [await ground.order(kind=LIMIT) for _ in range(5)]
    for order in orders:
        ground.submit(order)
    for order in orders:
        await ground.until(OrderAcked, "each acknowledgement", lambda e, o=order: e.client_id == o.client_id)  # type: ignore[misc]
    for order in orders:
        ground.cancel(order)
    for order in orders:
        await ground.ended(order)
    left = {each.client_id for each in (await ground.report()).orders}
    require(not left & {order.client_id for order in orders}, "some are still listed")


async def _survives_a_break(ground: Ground) -> None:
    await ground.broken()
    await ground.until(FeedChanged, "the loss", lambda e: e.state is FeedState.DISCONNECTED)
    await ground.until(FeedChanged, "the return", lambda e: e.state is FeedState.CONNECTED)
    order = await ground.order()
    await ground.filled(order)


async def _ends_flat(ground: Ground) -> None:
    await ground.filled(await ground.order())
    await ground.flat()
    report = await ground.report()
    require(not any(p.qty for p in report.positions if p.symbol == ground.instrument.symbol), "not flat")


async def _rules_are_whole(ground: Ground) -> None:
    facts = ground.instrument
    require(facts.tick > 0 and facts.lot > 0, "tick and lot are positive")
    require(facts.qty_min > 0 and facts.notional_min >= 0, "minimums are stated")
    require(facts.round_qty(facts.qty_min) == facts.qty_min, "the minimum is a multiple of the lot")
    require(bool(facts.base and facts.quote and facts.settle), "currencies are named")
    await asyncio.sleep(0)


ORDER_CASES: tuple[Case, ...] = (
    Case(
        "C01",
        "An instrument's steps, minimums and currencies are stated and fit each other.",
        _rules_are_whole,
    ),
    Case(
        "C02",
        "A limit order away from the market rests, is listed under our id, and is canceled by it.",
        _rests,
    ),
    Case("C03", "A market order fills: its trades add up to it, and the position shows it.", _fills),
    Case("C04", "A position that was sold is reported net and negative.", _sells),
    Case("C05", "A reduce-only order closes the position it is for, and zero is reported.", _closes),
    Case("C06", "A reduce-only order without a position ends without a trade.", _reduces_nothing),
    Case("C07", "A post-only order that would trade at once ends without a trade.", _stays_passive),
    Case(
        "C08",
        "An immediate-or-cancel order away from the market ends without a trade.",
        lambda ground: _ends_at_once(ground, TimeInForce.IOC),
    ),
    Case(
        "C09",
        "A fill-or-kill order away from the market ends without a trade.",
        lambda ground: _ends_at_once(ground, TimeInForce.FOK),
    ),
    Case(
        "C10",
        "A reduce-only stop rests untriggered, is listed under our id, and is canceled by it.",
        _stop_rests,
    ),
    Case("C11", "A stop whose trigger the market has passed is refused, or closes at once.", _stop_triggers),
    Case("C12", "The same client id twice is one order.", _one_id_one_order),
    Case(
        "C13", "A cancel of an order that is not there is refused with ORDER_NOT_FOUND.", _cancel_of_nothing
    ),
    Case("C14", "An order that the venue never had is reported as not known.", _unknown_is_unknown),
    Case("C15", "A quantity below the lot is refused, not rounded.", _too_small),
    Case("C16", "A price off the tick is refused, not rounded.", _off_tick),
    Case(
        "C17", "An order's report holds its end, all of its trades and their average price.", _tells_the_end
    ),
    Case("C18", "A report holds the trades of late under our ids.", _trades_of_late),
    Case("C19", "Five orders handed over at once are all acknowledged, and all are canceled.", _many_at_once),
    Case(
        "C20",
        "A break of the private stream is told, and what follows its return is heard.",
        _survives_a_break,
    ),
    Case("C21", "Whatever was opened can be closed: the account ends flat in the instrument.", _ends_flat),
)
