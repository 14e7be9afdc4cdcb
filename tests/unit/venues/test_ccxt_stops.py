"""What ccxt sends for a stop and for its cancel: as the venue documents it, or the venue takes no entries."""

import decimal
import json
from typing import Any
from urllib.parse import parse_qsl

import ccxt.pro as ccxtpro
import pytest

from engine.venues.ccxt_client import Evidence, build_client
from engine.venues.ccxt_clock import VenueClock
from engine.venues.ccxt_ids import to_venue
from engine.venues.ccxt_profiles import PROFILES, Endpoint, Switch, profile_of
from tests.unit.venues.bybit_desk import keys, order
from tests.unit.venues.test_ccxt_pitfalls import MARKET

SYMBOL = "BTC/USDT:USDT"
OURS = order().client_id
TYPES = {"info": {"orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"]}}


async def sent(venue: str, *, cancels: bool = False) -> tuple[str, dict[str, Any]]:
    """Return where ccxt sends a stop at market of ours, or its cancel, and with which parameters."""
    profile = profile_of(venue)
    held = keys("0x" + "1" * 40, "2" * 64)
    client = build_client(profile, Endpoint.LIVE, held, clock=VenueClock(), evidence=Evidence(), timeout_s=1)
    client.walletAddress, client.privateKey = "0x" + "1" * 40, "0x" + "2" * 64
    asked: list[tuple[str, str]] = []

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        address, _, query = url.partition("?")
        if address.endswith("/info"):
            return {}
        asked.append((address, body or query))
        raise ccxtpro.ExchangeNotAvailable("nobody is there")

    client.fetch = fetch
    client.set_markets([client.safe_market_structure(MARKET | TYPES)])
    client.currencies = {}
    ours = to_venue(OURS, profile.id_form)
    try:
        decimal.setcontext(decimal.getcontext().copy())  # ccxt changes it
        if cancels:
            await client.cancel_order(None, SYMBOL, {profile.find_param: ours})
        else:
            params = {"clientOrderId": ours, "reduceOnly": True, "triggerPrice": "19000"}
            params |= {**profile.position_params, "triggerDirection": "descending"}
            await client.create_order(SYMBOL, "market", "sell", "0.01", None, params)
    except ccxtpro.ExchangeNotAvailable:
        address, body = asked[-1]
        return address.split("/", 3)[3], dict(json.loads(body)) if body[0] in "{[" else dict(parse_qsl(body))
    finally:
        await client.close()
    raise AssertionError("it asks somebody")


async def test_bybit_gets_a_stop_and_its_cancel_as_it_documents_them():
    path, stop = await sent("bybit")
    assert path == "v5/order/create"
    assert stop == {
        "category": "linear",
        "symbol": "BTC",  # the id of the market made up here
        "side": "Sell",
        "orderType": "Market",
        "qty": "0.01",
        "triggerPrice": "19000",
        "triggerDirection": 2,  # when the price falls to it
        "reduceOnly": True,
        "positionIdx": 0,
        "orderLinkId": OURS,
    }
    path, cancel = await sent("bybit", cancels=True)
    assert (path, cancel) == (
        "v5/order/cancel",
        {"category": "linear", "symbol": "BTC", "orderLinkId": OURS},
    )


async def test_binance_gets_a_stop_as_an_algo_order_and_its_cancel_among_plain_ones():
    path, stop = await sent("binanceusdm")
    assert (path, stop["clientAlgoId"], stop["type"]) == ("fapi/v1/algoOrder", OURS, "STOP_MARKET")
    path, cancel = await sent("binanceusdm", cancels=True)
    assert (path, cancel["origClientOrderId"]) == ("fapi/v1/order", OURS), "it knows no algo orders"


async def test_okx_gets_a_stop_without_our_id():
    path, stop = await sent("okx")
    assert path == "api/v5/trade/order-algo"
    assert "algoClOrdId" not in stop
    path, _ = await sent("okx", cancels=True)
    assert path == "api/v5/trade/cancel-order", "it knows no algo orders"


async def test_kraken_gets_the_cancel_of_an_order_called_none():
    _, stop = await sent("krakenfutures")
    assert (stop["orderType"], stop["cliOrdId"], stop["stopPrice"]) == ("stp", OURS, "19000")
    _, cancel = await sent("krakenfutures", cancels=True)
    assert (cancel["cliOrdId"], cancel["order_id"]) == (OURS, "None")


async def test_hyperliquid_gets_no_stop_at_market():
    with pytest.raises(ccxtpro.ArgumentsRequired, match="price"):
        await sent("hyperliquid")


def test_venues_whose_stops_are_not_shown_to_be_right_say_so():
    assert {name for name, profile in PROFILES.items() if not profile.stop_flaw} == {"local", "bybit"}
    assert {name for name, profile in PROFILES.items() if profile.switch is Switch.LINE} == {"local", "bybit"}
