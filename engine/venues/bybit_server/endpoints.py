"""The endpoints by method and path: who may ask, and what answers."""

import msgspec

from engine.venues.bybit_server import queries, trading
from engine.venues.bybit_server.calls import Act


class Endpoint(msgspec.Struct, frozen=True):
    """One endpoint. Its name is the path without /v5/, with dots: faults and limits go by it."""

    name: str
    act: Act
    is_private: bool
    writes: bool = False


PUBLIC: dict[str, Act] = {
    "market.time": queries.server_time,
    "market.instruments-info": queries.instruments,
    "market.orderbook": queries.orderbook,
    "market.tickers": queries.tickers,
    "market.recent-trade": queries.recent_trades,
    "market.kline": queries.klines,
    "market.mark-price-kline": queries.klines,
    "market.funding.history": queries.empty_list,
    "market.risk-limit": queries.empty_list,
}
ASKED: dict[str, Act] = {
    "user.query-api": queries.query_api,
    "asset.coin.query-info": queries.coins,
    "account.info": queries.account_info,
    "account.wallet-balance": queries.wallet,
    "account.fee-rate": queries.fee_rate,
    "account.query-dcp-info": queries.dcp_info,
    "position.list": queries.positions,
    "order.realtime": queries.open_orders,
    "order.history": queries.order_history,
    "execution.list": queries.executions,
}
WRITES: dict[str, Act] = {
    "order.create": trading.create,
    "order.amend": trading.amend,
    "order.cancel": trading.cancel,
    "order.cancel-all": trading.cancel_all,
    "order.disconnected-cancel-all": trading.disconnected_cancel_all,
    "position.set-leverage": trading.set_leverage,
    "position.trading-stop": trading.trading_stop,
    "position.switch-mode": trading.switch_mode,
}
BY_SOCKET = ("order.create", "order.amend", "order.cancel")  # what the trade socket takes


def _path(name: str) -> str:
    return "/v5/" + name.replace(".", "/")


ENDPOINTS = {
    **{("GET", _path(name)): Endpoint(name, act, is_private=False) for name, act in PUBLIC.items()},
    **{("GET", _path(name)): Endpoint(name, act, is_private=True) for name, act in ASKED.items()},
    **{
        ("POST", _path(name)): Endpoint(name, act, is_private=True, writes=True)
        for name, act in WRITES.items()
    },
}
