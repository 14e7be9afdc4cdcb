"""Each fault strikes where, how often and as long as it says, and its effect is the one it names."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.faultrules import FaultFile, FaultRule
from engine.venues.bybit_server.faults import Faults
from tests.unit.venues.bybit_server.floor import StillMarket, until
from tests.unit.venues.bybit_server.raw_client import Raw

Served = tuple[Core, Raw]
BOOK = "orderbook.50.BTCUSDT"
ENDED = (aiohttp.ClientError, asyncio.TimeoutError)


async def taken(raw: Raw) -> set[str]:
    """Return the client ids that the exchange took."""
    return {order["orderLinkId"] for order in (await raw.ledger())["orders"]}


# calls


@pytest.mark.parametrize("effect", ["none", "done"])
@pytest.mark.parametrize(
    "fault",
    [
        {"do": "reset"},
        {"do": "status", "status": 429},
        {"do": "status", "status": 503},
        {"do": "ret-code", "code": 10016},
        {"do": "html"},
        {"do": "empty"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_a_call_ends_wrong_before_or_after_its_effect(raw: Raw, fault: dict[str, Any], effect: str):
    await raw.fault(on="order.create", effect=effect, count=1, **fault)
    try:
        async with raw.send("order/create", **order("first")) as answer:
            seen = answer.status, await answer.text()
    except aiohttp.ClientError:
        seen = 0, ""
    match fault["do"]:
        case "reset":
            assert seen == (0, "")
        case "status":
            assert seen[0] == fault["status"]
        case "ret-code":
            assert '"retCode":10016' in seen[1]
        case "html":
            assert (seen[0], "<html>" in seen[1]) == (200, True)
        case _:
            assert seen == (200, "")
    assert await taken(raw) == ({"first"} if effect == "done" else set())
    assert (await raw.post("order/create", **order("second")))["retCode"] == 0


@pytest.mark.parametrize("effect", ["none", "done"])
async def test_a_call_hangs_before_or_after_its_effect(raw: Raw, effect: str):
    await raw.fault(on="order.create", do="hang", effect=effect, count=1)
    timeout = aiohttp.ClientTimeout(total=0.2)
    with pytest.raises(asyncio.TimeoutError):
        async with raw.session.post(
            f"{raw.address.rest}/v5/order/create", data="{}", headers=raw.headers("{}"), timeout=timeout
        ):
            pass
    refused = (await raw.ledger())["refused"]
    assert refused == ({"10001": 1} if effect == "done" else {}), "an empty order is refused where it arrives"


async def test_latency_delays_and_lets_pass(raw: Raw):
    await raw.fault(on="market.time", do="latency", ms=120, count=1)
    begun = time.monotonic()
    assert (await raw.get("market/time"))["retCode"] == 0
    assert time.monotonic() - begun >= 0.12
    begun = time.monotonic()
    await raw.get("market/time")
    assert time.monotonic() - begun < 0.1


async def test_faults_keep_to_their_endpoint_count_and_skip(raw: Raw):
    await raw.fault(on="market.*", do="ret-code", code=10000, skip=1, count=2)
    codes = [(await raw.get("market/time"))["retCode"] for _ in range(4)]
    assert codes == [0, 10000, 10000, 0]
    assert (await raw.order())["retCode"] == 0


async def test_chance_is_seeded():
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        rule = FaultRule.model_validate({"on": "*", "do": "hang", "probability": 0.5})
        faults.add(FaultFile(seed=seed, faults=(rule,)), 0)
        return [faults.call("order.create", "rest", 0).end is not None for _ in range(50)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 10 < sum(struck(1)) < 40


async def test_a_fault_ends_with_its_time():
    faults = Faults()
    faults.add(FaultFile(faults=(FaultRule.model_validate({"do": "hang", "for_s": 1}),)), 0)
    assert faults.call("any", "rest", 999_999_999).end is not None
    assert faults.call("any", "rest", 1_000_000_000).end is None
    assert faults.report(1_000_000_000)[0]["active"] is False


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"do": "ret-code", "code": 10006}, 10006),
        ({"do": "empty"}, None),
        ({"do": "latency", "ms": 50}, 0),
        ({"do": "latency", "ms": 50, "effect": "done"}, 0),
    ],
)
async def test_orders_by_socket_are_struck_alike(raw: Raw, fault: dict[str, Any], seen: int | None):
    await raw.fault(on="order.create", via="socket", count=1, **fault)
    async with raw.socket("trade", auth=True) as socket:
        assert (await socket.order(orderLinkId="by-socket")).get("retCode") == seen
        assert (await raw.order(orderLinkId="by-rest"))["retCode"] == 0
    assert ("by-socket" in await taken(raw)) is (seen == 0)


async def test_an_order_by_socket_is_taken_and_never_answered(raw: Raw):
    await raw.fault(on="order.create", do="hang", effect="done", count=1)
    async with raw.socket("trade", auth=True) as socket:
        await socket.say_order(orderLinkId="silent")
        assert (await socket.order(orderLinkId="next"))["data"]["orderLinkId"] == "next"
    assert await taken(raw) == {"silent", "next"}


@pytest.mark.parametrize("by", ["rest", "socket"])
async def test_what_has_arrived_takes_effect_although_its_client_dies(served: Served, by: str):
    core, raw = served
    await raw.fault(on="order.create", do="latency", ms=100)
    if by == "socket":
        async with raw.socket("trade", auth=True) as socket:
            await socket.say_order(orderLinkId="late")
            await until(lambda: core.calls["order.create"] == 1)
    else:
        sending = asyncio.ensure_future(raw.order(orderLinkId="late"))
        await until(lambda: core.calls["order.create"] == 1)
        sending.cancel()
    await until(lambda: "late" in core.exchange.blotter.by_link)


async def test_a_trade_socket_is_reset_after_the_effect(raw: Raw):
    await raw.fault(on="order.create", do="reset", effect="done", count=1)
    async with raw.socket("trade", auth=True) as socket:
        await socket.say_order(orderLinkId="lost")
        assert await socket.ended()
    assert await taken(raw) == {"lost"}


# messages


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ({"do": "duplicate", "count": 1}, ["one", "one", "two"]),
        ({"do": "drop", "count": 1}, ["two"]),
        ({"do": "reorder", "count": 1}, ["two", "one"]),
    ],
    ids=["duplicate", "drop", "reorder"],
)
async def test_private_messages_come_twice_never_or_late(raw: Raw, fault: dict[str, Any], heard: list[str]):
    await raw.fault(on="order", **fault)
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("order")
        for name in ("one", "two"):
            await raw.order(orderLinkId=name)
        assert [(await socket.hear())["data"][0]["orderLinkId"] for _ in heard] == heard


async def test_stale_messages_carry_their_old_time(raw: Raw):
    await raw.fault(on="order", do="stale", ms=150, count=1)
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("order")
        await raw.order()
        message = await socket.hear()
        assert time.time() * 1000 - message["creationTime"] >= 150


async def test_a_gap_leaves_out_a_number_of_the_book(served: Served, market: StillMarket):
    _, raw = served
    async with raw.socket("public/linear") as socket:
        await socket.subscribe(BOOK)
        first = (await socket.hear())["data"]["u"]
        await raw.fault(on=BOOK, do="gap", count=1)
        market.stand_at(101.0, 101.5)
        assert (await socket.hear())["data"]["u"] == first + 2
        market.stand_at(102.0, 102.5)
        assert (await socket.hear())["data"]["u"] == first + 3


# sockets and the whole


async def test_a_silent_socket_stays_open_and_says_nothing(served: Served):
    core, raw = served
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe("order")
        (number,) = (await raw.fault(on="private", do="silent"))["ids"]
        await raw.order()
        await socket.say(op="ping", req_id="p")
        with pytest.raises(asyncio.TimeoutError):
            await socket.ws.receive_json(timeout=0.2)
        assert core.faults.remove(number) == 1
        await socket.say(op="ping", req_id="q")
        assert (await socket.hear())["req_id"] == "q"


async def test_sockets_are_broken_off_and_kept_away(raw: Raw):
    async with raw.socket("public/linear") as public, raw.socket("private", auth=True) as private:
        await raw.fault(on="public", do="disconnect", for_s=60)
        assert await public.ended()
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            async with raw.socket("public/linear"):
                pass
        assert (await private.ask(op="ping"))["op"] == "pong"


async def test_a_disconnect_without_a_time_strikes_once(raw: Raw):
    async with raw.socket("public/linear") as public:
        await raw.fault(on="public", do="disconnect")
        assert await public.ended()
    async with raw.socket("public/linear") as public:
        assert (await public.ask(op="ping"))["ret_msg"] == "pong"


async def test_maintenance_closes_everything_but_the_side_door(served: Served):
    _, raw = served
    async with raw.socket("public/linear") as public:
        (number,) = (await raw.fault(do="maintenance"))["ids"]
        assert await public.ended()
    async with raw.session.get(f"{raw.address.rest}/v5/market/time") as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with raw.socket("public/linear"):
            pass
    async with raw.session.delete(f"{raw.address.rest}/_faults/{number}") as answer:
        assert await answer.json() == {"removed": 1}
    assert (await raw.get("market/time"))["retCode"] == 0


async def test_a_skewed_clock_shows_everywhere_and_refuses_the_honest(raw: Raw):
    await raw.fault(do="clock-skew", ms=60_000)
    assert (await raw.get("market/time"))["time"] > time.time() * 1000 + 59_000
    assert (await raw.order())["retCode"] == 10002
    raw.off_ms = 60_000
    assert (await raw.order())["retCode"] == 0


# the side door


async def test_faults_are_listed_with_what_they_did_and_taken_away(raw: Raw):
    await raw.fault(on="market.time", do="ret-code", code=10018, count=1)
    await raw.get("market/time")
    async with raw.session.get(f"{raw.address.rest}/_faults") as answer:
        (told,) = (await answer.json())["faults"]
    assert told == {
        "id": 1,
        "on": "market.time",
        "do": "ret-code",
        "code": 10018,
        "count": 1,
        "seen": 1,
        "hits": 1,
        "active": False,
    }
    async with raw.session.delete(f"{raw.address.rest}/_faults") as answer:
        assert await answer.json() == {"removed": 1}
    async with raw.session.delete(f"{raw.address.rest}/_faults/9") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"do": "hand"}, "there is no fault 'hand'; did you mean hang?"),
        ({"do": "status"}, "status needs status"),
        ({"do": "hang", "ms": 5}, "hang has no ms"),
        ({"do": "drop", "effect": "done"}, "drop has no effect"),
        ({"do": "latency", "ms": -5}, "ms must not be negative"),
        ({"do": "hang", "cout": 1}, "cout: Extra inputs are not permitted"),
        ([], "Input should be"),
    ],
)
async def test_wrong_faults_are_told(raw: Raw, rule: Any, message: str):
    async with raw.session.post(f"{raw.address.rest}/_faults", json=rule) as answer:
        assert answer.status == 400
        assert message in (await answer.json())["error"]


async def test_a_file_of_faults_may_be_posted(raw: Raw):
    told = await raw.fault(seed=7, faults=[{"do": "hang", "on": "a"}, {"do": "drop", "on": "b"}])
    assert told == {"ids": [1, 2]}
    async with raw.session.post(f"{raw.address.rest}/_faults", data="{") as answer:
        assert answer.status == 400


async def test_the_ledger_counts_every_submit(served: Served):
    core, raw = served
    await raw.fault(on="order.create", do="hang", effect="done", count=1, via="socket")
    async with raw.socket("trade", auth=True) as socket:
        await socket.say_order(orderLinkId="twice")
        await until(lambda: core.exchange.blotter.submits["twice"] == 1)
    assert (await raw.order(orderLinkId="twice"))["retCode"] == 110072
    ledger = await raw.ledger()
    assert [(each["orderLinkId"], each["submits"]) for each in ledger["orders"]] == [("twice", 2)]
    assert (ledger["calls"]["order.create"], ledger["refused"]) == (2, {"110072": 1})


def order(link_id: str) -> dict[str, Any]:
    """Return the parameters of a resting order."""
    return {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "1",
        "price": "50",
        "orderLinkId": link_id,
    }
