"""An engine whose venue is outside of it: the local exchange, over sockets."""

import random
import signal
import socket
from functools import partial

import pytest

from engine.api import OrderState, Phase
from tests.process.harness import LIMIT_S, House, eventually
from tests.process.local_venue import LocalVenue, local_venue

pytestmark = pytest.mark.process

DEMO = ("--mode", "demo", "--venue", "local")
CHURN = """\
name: holder
timeframe: base
size: {notional: 2000}
long:
  enter: close > sma(2)
  exit: close < sma(3)
short:
  enter: close < sma(2)
  exit: close > sma(3)
stop_loss: {percent: 5}
take_profit: {percent: 5}
"""


def agree(house: House, venue: LocalVenue) -> bool:
    """Tell whether the engine's books and the exchange's ledger say the same."""
    snapshot = house.snapshot()
    ours = {order.client_id for order in snapshot.orders if order.state.is_open}
    return house.position() == venue.position() and ours == venue.working()


def books(house: House, venue: LocalVenue) -> str:
    """Say what the engine and the exchange each hold, for a failure."""
    snapshot = house.snapshot()
    ours = {order.client_id: order.state.name for order in snapshot.orders if order.state.is_open}
    alarms = [(alarm.id, alarm.text) for alarm in snapshot.alarms]
    return (
        f"engine: {house.position()!r} {ours}\nvenue: {venue.position()!r} {sorted(venue.working())}\n"
        f"{snapshot.status.phase.name} {alarms}"
    )


def resolve_unknown(house: House, venue: LocalVenue) -> None:
    """Do what an operator does who looks at the exchange: an order that it does not know is dead.

    A kill between the disk and the wire leaves such an order, and one before the exchange's refusal is
    read. The engine never ends it by itself.
    """
    there = {row["orderLinkId"] for row in venue.truth()["orders"]}
    for order in house.snapshot().orders:
        if order.state is OrderState.UNKNOWN and order.client_id not in there:
            confirm = order.client_id[-4:]
            done = house.run(
                "resolve", order.client_id, "dead", "--confirm", confirm, "--reason", "not there"
            )
            assert done.code == 0, done.err


def at_one(house: House, venue: LocalVenue) -> bool:
    """Tell whether, once an operator has looked, engine and exchange agree and nothing alarms."""
    resolve_unknown(house, venue)
    return agree(house, venue) and not house.snapshot().alarms


def has_submitted(venue: LocalVenue, count: int) -> bool:
    """Tell whether so many orders were sent to the exchange."""
    return len(venue.truth()["submits"]) >= count


def test_an_engine_trades_on_the_local_exchange_and_flattens(house):
    with local_venue(house) as venue:
        engine = house.engine("--play", house.play, *DEMO, env=venue.env)
        assert house.phase() is Phase.DISARMED
        assert house.run("arm", "--confirm", "holder").code == 0
        eventually(lambda: house.position() and house.protected(), "a protected position")
        eventually(lambda: agree(house, venue), "books and venue agree")
        assert house.run("flatten").code == 0
        assert venue.position() == ""
        assert not venue.working()
        assert house.run("stop").code == 0
        assert engine.wait(LIMIT_S) == 0


def test_kill_9_at_any_instant_loses_no_order_and_repeats_none(house):
    house.play.write_text(CHURN)
    rng = random.Random(11)
    with local_venue(house) as venue:
        for life in range(3):
            engine = house.engine("--play", house.play, *DEMO, env=venue.env)
            eventually(
                lambda: at_one(house, venue),
                "books and venue agree after a start",
                show=lambda: books(house, venue),
            )
            assert house.phase() is Phase.DISARMED
            if life < 2:
                submitted = len(venue.truth()["submits"])
                assert house.run("arm", "--confirm", "holder", "--reason", "go on").code == 0
                wanted = submitted + rng.randint(1, 7)
                eventually(partial(has_submitted, venue, wanted), "it trades")
                engine.send_signal(signal.SIGKILL)
                engine.wait(LIMIT_S)
        truth = venue.truth()
        assert set(truth["submits"].values()) == {1}
        fills = house.snapshot()
        assert fills.status.phase is Phase.DISARMED
        assert house.run("flatten").code == 0
        assert venue.position() == ""


def test_flatten_direct_closes_on_the_venue_what_a_killed_engine_left(house):
    with local_venue(house) as venue:
        engine = house.engine("--play", house.play, *DEMO, env=venue.env)
        assert house.run("arm", "--confirm", "holder").code == 0
        eventually(lambda: house.position() and house.protected(), "a protected position")
        engine.send_signal(signal.SIGKILL)
        engine.wait(LIMIT_S)
        assert venue.position()
        done = house.run("flatten", "--direct", env=venue.env)
        assert done.code == 0, done.err
        assert "FLAT" in done.out
        assert venue.position() == ""
        assert not venue.working()


def test_a_submit_without_an_answer_is_settled_by_the_venues_evidence(house):
    with local_venue(house) as venue:
        house.engine("--play", house.play, *DEMO, env=venue.env)
        venue.put_fault(on="order.create", do="reset", effect="done", count=1)
        assert house.run("arm", "--confirm", "holder").code == 0
        eventually(lambda: house.position() and house.protected(), "a protected position")
        eventually(lambda: agree(house, venue), "books and venue agree")
        assert set(venue.truth()["submits"].values()) == {1}
        assert house.run("stop").code == 0


def test_without_the_exchange_a_start_says_what_to_do(house):
    done = house.run("run", "--headless", "--play", house.play, *DEMO, env={"TRADER_TUI_LOCAL__PORT": "9"})
    assert done.code != 0
    assert "Traceback" not in done.err
    assert "trader-tui venue" in done.err


def test_the_local_exchange_takes_no_real_money(house):
    done = house.run(
        "run", "--headless", "--play", house.play, "--mode", "live", "--confirm", "--venue", "local"
    )
    assert done.code == 2
    assert "--mode demo" in done.err


def test_a_second_engine_on_the_account_is_refused_whatever_it_trades(house):
    with local_venue(house) as venue:
        engine = house.engine("--play", house.play, *DEMO, env=venue.env)
        other = ("run", "--headless", *DEMO, "--instance", "other", "--symbol", "ETHUSDT")
        for place in ((), ("--state-dir", house.root / "elsewhere")):
            done = house.run(*other, *place, env=venue.env)
            assert done.code == 3, done.err
            assert (
                f"this account is traded by pid {engine.pid} on {socket.gethostname()} since 20" in done.err
            )
            assert "(instance 'default')" in done.err
        assert house.phase() is Phase.DISARMED, "the first one is not disturbed"
        engine.send_signal(signal.SIGKILL)
        engine.wait(LIMIT_S)
        house.engine("--play", house.play, *DEMO, instance="other", env=venue.env)
