"""What is done about a position whose stop does not protect it: settings, as plain values."""

from enum import StrEnum

import msgspec


class OnMissing(StrEnum):
    """What follows, besides the alarm, where no stop rests for a position that should have one."""

    PROTECT = "protect"  # the stop is asked for again
    ALARM = "alarm"
    CLOSE = "close"


class OnStuck(StrEnum):
    """What follows, besides the alarm, where a stop was triggered and does not fill."""

    ALARM = "alarm"
    CLOSE = "close"


class StopPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a stop counts as missing or stuck, and what follows then."""

    missing: OnMissing = OnMissing.PROTECT
    missing_after_s: float = 5.0  # so long it may be on its way
    stuck: OnStuck = OnStuck.ALARM
    stuck_after_s: float = 10.0
