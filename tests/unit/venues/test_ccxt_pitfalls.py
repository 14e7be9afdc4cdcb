"""What ccxt is known to do (the list of the notes, by number), each with what the adapter makes of it."""

import asyncio
import decimal
import time
from decimal import Decimal
from typing import Any

import ccxt.pro as ccxtpro
import pytest

from engine.domain.events import (
    CallOutcome,
    CancelRejected,
    Channel,
    ChannelReport,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    OrderTimedOut,
    VenueReport,
)
from engine.domain.ids import OrderRole
from engine.domain.orders import OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.ccxt_client import Evidence, build_client
from engine.venues.ccxt_clock import VenueClock
from engine.venues.ccxt_profiles import PROFILES, Endpoint, profile_of
from engine.venues.ratelimits import Kind
from tests.unit.venues.bybit_desk import (
    NOW,
    Answer,
    connected,
    hangs,
    keys,
    ok,
    order,
    raw_order,
    raw_position,
    raw_trade,
    refuses,
    resets,
    says,
)

CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
OPEN, HISTORY = "/v5/order/realtime", "/v5/order/history"
POSITIONS, TRADES = "/v5/position/list", "/v5/execution/list"
EMPTY = [says(""), says("<html>busy</html>", content_type="text/html"), says("{}"), says("[]"), says("null")]


@pytest.mark.parametrize("path", [OPEN, POSITIONS, TRADES])
@pytest.mark.parametrize("answer", EMPTY, ids=["empty", "html", "{}", "[]", "null"])
async def test_pitfall_01_an_empty_answer_is_never_flat(path: str, answer: Answer):
    async with connected() as desk:
        desk.desk.orders.append(raw_order(order().client_id))
        desk.desk.positions.append(raw_position("0.5", "Buy"))
        desk.desk.instead[path].append(answer)
        desk.venue.query(-1, NOW)
        assert not (await desk.heard.until(VenueReport, request_id=-1)).complete
        desk.venue.query(-2, NOW)
        report = await desk.heard.until(VenueReport, request_id=-2)
        assert report.complete
        assert report.positions[0].qty == Decimal("0.5")
        assert report.orders[0].client_id == order().client_id


@pytest.mark.parametrize("answer", EMPTY, ids=["empty", "html", "{}", "[]", "null"])
async def test_pitfall_01_an_order_without_an_answer_of_substance_is_unknown(answer: Answer):
    async with connected() as desk:
        desk.desk.instead[CREATE].append(answer)
        sent = desk.submit()
        await desk.heard.until(OrderTimedOut, client_id=sent.client_id)


async def test_pitfall_01_a_row_without_its_facts_makes_the_report_incomplete():
    async with connected() as desk:
        for broken in (
            raw_order("x", qty="", leavesQty=""),
            raw_order("x", orderStatus="Sleeping"),
            {"symbol": "BTCUSDT"},
        ):
            desk.desk.orders = [raw_order(order().client_id), broken]
            desk.heard.events.clear()
            desk.venue.query(-1, NOW)
            assert not (await desk.heard.until(VenueReport)).complete


@pytest.mark.parametrize("code", [10000, 10016, 110072, 10014, 999999])
async def test_pitfall_02_a_fault_of_the_server_is_no_rejection(code: int):
    async with connected() as desk:
        desk.desk.instead[CREATE].append(refuses(code))
        sent = desk.submit()
        await desk.heard.until(OrderTimedOut, client_id=sent.client_id)
        assert not desk.heard.all(OrderRejected)


@pytest.mark.parametrize("answer", [resets, hangs, says("bad gateway", 502), says("", 504)])
async def test_pitfall_03_a_write_without_an_answer_is_unknown_and_never_sent_again(answer: Answer):
    async with connected(submit_s=0.2) as desk:
        desk.desk.instead[CREATE].append(answer)
        sent = desk.submit()
        await desk.heard.until(OrderTimedOut, client_id=sent.client_id)
        assert len(desk.desk.of(CREATE)) == 1
        await desk.heard.until(ChannelReport, channel=Channel.ORDERS, outcome=CallOutcome.TRANSIENT)


async def test_pitfall_03_where_no_connection_can_be_made_nothing_was_sent():
    async with connected() as desk:
        desk.account.client.urls["api"]["private"] = "http://127.0.0.1:9"  # discard: nobody listens
        sent = desk.submit()
        rejected = await desk.heard.until(OrderRejected, client_id=sent.client_id)
        assert rejected.reason is Reason.VENUE_UNREACHABLE
        await desk.heard.until(ChannelReport, channel=Channel.ORDERS, outcome=CallOutcome.TRANSIENT)


async def test_pitfall_04_the_budget_is_ours_and_reductions_do_not_wait_for_entries():
    async with connected() as desk:
        assert desk.account.client.enableRateLimit is False
        desk.budget.held[Kind.ORDER] = asyncio.Event()
        entries = [desk.submit(number) for number in range(1, 4)]
        desk.submit(9, role=OrderRole.EXIT, reduce_only=True)
        await desk.heard.until(OrderAcked, client_id=order(9, role=OrderRole.EXIT).client_id)
        assert len(desk.desk.of(CREATE)) == 1
        desk.budget.held[Kind.ORDER].set()
        for entry in entries:
            await desk.heard.until(OrderAcked, client_id=entry.client_id)


async def test_pitfall_04_an_order_that_waits_for_its_turn_is_canceled_without_being_sent():
    async with connected() as desk:
        desk.budget.held[Kind.ORDER] = asyncio.Event()
        sent = desk.submit()
        desk.venue.cancel(sent.client_id, sent.symbol, NOW)
        await desk.heard.until(OrderCanceled, client_id=sent.client_id)
        assert not desk.desk.of(CREATE)
        assert not desk.desk.of(CANCEL)


async def test_pitfall_04_no_room_in_the_budget_is_no_time_out_of_a_sent_order():
    async with connected(submit_s=0.05) as desk:
        desk.budget.held[Kind.ORDER] = asyncio.Event()
        sent = desk.submit()
        rejected = await desk.heard.until(OrderRejected, client_id=sent.client_id)
        assert rejected.reason is Reason.RATE_LIMITED
        assert not desk.desk.of(CREATE)


async def test_pitfall_04_a_reduction_waits_for_its_turn_for_as_long_as_the_limit_takes():
    async with connected(submit_s=0.05) as desk:
        desk.budget.held[Kind.ORDER], desk.budget.held[Kind.REDUCE] = asyncio.Event(), asyncio.Event()
        leaves = desk.submit(9, role=OrderRole.EXIT, reduce_only=True)
        entry = desk.submit()
        await desk.heard.until(OrderRejected, client_id=entry.client_id)
        desk.budget.held[Kind.REDUCE].set()
        await desk.heard.until(OrderAcked, client_id=leaves.client_id)


async def test_pitfall_05_two_updates_that_collapse_lose_no_fill():
    async with connected() as desk:
        sent = desk.submit()
        await desk.heard.until(OrderAcked)
        mine = sent.client_id
        await desk.desk.push("order", raw_order(mine, "PartiallyFilled", cumExecQty="0.004"))
        await desk.desk.push("order", raw_order(mine, "Filled", cumExecQty="0.010"))
        await desk.desk.push("execution", raw_trade(mine, "t1", execQty="0.004"))
        await desk.desk.push("execution", raw_trade(mine, "t2", execQty="0.006"))
        await desk.heard.until(Fill, trade_id="t1", qty=Decimal("0.004"))
        await desk.heard.until(Fill, trade_id="t2", qty=Decimal("0.006"))


async def test_pitfall_05_an_end_waits_for_its_trades_and_asks_for_those_that_do_not_come():
    async with connected() as desk:
        sent = desk.submit()
        await desk.heard.until(OrderAcked)
        ended = raw_order(sent.client_id, "PartiallyFilledCanceled", cumExecQty="0.004", avgPrice="20000.5")
        desk.desk.history.append(ended)
        desk.desk.trades.append(raw_trade(sent.client_id, execQty="0.004"))
        await desk.desk.push("order", ended)
        report = await desk.heard.until(OrderReport, client_id=sent.client_id)
        assert not desk.heard.all(OrderCanceled)
        assert report.order.state is OrderState.CANCELED
        assert report.order.average_price == Decimal("20000.5")
        assert report.fills[0].qty == Decimal("0.004")


async def test_pitfall_06_orders_are_named_by_our_id_in_the_venues_own_parameter():
    async with connected() as desk:
        sent = desk.submit()
        await desk.heard.until(OrderAcked)
        desk.desk.history.append(raw_order(sent.client_id, "Cancelled", cancelType="CancelByUser"))
        desk.venue.cancel(sent.client_id, sent.symbol, NOW)
        report = await desk.heard.until(OrderReport)
        assert report.order.state is OrderState.CANCELED
        for path in (CREATE, CANCEL, OPEN, HISTORY):
            assert desk.desk.of(path)[-1].params["orderLinkId"] == sent.client_id
        assert "orderId" not in desk.desk.of(CANCEL)[0].params


async def test_pitfall_06_an_order_the_venue_does_not_know_is_reported_so():
    async with connected() as desk:
        desk.venue.query_order(order().client_id, "BTCUSDT", NOW)
        report = await desk.heard.until(OrderReport)
        assert (report.order, report.fills, report.complete) == (None, (), True)


async def test_pitfall_07_the_answer_to_an_order_tells_its_id_and_nothing_else():
    async with connected() as desk:
        sent = desk.submit()
        acked = await desk.heard.until(OrderAcked, client_id=sent.client_id)
        assert acked.venue_id == f"v-{sent.client_id}"
        assert not desk.heard.all(Fill)


R = Reason
REFUSALS: list[tuple[Answer, Reason]] = [
    (refuses(110017), R.REDUCE_ONLY_WOULD_INCREASE),
    (refuses(110043), R.VENUE_REFUSED),
    (refuses(110001), R.ORDER_NOT_FOUND),
    (refuses(110007), R.INSUFFICIENT_FUNDS),
    (refuses(110094), R.VENUE_MINIMUM),
    (refuses(110092), R.TRIGGER_PASSED),
    (refuses(10001), R.VENUE_REFUSED),
    (refuses(10002), R.CLOCK_SKEW),
    (refuses(10003), R.AUTH_FAILED),
    (refuses(10004), R.AUTH_FAILED),
    (refuses(10005), R.AUTH_FAILED),
    (says("{}", 401), R.AUTH_FAILED),
    (refuses(10006), R.RATE_LIMITED),
    (refuses(10018), R.RATE_LIMITED),
    (says("slow down", 429), R.RATE_LIMITED),
    (says("{}", 403), R.RATE_LIMITED),
    (says("teapot", 418), R.RATE_LIMITED),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSALS)
async def test_pitfall_08_an_error_is_sorted_by_its_code_and_not_by_its_class(answer: Answer, reason: Reason):
    async with connected() as desk:
        desk.desk.instead[CREATE].append(answer)
        sent = desk.submit()
        assert (await desk.heard.until(OrderRejected, client_id=sent.client_id)).reason is reason


async def test_pitfall_08_what_the_venue_asks_for_reaches_budget_and_breaker():
    async with connected() as desk:
        desk.desk.instead[CREATE] += [refuses(10006), refuses(10003), refuses(110007)]
        for number, outcome in enumerate((CallOutcome.RATE_LIMITED, CallOutcome.AUTH, CallOutcome.OK), 1):
            desk.submit(number)
            await desk.heard.until(ChannelReport, channel=Channel.ORDERS, outcome=outcome)
        assert desk.budget.held_back_s


async def test_pitfall_08_a_cancel_of_what_is_gone_says_so_and_one_without_an_answer_is_repeated():
    async with connected(query_s=0.2) as desk:
        desk.desk.instead[CANCEL].append(refuses(110001))
        mine = order().client_id
        desk.venue.cancel(mine, "BTCUSDT", NOW)
        await desk.heard.until(CancelRejected, client_id=mine, reason=Reason.ORDER_NOT_FOUND)
        desk.desk.instead[CANCEL] += [resets, says("", 502), refuses(10006), resets]
        desk.venue.cancel(mine, "BTCUSDT", NOW)
        await desk.heard.until(CancelRejected, client_id=mine, reason=Reason.NO_ANSWER)
        assert len(desk.desk.of(CANCEL)) == 5


async def test_pitfall_09_a_dropped_socket_is_told_redialed_and_followed_by_a_comparison():
    async with connected() as desk:
        desk.heard.events.clear()
        auths = sum(frame["op"] == "auth" for frame in desk.desk.frames)
        desk.desk.drop()
        await desk.heard.until(FeedChanged, state=FeedState.DISCONNECTED)
        await desk.heard.until(ChannelReport, channel=Channel.PRIVATE, outcome=CallOutcome.TRANSIENT)
        await desk.heard.until(FeedChanged, state=FeedState.CONNECTED)
        assert sum(frame["op"] == "auth" for frame in desk.desk.frames) == auths + 1
        sent = desk.submit()
        await desk.desk.push("execution", raw_trade(sent.client_id))
        await desk.heard.until(Fill)


async def test_pitfall_10_a_silent_socket_is_dead_after_two_pings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.venues.ccxt_client.KEEP_ALIVE_MS", 30)
    async with connected() as desk:
        desk.desk.silent = True
        await desk.heard.until(FeedChanged, state=FeedState.DISCONNECTED)
        desk.desk.silent = False
        desk.heard.events.clear()
        await desk.heard.until(FeedChanged, state=FeedState.CONNECTED)


async def test_pitfall_11_requests_and_sockets_carry_the_venues_time():
    async with connected() as desk:
        assert not desk.desk.of("/v5/asset/coin/query-info")
        desk.desk.skew_ms = 90_000
        await desk.account.clock.measure(desk.account._venue_ms)
        assert abs(desk.account.clock.offset_ms - 90_000) < 1_000
        sent = desk.submit()
        await desk.heard.until(OrderAcked, client_id=sent.client_id)
        stamped = int(desk.desk.of(CREATE)[0].headers["X-BAPI-TIMESTAMP"])
        assert abs(stamped - desk.desk.now_ms()) < 5_000
        desk.desk.drop()
        desk.heard.events.clear()
        await desk.heard.until(FeedChanged, state=FeedState.CONNECTED)
        expires = [frame["args"][1] for frame in desk.desk.frames if frame["op"] == "auth"][-1]
        assert int(expires) > desk.desk.now_ms()


async def test_pitfall_11_a_refusal_for_our_time_measures_the_clock_again():
    async with connected() as desk:
        asked = len(desk.desk.of("/v5/market/time"))
        desk.desk.skew_ms = -70_000
        measured: asyncio.Queue[int] = asyncio.Queue()
        desk.account.clock.on_measured = measured.put_nowait
        desk.desk.instead[CREATE].append(refuses(10002))
        desk.submit()
        assert (await desk.heard.until(OrderRejected)).reason is Reason.CLOCK_SKEW
        async with asyncio.timeout(5):
            assert abs(await measured.get() + 70_000) < 1_000
        assert len(desk.desk.of("/v5/market/time")) > asked


async def test_pitfall_12_sockets_are_those_of_aiohttp():
    async with connected() as desk:
        (socket,) = desk.account.client.clients.values()
        assert type(socket.connection).__module__.startswith("aiohttp")


async def test_pitfall_15_the_rounding_of_our_decimals_stays_ours():
    before = decimal.getcontext().copy()
    async with connected() as desk:
        sent = desk.submit()
        await desk.heard.until(OrderAcked)
        await desk.desk.push("execution", raw_trade(sent.client_id))
        await desk.heard.until(Fill)
        desk.venue.query(-1, NOW)
        await desk.heard.until(VenueReport)
    after = decimal.getcontext()
    assert (after.rounding, after.prec, after.traps) == (before.rounding, before.prec, before.traps)


MARKET: dict[str, Any] = {
    "id": "BTC",
    "symbol": "BTC/USDT:USDT",
    "base": "BTC",
    "quote": "USDT",
    "settle": "USDT",
    "baseId": "0",
    "type": "swap",
    "swap": True,
    "spot": False,
    "margin": False,
    "future": False,
    "option": False,
    "contract": True,
    "linear": True,
    "inverse": False,
    "active": True,
    "contractSize": "1",
    "precision": {"amount": "0.001", "price": "0.1"},
    "limits": {"amount": {"min": "0.001"}, "price": {}, "cost": {}, "leverage": {}},
    "info": {"orderTypes": ["LIMIT"]},
}


async def outgoing(venue: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """Send a stop order and return what would have left: address, headers, body."""
    profile = profile_of(venue)
    site = Endpoint.DEMO if profile.has_demo else Endpoint.TESTNET
    held = keys("0x" + "1" * 40, "2" * 64)
    client = build_client(profile, site, held, clock=VenueClock(), evidence=Evidence(), timeout_s=1)
    client.walletAddress, client.privateKey = "0x" + "1" * 40, "0x" + "2" * 64
    sent: list[tuple[str, str, Any]] = []

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        sent.append((url, str(headers), f"{url} {body}"))
        return {"code": "0", "msg": "", "data": [], "orderId": "1", "result": "success", "status": "ok"}

    monkeypatch.setattr(client, "fetch", fetch)
    client.set_markets([MARKET])
    client.currencies = {}
    try:
        decimal.setcontext(decimal.getcontext().copy())  # ccxt changes it
        params = {"clientOrderId": to_venue_id(venue), "reduceOnly": True}
        await client.create_order("BTC/USDT:USDT", "limit", "sell", "0.01", "20000", params)
    except (ccxtpro.BaseError, KeyError, IndexError, TypeError, AttributeError):
        pass  # the answer is nobody's
    finally:
        await client.close()
    return sent


def to_venue_id(venue: str) -> str:
    from engine.venues.ccxt_ids import to_venue

    return to_venue(order().client_id, profile_of(venue).id_form)


async def test_pitfall_13_hyperliquid_sends_neither_builder_nor_referrer(monkeypatch: pytest.MonkeyPatch):
    sent = await outgoing("hyperliquid", monkeypatch)
    bodies = " ".join(body for _, _, body in sent)
    assert '"type":"order"' in bodies.replace(" ", "")
    for word in ("approveBuilderFee", "setReferrer", '"builder"', "CCXT"):
        assert word not in bodies


@pytest.mark.parametrize("venue", [name for name in PROFILES if name != "local"])
async def test_pitfall_14_ids_are_ours_exactly_and_nothing_of_a_broker_goes_with_them(
    venue: str, monkeypatch: pytest.MonkeyPatch
):
    sent = await outgoing(venue, monkeypatch)
    everything = " ".join(f"{url} {headers} {body}" for url, headers, body in sent)
    assert to_venue_id(venue) in everything
    for mark in ("CCXT", "6b9ad766b55dBCDE", "x-xcKtGhcu", "x-TKT5PX2F", "Referer", "broker"):
        assert mark not in everything
    assert len(to_venue_id(venue)) <= profile_of(venue).id_max


def test_pitfall_14_every_profile_names_a_venue_with_what_the_adapter_needs():
    for profile in PROFILES.values():
        described = getattr(ccxtpro, profile.ccxt_id)().describe()["has"]
        for ability in ("createOrder", "cancelOrder", "fetchOpenOrders", "fetchPositions", "fetchMyTrades"):
            assert described[ability], (profile.name, ability)
        assert described["watchOrders"], profile.name
        assert described["watchMyTrades"], profile.name


async def test_time_is_measured_by_the_quickest_answer():
    ticks = iter([0, 10_000_000, 20_000_000, 22_000_000, 40_000_000, 60_000_000])
    clock = VenueClock(lambda: next(ticks))
    answers = iter([1_000, 2_000, 3_000])

    async def ask() -> int:
        return next(answers)

    assert await clock.measure(ask) == 2_000 - 21
    assert time.time_ns() > 0


async def test_pages_are_followed_to_their_end():
    async with connected() as desk:
        desk.desk.orders = [raw_order(f"other{number}") for number in range(120)]
        desk.venue.query(-1, NOW)
        report = await desk.heard.until(VenueReport)
        assert report.complete
        assert len(report.orders) == 120


async def test_a_list_that_never_ends_is_incomplete():
    async with connected() as desk:
        page = [raw_order(f"other{number}") for number in range(50)]

        async def again(_: Any) -> Any:
            return ok({"list": page, "nextPageCursor": "more"})

        desk.desk.always[OPEN] = again
        desk.venue.query(-1, NOW)
        assert not (await desk.heard.until(VenueReport)).complete
