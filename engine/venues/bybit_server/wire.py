"""The exchange's facts as Bybit v5 writes them: decimals, times and most numbers are texts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.domain.market import NS_PER_MS, Bar, Instrument, Trade
from engine.domain.money import ONE, ZERO, canonical, divide
from engine.domain.signals import Side
from engine.venues.bybit_server.account import LEVERAGE_MAX, MAINTENANCE, Account
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.listing import Listing
from engine.venues.bybit_server.orders import ExchangeOrder, Execution, Kind

Json = dict[str, Any]
CATEGORY = "linear"
ACCOUNT_TYPE = "UNIFIED"
_MONEY_STEP = Decimal("0.00000001")
_SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
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


def order(item: ExchangeOrder) -> Json:
    """Write an order as queries and the private stream show it."""
    ticket = item.ticket
    leaves, price = item.leaves, item.price or ZERO
    return {
        "category": CATEGORY,
        "symbol": ticket.symbol,
        "orderId": item.order_id,
        "orderLinkId": ticket.link_id,
        "blockTradeId": "",
        "side": _SIDES[ticket.side],
        "orderType": ticket.kind.value,
        "timeInForce": ticket.force.value if ticket.kind is Kind.LIMIT else "IOC",
        "orderStatus": item.status.value,
        "price": canonical(price),
        "qty": canonical(item.qty),
        "avgPrice": canonical(divide(item.value, item.filled)) if item.filled else "",
        "leavesQty": canonical(leaves),
        "leavesValue": canonical(leaves * price),
        "cumExecQty": canonical(item.filled),
        "cumExecValue": canonical(item.value),
        "cumExecFee": money(item.fee),
        "cumFeeDetail": {"USDT": money(item.fee)} if item.filled else {},
        "feeCurrency": "USDT",
        "cancelType": item.cancel_type,
        "rejectReason": item.reject_reason,
        "reduceOnly": ticket.reduce_only,
        "closeOnTrigger": ticket.close_on_trigger,
        "positionIdx": 0,
        "isLeverage": "",
        "orderIv": "",
        "stopOrderType": item.stop_kind,
        "triggerPrice": number(item.trigger),
        "triggerDirection": int(ticket.rising.value),
        "triggerBy": "LastPrice" if item.trigger is not None else "",
        "takeProfit": number(ticket.take_profit),
        "stopLoss": number(ticket.stop_loss),
        "tpTriggerBy": "LastPrice" if ticket.take_profit else "",
        "slTriggerBy": "LastPrice" if ticket.stop_loss else "",
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "tpslMode": "Full"
        if ticket.take_profit or ticket.stop_loss or item.stop_kind not in ("", "Stop")
        else "",
        "lastPriceOnCreated": canonical(item.last_at_creation),
        "createType": item.create_type,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": ms(item.created),
        "updatedTime": ms(item.updated),
    }


def execution(item: Execution) -> Json:
    """Write a fill as queries and the private stream show it."""
    return {
        "category": CATEGORY,
        "symbol": item.symbol,
        "orderId": item.order_id,
        "orderLinkId": item.link_id,
        "side": _SIDES[item.side],
        "orderPrice": canonical(item.order_price),
        "orderQty": canonical(item.order_qty),
        "leavesQty": canonical(item.leaves),
        "createType": item.create_type,
        "orderType": item.kind.value,
        "stopOrderType": item.stop_kind or "UNKNOWN",
        "execId": item.execution_id,
        "execPrice": canonical(item.price),
        "execQty": canonical(item.qty),
        "execValue": canonical(item.price * item.qty),
        "execFee": money(item.fee),
        "execPnl": "",
        "execType": "Trade",
        "execTime": ms(item.ts),
        "feeRate": canonical(item.fee_rate),
        "feeCurrency": "USDT",
        "isMaker": item.is_maker,
        "isLeverage": "0",
        "closedSize": canonical(item.closed),
        "markPrice": canonical(item.mark),
        "indexPrice": canonical(item.mark),
        "underlyingPrice": "",
        "markIv": "",
        "tradeIv": "",
        "blockTradeId": "",
        "seq": item.sequence,
    }


def position(exchange: Exchange, symbol: str) -> Json:
    """Write a position as queries show it; a flat one has no side and size 0."""
    account, listing = exchange.account, exchange.listings[symbol]
    holding, mark = account.holdings[symbol], listing.mark
    size = abs(holding.qty)
    value = abs(holding.position.entry_notional)
    profit = account.unrealized(symbol, mark)
    bound, least = account.margin(symbol, mark), size * mark * MAINTENANCE
    realized = holding.position.realized - holding.position.fees
    return {
        "category": CATEGORY,
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": symbol,
        "side": "" if not size else _SIDES[Side.BUY if holding.qty > 0 else Side.SELL],
        "size": canonical(size),
        "avgPrice": canonical(holding.entry.quantize(_MONEY_STEP)) if size else "0",
        "positionValue": canonical(value),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if size else 0,
        "leverage": canonical(holding.leverage),
        "positionBalance": money(bound),
        "markPrice": canonical(mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionIM": money(bound),
        "positionMM": money(least),
        "positionIMByMp": money(bound),
        "positionMMByMp": money(least),
        "tpslMode": "Full",
        "takeProfit": canonical(holding.take_profit) if holding.take_profit else "",
        "stopLoss": canonical(holding.stop_loss) if holding.stop_loss else "",
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": money(profit) if size else "0",
        "curRealisedPnl": money(realized),
        "cumRealisedPnl": money(realized),
        "seq": exchange.sequence,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": ms(holding.opened),
        "updatedTime": ms(holding.updated),
    }


def pushed_position(exchange: Exchange, symbol: str) -> Json:
    """Write a position as the private stream shows it: the average price has another name there."""
    told = position(exchange, symbol)
    told["entryPrice"] = told.pop("avgPrice")
    return told


def wallet(exchange: Exchange) -> Json:
    """Write the account's balance."""
    account, marks = exchange.account, exchange.marks()
    equity, owned = account.equity(marks), account.wallet
    bound, free = account.positions_margin(marks), exchange.available()
    in_orders = equity - bound - free
    least = _maintenance(account, marks)
    profit = equity - owned
    rates = {"accountIMRate": _rate(bound + in_orders, equity), "accountMMRate": _rate(least, equity)}
    return {
        "accountType": ACCOUNT_TYPE,
        "accountLTV": "0",
        **rates,
        "totalEquity": money(equity),
        "totalWalletBalance": money(owned),
        "totalMarginBalance": money(equity),
        "totalAvailableBalance": money(free),
        "totalPerpUPL": money(profit),
        "totalInitialMargin": money(bound + in_orders),
        "totalMaintenanceMargin": money(least),
        "coin": [
            {
                "coin": account.currency,
                "equity": money(equity),
                "usdValue": money(equity),
                "walletBalance": money(owned),
                "availableToWithdraw": "",
                "availableToBorrow": "",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": money(in_orders),
                "totalPositionIM": money(bound),
                "totalPositionMM": money(least),
                "unrealisedPnl": money(profit),
                "cumRealisedPnl": money(owned - account.deposited),
                "bonus": "0",
                "locked": "0",
                "spotBorrow": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
            }
        ],
    }


def _maintenance(account: Account, marks: Mapping[str, Decimal]) -> Decimal:
    values = (abs(account.holdings[symbol].qty) * mark for symbol, mark in marks.items())
    return sum(values, ZERO) * MAINTENANCE


def _rate(part: Decimal, whole: Decimal) -> str:
    return canonical(divide(part, whole).quantize(Decimal("0.0001"))) if whole else canonical(ONE)
