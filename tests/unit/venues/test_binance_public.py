"""Binance's public queries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, InstrumentKind, Trade
from engine.venues.binance_public import BinancePublic
from engine.venues.publicrest import PublicRest
from engine.venues.ws_source import Snapshot
from tests.loopback import Answer, LoopbackVenue
from tests.unit.venues.stream_builders import FEES, MINUTE, T0

T0_MS = T0 // NS_PER_MS
MINUTE_MS = MINUTE // NS_PER_MS


def listed(symbol: str = "BTCUSDT", *, futures: bool = True, status: str = "TRADING") -> dict[str, object]:
    least = {"filterType": "MIN_NOTIONAL", "notional": "100"}
    if not futures:
        least = {"filterType": "NOTIONAL", "minNotional": "5.00000000"}
    facts: dict[str, object] = {
        "symbol": symbol,
        "status": status,
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10000000", "minPrice": "1"},
            {"filterType": "LOT_SIZE", "stepSize": "0.00100000", "minQty": "0.00100000"},
            least,
        ],
    }
    return {**facts, "contractType": "PERPETUAL", "marginAsset": "USDT"} if futures else facts


@asynccontextmanager
async def asking(
    *, futures: bool = True, **answers: Answer
) -> AsyncIterator[tuple[BinancePublic, LoopbackVenue]]:
    path = "/fapi/v1" if futures else "/api/v3"
    async with LoopbackVenue({f"{path}/{name}": answer for name, answer in answers.items()}) as venue:
        source = BinancePublic(PublicRest("binance", venue.query_url), futures=futures)
        try:
            yield source, venue
        finally:
            await source.close()


async def test_rules_of_futures():
    symbols = [listed(), {**listed("BTCUSDT_261225"), "contractType": "CURRENT_QUARTER"}]
    async with asking(exchangeInfo=lambda _: {"symbols": symbols}) as (source, _):
        (btc,) = await source.instruments(["BTC/USDT:USDT"], FEES)
        with pytest.raises(ConfigError, match=r"did you mean BTCUSDT\?"):
            await source.instruments(["BTCUSDT_261225"], FEES)
    assert (btc.tick, btc.lot, btc.qty_min, btc.notional_min) == tuple(
        map(Decimal, ("0.1", "0.001", "0.001", "100"))
    )
    assert (btc.price_digits, btc.qty_digits, btc.settle, btc.kind) == (1, 3, "USDT", InstrumentKind.LINEAR)


async def test_rules_of_spot():
    symbols = [listed(futures=False), listed("XUSDT", futures=False, status="BREAK")]
    async with asking(futures=False, exchangeInfo=lambda _: {"symbols": symbols}) as (source, _):
        (btc,) = await source.instruments(["BTCUSDT"], FEES)
        assert NS_PER_S in source.steps_ns
        with pytest.raises(ConfigError):
            await source.instruments(["XUSDT"], FEES)
    assert (btc.notional_min, btc.settle, btc.kind) == (Decimal(5), "USDT", InstrumentKind.SPOT)


async def test_rules_without_a_least_notional_have_none():
    facts = listed()
    facts["filters"] = facts["filters"][:2]  # type: ignore[index]
    async with asking(exchangeInfo=lambda _: {"symbols": [facts]}) as (source, _):
        (btc,) = await source.instruments(["BTCUSDT"], FEES)
    assert btc.notional_min == 0


def row(open_ms: int) -> list[object]:
    prices = ["100.10", "102.50", "99.00", "101.00", "3.500"]
    return [open_ms, *prices, open_ms + MINUTE_MS - 1, "350.0", 42, "1.0", "100.0", "0"]


def klines(query):
    opens = range(int(query["startTime"]), int(query["endTime"]) + 1, MINUTE_MS)
    return [row(open_ms) for open_ms in opens][: int(query["limit"])]


async def test_bars_come_oldest_first_and_by_their_close():
    async with asking(klines=klines) as (source, venue):
        bars = await source.bars("BTCUSDT", MINUTE, T0, T0 + MINUTE)
        assert venue.queries[0][1]["interval"] == "1m"
    assert bars[0] == Bar(T0, "BTCUSDT", 100.1, 102.5, 99.0, 101.0, 3.5, MINUTE, 42)
    assert [bar.ts for bar in bars] == [T0, T0 + MINUTE]


async def test_more_bars_than_a_page_holds_are_asked_for_page_by_page():
    async with asking(klines=klines) as (source, venue):
        bars = await source.bars("BTCUSDT", MINUTE, T0, T0 + 1_499 * MINUTE)
        assert len(venue.queries) == 2
    assert [bar.ts for bar in bars] == [T0 + n * MINUTE for n in range(1_500)]


async def test_spot_has_bars_of_a_second():
    def answer(query):
        assert query["interval"] == "1s"
        return []

    async with asking(futures=False, klines=answer) as (source, _):
        assert await source.bars("BTCUSDT", NS_PER_S, T0, T0) == []


def prints(first: int, last: int) -> list[dict[str, object]]:
    facts = {"price": "100.50", "qty": "0.010", "quoteQty": "1"}
    numbers = range(first, last + 1)
    return [{**facts, "id": n, "time": T0_MS + n, "isBuyerMaker": n % 2 == 1} for n in numbers]


async def test_trades_of_late():
    async with asking(trades=lambda _: prints(8, 9)) as (source, _):
        trades = await source.trades("BTCUSDT", 1)
    assert [named.id for named in trades] == [8, 9]
    assert trades[1].trade == Trade(T0 + 9 * NS_PER_MS, "BTCUSDT", 100.5, 0.01, -1, 100.5, 100.5)


async def test_spot_tells_trades_from_any_number_on():
    def older(query):
        first = int(query["fromId"])
        return prints(first, min(first + 2, 20))

    answers: dict[str, Answer] = {"trades": lambda _: prints(18, 20), "historicalTrades": older}
    async with asking(futures=False, **answers) as (source, venue):
        trades = await source.trades("BTCUSDT", 10)
        assert [query["fromId"] for path, query in venue.queries if path.endswith("historicalTrades")] == [
            "11",
            "14",
            "17",
        ]
        assert [named.id for named in trades] == list(range(11, 21))
        assert [named.id for named in await source.trades("BTCUSDT", None)] == [18, 19, 20]
        assert [named.id for named in await source.trades("BTCUSDT", 17)] == [18, 19, 20]


async def test_a_venue_that_has_no_older_trades_tells_what_it_has():
    answers: dict[str, Answer] = {"trades": lambda _: prints(18, 20), "historicalTrades": lambda _: []}
    async with asking(futures=False, **answers) as (source, _):
        assert [named.id for named in await source.trades("BTCUSDT", 1)] == [18, 19, 20]


@pytest.mark.parametrize("futures", [True, False])
async def test_a_book_has_its_number(futures):
    book = {"lastUpdateId": 77, "bids": [["99.00", "1.000"]], "asks": [["100.00", "2.000"]]}
    async with asking(futures=futures, depth=lambda _: book) as (source, _):
        assert await source.snapshot("BTCUSDT") == Snapshot(77, [(99.0, 1.0)], [(100.0, 2.0)])
