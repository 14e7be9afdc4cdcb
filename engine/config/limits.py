"""The limits as settings: checked at the edge, each against what is sane and against the others."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from engine.config.section import Money, Seconds, Section
from engine.domain.limits import Limits

Percent = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class LimitSettings(Section):
    """What an engine keeps to: money in quote units, null where a limit does not apply."""

    order_notional_max: Money | None = Decimal(10_000)
    cycle_notional_max: Money | None = None
    order_rate_max: Annotated[int, Field(ge=1, le=1_000)] | None = None
    order_rate_window_s: Seconds = 60.0
    repeat_entries_max: Annotated[int, Field(ge=2, le=100)] | None = None
    repeat_entries_window_s: Seconds = 600.0
    price_collar_percent: Percent | None = 20.0
    position_notional_max: Money | None = Decimal(20_000)
    symbol_notional_max: Money | None = None
    leverage_max: Annotated[float, Field(gt=0, le=125, allow_inf_nan=False)] | None = 5.0
    cash_reserve_min: Money | None = None
    open_orders_max: Annotated[int, Field(ge=1, le=1_000)] = 50
    daily_loss_max: Money | None = None
    drawdown_max_percent: Percent | None = None
    losses_in_a_row_max: Annotated[int, Field(ge=2, le=1_000)] | None = None
    slippage_max_bps: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    slippage_fills: Annotated[int, Field(ge=1, le=100)] = 20
    reject_max_percent: Percent | None = 50.0
    reject_orders: Annotated[int, Field(ge=1, le=100)] = 20
    retries_max: Annotated[int, Field(ge=1, le=1_000)] | None = 60
    retries_window_s: Seconds = 60.0
    unknown_order_max_s: Seconds | None = 300.0
    data_silence_max_s: Seconds | None = 900.0
    reconcile_lag_max_s: Seconds | None = 600.0
    clock_offset_max_ms: Annotated[float, Field(gt=0, le=60_000)] | None = 1_000.0
    profit_reserve_percent: Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)] = Decimal(0)
    stale_after_s: Seconds = 10.0
    mode_dwell_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    flatten_deadline_s: Annotated[float, Field(ge=1, le=600)] = 30.0

    @field_validator("cycle_notional_max", "position_notional_max", "symbol_notional_max")
    @classmethod
    def _holds_one_order(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        return _not_below(value, "order_notional_max", info)

    @field_validator("symbol_notional_max")
    @classmethod
    def _holds_a_position(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        return _not_below(value, "position_notional_max", info)

    def to_limits(self) -> Limits:
        """Return the limits as the risk layer takes them."""
        return Limits(**{name: getattr(self, name) for name in Limits.__struct_fields__})


def _not_below(value: Decimal | None, field: str, info: ValidationInfo) -> Decimal | None:
    """Refuse a cap that the orders or positions it is about could never fit in."""
    least = info.data.get(field)
    if value is not None and least is not None and value < least:
        raise ValueError(f"must not be below {field} ({least})")
    return value
