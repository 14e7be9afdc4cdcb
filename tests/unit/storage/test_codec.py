import typing
from decimal import Decimal

import msgspec
import pytest

from engine.domain import events, limits, versions
from engine.domain.calendar import Window
from engine.domain.market import Bar, Quote
from engine.domain.orders import OrderState
from engine.domain.play import PlaySpec, Rule, Sizing, SizingKind
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.domain.warming import Warmed
from engine.storage.codec import Consumed, Effects, End, Entry, EntryCodec, Gap, Tape
from tests.unit.storage import samples
from tests.unit.storage.samples import T0

BAR = Bar(T0, "BTCUSDT", 1.0, 2.0, 0.5, 1.5, 10.0, 60_000_000_000)
SPEC = PlaySpec(
    name="canary", sizing=Sizing(SizingKind.NOTIONAL, Decimal("100.50")), long_entry=Rule("close > ema(20)")
)
EVENTS = [
    BAR,
    samples.trade(1),
    Quote(T0, "BTCUSDT", 1.0, 2.0, 1.1, 3.0),
    events.Backfill(T0, (BAR, BAR)),
    events.Remark(T0, "recovery", "goes on"),
    versions.TwinChanged(T0, "levels", "levels"),
    versions.PlaysApproved(T0, ("abc",)),
    events.Recalled(T0, (samples.saved().order,), (samples.fill().fill,), 7, (samples.signal().signal,)),
    samples.fill().fill,
    events.OrderSent(T0, "tt1"),
    events.OrderAcked(T0, "tt1", "v1"),
    events.OrderRejected(T0, "tt1", Reason.OFF_TICK, "no"),
    events.OrderCanceled(T0, "tt1", Reason.IOC_REMAINDER),
    events.CancelRejected(T0, "tt1", Reason.ORDER_NOT_FOUND),
    events.OrderTimedOut(T0, "tt1"),
    events.VenueReport(
        T0,
        1,
        (
            events.VenueOrder(
                "tt1", "v1", "BTCUSDT", Side.SELL, Decimal("1.0"), Decimal(0), OrderState.UNKNOWN
            ),
        ),
        (events.VenuePosition("BTCUSDT", Decimal("-0.30")),),
        fills=(samples.fill().fill,),
    ),
    events.OrderReport(T0, "tt1", None, (samples.fill().fill,)),
    events.Woken(T0),
    events.TimerFired(T0, "dwell"),
    events.Control(T0, 1, events.Action.ARM, "cli", "why", "canary"),
    events.PlaySwapped(T0, SPEC, 2),
    events.PlaySwapped(T0, SPEC, 3, "new", Warmed(b"state", {"BTCUSDT": T0})),
    events.FeedChanged(T0, "synthetic", events.FeedState.CONNECTED),
    events.ChannelReport(T0, "bybit", events.Channel.ORDERS, events.CallOutcome.TRANSIENT, "timed out"),
    events.Fault(T0, events.FaultKind.STORAGE, "full"),
    events.ClockChecked(T0, "bybit", -12.5),
    limits.LimitsChanged(
        T0,
        "ab12",
        limits.Limits(order_notional_max=Decimal("5.5"), leverage_max=3.0),
        (Window(name="news", starts=(750,), minutes=30, weekdays=(4,), symbols=("BTCUSDT",)),),
    ),
]


def test_every_event_of_the_domain_is_tried_here():
    assert {type(event) for event in EVENTS} == set(typing.get_args(events.Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_as_it_went(event):
    codec = EntryCodec()
    entry = Consumed(2**60, T0, event)
    [decoded] = codec.decode(codec.join(codec.encode(entry), 1))
    assert decoded == entry
    assert codec.encode(decoded) == codec.encode(entry), "digits of a decimal are kept too"


def test_a_batch_keeps_kinds_and_order():
    codec = EntryCodec()
    entries: list[Entry] = [
        samples.header(),
        Tape(1, 5_000),
        Effects(1, b"12345678"),
        Gap(2, "disk full"),
        End(3, "f" * 64, 0),
    ]
    assert codec.decode(codec.join(b"".join(map(codec.encode, entries)), len(entries))) == entries


def test_bytes_that_are_no_entries_are_refused():
    with pytest.raises(msgspec.DecodeError):
        EntryCodec().decode(b"\xdd\x00\x00\x00\x01\x91\xa1?")
