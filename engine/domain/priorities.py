"""Who goes first when several events wait."""

from enum import IntEnum

from engine.domain.events import (
    Backfill,
    CancelRejected,
    ChannelReport,
    ClockChecked,
    Control,
    Event,
    Fault,
    FeedChanged,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    OrderSent,
    OrderTimedOut,
    PlaySwapped,
    Recalled,
    Remark,
    TimerFired,
    VenueReport,
    Woken,
)
from engine.domain.limits import LimitsChanged
from engine.domain.market import Bar, Quote, Trade
from engine.domain.positions import Fill
from engine.domain.versions import PlaysApproved, TwinChanged


class Priority(IntEnum):
    """Who goes first when several events wait; within one, first come first served."""

    CONTROL = 0
    FILL = 1
    ANSWER = 2
    SCHEDULED = 3
    MARKET = 4


# By type and not by `match`: a class pattern that misses costs more than the rest of a place in line.
_PRIORITIES: dict[type, Priority] = {
    **dict.fromkeys((Bar, Trade, Quote), Priority.MARKET),
    Fill: Priority.FILL,
    **dict.fromkeys(
        (
            OrderSent,
            OrderAcked,
            OrderRejected,
            OrderCanceled,
            CancelRejected,
            OrderTimedOut,
            VenueReport,
            OrderReport,
            ChannelReport,
            ClockChecked,
            FeedChanged,
        ),
        Priority.ANSWER,
    ),
    **dict.fromkeys((TimerFired, Woken), Priority.SCHEDULED),
    **dict.fromkeys((Control, Fault, Backfill, Remark, Recalled), Priority.CONTROL),
    **dict.fromkeys((PlaySwapped, TwinChanged, PlaysApproved, LimitsChanged), Priority.CONTROL),
}


def priority_of(event: Event) -> Priority:
    """Return the class an event waits in."""
    return _PRIORITIES[type(event)]
