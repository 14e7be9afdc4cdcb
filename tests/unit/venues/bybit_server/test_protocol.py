"""Keys, times, limits, pages and streams behave as the real exchange's do."""

import asyncio
import itertools
from typing import Any

import aiohttp
import pytest

from engine.domain.market import NS_PER_S
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.limits import IP_BAN_NS, IP_CALLS_MAX, Limits
from tests.unit.venues.bybit_server.floor import START, StillMarket, open_floor, until
from tests.unit.venues.bybit_server.raw_client import Raw, resting

Served = tuple[Core, Raw]
S = "BTCUSDT"


# keys and times


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "nobody"}, 10003),
        ({"secret": "wrong"}, 10004),
        ({"off_ms": -5_500}, 10002),
        ({"off_ms": 1_500}, 10002),
        ({"key": "local-read-key"}, 10005),
        ({"off_ms": -4_000}, 0),
        ({"off_ms": 500}, 0),
    ],
    ids=str,
)
async def test_a_call_is_let_in_by_key_signature_and_time(raw: Raw, change: dict[str, Any], code: int):
    for name, value in change.items():
        setattr(raw, name, value)
    assert (await raw.order())["retCode"] == code


async def test_a_call_without_a_time_is_refused(raw: Raw):
    url = f"{raw.address.rest}/v5/account/info"
    async with raw.session.get(url, headers={"X-BAPI-API-KEY": "local-key"}) as answer:
        assert (await answer.json())["retCode"] == 10002


async def test_keys_tell_what_they_may(raw: Raw):
    assert (await raw.get("user/query-api"))["result"]["permissions"]["Wallet"] == ["AccountTransfer"]
    raw.key = "local-withdraw-key"
    assert "Withdraw" in (await raw.get("user/query-api"))["result"]["permissions"]["Wallet"]
    raw.key = "local-read-key"
    assert (await raw.get("user/query-api"))["result"]["readOnly"] == 1


async def test_sockets_ask_for_a_key_and_refuse_a_wrong_one(raw: Raw):
    async with raw.socket("private") as private, raw.socket("trade") as trade:
        assert (await private.subscribe("order"))["ret_msg"] == "Request not authorized"
        assert (await trade.order())["retCode"] == 10003
        told = await private.ask(op="auth", args=["local-key", "9999999999999", "wrong"])
        assert (told["success"], told["op"]) == (False, "auth")
        assert (await trade.ask(op="auth", args=["local-key", "1", "late"]))["retCode"] == 10002
        assert (await trade.ask(op="auth", args=["nobody", "1", "late"], reqId="7"))["reqId"] == "7"
        assert (await private.ask(op="auth", args=[]))["success"] is False


async def test_an_order_by_socket_has_a_recv_window_too(raw: Raw):
    async with raw.socket("trade", auth=True) as trade:
        assert (await trade.order(at_ms=1))["retCode"] == 10002


# limits


async def test_the_eleventh_order_of_a_second_is_one_too_many(market: StillMarket):
    async with open_floor(market, limits=True) as (core, address), aiohttp.ClientSession() as session:
        raw = Raw(session, address)
        left = []
        for _ in range(10):
            async with raw.send("order/create", **resting()) as answer:
                assert (await answer.json())["retCode"] == 0
                left.append(int(answer.headers["X-Bapi-Limit-Status"]))
        assert left == list(range(9, -1, -1))
        async with raw.send("order/create", **resting()) as answer:
            assert (await answer.json())["retCode"] == 10006
            assert (answer.headers["X-Bapi-Limit"], answer.headers["X-Bapi-Limit-Status"]) == ("10", "0")
            assert int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) > core.shown_ms()
        async with raw.socket("trade", auth=True) as trade:
            told = await trade.order()
        assert (told["retCode"], told["header"]["X-Bapi-Limit-Status"]) == (10006, "0"), "one limit for both"
        async with raw.session.post(f"{address.rest}/_limits", json={"enabled": False}) as answer:
            assert await answer.json() == {"enabled": False}
        assert (await raw.order())["retCode"] == 0


def test_the_window_rolls():
    limits = Limits()
    for at in range(10):
        assert limits.take("order.cancel", START + at, 0) is not None
    refused = limits.take("order.cancel", START + 10, 5_000)
    assert refused is not None
    assert (refused.exceeded, refused.reset_ms) == (True, 6_000)
    passed = limits.take("order.cancel", START + NS_PER_S, 6_000)
    assert passed is not None
    assert (passed.exceeded, passed.left) == (False, 0)
    assert limits.take("market.time", START, 0) is None


def test_a_machine_that_asks_too_often_is_banned():
    limits = Limits()
    assert all(limits.admits_address(START + at) for at in range(IP_CALLS_MAX))
    assert not limits.admits_address(START + IP_CALLS_MAX)
    assert not limits.admits_address(START + IP_BAN_NS // 2)
    assert limits.admits_address(START + 2 * IP_BAN_NS)


# refusals of form


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"category": "spot"}, "linear contracts only"),
        ({"symbol": ""}, "symbol is required"),
        ({"symbol": "NOPE"}, "symbol invalid"),
        ({"side": "up"}, "Side invalid"),
        ({"orderType": "Stop"}, "orderType invalid"),
        ({"timeInForce": "DAY"}, "timeInForce invalid"),
        ({"qty": "many"}, "qty invalid"),
        ({"qty": "-1"}, "qty invalid"),
        ({"qty": "0"}, "qty invalid"),
        ({"price": ""}, "price is required"),
        ({"positionIdx": 1}, "position idx"),
        ({"orderLinkId": "x" * 37}, "longer than 36"),
        ({"triggerPrice": "120"}, "triggerDirection invalid"),
    ],
    ids=str,
)
async def test_orders_of_a_wrong_form_are_refused(raw: Raw, order: dict[str, Any], said: str):
    told = await raw.order(**order)
    assert told["retCode"] == 10001
    assert said in told["retMsg"]
    assert (await raw.ledger())["orders"] == []


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("order/cancel", {"symbol": S}, 10001),
        ("order/cancel", {"symbol": S, "orderId": "x"}, 110001),
        ("order/amend", {"symbol": S, "orderLinkId": "x"}, 110001),
        ("order/cancel-all", {}, 10001),
        ("order/cancel-all", {"symbol": "NOPE"}, 10001),
        ("position/set-leverage", {"symbol": S, "buyLeverage": "3", "sellLeverage": "4"}, 10001),
        ("position/trading-stop", {"symbol": S, "stopLoss": "90"}, 10001),
        ("position/trading-stop", {"symbol": S, "tpslMode": "Partial"}, 10001),
        ("position/switch-mode", {"mode": 3}, 10001),
        ("position/switch-mode", {"mode": 0}, 110025),
        ("order/disconnected-cancel-all", {"timeWindow": 1}, 10001),
    ],
    ids=str,
)
async def test_other_writes_are_refused_with_their_code(raw: Raw, name: str, body: dict[str, Any], code: int):
    assert (await raw.post(name, **body))["retCode"] == code


async def test_what_is_not_there_and_not_json_is_told(raw: Raw):
    async with raw.session.get(f"{raw.address.rest}/v5/nothing") as answer:
        assert answer.status == 404
    async with raw.session.post(
        f"{raw.address.rest}/v5/order/create", data="{", headers=raw.headers("{")
    ) as answer:
        assert (await answer.json())["retCode"] == 10001
    async with raw.socket("public/linear") as public, raw.socket("trade", auth=True) as trade:
        await public.ws.send_str("{")
        assert (await public.hear())["success"] is False
        assert "handler not found" in (await public.subscribe("orderbook.7.BTCUSDT"))["ret_msg"]
        assert (await public.subscribe("nonsense"))["success"] is False
        assert (await public.ask(op="dance"))["success"] is False
        assert (await trade.ask(op="order.dance", reqId="1"))["retCode"] == 10404
        stamp = {"X-BAPI-TIMESTAMP": raw.headers("")["X-BAPI-TIMESTAMP"]}
        assert (await trade.ask(op="order.create", args=[], header=stamp))["retCode"] == 10001


# queries


async def test_pages_follow_each_other_to_the_end(raw: Raw):
    for number in range(5):
        await raw.order(orderLinkId=f"o{number}")
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await raw.get("order/realtime", category="linear", symbol=S, limit=2, cursor=cursor))[
            "result"
        ]
        seen += [order["orderLinkId"] for order in page["list"]]
        cursor = page["nextPageCursor"]
    assert (seen, cursor) == (["o4", "o3", "o2", "o1", "o0"], "")


async def test_ended_orders_are_told_by_id_or_where_asked_for(raw: Raw):
    sent = (await raw.order(orderLinkId="mine"))["result"]
    await raw.post("order/cancel", symbol=S, orderLinkId="mine")

    async def listed(name: str, **query: Any) -> list[str]:
        answer = await raw.get(name, category="linear", symbol=S, **query)
        return [order["orderStatus"] for order in answer["result"]["list"]]

    assert await listed("order/realtime") == []
    assert await listed("order/realtime", orderId=sent["orderId"]) == ["Cancelled"]
    assert await listed("order/realtime", orderLinkId="mine") == ["Cancelled"]
    assert await listed("order/realtime", openOnly=1) == ["Cancelled"]
    assert await listed("order/history") == ["Cancelled"]
    assert await listed("order/history", orderStatus="Filled") == []
    assert await listed("order/history", orderFilter="StopOrder") == []
    assert await listed("order/history", startTime=0, endTime=1000) == []


async def test_a_span_of_more_than_a_week_is_refused(raw: Raw):
    told = await raw.get("execution/list", category="linear", startTime=0)
    assert told["retCode"] == 10001


async def test_other_categories_are_empty_and_unknown_ones_refused(raw: Raw):
    for name in ("position/list", "order/realtime", "order/history", "execution/list"):
        assert (await raw.get(name, category="inverse"))["result"]["list"] == []
        assert (await raw.get(name, category="nonsense"))["retCode"] == 10001
        assert (await raw.get(name))["retCode"] == 10001
    for name in ("position/list", "order/realtime"):
        assert (await raw.get(name, category="linear"))["retCode"] == 10001, "whose?"


async def test_positions_are_told_by_symbol_and_by_coin(raw: Raw):
    async def sizes(**query: Any) -> list[str]:
        answer = await raw.get("position/list", category="linear", **query)
        return [position["size"] for position in answer["result"]["list"]]

    assert (await sizes(symbol=S), await sizes(settleCoin="USDT")) == (["0"], [])
    await raw.order(orderType="Market", price="")
    assert (await sizes(symbol=S), await sizes(settleCoin="USDT")) == (["1"], ["1"])
    assert await sizes(settleCoin="USDC") == []
    fills = (await raw.get("execution/list", category="linear", symbol=S))["result"]["list"]
    assert [fill["execQty"] for fill in fills] == ["1"]
    nobody = await raw.get("execution/list", category="linear", orderId="nobody")
    assert nobody["result"]["list"] == []


async def test_protection_by_rest_shows_on_the_position(raw: Raw):
    await raw.order(orderType="Market", price="")
    assert (await raw.post("position/trading-stop", symbol=S, takeProfit="120", stopLoss="90"))[
        "retCode"
    ] == 0
    (position,) = (await raw.get("position/list", category="linear", symbol=S))["result"]["list"]
    assert (position["takeProfit"], position["stopLoss"]) == ("120", "90")
    orders = (await raw.get("order/realtime", category="linear", symbol=S))["result"]["list"]
    assert {order["stopOrderType"]: order["triggerDirection"] for order in orders} == {
        "TakeProfit": 1,
        "StopLoss": 2,
    }
    await raw.post("position/trading-stop", symbol=S, takeProfit="0")
    assert (await raw.post("order/cancel-all", symbol=S, orderFilter="Order"))["result"]["list"] == []
    left = (await raw.post("order/cancel-all", settleCoin="USDT"))["result"]["list"]
    assert len(left) == 1


async def test_what_else_is_asked_of_an_account(raw: Raw):
    fees = (await raw.get("account/fee-rate", category="linear", symbol=S))["result"]["list"]
    assert [(fee["takerFeeRate"], fee["makerFeeRate"]) for fee in fees] == [("0.0005", "0.0002")]
    assert (await raw.get("account/info"))["result"]["dcpStatus"] == "OFF"
    assert (await raw.get("account/query-dcp-info"))["result"]["dcpInfos"][0]["dcpStatus"] == "OFF"
    assert (await raw.get("account/wallet-balance", accountType="SPOT"))["retCode"] == 10001
    coins = (await raw.get("asset/coin/query-info"))["result"]["rows"]
    assert [coin["coin"] for coin in coins] == ["BTC", "USDT"]


async def test_what_else_is_asked_of_a_market(raw: Raw):
    assert (await raw.get("market/kline", category="linear", symbol=S, interval="7"))["retCode"] == 10001
    assert (await raw.get("market/orderbook", category="spot", symbol=S))["retCode"] == 10001
    assert len((await raw.get("market/tickers", category="linear"))["result"]["list"]) == 1
    assert (await raw.get("market/funding/history", category="linear", symbol=S))["result"]["list"] == []
    rows = (await raw.get("market/kline", category="linear", symbol=S, interval="60", limit=50))["result"][
        "list"
    ]
    opens = [int(row[0]) for row in rows]
    assert {one - other for one, other in itertools.pairwise(opens)} == {3_600_000}, "newest first, no gap"
    day = (await raw.get("market/kline", category="linear", symbol=S, interval="D", limit=2))["result"][
        "list"
    ]
    assert len(day) == 2
    old = await raw.get(
        "market/kline", category="linear", symbol=S, interval="1", start=opens[-1], end=opens[-2]
    )
    assert len(old["result"]["list"]) == 61


# streams


async def test_deltas_on_the_snapshot_are_the_book(served: Served, market: StillMarket):
    _, raw = served
    books: dict[str, dict[str, str]] = {"a": {}, "b": {}}
    async with raw.socket("public/linear") as socket:
        await socket.subscribe("orderbook.50.BTCUSDT")
        update = 0
        for step in range(4):
            message = await socket.hear()
            assert message["type"] == ("delta" if step else "snapshot")
            assert message["data"]["u"] == update + 1 or not step
            update = message["data"]["u"]
            for side, book in books.items():
                for price, size in message["data"][side]:
                    book.pop(price, None) if size == "0" else book.__setitem__(price, size)
            market.stand_at(100.0 + 3 * step, 100.5 + 3 * step, 1.0 + step)
    shown = (await raw.get("market/orderbook", category="linear", symbol=S, limit=50))["result"]
    async with raw.socket("public/linear") as socket:
        await socket.subscribe("orderbook.50.BTCUSDT")
        assert (await socket.hear())["type"] == "snapshot"
    assert len(books["b"]) == len(shown["b"]) == 50
    assert max(map(float, books["b"])) < min(map(float, books["a"])), "never crossed"


async def test_two_hear_the_same_numbers(served: Served, market: StillMarket):
    _, raw = served
    async with raw.socket("public/linear") as one, raw.socket("public/linear") as other:
        await one.subscribe("orderbook.1.BTCUSDT")
        first = (await one.hear())["data"]["u"]
        market.stand_at(101.0, 101.5)
        assert (await one.hear())["data"]["u"] == first + 1
        await other.subscribe("orderbook.1.BTCUSDT")
        assert (await other.hear())["data"]["u"] == first + 1
        market.stand_at(102.0, 102.5)
        assert (await one.hear())["data"] == (await other.hear())["data"]


async def test_who_unsubscribes_hears_no_more(served: Served, market: StillMarket):
    core, raw = served
    async with raw.socket("public/linear") as socket:
        assert (await socket.subscribe("publicTrade.BTCUSDT", "tickers.BTCUSDT"))["success"]
        assert (await socket.hear())["type"] == "snapshot"
        await socket.say(op="unsubscribe", args=["publicTrade.BTCUSDT", "tickers.BTCUSDT"])
        await until(lambda: not core.hub.heard("publicTrade.BTCUSDT"))
        market.stand_at(101.0, 101.5)
        await until(lambda: not market.coming)
        while (await socket.hear()).get("op") != "unsubscribe":
            pass
        assert (await socket.ask(op="ping", req_id="p"))["req_id"] == "p"


async def test_tickers_go_on_with_the_market(served: Served, market: StillMarket):
    _, raw = served
    async with raw.socket("public/linear") as socket:
        await socket.subscribe("tickers.BTCUSDT")
        assert (await socket.hear())["data"]["lastPrice"] == "100"
        market.stand_at(103.0, 103.5)
        async with asyncio.timeout(5):
            while (await socket.hear())["data"]["lastPrice"] != "103":
                pass


async def test_sockets_answer_pings_as_each_does(raw: Raw):
    async with raw.socket("public/linear") as public:
        assert (await public.ask(op="ping", req_id="7"))["ret_msg"] == "pong"
        await public.ws.ping()
    async with raw.socket("private", auth=True) as private:
        assert (await private.ask(op="ping", req_id="7"))["req_id"] == "7"
        assert (await private.subscribe("order.linear", "wallet"))["success"]
        assert (await private.subscribe("weather"))["success"] is False
    async with raw.socket("trade", auth=True) as trade:
        assert (await trade.ask(op="ping"))["retCode"] == 0


# the protection against a lost connection


async def test_active_orders_are_canceled_when_the_protected_socket_stays_away(served: Served):
    core, raw = served
    await raw.post("order/disconnected-cancel-all", product="DERIVATIVES", timeWindow=3)
    assert (await raw.get("account/query-dcp-info"))["result"]["dcpInfos"][0]["timeWindow"] == "3"
    active = (await raw.order())["result"]["orderId"]
    waiting = (await raw.order(triggerPrice="110", triggerDirection=1))["result"]["orderId"]
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("dcp")
    await until(lambda: not core.hub.connections)
    now = core.clock.now()
    assert not core.dcp.goes_off(now)
    core.clock.now = lambda: now + 4 * NS_PER_S
    orders = core.exchange.blotter.orders
    await until(lambda: not orders[active].status.is_open)
    assert (orders[active].cancel_type, orders[waiting].status.is_open) == ("CancelByDCP", True)


async def test_a_socket_that_comes_back_in_time_protects_on(served: Served):
    core, raw = served
    await raw.post("order/disconnected-cancel-all", product="DERIVATIVES", timeWindow=3)
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("dcp")
    await until(lambda: not core.hub.connections)
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("dcp")
        assert not core.dcp.goes_off(core.clock.now() + 10 * NS_PER_S)
