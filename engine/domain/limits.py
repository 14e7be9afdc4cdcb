"""The limits a person set, as plain values, and the event that changes them."""

from decimal import Decimal

import msgspec

from engine.domain.calendar import Calendar


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine keeps to; money in quote units. A limit of None does not apply.

    Those of one order and of the book are asked of every entry and of nothing that reduces. Those of what
    happened latch a risk mode, too (engine/risk/causes.py).
    """

    # one order, and what is asked for at one time
    order_notional_max: Decimal | None = None
    cycle_notional_max: Decimal | None = None  # of all entries of one close time together
    order_rate_max: int | None = None  # entries within the window
    order_rate_window_s: float = 60.0
    repeat_entries_max: int | None = None  # of one play, symbol and side within the window; a person goes on
    repeat_entries_window_s: float = 600.0
    price_collar_percent: float | None = None  # of an order's price from the last mark, either way
    # what is held and what works, with the order
    position_notional_max: Decimal | None = None  # net, of a symbol
    symbol_notional_max: Decimal | None = None  # gross, of a symbol: long and short of all plays added
    leverage_max: float | None = None  # gross notional of all symbols over trading capital
    cash_reserve_min: Decimal | None = None  # trading capital that the gross notional leaves free
    open_orders_max: int = 200
    # what happened
    daily_loss_max: Decimal | None = None  # since 00:00 UTC; latches risk mode REDUCE
    drawdown_max_percent: float | None = None  # from the peak of equity
    losses_in_a_row_max: int | None = None  # closed trades
    # how well orders, venue and clock do
    slippage_max_bps: float | None = None  # mean of the last fills that took what they found
    slippage_fills: int = 20
    reject_max_percent: float | None = None  # of the last orders
    reject_orders: int = 20
    retries_max: int | None = None  # calls that failed or got no answer, within the window
    retries_window_s: float = 60.0
    unknown_order_max_s: float | None = None
    data_silence_max_s: float | None = None
    reconcile_lag_max_s: float | None = None
    clock_offset_max_ms: float | None = None
    # how the engine goes about it
    profit_reserve_percent: Decimal = Decimal(0)  # of each winning trade's profit, put aside
    stale_after_s: float = 10.0
    mode_dwell_s: float = 60.0  # how long a lowered risk mode must stand before it may be raised
    flatten_deadline_s: float = 30.0


class LimitsChanged(msgspec.Struct, frozen=True, tag=True):
    """A valid settings file asks for these limits and this calendar; `id` is short for its content."""

    ts: int
    id: str
    limits: Limits
    calendar: Calendar
