"""The simulated venue's dead-man's switch: when it goes off, what it cancels, and that a restart keeps it."""

import pytest

from engine.domain.events import OrderCanceled
from engine.domain.reasons import Reason
from tests.unit.venues.market_builders import BUY, SELL, World, bar, limit, stop

MS = 1_000_000


def resting(**config: object) -> World:
    """Return a venue with a position, an entry below it and its stop and target."""
    world = World(**config)  # type: ignore[arg-type]  # what SimulatedConfig takes
    world.market(bar(100, 100, 100, 100))
    world.hold("1")
    world.accept(
        stop("stop", SELL, "90", reduce_only=True),
        limit("entry", BUY, "95"),
        limit("target", SELL, "120", reduce_only=True),
        limit("other", BUY, "94"),
    )
    return world


def test_it_cancels_what_may_increase_and_spares_what_protects() -> None:
    world = resting()
    world.venue.cancel_all_after(10, 0)
    assert world.venue.spares_protection
    assert world.venue.next_at() == 10 * MS
    assert world.venue.on_time(10 * MS - 1) == ()
    at = 10 * MS
    assert world.venue.on_time(at) == [
        OrderCanceled(at, "entry", Reason.RENEWAL_MISSED),
        OrderCanceled(at, "other", Reason.RENEWAL_MISSED),
    ]
    assert world.open_ids() == ["stop", "target"]
    assert world.venue.next_at() is None, "once, until somebody renews it"


def test_a_venue_may_cancel_all_of_it() -> None:
    world = resting(switch_spares_protection=False)
    assert not world.venue.spares_protection
    world.venue.cancel_all_after(10, 0)
    world.venue.on_time(10 * MS)
    assert world.open_ids() == []


def test_a_renewal_puts_it_off_and_nought_turns_it_off() -> None:
    world = resting()
    world.venue.cancel_all_after(10, 0)
    world.venue.cancel_all_after(10, 5 * MS)
    assert world.venue.on_time(10 * MS) == ()
    assert world.venue.next_at() == 15 * MS
    world.venue.cancel_all_after(0, 11 * MS)
    assert world.venue.next_at() is None
    assert len(world.open_ids()) == 4


@pytest.mark.parametrize(("sent", "left"), [(8, 4), (9, 2)])
def test_a_renewal_counts_when_it_arrives(sent: int, left: int) -> None:
    world = resting()
    world.venue.cancel_all_after(10, 0)
    slow = World(latency_ns=2 * MS)
    slow.venue.restore(world.venue.state())
    slow.venue.cancel_all_after(10, sent * MS)
    slow.seen(slow.venue.on_time(11 * MS))
    slow.venue.query(1, 11 * MS)
    (report,) = slow.venue.on_time(13 * MS)
    assert len(report.orders) == left  # type: ignore[union-attr]  # a report


def test_a_restart_keeps_the_deadline() -> None:
    world = resting()
    world.venue.cancel_all_after(10, 0)
    world.restart()
    assert world.venue.next_at() == 10 * MS
    assert len(world.venue.on_time(99 * MS)) == 2
