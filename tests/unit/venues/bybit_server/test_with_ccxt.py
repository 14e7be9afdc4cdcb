"""Unmodified ccxt and ccxt.pro work against the local exchange, over real sockets."""

import asyncio
from typing import Any

import ccxt
import pytest

from tests.unit.venues.bybit_server.ccxt_client import ccxt_at
from tests.unit.venues.bybit_server.floor import StillMarket, open_floor, until

PAIR = "BTC/USDT:USDT"
SOON_S = 5.0


@pytest.fixture
async def market():
    still = StillMarket()
    still.stand_at(100.0, 100.5)
    return still


@pytest.fixture
async def served(market: StillMarket):
    async with open_floor(market) as (core, address), ccxt_at(address) as client:
        yield core, client


async def soon(coroutine: Any) -> Any:
    """Wait for a message, not for ever."""
    return await asyncio.wait_for(coroutine, SOON_S)


async def test_markets_carry_steps_minimums_and_fees(served: Any):
    _, client = served
    (market,) = (await client.load_markets()).values()
    assert (market["symbol"], market["precision"]) == (PAIR, {"amount": 0.001, "price": 0.5})
    assert market["limits"]["cost"]["min"] == 5
    assert (market["maker"], market["taker"], market["active"], market["linear"]) == (
        0.0002,
        0.0005,
        True,
        True,
    )


async def test_public_queries_answer(served: Any):
    _, client = served
    book = await client.fetch_order_book(PAIR, 5)
    assert (book["bids"][0], book["asks"][0]) == ([100.0, 1.0], [100.5, 1.0])
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    assert (await client.fetch_ticker(PAIR))["last"] == 100
    assert [trade["price"] for trade in await client.fetch_trades(PAIR)] == [100]
    bars = await client.fetch_ohlcv(PAIR, "1m", limit=3)
    assert len(bars) == 3
    assert bars[1][0] - bars[0][0] == 60_000
    assert abs(await client.fetch_time() - client.milliseconds()) < 1_000


async def test_an_order_by_rest_fills_and_shows_everywhere(served: Any):
    _, client = served
    sent = await client.create_order(PAIR, "market", "buy", 1.5, params={"clientOrderId": "mine"})
    order = await client.fetch_order(sent["id"], PAIR, {"acknowledged": True})
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 1.5, "mine")
    assert order["average"] > 100.5, "a second level was needed"
    fills = await client.fetch_my_trades(PAIR)
    assert sum(fill["amount"] for fill in fills) == 1.5
    assert {fill["takerOrMaker"] for fill in fills} == {"taker"}
    (position,) = await client.fetch_positions([PAIR])
    assert (position["side"], position["contracts"]) == ("long", 1.5)
    balance = await client.fetch_balance()
    assert 9_999 < balance["USDT"]["total"] < 10_000


async def test_resting_orders_are_found_amended_and_canceled(served: Any):
    _, client = served
    first = await client.create_order(PAIR, "limit", "buy", 1, 90, {"clientOrderId": "one"})
    await client.create_order(PAIR, "limit", "buy", 1, 89, {"postOnly": True})
    await client.create_order(
        PAIR, "market", "sell", 1, params={"triggerPrice": 80, "triggerDirection": "below"}
    )
    assert len(await client.fetch_open_orders(PAIR)) == 3
    await client.edit_order(first["id"], PAIR, "limit", "buy", 2, 91)
    (found,) = await client.fetch_open_orders(PAIR, params={"orderLinkId": "one"})
    assert (found["amount"], found["price"]) == (2, 91)
    await client.cancel_order(None, PAIR, {"orderLinkId": "one"})
    assert len(await client.cancel_all_orders(PAIR)) == 2
    assert await client.fetch_open_orders(PAIR) == []
    assert {order["status"] for order in await client.fetch_canceled_orders(PAIR)} == {"canceled"}


@pytest.mark.parametrize(
    ("arguments", "params", "error"),
    [
        (("limit", "buy", 1, 90), {"clientOrderId": "used"}, ccxt.InvalidOrder),
        (("market", "sell", 1), {"reduceOnly": True}, ccxt.InvalidOrder),
        (("limit", "buy", 2_000, 100), {}, ccxt.InsufficientFunds),
    ],
)
async def test_refusals_have_the_real_codes(served: Any, arguments: Any, params: Any, error: Any):
    _, client = served
    await client.create_order(PAIR, "limit", "buy", 1, 80, {"clientOrderId": "used"})
    with pytest.raises(error):
        await client.create_order(PAIR, *arguments, params=params)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order("nothing", PAIR)


async def test_leverage_is_set_once(served: Any):
    _, client = served
    await client.set_leverage(5, PAIR)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        await client.set_leverage(5, PAIR)
    (position,) = await client.fetch_positions([PAIR])
    assert position["leverage"] == 5


async def test_a_wrong_secret_is_told(market: StillMarket):
    async with open_floor(market) as (_, address), ccxt_at(address, secret="wrong") as client:
        with pytest.raises(ccxt.AuthenticationError, match="10004"):
            await client.load_markets()


async def test_public_streams_speak(served: Any, market: StillMarket):
    _, client = served
    await client.load_markets()
    book = await soon(client.watch_order_book(PAIR))
    assert book["bids"][0] == [100.0, 1.0]
    waiting = [
        asyncio.ensure_future(client.watch_trades(PAIR)),
        asyncio.ensure_future(client.watch_order_book(PAIR)),
    ]
    assert (await soon(client.watch_ohlcv(PAIR, "1m")))[-1][4] == 100
    market.stand_at(101.0, 101.5, 2.0)
    trades, book = await soon(asyncio.gather(*waiting))
    assert trades[-1]["price"] == 101
    assert (book["bids"][0], book["asks"][0]) == ([101.0, 2.0], [101.5, 2.0])


async def test_private_streams_tell_of_an_order_by_socket(served: Any):
    core, client = served
    await client.load_markets()
    private = [
        asyncio.ensure_future(coroutine)
        for coroutine in (
            client.watch_orders(PAIR),
            client.watch_my_trades(PAIR),
            client.watch_balance(),
            client.watch_positions([PAIR]),
        )
    ]
    await until(lambda: {"order", "execution", "wallet"} <= set(core.hub.topics()))
    sent = await soon(
        client.create_order_ws(PAIR, "market", "buy", 0.5, params={"clientOrderId": "by-socket"})
    )
    orders, fills, balance, _ = await soon(asyncio.gather(*private))
    assert (orders[-1]["id"], orders[-1]["status"]) == (sent["id"], "closed")
    assert (fills[-1]["order"], fills[-1]["amount"]) == (sent["id"], 0.5)
    assert balance["USDT"]["total"] < 10_000
    resting = await soon(client.create_order_ws(PAIR, "limit", "buy", 1, 90))
    await soon(client.edit_order_ws(resting["id"], PAIR, "limit", "buy", 1, 91))
    await soon(client.cancel_order_ws(resting["id"], PAIR))
    with pytest.raises(ccxt.OrderNotFound):
        await soon(client.cancel_order_ws(resting["id"], PAIR))
