"""The limits a person set, as plain values."""

from decimal import Decimal

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Caps in quote units; a limit of None does not apply."""

    order_notional_max: Decimal | None = None
    position_notional_max: Decimal | None = None
    daily_loss_max: Decimal | None = None  # quote units since 00:00 UTC; latches risk mode REDUCE
    open_orders_max: int = 200
    stale_after_s: float = 10.0
    mode_dwell_s: float = 60.0  # how long a lowered risk mode must stand before it may be raised
    flatten_deadline_s: float = 30.0
