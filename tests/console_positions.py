"""Positions for the console's tests, and the moment that all of its fakes stand at."""

from decimal import Decimal
from typing import Any

import msgspec

from engine.api import OpenRisk, PositionRow

S = 1_000_000_000
NOW = 1_723_125_731 * S  # 2024-08-08 14:02:11 UTC


def position(
    play: str, symbol: str, qty: str, entry: str, mark: float, gain: str, **changes: Any
) -> PositionRow:
    """One position."""
    base = PositionRow(
        play=play,
        symbol=symbol,
        qty=Decimal(qty),
        entry_price=Decimal(entry),
        mark=mark,
        unrealized=Decimal(gain),
        realized=Decimal(0),
        fees=Decimal("1.53"),
        stop_price=None,
        target_price=None,
        opened=NOW - 340 * S,
    )
    return msgspec.structs.replace(base, **changes)


POSITIONS = (
    position(
        "canary",
        "BTCUSDT",
        "0.25",
        "61099.8",
        61_234.5,
        "33.68",
        stop_price=Decimal("60500.0"),
        target_price=Decimal("62400.0"),
        to_stop=Decimal("-183.63"),
        at_stop=Decimal("-149.95"),
        stop_distance=0.0119948,
    ),
    position(
        "ema_cross",
        "ETHUSDT",
        "-1.5",
        "2735.11",
        2_684.31,
        "76.20",
        stop_price=Decimal("2790.00"),
        to_stop=Decimal("-158.54"),
        at_stop=Decimal("-82.34"),
        stop_distance=0.0393732,
    ),
    position("canary", "SOLUSDT", "12", "163.36", 162.407, "-11.44", bare=Decimal(12)),
    position("canary", "XRPUSDT", "0", "0", 0.61234, "0", realized=Decimal("4.20")),
)
OPEN_RISK = OpenRisk(
    positions=3,
    worst=Decimal("-342.17"),
    worst_ratio=-0.0338,
    bare_positions=1,
    bare_notional=Decimal("1948.884"),
    entries=1,
)
