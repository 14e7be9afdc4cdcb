"""Bybit's public queries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from engine.domain.errors import ConfigError, RateLimitedError, RefusedError, TransientError
from engine.domain.market import NS_PER_MS, Bar, InstrumentKind, Trade
from engine.venues.bybit_public import BybitPublic
from engine.venues.publicrest import PublicRest
from tests.loopback import Answer, LoopbackVenue
from tests.unit.venues.bybit_history import linear
from tests.unit.venues.stream_builders import FEES, MINUTE, T0

T0_MS = T0 // NS_PER_MS
MINUTE_MS = MINUTE // NS_PER_MS


def said(result: object, code: int = 0) -> dict[str, object]:
    return {"retCode": code, "retMsg": "OK" if not code else "no", "result": result, "time": 1}


@asynccontextmanager
async def asking(**answers: Answer) -> AsyncIterator[tuple[BybitPublic, LoopbackVenue]]:
    table = {f"/v5/market/{name.replace('_', '-')}": answer for name, answer in answers.items()}
    async with LoopbackVenue(table) as venue:
        source = BybitPublic(PublicRest("bybit", venue.query_url))
        try:
            yield source, venue
        finally:
            await source.close()


async def test_rules_are_taken_from_the_venue_page_by_page():
    pages = {
        None: {"list": [linear("ETHUSDT", "ETH")], "nextPageCursor": "p2"},
        "p2": {"list": [linear()], "nextPageCursor": ""},
    }
    async with asking(instruments_info=lambda query: said(pages[query.get("cursor")])) as (source, _):
        (btc,) = await source.instruments(["btcusdt"], FEES)
    assert (btc.symbol, btc.base, btc.quote, btc.settle) == ("BTCUSDT", "BTC", "USDT", "USDT")
    assert (btc.tick, btc.lot, btc.qty_min, btc.notional_min) == tuple(
        map(Decimal, ("0.10", "0.001", "0.001", "5"))
    )
    assert (btc.price_digits, btc.qty_digits, btc.kind) == (1, 3, InstrumentKind.LINEAR)
    assert (btc.maker_fee, btc.taker_fee) == (FEES.maker, FEES.taker)


async def test_an_unknown_symbol_is_told_with_what_is_close():
    listed = {"list": [linear(), {**linear("OLDUSDT"), "status": "Closed"}]}
    async with asking(instruments_info=lambda _: said(listed)) as (source, _):
        with pytest.raises(ConfigError, match=r"bybit has no market 'BTCUSD' .* did you mean BTCUSDT\?"):
            await source.instruments(["BTCUSD"], FEES)
        with pytest.raises(ConfigError, match="see the venue's own list"):
            await source.instruments(["QQQ"], FEES)
        with pytest.raises(ConfigError, match="OLDUSDT"):
            await source.instruments(["OLDUSDT"], FEES)


def row(open_ms: int) -> list[str]:
    return [str(open_ms), "100.1", "102.5", "99", "101", "3.5", "350"]


async def test_bars_come_oldest_first_and_by_their_close():
    def answer(query):
        assert (query["interval"], query["symbol"], query["category"]) == ("1", "BTCUSDT", "linear")
        opens = range(int(query["start"]), int(query["end"]) + 1, MINUTE_MS)
        return said({"list": [row(open_ms) for open_ms in reversed(opens)]})

    async with asking(kline=answer) as (source, _):
        bars = await source.bars("BTCUSDT", MINUTE, T0, T0 + 2 * MINUTE)
    assert [bar.ts for bar in bars] == [T0, T0 + MINUTE, T0 + 2 * MINUTE]
    assert bars[0] == Bar(T0, "BTCUSDT", 100.1, 102.5, 99.0, 101.0, 3.5, MINUTE)


async def test_more_bars_than_a_page_holds_are_asked_for_page_by_page():
    def answer(query):
        opens = range(int(query["start"]), int(query["end"]) + 1, MINUTE_MS)
        return said({"list": [row(open_ms) for open_ms in reversed(opens)][:1_000]})

    async with asking(kline=answer) as (source, venue):
        bars = await source.bars("BTCUSDT", MINUTE, T0, T0 + 1_499 * MINUTE)
        assert len(venue.queries) == 2
    assert len(bars) == 1_500
    assert bars == sorted(bars, key=lambda bar: bar.ts)


async def test_trades_of_late_come_oldest_first_without_block_trades():
    def each(name: str, ms: int, *, block: bool = False) -> dict[str, object]:
        facts = {"execId": name, "symbol": "BTCUSDT", "price": "100.5", "size": "0.01", "side": "Sell"}
        return {**facts, "time": str(ms), "isBlockTrade": block}

    listed = {"list": [each("c", T0_MS + 2), each("b", T0_MS + 1, block=True), each("a", T0_MS)]}
    async with asking(recent_trade=lambda _: said(listed)) as (source, _):
        trades = await source.trades("BTCUSDT", "a")
        assert await source.snapshot("BTCUSDT") is None
    assert [named.id for named in trades] == ["a", "c"]
    assert trades[0].trade == Trade(T0, "BTCUSDT", 100.5, 0.01, -1, 100.5, 100.5)


@pytest.mark.parametrize(
    ("code", "kind"), [(10006, RateLimitedError), (10016, TransientError), (10001, RefusedError)]
)
async def test_a_code_says_what_asking_again_does(code, kind):
    async with asking(recent_trade=lambda _: said({}, code)) as (source, _):
        with pytest.raises(kind, match=f"bybit answered /v5/market/recent-trade with {code}: no"):
            await source.trades("BTCUSDT", None)


async def test_an_empty_answer_is_no_answer():
    async with asking(recent_trade=lambda _: said({})) as (source, _):
        with pytest.raises(TransientError, match="in an unknown form"):
            await source.trades("BTCUSDT", None)
