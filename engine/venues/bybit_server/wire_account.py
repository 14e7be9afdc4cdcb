"""Orders, executions, positions and the wallet as Bybit v5 writes them."""

from collections.abc import Mapping
from decimal import Decimal

from engine.domain.money import ONE, ZERO, canonical, divide
from engine.domain.signals import Side
from engine.venues.bybit_server.account import MAINTENANCE, Account
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.orders import ExchangeOrder, Execution, Kind
from engine.venues.bybit_server.wire import CATEGORY, Json, money, ms, number

ACCOUNT_TYPE = "UNIFIED"
_SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}


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
        "tpslMode": "Full" if ticket.take_profit or ticket.stop_loss or item.protects else "",
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
        "avgPrice": money(holding.entry) if size else "0",
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
        "seq": exchange.blotter.sequence,
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
