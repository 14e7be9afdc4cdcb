"""An engine that falls silent leaves no entry at rest past the time-out, and all that protects."""

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.events import OrderCanceled, VenueReport
from engine.domain.ids import OrderRole, role_of
from engine.domain.market import NS_PER_S
from engine.domain.orders import OrderKind
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import BTC, ETH, World, rich, setup

TIMEOUT_MS = 45_000  # shorter than a bar, so that the engine renews it in between
LATENCY_NS = 50_000_000
FACTS = setup(rich(), rich("other", against=True, kind=OrderKind.STOP), dead_man_ms=TIMEOUT_MS)

bars = st.lists(
    st.tuples(st.sampled_from([86.0, 92.0, 100.0, 109.0, 111.0, 114.0, 121.0]), st.sampled_from([BTC, ETH])),
    min_size=2,
    max_size=25,
)


def roles(report: VenueReport) -> list[tuple[str, OrderRole | None]]:
    return [(order.client_id, role_of(order.client_id)) for order in report.orders]


def ask(venue: SimulatedVenue, now: int) -> VenueReport:
    """Return what rests at the venue, once all that is on its way has arrived."""
    venue.query(7, now)
    (*_, report) = venue.on_time(now + LATENCY_NS)
    assert isinstance(report, VenueReport), "it is what was asked for last"
    return report


@given(bars=bars, crash_s=st.integers(0, 59), restarts=st.booleans())
def test_a_silent_engine_leaves_its_protection_and_nothing_else(bars, crash_s, restarts):
    world = World(FACTS, SimulatedVenue(FACTS.instruments, SimulatedConfig(latency_ns=LATENCY_NS)))
    for close, symbol in bars:
        world.bar(close, symbol)
    world.wait(crash_s)
    at_crash = world.venue.state()
    venue = SimulatedVenue(FACTS.instruments, SimulatedConfig(latency_ns=LATENCY_NS))
    venue.restore(at_crash)
    before = roles(ask(venue, world.now))
    canceled = venue.on_time(world.now + TIMEOUT_MS * 1_000_000 + 2 * LATENCY_NS)
    after = roles(ask(venue, world.now + 100 * NS_PER_S))
    assert after == [(client_id, role) for client_id, role in before if role is not OrderRole.ENTRY]
    assert {e.client_id for e in canceled if isinstance(e, OrderCanceled)} == {
        client_id for client_id, role in before if role is OrderRole.ENTRY
    }
    if restarts:
        world.restart()
        world.venue.restore(at_crash)
        world.until(world.now + 10 * TIMEOUT_MS * 1_000_000)
        assert world.machine.authority.dead_man.renewed, "an engine that lives renews it all the while"
