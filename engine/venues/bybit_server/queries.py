"""What only asks: markets, orders, executions, positions, the account."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from engine.domain.market import NS_PER_DAY, NS_PER_MS
from engine.venues.bybit_server import wire, wire_account
from engine.venues.bybit_server.calls import Call, Json
from engine.venues.bybit_server.candles import INTERVALS
from engine.venues.bybit_server.listing import Listing
from engine.venues.bybit_server.orders import ExchangeOrder, Status
from engine.venues.bybit_server.refusals import parameter_error

T = TypeVar("T")
RECENT = 500  # ended orders that are still told of beside the open ones
HISTORY_NS = 7 * NS_PER_DAY
_CHAINS = {"chainDeposit": "1", "chainWithdraw": "1", "minAccuracy": "6", "withdrawFee": "1"}


def server_time(call: Call) -> Json:
    """Tell the time."""
    shown_ms = call.core.shown_ms()
    return {"timeSecond": str(shown_ms // 1000), "timeNano": str(shown_ms * NS_PER_MS)}


def instruments(call: Call) -> Json:
    """List what is traded."""
    symbol, status = call.params.text("symbol"), call.params.text("status", "Trading")
    told = [
        wire.instrument(listing.instrument)
        for name, listing in call.core.exchange.listings.items()
        if symbol in ("", name)
    ]
    listed = told if status == "Trading" and _is_linear(call) else []
    return _list(call, listed)


def orderbook(call: Call) -> Json:
    """Show the book."""
    listing = _listing(call)
    depth = call.params.whole("limit", 25, least=1, most=200)
    bids, asks = wire.book(listing, depth)
    return {
        "s": listing.instrument.symbol,
        "b": [list(level) for level in bids.items()],
        "a": [list(level) for level in asks.items()],
        "ts": call.core.shown_ms(),
        "u": listing.ladder.changes,
        "seq": listing.ladder.changes,
        "cts": call.core.shown_ms(),
    }


def tickers(call: Call) -> Json:
    """Show tickers of one symbol or all."""
    symbol = call.params.text("symbol")
    listings = [_listing(call)] if symbol else call.core.exchange.listings.values()
    return _list(
        call, [wire.ticker(each, call.core.tape.day(each.instrument.symbol, call.now)) for each in listings]
    )


def recent_trades(call: Call) -> Json:
    """Show the last trades, newest first."""
    listing = _listing(call)
    told = call.core.tape.trades(
        listing.instrument.symbol, call.params.whole("limit", 500, least=1, most=1000)
    )
    return _list(call, [wire.recent_trade(listing.instrument, *each) for each in told])


def klines(call: Call) -> Json:
    """Show bars, newest first; the running one is among them."""
    listing = _listing(call)
    step_ns = INTERVALS.get(call.params.required("interval"))
    if step_ns is None:
        raise parameter_error(f"interval invalid; this exchange has {', '.join(INTERVALS)}")
    limit = call.params.whole("limit", 200, least=1, most=1000)
    until = min(call.params.whole("end", call.now // NS_PER_MS) * NS_PER_MS, call.now)
    # Of a span with more bars than the limit, the newest are told.
    earliest = until // step_ns * step_ns - (limit - 1) * step_ns
    since = max(call.params.whole("start", 0) * NS_PER_MS, earliest)
    symbol = listing.instrument.symbol
    bars = call.core.tape.candles(symbol).between(step_ns, since, until)
    rows = [wire.kline_row(listing.instrument, bar) for bar in reversed(bars[-limit:])]
    return {"symbol": symbol, "category": wire.CATEGORY, "list": rows}


def empty_list(call: Call) -> Json:
    """Answer that there is none."""
    return _list(call, [])


def coins(call: Call) -> Json:
    """List the coins."""
    names = {wire_name for each in call.core.exchange.listings.values() for wire_name in _coins(each)}
    return {
        "rows": [
            {
                "name": name,
                "coin": name,
                "remainAmount": "0",
                "chains": [
                    {
                        "chain": name,
                        "chainType": name,
                        "confirmation": "1",
                        "depositMin": "0",
                        "withdrawMin": "0",
                        **_CHAINS,
                    }
                ],
            }
            for name in sorted(names)
        ]
    }


def query_api(call: Call) -> Json:
    """Tell what the key may do."""
    key = call.params.key
    assert key is not None, "only a key's owner asks"
    may_trade = [] if key.read_only else ["Order", "Position"]
    return {
        "id": key.name,
        "note": "local exchange",
        "apiKey": key.name,
        "readOnly": int(key.read_only),
        "secret": "",
        "permissions": {
            "ContractTrade": may_trade,
            "Spot": [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if key.may_withdraw else [])],
            "Options": [],
            "Derivatives": [] if key.read_only else ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
        },
        "ips": ["127.0.0.1"],
        "type": 1,
        "deadlineDay": -2,
        "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": "1970-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
    }


def account_info(call: Call) -> Json:
    """Tell how the account is set up."""
    return {
        "marginMode": "REGULAR_MARGIN",
        "updatedTime": str(call.core.shown_ms()),
        "unifiedMarginStatus": 6,
        "dcpStatus": "ON" if call.core.dcp.window_s else "OFF",
        "timeWindow": call.core.dcp.window_s,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def wallet(call: Call) -> Json:
    """Tell the balance."""
    if call.params.text("accountType", wire_account.ACCOUNT_TYPE) != wire_account.ACCOUNT_TYPE:
        raise parameter_error("accountType only support UNIFIED.")
    return {"list": [wire_account.wallet(call.core.exchange)]}


def fee_rate(call: Call) -> Json:
    """Tell the fees of one symbol or all."""
    symbol = call.params.text("symbol")
    rules = [each.instrument for name, each in call.core.exchange.listings.items() if symbol in ("", name)]
    return {
        "list": [
            {
                "symbol": r.symbol,
                "takerFeeRate": f"{r.taker_fee:f}",
                "makerFeeRate": f"{r.maker_fee:f}",
                "baseCoin": "",
            }
            for r in rules
        ]
    }


def dcp_info(call: Call) -> Json:
    """Tell whether the protection against a lost connection is armed."""
    status, window = ("ON", str(call.core.dcp.window_s)) if call.core.dcp.window_s else ("OFF", "10")
    return {"dcpInfos": [{"product": "DERIVATIVES", "dcpStatus": status, "timeWindow": window}]}


def positions(call: Call) -> Json:
    """Tell the position in a symbol, also a flat one; or all that are open."""
    symbol, exchange = call.params.text("symbol"), call.core.exchange
    if not _is_linear(call):
        return _list(call, [])
    if symbol:
        exchange.listing(symbol)
        return _list(call, [wire_account.position(exchange, symbol)])
    if not (call.params.text("settleCoin") or call.params.text("baseCoin")):
        raise parameter_error("symbol or settleCoin is required")
    held = [name for name in _symbols(call) if exchange.account.holdings[name].qty]
    return _page(call, [wire_account.position(exchange, name) for name in held], "symbol", 20, 200)


def open_orders(call: Call) -> Json:
    """Tell the open orders, newest first; by id, or where asked for, those that ended of late, too."""
    if not _is_linear(call):
        return _list(call, [])
    order_id, link_id = call.params.text("orderId"), call.params.text("orderLinkId")
    symbol = call.params.text("symbol")
    if not (order_id or link_id or symbol or call.params.text("settleCoin") or call.params.text("baseCoin")):
        raise parameter_error("symbol, settleCoin or baseCoin is required")
    exchange = call.core.exchange
    if order_id or link_id or call.params.text("openOnly") == "1":
        orders: Iterable[ExchangeOrder] = islice(
            reversed(exchange.blotter.orders.values()), RECENT + len(exchange.blotter.open)
        )
    else:
        orders = reversed(exchange.blotter.open.values())
    told = [wire_account.order(order) for order in orders if _wanted(order, call)]
    return _page(call, told, "orderId", 20, 50)


def order_history(call: Call) -> Json:
    """Tell the orders that have ended, newest first."""
    if not _is_linear(call):
        return _list(call, [])
    since, until = _span(call)
    told = [
        wire_account.order(order)
        for order in reversed(call.core.exchange.blotter.orders.values())
        if not order.status.is_open and since <= order.created <= until and _wanted(order, call)
    ]
    return _page(call, told, "orderId", 20, 50)


def executions(call: Call) -> Json:
    """Tell the fills, newest first."""
    if not _is_linear(call) or call.params.text("execType", "Trade") != "Trade":
        return _list(call, [])
    since, until = _span(call)
    symbols = _symbols(call)
    order_id, link_id = call.params.text("orderId"), call.params.text("orderLinkId")
    told = [
        wire_account.execution(each)
        for each in reversed(call.core.exchange.blotter.executions)
        if since <= each.ts <= until
        and each.symbol in symbols
        and order_id in ("", each.order_id)
        and link_id in ("", each.link_id)
    ]
    return _page(call, told, "execId", 50, 100)


def _wanted(order: ExchangeOrder, call: Call) -> bool:
    ticket = order.ticket
    kind = call.params.text("orderFilter")
    status = call.params.text("orderStatus")
    waits = order.stop_kind != ""
    return (
        call.params.text("orderId") in ("", order.order_id)
        and call.params.text("orderLinkId") in ("", ticket.link_id)
        and ticket.symbol in _symbols(call)
        and (not kind or (kind == "Order") is not waits)
        and (not status or order.status is Status(status))
    )


def _symbols(call: Call) -> set[str]:
    """Return the symbols that a query is about."""
    symbol, base, settle = (
        call.params.text("symbol"),
        call.params.text("baseCoin"),
        call.params.text("settleCoin"),
    )
    if symbol:
        call.core.exchange.listing(symbol)
        return {symbol}
    return {
        name
        for name, listing in call.core.exchange.listings.items()
        if base in ("", listing.instrument.base) and settle in ("", listing.instrument.settle)
    }


def _span(call: Call) -> tuple[int, int]:
    """Return the times asked for, ns UTC; 7 days where nothing is said."""
    until = call.params.whole("endTime", call.now // NS_PER_MS + 1) * NS_PER_MS
    since = call.params.whole("startTime", max(0, until - HISTORY_NS) // NS_PER_MS) * NS_PER_MS
    if until - since > HISTORY_NS:
        raise parameter_error("The time range between startTime and endTime cannot exceed 7 days")
    return since, until


def _page(call: Call, told: Sequence[Json], identity: str, usual: int, most: int) -> Json:
    """Cut one page out of a list; the cursor names the last row of the page before."""
    limit, cursor = call.params.whole("limit", usual, least=1, most=most), call.params.text("cursor")
    first = next((at + 1 for at, row in enumerate(told) if row[identity] == cursor), 0) if cursor else 0
    page = list(told[first : first + limit])
    more = first + limit < len(told)
    return _list(call, page) | {"nextPageCursor": page[-1][identity] if more else ""}


def _list(call: Call, rows: Sequence[Any]) -> Json:
    return {"category": call.params.text("category", wire.CATEGORY), "list": list(rows), "nextPageCursor": ""}


def _is_linear(call: Call) -> bool:
    category = call.params.required("category")
    if category not in ("linear", "inverse", "spot", "option"):
        raise parameter_error("category invalid")
    return category == wire.CATEGORY


def _listing(call: Call) -> Listing:
    if not _is_linear(call):
        raise parameter_error("symbol invalid")
    return call.core.exchange.listing(call.params.required("symbol"))


def _coins(listing: Listing) -> tuple[str, str]:
    return listing.instrument.base, listing.instrument.quote
