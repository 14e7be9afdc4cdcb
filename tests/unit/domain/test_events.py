"""Every event and command survives the codec, and every event has a place in the queue."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.commands import NOTHING, Command
from engine.domain.events import (
    Action,
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
from engine.domain.priorities import Priority, priority_of
from engine.domain.versions import PlaysApproved, TwinChanged
from tests.unit.domain.examples import examples_of

EXPECTED = {
    Control: Priority.CONTROL,
    Fault: Priority.CONTROL,
    PlaySwapped: Priority.CONTROL,
    Backfill: Priority.CONTROL,
    Remark: Priority.CONTROL,
    TwinChanged: Priority.CONTROL,
    PlaysApproved: Priority.CONTROL,
    LimitsChanged: Priority.CONTROL,
    Recalled: Priority.CONTROL,
    Fill: Priority.FILL,
    OrderSent: Priority.ANSWER,
    OrderAcked: Priority.ANSWER,
    OrderRejected: Priority.ANSWER,
    OrderCanceled: Priority.ANSWER,
    CancelRejected: Priority.ANSWER,
    OrderTimedOut: Priority.ANSWER,
    VenueReport: Priority.ANSWER,
    OrderReport: Priority.ANSWER,
    ChannelReport: Priority.ANSWER,
    ClockChecked: Priority.ANSWER,
    FeedChanged: Priority.ANSWER,
    TimerFired: Priority.SCHEDULED,
    Woken: Priority.SCHEDULED,
    Bar: Priority.MARKET,
    Trade: Priority.MARKET,
    Quote: Priority.MARKET,
}
EVENTS = get_args(Event)
COMMANDS = get_args(Command)


def test_the_table_of_priorities_knows_every_event():
    assert set(EXPECTED) == set(EVENTS)


@pytest.mark.parametrize("kind", EVENTS)
@settings(max_examples=3)
@given(data=st.data())
def test_each_event_waits_in_its_class(kind, data):
    assert priority_of(data.draw(examples_of(kind))) is EXPECTED[kind]


def test_control_goes_first_and_the_market_last():
    assert sorted(Priority) == [
        Priority.CONTROL,
        Priority.FILL,
        Priority.ANSWER,
        Priority.SCHEDULED,
        Priority.MARKET,
    ]


@pytest.mark.parametrize("kind", EVENTS)
@settings(max_examples=10)
@given(data=st.data())
def test_each_event_comes_back_from_the_codec(kind, data):
    _round_trip(data.draw(examples_of(kind)), Event)


@pytest.mark.parametrize("kind", COMMANDS)
@settings(max_examples=10)
@given(data=st.data())
def test_each_command_comes_back_from_the_codec(kind, data):
    _round_trip(data.draw(examples_of(kind)), Command)


def _round_trip(value: Any, union: Any) -> None:
    for codec in (msgspec.json, msgspec.msgpack):
        assert codec.decode(codec.encode(value), type=union) == value


@pytest.mark.parametrize("kind", [*EVENTS, *COMMANDS])
def test_no_event_and_no_command_can_be_changed(kind):
    assert kind.__struct_config__.frozen


def test_a_control_names_its_own_cycle():
    assert Control(1, 7, Action.ARM, "me").cycle_id == "op@7"
    assert NOTHING == ()
