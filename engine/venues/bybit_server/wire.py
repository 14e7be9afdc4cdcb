"""The exchange's facts as Bybit v5 writes them: decimals, times and most numbers are texts."""

from decimal import Decimal
from typing import Any

from engine.domain.market import NS_PER_MS, Bar, Instrument, Trade
from engine.domain.money import ZERO, canonical, divide
from engine.domain.signals import Side
from engine.venues.bybit_server.account import LEVERAGE_MAX
from engine.venues.bybit_server.listing import Listing

Json = dict[str, Any]
CATEGORY = "linear"
_MONEY_STEP = Decimal("0.00000001")
_AGGRESSORS = {1: "Buy", -1: "Sell", 0: "Buy"}
_LAUNCHED_MS = "1585526400000"
_QTY_MAX_LOTS = 1_000_000


def ms(ns: int) -> str:
    """Write a time as milliseconds UTC."""
    return str(ns // NS_PER_MS)


def number(value: Decimal | None, empty: str = "") -> str:
    """Write a decimal; what is not there is an empty text."""
    return empty if value is None else canonical(value)


def money(value: Decimal) -> str:
    """Write an amount of currency to the hundred-millionth."""
    return canonical(value.quantize(_MONEY_STEP))


def instrument(rules: Instrument) -> Json:
    """Write what /v5/market/instruments-info says of a symbol."""
    most = canonical(rules.lot * _QTY_MAX_LOTS)
    return {
        "symbol": rules.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": rules.base,
        "quoteCoin": rules.quote,
        "launchTime": _LAUNCHED_MS,
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(rules.price_digits),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{LEVERAGE_MAX}.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": canonical(rules.tick),
            "maxPrice": canonical(rules.tick * 10**9),
            "tickSize": canonical(rules.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": most,
            "minOrderQty": canonical(rules.qty_min),
            "qtyStep": canonical(rules.lot),
            "postOnlyMaxOrderQty": most,
            "maxMktOrderQty": most,
            "minNotionalValue": canonical(rules.notional_min),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": rules.settle,
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        # not in the real answer: ccxt takes these in place of its own guess of the fees
        "takerFee": canonical(rules.taker_fee),
        "makerFee": canonical(rules.maker_fee),
    }


def public_trade(rules: Instrument, trade: Trade, identity: str) -> Json:
    """Write a trade for the stream."""
    return {
        "T": trade.ts // NS_PER_MS,
        "s": trade.symbol,
        "S": _AGGRESSORS[trade.side],
        "v": f"{rules.qty(trade.qty):f}",
        "p": f"{rules.price(trade.price):f}",
        "L": "ZeroPlusTick",
        "i": identity,
        "BT": False,
        "RPI": False,
    }


def recent_trade(rules: Instrument, trade: Trade, identity: str) -> Json:
    """Write a trade for /v5/market/recent-trade."""
    return {
        "execId": identity,
        "symbol": trade.symbol,
        "price": f"{rules.price(trade.price):f}",
        "size": f"{rules.qty(trade.qty):f}",
        "side": _AGGRESSORS[trade.side],
        "time": ms(trade.ts),
        "isBlockTrade": False,
        "isRPITrade": False,
    }


def kline_row(rules: Instrument, bar: Bar) -> list[str]:
    """Write a bar for /v5/market/kline; its time is that of its open."""
    prices = [f"{rules.price(value):f}" for value in (bar.open, bar.high, bar.low, bar.close)]
    volume = rules.qty(bar.volume)
    return [ms(bar.ts - bar.step_ns), *prices, canonical(volume), canonical(volume * rules.price(bar.close))]


def kline(rules: Instrument, bar: Bar, interval: str, now: int, *, closed: bool) -> Json:
    """Write a bar for the stream, closed or as it stands."""
    start, opened, high, low, close, volume, turnover = kline_row(rules, bar)
    return {
        "start": int(start),
        "end": bar.ts // NS_PER_MS - 1,
        "interval": interval,
        "open": opened,
        "close": close,
        "high": high,
        "low": low,
        "volume": volume,
        "turnover": turnover,
        "confirm": closed,
        "timestamp": now // NS_PER_MS,
    }


def book(listing: Listing, depth: int) -> tuple[dict[str, str], dict[str, str]]:
    """Write the shown bids and offers, price to size, best first."""
    ladder = listing.ladder
    bids = dict(ladder.text(*level) for level in ladder.side(Side.BUY, depth))
    asks = dict(ladder.text(*level) for level in ladder.side(Side.SELL, depth))
    return bids, asks


def ticker(listing: Listing, day: Bar | None) -> Json:
    """Write a symbol's ticker; mark and index are the last price."""
    rules, ladder = listing.instrument, listing.ladder
    last = canonical(listing.last)
    bid, bid_size = next((ladder.text(*level) for level in ladder.side(Side.BUY, 1)), ("", ""))
    ask, ask_size = next((ladder.text(*level) for level in ladder.side(Side.SELL, 1)), ("", ""))
    opened = rules.price(day.open) if day else listing.last
    volume = rules.qty(day.volume) if day else ZERO
    change = divide(listing.last - opened, opened) if opened else ZERO
    return {
        "symbol": rules.symbol,
        "tickDirection": "PlusTick",
        "lastPrice": last,
        "indexPrice": last,
        "markPrice": last,
        "prevPrice24h": canonical(opened),
        "price24hPcnt": canonical(change.quantize(Decimal("0.000001"))),
        "highPrice24h": canonical(rules.price(day.high)) if day else last,
        "lowPrice24h": canonical(rules.price(day.low)) if day else last,
        "prevPrice1h": last,
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": canonical(volume * listing.last),
        "volume24h": canonical(volume),
        "fundingRate": "0",
        "nextFundingTime": "0",
        "fundingIntervalHour": "8",
        "bid1Price": bid,
        "bid1Size": bid_size,
        "ask1Price": ask,
        "ask1Size": ask_size,
        "deliveryTime": "0",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "",
        "predictedDeliveryPrice": "",
    }
