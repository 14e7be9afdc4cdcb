"""Messages hold the fields of the real exchange's, as recorded ones show them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.venues.bybit_server.floor import StillMarket
from tests.unit.venues.bybit_server.raw_client import Raw

pytestmark = pytest.mark.shared

FIXTURES = Path(__file__).parents[5] / "shared/fixtures/nautilus_bybit"
S = "BTCUSDT"
# What the recorded messages hold beyond one account of linear contracts in one-way mode.
ELSEWHERE = {
    *(
        "spotBorrow",
        "availableToBorrow",
        "symbolId",
        "symbolType",
        "nextPageCursor",
        "category",
        "totalPerpUpl",
    ),
    *(
        "Earn",
        "FiatP2P",
        "FiatBybitPay",
        "FiatBitPay",
        "FiatConvertBroker",
        "BitCard",
        "FiatGlobalPay",
        "ByXPost",
    ),
    *("kycLevel", "kycRegion", "userIDInt64", "inviterIDInt64", "affiliateIDInt64"),
}


def recorded(name: str) -> Any:
    """Return a recorded message."""
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return json.loads(path.read_text())


def lacking(real: Any, ours: Any, path: str = "") -> set[str]:
    """Return the fields of a real message that ours lacks; of lists the first items are compared."""
    if isinstance(real, dict) and isinstance(ours, dict):
        missing = {f"{path}{key}" for key in real.keys() - ours.keys() - ELSEWHERE}
        for key in real.keys() & ours.keys():
            missing |= lacking(real[key], ours[key], f"{path}{key}.")
        return missing
    if isinstance(real, list) and isinstance(ours, list) and real and ours:
        return lacking(real[0], ours[0], path)
    return set()


@pytest.mark.parametrize(
    ("name", "fixture", "query"),
    [
        ("market/instruments-info", "http_get_instruments_linear.json", {"category": "linear"}),
        ("market/orderbook", "http_get_orderbook.json", {"category": "linear", "symbol": S}),
        ("market/recent-trade", "http_get_trades_recent.json", {"category": "linear", "symbol": S}),
        ("market/kline", "http_get_klines_linear.json", {"category": "linear", "symbol": S, "interval": "1"}),
        ("account/info", "http_get_account_info.json", {}),
        ("account/fee-rate", "http_get_fee_rate.json", {"category": "linear"}),
        ("account/wallet-balance", "http_get_wallet_balance.json", {"accountType": "UNIFIED"}),
        ("user/query-api", "http_get_user_query_api.json", {}),
        ("position/list", "http_get_positions.json", {"category": "linear", "symbol": S}),
        ("order/realtime", "http_get_orders_realtime.json", {"category": "linear", "symbol": S}),
        ("execution/list", "http_get_executions.json", {"category": "linear", "symbol": S}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_answers_lack_no_field(raw: Raw, name: str, fixture: str, query: dict[str, str]):
    await raw.order(orderType="Market", price="")
    await raw.order()
    real, ours = recorded(fixture), await raw.get(name, **query)
    assert ours["retCode"] == 0
    assert lacking(real["result"], ours["result"]) == set()


@pytest.mark.parametrize(
    ("topic", "fixture"),
    [
        ("order", "ws_account_order.json"),
        ("execution", "ws_account_execution.json"),
        ("position", "ws_account_position.json"),
        ("wallet", "ws_account_wallet.json"),
    ],
)
async def test_private_messages_lack_no_field(raw: Raw, topic: str, fixture: str):
    async with raw.socket("private", auth=True) as socket:
        await socket.subscribe(topic)
        await raw.order(orderType="Market", price="")
        ours = await socket.hear()
    assert lacking(recorded(fixture), ours) == set()


@pytest.mark.parametrize(
    ("topic", "fixture"),
    [
        ("publicTrade.BTCUSDT", "ws_public_trade.json"),
        ("kline.5.BTCUSDT", "ws_kline.json"),
        ("orderbook.1.BTCUSDT", "ws_orderbook_snapshot.json"),
        ("tickers.BTCUSDT", "ws_ticker_linear.json"),
    ],
)
async def test_public_messages_lack_no_field(raw: Raw, market: StillMarket, topic: str, fixture: str):
    async with raw.socket("public/linear") as socket:
        assert lacking(recorded("ws_subscription_ack.json"), await socket.subscribe(topic)) == set()
        market.stand_at(101.0, 101.5)
        assert lacking(recorded(fixture), await socket.hear()) == set()


async def test_answers_by_the_trade_socket_lack_no_field(raw: Raw):
    async with raw.socket("trade", auth=True) as socket:
        assert lacking(recorded("ws_order_response.json"), await socket.order()) == set()
