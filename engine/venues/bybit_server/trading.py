"""What changes orders and positions, by REST and by the trade socket alike."""

from engine.venues.bybit_server.calls import Call, Json
from engine.venues.bybit_server.orders import ExchangeOrder
from engine.venues.bybit_server.params import linear, protection, ticket_of
from engine.venues.bybit_server.refusals import RefusedError, parameter_error

DCP_MIN_S, DCP_MAX_S = 3, 300


def create(call: Call) -> Json:
    """Take an order."""
    call.core.exchange.blotter.asked(call.params.text("orderLinkId"))
    return _ids(call.core.exchange.create(ticket_of(call.params), call.now))


def amend(call: Call) -> Json:
    """Change an open order."""
    order = _found(call)
    call.core.exchange.amend(
        order,
        call.now,
        qty=call.params.positive("qty"),
        price=call.params.positive("price"),
        trigger=call.params.positive("triggerPrice"),
    )
    return _ids(order)


def cancel(call: Call) -> Json:
    """Cancel an open order."""
    order = _found(call)
    call.core.exchange.cancel(order, call.now)
    return _ids(order)


def cancel_all(call: Call) -> Json:
    """Cancel all open orders of a symbol, a base coin or the settle coin."""
    linear(call.params)
    symbol, base, settle = (
        call.params.text("symbol"),
        call.params.text("baseCoin"),
        call.params.text("settleCoin"),
    )
    if not (symbol or base or settle):
        raise parameter_error("symbol, baseCoin or settleCoin is required")
    if symbol:
        call.core.exchange.listing(symbol)
    symbols = [
        name
        for name, listing in call.core.exchange.listings.items()
        if name == symbol
        or (not symbol and (listing.instrument.base == base or listing.instrument.settle == settle))
    ]
    waits = call.params.text("orderFilter")
    canceled = call.core.exchange.cancel_all(
        symbols, call.now, waiting=waits in ("", "StopOrder", "tpslOrder"), active=waits in ("", "Order")
    )
    return {"list": [_ids(order) for order in canceled], "success": "1"}


def set_leverage(call: Call) -> Json:
    """Set a symbol's leverage; in one-way mode both sides have the same."""
    linear(call.params)
    buy, sell = call.params.decimal("buyLeverage"), call.params.decimal("sellLeverage")
    if buy is None or buy != sell:
        raise parameter_error("buyLeverage must equal sellLeverage in one-way mode")
    call.core.exchange.set_leverage(call.params.required("symbol"), buy)
    return {}


def trading_stop(call: Call) -> Json:
    """Set or remove a position's take-profit and stop-loss, for all of it."""
    linear(call.params)
    if call.params.text("tpslMode", "Full") != "Full" or call.params.positive("trailingStop"):
        raise parameter_error("this exchange protects whole positions only: tpslMode Full, no trailingStop")
    call.core.exchange.protect(
        call.params.required("symbol"),
        call.now,
        take_profit=protection(call.params, "takeProfit"),
        stop_loss=protection(call.params, "stopLoss"),
    )
    return {}


def switch_mode(call: Call) -> Json:
    """Keep one-way mode, the only one."""
    if call.params.text("mode", "0") != "0":
        raise parameter_error("this exchange has one-way mode only")
    raise RefusedError(110025, "Position mode is not modified")


def disconnected_cancel_all(call: Call) -> Json:
    """Arm the protection against a lost connection."""
    window_s = call.params.whole("timeWindow", 0)
    if not DCP_MIN_S <= window_s <= DCP_MAX_S:
        raise parameter_error(f"timeWindow must lie in [{DCP_MIN_S}, {DCP_MAX_S}]")
    if call.params.text("product", "OPTIONS") == "DERIVATIVES":
        call.core.dcp.window_s = window_s
    return {}


def _found(call: Call) -> ExchangeOrder:
    linear(call.params)
    order_id, link_id = call.params.text("orderId"), call.params.text("orderLinkId")
    if not (order_id or link_id):
        raise parameter_error("orderId or orderLinkId is required")
    return call.core.exchange.blotter.find_open(call.params.required("symbol"), order_id, link_id)


def _ids(order: ExchangeOrder) -> Json:
    return {"orderId": order.order_id, "orderLinkId": order.ticket.link_id}
