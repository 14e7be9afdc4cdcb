"""A trader closes one position and cancels one order from a second shell."""

import json

import pytest

from engine.api import OrderRole, OrderState
from tests.process.harness import eventually

pytestmark = pytest.mark.process

# Rests far below the market: it never fills by itself.
RESTING = """\
name: resting
timeframe: base
size: {notional: 500}
entry: {type: limit, offset: {percent: 20}}
long:
  enter: close > 0
stop_loss: {percent: 20}
"""


def test_one_position_is_closed_and_its_play_sits_out(house):
    house.holding()
    asked = house.run("close", "holder")
    assert asked.code == 4
    assert "NOT_CONFIRMED" in asked.err
    assert "at market, reduce-only: mark" in asked.err
    assert house.position(), "it only said what it would do"
    done = house.run("close", "holder", "--confirm", "--reason", "news", "--json")
    assert done.code == 0, done.err
    assert "the play sits out until its next signal (news)" in json.loads(done.out)["text"]
    eventually(lambda: not house.position(), "the position is closed")
    signal = eventually(
        lambda: [row for row in house.snapshot().signals if row.reason == "SITS_OUT"], "the play wants more"
    )
    assert signal
    assert not house.position()
    assert house.snapshot().status.phase.value == "armed"
    again = house.run("close", "holder", "--confirm")
    assert (again.code, "NOTHING_TO_CLOSE" in again.err) == (4, True)


def test_one_order_is_canceled_and_a_stop_is_not(house):
    house.holding()
    stop = next(o for o in house.snapshot().orders if o.role is OrderRole.STOP)
    refused = house.run("cancel", stop.client_id, "--confirm")
    assert refused.code == 4
    assert "ORDER_PROTECTS" in refused.err
    assert "Close the position instead" in refused.err


def test_a_resting_entry_is_canceled_by_the_venues_id(house):
    play = house.root / "resting.yaml"
    play.write_text(RESTING)
    house.engine("--play", play, "--arm")

    def resting():
        orders = house.snapshot().orders
        return [o for o in orders if o.state is OrderState.ACKNOWLEDGED and o.role is OrderRole.ENTRY]

    (entry,) = eventually(resting, "an entry rests")
    assert entry.venue_id in house.run("status").out
    done = house.run("cancel", entry.venue_id, "--confirm")
    assert done.code == 0, done.err
    assert "is canceled by" in done.out
    eventually(lambda: not resting(), "it is gone")
    missing = house.run("cancel", "nobody", "--confirm")
    assert (missing.code, "NO_SUCH_ORDER" in missing.err) == (4, True)
