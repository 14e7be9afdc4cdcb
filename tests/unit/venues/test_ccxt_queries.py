"""Venues that list, name and find orders in other ways than Bybit does."""

from collections.abc import Mapping
from typing import Any

import ccxt.async_support as ccxt
import msgspec
import pytest

from engine.domain.errors import TransientError
from engine.domain.orders import OrderState
from engine.venues import ccxt_queries
from engine.venues.ccxt_answers import TradeAnswer, checked
from engine.venues.ccxt_calls import Calls, Timeouts
from engine.venues.ccxt_client import Evidence
from engine.venues.ccxt_contracts import contracts_of
from engine.venues.ccxt_markets import Steps
from engine.venues.ccxt_profiles import Lookup, Profile, profile_of
from engine.venues.ccxt_queries import Queries
from tests.unit.venues.bybit_desk import NOW, FreeBudget, order
from tests.unit.venues.test_ccxt_answers import ORDER, TRADE
from tests.unit.venues.test_ccxt_pitfalls import MARKET

MINE = order().client_id


class OneByOne:
    """A client of a venue that finds orders one by one and lists trades by symbol, without our ids."""

    last_response_headers: Mapping[str, str] = {}

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.asked: list[tuple[Any, ...]] = []

    def milliseconds(self) -> int:
        return NOW // 10**6

    def _told(self, answer: Any) -> Any:
        self._evidence.take(200, "OK", "http://x/y", "GET", {}, '{"some": "answer"}')
        return answer

    async def fetch_order(self, venue_id: str, symbol: str, params: Mapping[str, Any] | None = None) -> Any:
        self.asked.append((venue_id, symbol, dict(params or {})))
        key = venue_id or (params or {})["origClientOrderId"]
        if key not in self.orders:
            raise ccxt.OrderNotFound("binanceusdm no such order")
        return self._told(self.orders[key])

    async def fetch_open_orders(self, symbol: Any, since: Any, limit: Any, params: Mapping[str, Any]) -> Any:
        trigger = bool(params.get("trigger"))
        return self._told([row for row in self.orders.values() if bool(row.get("trigger")) is trigger])

    async def fetch_positions(self, symbols: Any = None, params: Any = None) -> Any:
        return self._told([])

    async def fetch_my_trades(self, symbol: Any, since: Any, limit: Any, params: Mapping[str, Any]) -> Any:
        assert symbol == "BTC/USDT:USDT"
        return self._told(self.trades)


@pytest.fixture
def client() -> OneByOne:
    return OneByOne(EVIDENCE)


EVIDENCE = Evidence()


def asking(client: OneByOne, **changes: Any) -> Queries:
    profile: Profile = msgspec.structs.replace(profile_of("binanceusdm"), **changes)
    calls = Calls(client, profile, FreeBudget(), EVIDENCE, timeouts=Timeouts(), now=lambda: NOW)
    contracts = contracts_of({"BTC/USDT:USDT": MARKET}, ["BTC/USDT:USDT"], "binanceusdm", Steps.TICKS)
    return Queries(calls, contracts, lambda: NOW)


SYMBOL = "BTC"


async def test_an_order_is_found_by_a_request_of_its_own_with_its_trades(client: OneByOne):
    client.orders[MINE] = ORDER | {"clientOrderId": MINE, "filled": "2", "status": "closed", "average": "100"}
    client.trades = [TRADE, TRADE | {"id": "t2", "order": "v9"}]
    client.orders["v9"] = ORDER | {"id": "v9", "clientOrderId": "web_1"}
    symbol = _symbol(asking(client))
    report = await asking(client).report_order(MINE, symbol)
    assert report.order is not None
    assert report.order.state is OrderState.FILLED
    assert [fill.trade_id for fill in report.fills] == ["t1"]
    assert ("v9", "BTC/USDT:USDT", {}) in client.asked  # whose trade it is, nobody had said


async def test_a_stop_is_looked_for_where_stops_are(client: OneByOne):
    queries = asking(client)
    report = await queries.report_order(MINE, _symbol(queries))
    assert (report.order, report.complete) == (None, True)
    assert [params for _, _, params in client.asked] == [
        {"origClientOrderId": MINE},
        {"origClientOrderId": MINE, "trigger": True},
    ]


async def test_a_report_holds_stops_that_are_listed_apart(client: OneByOne):
    client.orders["a"] = ORDER | {"id": "a"}
    client.orders["b"] = ORDER | {"id": "b", "trigger": True}
    report = await asking(client).report(-1)
    assert report.complete
    assert {each.venue_id for each in report.orders} == {"a", "b"}


async def test_a_trade_in_a_market_of_no_session_is_left_out(client: OneByOne):
    assert await asking(client).fill(checked(TradeAnswer, TRADE | {"symbol": "ETH/USDT:USDT"})) is None


async def test_an_answer_without_evidence_is_none(client: OneByOne):
    client._told = lambda answer: answer  # type: ignore[method-assign]  # no raw answer came by
    assert not (await asking(client).report(-1)).complete
    with pytest.raises(TransientError, match="holds no list"):
        await asking(client).orders()


async def test_remembered_ids_are_bounded(client: OneByOne, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ccxt_queries, "KNOWN_MAX", 2)
    queries = asking(client, lookup=Lookup.SINGLE)
    for number in range(5):
        queries.remember(f"v{number}", f"c{number}")
    assert list(queries._client_ids) == ["v3", "v4"]


def _symbol(queries: Queries) -> str:
    (contract,) = queries._contracts
    return str(contract.instrument.symbol)
