"""The hand-over note: what whoever comes next must know."""

import json
from decimal import Decimal

import msgspec
import pytest

from engine.api import ControlError, FlattenSection, OrderState, Phase, Rung, Side, SignalKind
from tests import console_fakes as fakes
from tests.console_positions import position
from tests.unit.tui.night import Night
from tui.handover import lines, note, show


def text(snapshot):
    return "\n".join(lines(note(snapshot)))


def test_each_position_says_why_it_is_there_what_protects_it_and_its_ids():
    opened = fakes.signal(350, "canary", "BTCUSDT", Side.BUY, SignalKind.ENTRY, 61_080.0)
    told = text(fakes.snapshot(signals=(opened, *fakes.SIGNALS)))
    assert told.startswith("Hand-over at 2024-08-08 14:02:11 UTC: paper, armed, risk mode normal")
    assert "- BTCUSDT LONG 0.25 from 61,099.8 since 2024-08-08 13:56:31 UTC, 5m ago: open P&L +33.68" in told
    assert "why: play canary, signal entry buy at 61080, 2024-08-08 13:56:21 UTC (canary@" in told
    assert "protected: stop sell 0.25 at 60500.0, v70004 at the venue" in told
    assert "stop sell 0.25 BTCUSDT stop at 60500.0, acknowledged; at the venue v70004, ours tt0s0" in told


def test_a_position_without_a_stop_and_without_a_known_signal_says_so():
    told = text(fakes.snapshot())
    assert "- ETHUSDT SHORT 1.5" in told
    assert "protected: NOT PROTECTED: no stop rests for it" in told
    assert "its signal is older than what the engine shows" in told


def test_a_refused_signal_opened_nothing():
    refused = fakes.signal(350, "canary", "BTCUSDT", Side.BUY, SignalKind.ENTRY, 1.0, "LADDER rung=REDUCE")
    told = text(fakes.snapshot(signals=(refused,), positions=fakes.POSITIONS[:1]))
    assert "older than what the engine shows" in told


def test_a_stop_that_the_venue_has_not_confirmed_is_told_as_such():
    stop = msgspec.structs.replace(fakes.ORDERS[3], venue_id="", state=OrderState.SUBMITTED, price=None)
    told = text(fakes.snapshot(orders=(stop,), positions=fakes.POSITIONS[:1]))
    assert "stop sell 0.25 at market, NOT CONFIRMED by the venue" in told
    assert "at the venue no id yet: search for ours, ours " in told


def test_orders_of_no_position_stand_by_themselves_and_alarms_are_told():
    short = position("canary", "BTCUSDT", "-1", "100", 100.0, "0")
    shown = fakes.trouble_snapshot()
    told = text(msgspec.structs.replace(shown, positions=(short,)))
    assert "Open orders of no open position:\n- " in told
    assert "\nALARM " in told


def test_a_flat_engine_has_nothing_to_hand_over():
    told = text(fakes.snapshot(positions=(), orders=(), status=fakes.status(paused=True)))
    assert told.endswith("Flat: no position is open.")
    assert "armed, paused" in told


def test_what_a_flatten_left_is_told_to_whoever_comes_next():
    halted = fakes.status(phase=Phase.HALTED, rung=Rung.HOLD)
    left = FlattenSection("ended", fakes.NOW, 0, 1, ("v7 BTCUSDT long 0.25",))
    told = text(fakes.snapshot(status=halted, flatten=left))
    assert "paper, halted after a flatten, risk mode normal" in told
    assert "\nNOT FLAT, left by the flatten: v7 BTCUSDT long 0.25\n" in told


def test_it_is_printed_from_a_shell(settings, capsys):
    with Night(settings) as night:
        night.shown = fakes.snapshot()
        assert show(settings, as_json=False) == 0
        assert capsys.readouterr().out.startswith("Hand-over at ")
        assert show(settings, as_json=True) == 0
        facts = json.loads(capsys.readouterr().out)
    assert facts["positions"][0]["orders"][0]["venue_id"] == "v70004"
    assert facts["socket"].endswith(".sock")


def test_without_an_engine_there_is_nobody_to_ask(settings):
    with pytest.raises(ControlError, match="no engine runs"):
        show(settings, as_json=False)


def test_what_no_stop_protects_is_told_beside_the_stop():
    """A stop that covers a part must not read as protection."""
    shown = fakes.snapshot()
    held = next(row for row in shown.positions if row.stop_price is not None and row.qty != 0)
    part = msgspec.structs.replace(held, bare=Decimal("0.1"))
    found = note(msgspec.structs.replace(shown, positions=(part,)))
    assert found.positions[0].protection.startswith("NOT PROTECTED: 0.1 of it; stop ")


def test_orders_that_are_not_listed_are_counted():
    """A note that looks whole and is not would be believed."""
    shown = fakes.snapshot()
    working = sum(order.state.is_open for order in shown.orders)
    more = msgspec.structs.replace(shown.open_risk, orders=working + 3)
    assert "NOT LISTED: 3 older open orders" in text(msgspec.structs.replace(shown, open_risk=more))
    assert "NOT LISTED" not in text(shown)
