"""The capital policy as gates: what a person allows an order, a time, a symbol and the whole book to cost."""

from decimal import Decimal

from engine.domain.limits import Limits
from engine.domain.money import canonical
from engine.domain.reasons import Reason
from engine.risk.gate import EntryFacts, Gate

_NOISE = 5e-9  # of sums of floats: what is on its limit must not miss it by the last bit


def _cap(cap: Decimal | None) -> str:
    return "none" if cap is None else canonical(cap)


def _percent(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g}%"


def _within(count: int | None, window_s: float) -> str:
    return "none" if count is None else f"{count} in {window_s:g}s"


def _repeats(facts: EntryFacts) -> str:
    return f"{facts.repeats}, stopped" if facts.repeats_stopped else str(facts.repeats)


def _may_repeat(facts: EntryFacts, limits: Limits) -> bool:
    most = limits.repeat_entries_max
    return not facts.repeats_stopped and (most is None or facts.repeats < most)


# What happened comes first: it holds for everything. Then what the order asks for, then what it leads to.
CAPITAL_GATES: tuple[Gate, ...] = (
    Gate(
        "daily loss",
        "The loss since 00:00 UTC is under its limit.",
        Reason.DAILY_LOSS,
        lambda facts, limits: (cap := limits.daily_loss_max) is None or -facts.day_pnl <= float(cap) + _NOISE,
        lambda facts: f"{facts.loss_today:.2f}",
        lambda limits: _cap(limits.daily_loss_max),
    ),
    Gate(
        "drawdown",
        "The fall of equity from its peak is under its limit.",
        Reason.DRAWDOWN_MAX,
        lambda facts, limits: (most := limits.drawdown_max_percent) is None or facts.drawdown_percent < most,
        lambda facts: f"{facts.drawdown_percent:.2f}%",
        lambda limits: _percent(limits.drawdown_max_percent),
    ),
    Gate(
        "losses in a row",
        "Not too many trades in a row lost.",
        Reason.LOSSES_IN_A_ROW,
        lambda facts, limits: (most := limits.losses_in_a_row_max) is None or facts.losses_in_a_row < most,
        lambda facts: str(facts.losses_in_a_row),
        lambda limits: "none" if limits.losses_in_a_row_max is None else str(limits.losses_in_a_row_max),
    ),
    Gate(
        "repeats",
        "The play does not enter the same symbol and side again and again.",
        Reason.REPEATED_ENTRIES,
        _may_repeat,
        _repeats,
        lambda limits: _within(limits.repeat_entries_max, limits.repeat_entries_window_s),
    ),
    Gate(
        "order rate",
        "Not too many entries were sent a moment ago.",
        Reason.ORDER_RATE_MAX,
        lambda facts, limits: (most := limits.order_rate_max) is None or facts.recent_entries < most,
        lambda facts: str(facts.recent_entries),
        lambda limits: _within(limits.order_rate_max, limits.order_rate_window_s),
    ),
    Gate(
        "price collar",
        "The order's price is near the last mark.",
        Reason.PRICE_COLLAR,
        lambda facts, limits: (
            (most := limits.price_collar_percent) is None or facts.price_off_percent <= most + _NOISE
        ),
        lambda facts: f"{facts.price_off_percent:.2f}%",
        lambda limits: _percent(limits.price_collar_percent),
    ),
    Gate(
        "order cap",
        "The order is not larger than an order may be.",
        Reason.ORDER_NOTIONAL_MAX,
        lambda facts, limits: (cap := limits.order_notional_max) is None or facts.order_notional <= cap,
        lambda facts: f"{facts.order_notional:.2f}",
        lambda limits: _cap(limits.order_notional_max),
    ),
    Gate(
        "cycle cap",
        "All entries of one close time together are not larger than they may be.",
        Reason.CYCLE_NOTIONAL_MAX,
        lambda facts, limits: (cap := limits.cycle_notional_max) is None or facts.cycle_notional_after <= cap,
        lambda facts: f"{facts.cycle_notional_after:.2f}",
        lambda limits: _cap(limits.cycle_notional_max),
    ),
    Gate(
        "position cap",
        "The net position does not grow past its cap.",
        Reason.POSITION_NOTIONAL_MAX,
        lambda facts, limits: (
            (cap := limits.position_notional_max) is None or facts.position_notional_after <= cap
        ),
        lambda facts: f"{facts.position_notional_after:.2f}",
        lambda limits: _cap(limits.position_notional_max),
    ),
    Gate(
        "symbol cap",
        "What all plays hold and ask for in the symbol, long and short added, does not grow past its cap.",
        Reason.SYMBOL_NOTIONAL_MAX,
        lambda facts, limits: (
            (cap := limits.symbol_notional_max) is None or facts.symbol_notional_after <= float(cap) + _NOISE
        ),
        lambda facts: f"{facts.symbol_notional_after:.2f}",
        lambda limits: _cap(limits.symbol_notional_max),
    ),
    Gate(
        "leverage",
        "The gross notional is no more than so many times the trading capital.",
        Reason.LEVERAGE_MAX,
        lambda facts, limits: (most := limits.leverage_max) is None or facts.leverage_after <= most + _NOISE,
        lambda facts: f"{facts.leverage_after:.2f}x",
        lambda limits: "none" if limits.leverage_max is None else f"{limits.leverage_max:g}x",
    ),
    Gate(
        "cash reserve",
        "The gross notional leaves the reserve of trading capital free.",
        Reason.CASH_RESERVE,
        lambda facts, limits: (
            (least := limits.cash_reserve_min) is None or facts.capital_left >= float(least) - _NOISE
        ),
        lambda facts: f"{facts.capital_left:.2f} left",
        lambda limits: _cap(limits.cash_reserve_min),
    ),
    Gate(
        "open orders",
        "There is room for one more open order.",
        Reason.OPEN_ORDERS_MAX,
        lambda facts, limits: facts.open_orders < limits.open_orders_max,
        lambda facts: str(facts.open_orders),
        lambda limits: str(limits.open_orders_max),
    ),
)
