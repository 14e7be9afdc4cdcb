"""What the order adapter does beside the pitfalls: hedge mode, others' trades, a full inbox, its end."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext, suppress
from decimal import Decimal

import pytest

from engine.config.layers import load_settings
from engine.domain.errors import AuthError, ConfigError, TransientError
from engine.domain.events import (
    ChannelReport,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    VenueReport,
)
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.orders import OrderKind
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.runtime.accounts import refuse_long_switch
from engine.venues.ccxt_profiles import LOCAL, PROFILES
from engine.venues.ratelimits import Kind
from engine.venues.silent import SilentVenue
from tests.unit.venues.bybit_desk import (
    IDS,
    NOW,
    BybitDesk,
    Heard,
    account,
    connected,
    ok,
    order,
    raw_order,
    raw_position,
    raw_trade,
    refuses,
    says,
    serving,
)

CREATE, POSITIONS = "/v5/order/create", "/v5/position/list"


async def test_hedge_mode_is_refused_at_the_start_with_what_to_do():
    async with serving() as desk:
        desk.positions.append(raw_position(positionIdx=1))
        opened = account(desk)
        with pytest.raises(ConfigError, match="BTCUSDT in hedge mode; set it to one-way mode"):
            await opened.open()
        await opened.close()


@pytest.mark.parametrize(
    "path", ["/v5/market/time", "/v5/market/instruments-info", POSITIONS, "/v5/account/wallet-balance"]
)
async def test_a_start_asks_again_where_an_answer_may_come_later(path: str):
    async with serving() as desk:
        desk.instead[path] += [says("", 503), says("{}")]
        opened = account(desk)
        await opened.open()
        assert await opened.equity("USDT") > 0
        await opened.close()
        assert len(desk.of(path)) >= 3


async def test_a_start_does_not_ask_again_where_it_was_refused():
    async with serving() as desk:
        desk.always[POSITIONS] = refuses(10003)
        opened = account(desk)
        with pytest.raises(AuthError):
            await opened.open()
        await opened.close()
        assert len(desk.of(POSITIONS)) == 1


async def test_the_last_error_has_its_time():
    async with connected() as desk:
        assert (desk.account.calls.last_error, desk.account.calls.last_error_at) == ("", 0)
        desk.desk.always["/v5/order/realtime"] = says("", 503)
        desk.venue.query_order(order().client_id, "BTCUSDT", NOW)
        await desk.heard.until(OrderReport)
        assert desk.account.calls.last_error
        assert desk.account.calls.last_error_at == NOW


async def test_hedge_mode_that_comes_later_makes_reports_incomplete():
    async with connected() as desk:
        desk.desk.positions.append(raw_position("0.5", "Buy", positionIdx=1))
        desk.venue.query(-1, NOW)
        assert not (await desk.heard.until(VenueReport)).complete


async def test_what_the_venue_says_of_keys_symbols_and_clock():
    async with connected() as desk:
        desk.desk.skew_ms = 400

        async def key(_: object) -> object:
            wallet = ["AccountTransfer", "Withdraw"]
            return ok({"readOnly": 0, "permissions": {"ContractTrade": ["Order"], "Wallet": wallet}})

        desk.desk.always["/v5/user/query-api"] = key  # type: ignore[assignment]  # it takes any request
        told = await desk.account.facts()
        assert (told.keys.can_trade, told.keys.can_withdraw) == (True, True)
        assert told.symbols == {"BTCUSDT"}
        assert await desk.account.equity("USDT") == Decimal("1000.5")
        with pytest.raises(TransientError, match="balance of EUR"):
            await desk.account.equity("EUR")


async def test_an_order_is_written_to_the_digit():
    async with connected() as desk:
        desk.submit(
            1, kind=OrderKind.MARKET, price=None, side=Side.SELL, reduce_only=True, role=OrderRole.EXIT
        )
        stop = {"kind": OrderKind.STOP, "price": None, "trigger": Decimal("19000.1"), "reduce_only": True}
        desk.submit(2, side=Side.SELL, role=OrderRole.STOP, **stop)
        desk.submit(3, post_only=True)
        for number in (1, 2, 3):
            await desk.heard.until(OrderAcked, client_id=order(number, role=_role(number)).client_id)
        market, resting, passive = (asked.params for asked in desk.desk.of(CREATE))
        assert (market["orderType"], market["side"], market["qty"]) == ("Market", "Sell", "0.01")
        assert market["reduceOnly"] is True
        assert "price" not in market
        assert (resting["triggerPrice"], resting["triggerDirection"]) == ("19000.1", 2)
        assert passive["timeInForce"] == "PostOnly"
        assert {asked["positionIdx"] for asked in (market, resting, passive)} == {0}


def _role(number: int) -> OrderRole:
    return {1: OrderRole.EXIT, 2: OrderRole.STOP}.get(number, OrderRole.ENTRY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"qty": Decimal("0.0005")}, Reason.OFF_LOT),
        ({"qty": Decimal("0.0105")}, Reason.OFF_LOT),
        ({"price": Decimal("20000.05")}, Reason.OFF_TICK),
        ({"kind": OrderKind.STOP, "price": None, "trigger": Decimal("20000.05")}, Reason.OFF_TICK),
    ],
)
async def test_an_order_whose_digits_the_venue_would_change_is_not_sent(
    change: dict[str, object], reason: Reason
):
    async with connected() as desk:
        sent = desk.submit(1, **change)
        assert (await desk.heard.until(OrderRejected, client_id=sent.client_id)).reason is reason
        assert not desk.desk.of(CREATE)


async def test_trades_and_orders_of_others_are_nobodys_news():
    async with connected() as desk:
        other = IdSpace(1, "other").client_id("play", OrderRole.ENTRY, 1)
        for mine in ("", "web_1", other):
            await desk.desk.push("order", raw_order(mine))
            await desk.desk.push("execution", raw_trade(mine, f"t{mine}"))
        sent = desk.submit()
        await desk.desk.push("execution", raw_trade(sent.client_id, "last"))
        await desk.heard.until(Fill, trade_id="last")
        assert len(desk.heard.all(Fill)) == 1
        assert {each.client_id for each in desk.heard.all(OrderAcked)} == {sent.client_id}


async def test_a_cancel_waits_for_the_order_that_was_handed_over_before_it():
    async with connected() as desk:
        gate = asyncio.Event()

        async def slow(_: object) -> object:
            await gate.wait()
            return ok({"orderId": "v1", "orderLinkId": ""})

        desk.desk.instead[CREATE].append(slow)  # type: ignore[arg-type]  # it takes any request
        new = desk.submit(2, role=OrderRole.STOP)
        desk.venue.cancel(order(1).client_id, "BTCUSDT", NOW)
        desk.venue.query(-1, NOW)
        await desk.heard.until(VenueReport)
        assert not desk.desk.of("/v5/order/cancel")
        gate.set()
        await desk.heard.until(OrderAcked, client_id=new.client_id)
        await desk.heard.until(OrderReport, client_id=order(1).client_id)
        assert desk.desk.of("/v5/order/cancel")


async def test_an_order_that_waits_for_its_turn_is_not_told_as_unknown_to_the_venue():
    async with connected() as desk:
        desk.budget.held[Kind.REDUCE] = asyncio.Event()
        waiting = desk.submit(kind=OrderKind.MARKET, price=None, reduce_only=True, role=OrderRole.EXIT)
        desk.venue.query_order(waiting.client_id, waiting.symbol, NOW)
        report = await desk.heard.until(OrderReport, client_id=waiting.client_id)
        assert (report.order, report.complete) == (None, False)
        desk.budget.held[Kind.REDUCE].set()
        await desk.heard.until(OrderAcked, client_id=waiting.client_id)


async def test_an_entry_that_waits_too_long_for_its_turn_is_refused_and_never_sent():
    async with connected(turn_s=0.01) as desk:
        desk.budget.held[Kind.ORDER] = asyncio.Event()
        late = desk.submit()
        refused = await desk.heard.until(OrderRejected, client_id=late.client_id)
        assert refused.reason is Reason.RATE_LIMITED
        assert "nothing was sent" in refused.text
        assert not desk.desk.of(CREATE)


async def test_a_cancel_that_the_stream_tells_of_is_not_asked_about():
    async with connected() as desk:
        sent = desk.submit()
        await desk.heard.until(OrderAcked)
        desk.venue.cancel(sent.client_id, sent.symbol, NOW)
        await desk.desk.push("order", raw_order(sent.client_id, "Cancelled", cancelType="CancelByUser"))
        canceled = await desk.heard.until(OrderCanceled, client_id=sent.client_id)
        assert canceled.reason is None


async def test_a_full_inbox_is_waited_for():
    async with serving() as desk:
        opened, heard = account(desk), Heard()
        await opened.open()
        refused = 0

        def post(event: object) -> bool:
            nonlocal refused
            refused += refused < 3
            return refused >= 3 and heard.post(event)  # type: ignore[arg-type]  # events only

        running = asyncio.create_task(opened.venue.run(post))
        opened.venue.submit(order(), NOW)
        await heard.until(OrderAcked)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await opened.close()


async def test_what_was_handed_over_before_the_adapter_runs_is_sent_when_it_does():
    async with serving() as desk:
        opened, heard = account(desk), Heard()
        await opened.open()
        opened.venue.own(IDS.owns)
        opened.venue.query(-1, NOW)
        running = asyncio.create_task(opened.venue.run(heard.post))
        await heard.until(VenueReport, request_id=-1)
        await heard.until(ChannelReport)
        await heard.until(FeedChanged)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await opened.close()


async def test_a_question_that_fails_is_reported_incomplete():
    async with connected() as desk:
        desk.desk.always["/v5/order/realtime"] = says("", 503)
        desk.venue.query_order(order().client_id, "BTCUSDT", NOW)
        report = await desk.heard.until(OrderReport)
        assert (report.order, report.complete) == (None, False)


async def test_the_venue_keeps_no_state_of_its_own():
    async with connected() as desk:
        venue = desk.venue
        assert (venue.state(), venue.next_at(), venue.spares_protection) == (b"", None, True)
        assert not (*venue.on_time(NOW), *venue.cancel_all_after(0, NOW))
        venue.restore(b"")


def test_a_record_is_handled_again_without_anybody_to_send_to():
    venue = SilentVenue()
    assert not (*venue.submit(order(), NOW), *venue.cancel("a", "b", NOW), *venue.query(1, NOW))
    assert not (*venue.query_order("a", "b", NOW), *venue.cancel_all_after(1, NOW), *venue.on_time(NOW))
    assert (venue.state(), venue.next_at(), venue.spares_protection) == (b"", None, False)
    venue.restore(b"")


# the dead-man's switch


async def eventually(probe: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not probe():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


SWITCH = "/v5/order/disconnected-cancel-all"


def beside(desk: BybitDesk) -> list[tuple[str, str]]:
    """Return what was done with the topic that the switch waits for."""
    frames = [frame for frame in desk.frames if frame.get("args") == ["dcp.future"]]
    return [(frame["op"], frame["args"][0]) for frame in frames]


async def test_a_switch_that_waits_for_the_stream_is_set_once_and_follows_it_over_breaks():
    async with connected() as desk:
        for _ in range(3):
            desk.venue.cancel_all_after(60_000, NOW)
        await eventually(lambda: beside(desk.desk) == [("subscribe", "dcp.future")])
        (asked,) = desk.desk.of(SWITCH)
        assert (asked.params["timeWindow"], asked.params["product"]) == (60, "DERIVATIVES")
        desk.heard.events.clear()
        desk.desk.drop()
        await desk.heard.until(FeedChanged, state=FeedState.CONNECTED)
        await eventually(lambda: beside(desk.desk) == [("subscribe", "dcp.future")] * 2)
        desk.venue.cancel_all_after(0, NOW)
        await eventually(lambda: beside(desk.desk)[2:] == [("unsubscribe", "dcp.future")])
        assert len(desk.desk.of(SWITCH)) == 1, "the venue takes no switch of no seconds"


async def test_a_switch_that_could_not_be_set_is_set_by_the_next_renewal():
    async with connected() as desk:
        desk.desk.instead[SWITCH] += [refuses(10005)]
        desk.venue.cancel_all_after(60_000, NOW)
        await eventually(lambda: desk.venue._switch_ms == 0)
        assert beside(desk.desk) == []
        desk.venue.cancel_all_after(60_000, NOW)
        await eventually(lambda: beside(desk.desk) == [("subscribe", "dcp.future")])
        assert len(desk.desk.of(SWITCH)) == 2


def test_only_the_local_exchange_is_known_to_spare_stops():
    assert [name for name, profile in PROFILES.items() if profile.spares_protection] == [LOCAL]


@pytest.mark.parametrize(("seconds", "refused"), [(None, False), (300, False), (301, True)])
def test_a_time_that_the_venue_does_not_take_is_refused(seconds: float | None, refused: bool):
    settings = load_settings({"venue": "local", "runtime.dead_man_s": seconds})
    with pytest.raises(ConfigError, match="300 s at most") if refused else nullcontext():
        refuse_long_switch(settings)
