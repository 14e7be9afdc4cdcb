"""The venue's state over a restart."""

import msgspec
import pytest

from engine.domain.errors import CheckpointError
from engine.domain.events import OrderAcked, OrderRejected
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from tests.unit.venues.market_builders import (
    BUY,
    SELL,
    SYMBOL,
    World,
    bar,
    instrument,
    limit,
    market,
    quote,
    stop,
    told,
    trade,
)


def restarted(world: World, match_on: MatchOn = MatchOn.BARS, latency_ns: int = 0) -> World:
    """Return a new venue that took up the state of another."""
    other = World(match_on, latency_ns=latency_ns)
    other.venue.restore(world.venue.state())
    return other


def test_orders_position_counters_and_ids_go_on() -> None:
    world = World()
    world.market(bar(100, 100, 100, 100))
    world.hold("1")
    world.accept(limit("a", BUY, "98", "2"), stop("b", SELL, "95", reduce_only=True))
    world.market(bar(100, 100, 97, 99, volume=0.5))
    other = restarted(world)
    assert other.venue.state() == world.venue.state()
    assert other.report() == world.report()
    assert [type(answer) for answer in other.submit(market("a", BUY), market("c", BUY))] == [
        OrderRejected,
        OrderAcked,
    ]
    assert told(other.market(bar(99, 99, 94, 95))) == ["c 1@99", "b 1@95", "a 1.5@98"]


def test_the_last_quote_goes_on() -> None:
    world = World(MatchOn.QUOTES)
    world.market(trade(100))
    world.market(quote(99, 101))
    (answer,) = restarted(world, MatchOn.QUOTES).submit(limit("a", BUY, "101", post_only=True))
    assert isinstance(answer, OrderRejected)


def test_requests_on_their_way_arrive_after_a_restart_even_without_latency() -> None:
    world = World(latency_ns=10)
    world.market(bar(100, 100, 100, 100))
    world.submit(market("a", BUY), now=0)
    other = restarted(world)
    assert other.submit(market("b", BUY), now=5) == [], "it waits behind the one that was sent before"
    answers = other.venue.on_time(10)
    assert [(type(answer), answer.ts) for answer in answers] == [(OrderAcked, 10), (OrderAcked, 10)]


def test_a_restored_venue_forgets_what_it_had() -> None:
    world = World()
    empty = world.venue.state()
    world.market(bar(100, 100, 100, 100))
    world.hold("1")
    world.venue.restore(empty)
    assert world.venue.state() == empty
    assert world.position() == 0


def test_a_symbol_that_holds_nothing_may_be_gone() -> None:
    wide = SimulatedVenue([instrument(), instrument("ETHUSDT")], SimulatedConfig())
    world = World()
    world.venue.restore(wide.state())
    assert world.open_ids() == []


def test_a_symbol_that_holds_something_may_not_be_gone() -> None:
    world = World(rules=[instrument(), instrument("ETHUSDT")])
    world.market(bar(10, 10, 10, 10, symbol="ETHUSDT"))
    world.accept(limit("a", BUY, "9", symbol="ETHUSDT"))
    other = World()
    before = other.venue.state()
    with pytest.raises(CheckpointError, match="ETHUSDT"):
        other.venue.restore(world.venue.state())
    assert other.venue.state() == before


@pytest.mark.parametrize(
    "state", [b"", b"\xc1", msgspec.msgpack.encode([1, 2])], ids=["empty", "torn", "other"]
)
def test_a_damaged_state_is_refused(state: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        World().venue.restore(state)


def test_a_state_of_another_version_is_refused() -> None:
    world = World()
    fields = msgspec.msgpack.decode(world.venue.state())
    with pytest.raises(CheckpointError, match="version 99"):
        world.venue.restore(msgspec.msgpack.encode(fields | {"version": 99}))


def test_two_venues_do_not_see_each_other() -> None:
    one, two = World(), World()
    one.market(bar(100, 100, 100, 100))
    one.accept(limit("a", SELL, "110"))
    assert two.open_ids() == []
    assert two.venue.cancel("a", SYMBOL, 0) != one.venue.cancel("a", SYMBOL, 0)
