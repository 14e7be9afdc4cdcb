"""What a session is made of on disk, and which facts a state depends on."""

from decimal import Decimal

import msgspec
import pytest

from engine.core.machine import Machine
from engine.domain.errors import CheckpointError
from engine.domain.market import NS_PER_MS
from engine.runtime.loop import Loop
from engine.runtime.pump import Pump
from engine.runtime.recovery import NullRecorder
from engine.runtime.session import (
    STATE_VERSION,
    SessionConfig,
    decode_config,
    decode_state,
    encode_config,
    encode_state,
    session_name,
)
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import ENTER_LONG, QUIET, T0, bar, instrument, setup, spec
from tests.unit.runtime.rig import Committed


def config(venue=None, **facts):
    return SessionConfig(setup=setup(**facts), venue=venue or SimulatedConfig(), data=(), settings="{}")


async def state():
    """A state with an order, a signal and a timer in it."""
    facts = setup(stale_check_ns=10**9)
    loop = Loop(Machine(facts), SimulatedVenue(facts.instruments, SimulatedConfig(latency_ns=10**9)))
    pump = Pump(loop, dispatcher=Committed(), recorder=NullRecorder())
    await pump.begin(T0)
    for number, close in enumerate((QUIET, ENTER_LONG), start=1):
        await pump.consume_tape(bar(close, T0 + number))
    return pump.state("s1", "shape", {"a.csv": "00ff"})


async def test_a_state_reads_as_it_was_written():
    before = await state()
    after = decode_state(encode_state(before))
    assert (after.session, after.files, after.tape_offset, after.ended) == ("s1", {"a.csv": "00ff"}, 2, False)
    assert encode_state(after) == encode_state(before)
    assert after.loop.timers
    assert after.loop.machine.desk.sequence == 1


async def test_a_state_of_another_version_is_refused():
    other = msgspec.structs.replace(await state(), version=STATE_VERSION + 1)
    with pytest.raises(
        CheckpointError, match=f"version {STATE_VERSION + 1}, this engine reads {STATE_VERSION}"
    ):
        decode_state(encode_state(other))


@pytest.mark.parametrize("read", [decode_state, decode_config])
def test_what_cannot_be_read_says_so(read):
    with pytest.raises(CheckpointError, match="cannot be read"):
        read(b"\xc1")


def test_a_config_reads_as_it_was_written():
    before = config()
    assert decode_config(encode_config(before)) == before
    assert decode_config(encode_config(before)).shape == before.shape


@pytest.mark.parametrize(
    "other",
    [
        config(instance="other"),
        config(currency="BTC"),
        config(instruments=(instrument(tick=Decimal(1)), instrument("ETHUSDT"))),
        config(venue=SimulatedConfig(latency_ns=1)),
        SessionConfig(setup=setup(spec("other")), venue=SimulatedConfig(), data=(), settings="{}"),
        SessionConfig(setup=setup(symbols=("BTCUSDT",)), venue=SimulatedConfig(), data=(), settings="{}"),
    ],
)
def test_a_state_fits_only_the_shape_it_was_made_with(other):
    assert other.shape != config().shape


@pytest.mark.parametrize(
    "other",
    [
        config(armed=False),
        config(birth_s=1),
        config(order_notional_max=Decimal(5)),
        config(start_equity=Decimal(5)),
        SessionConfig(setup=setup(), venue=SimulatedConfig(), data=(), settings='{"mode": "paper"}'),
        SessionConfig(setup=setup(spec(stop_loss=None)), venue=SimulatedConfig(), data=(), settings="{}"),
    ],
)
def test_what_a_person_may_change_between_two_runs_changes_no_shape(other):
    assert other.shape == config().shape


def test_names_of_sessions_sort_by_their_start():
    starts = [number * NS_PER_MS for number in (0, 1, 35, 36, 10**12, 10**12 + 1)]
    names = [session_name(start) for start in starts]
    assert names == sorted(set(names))
    assert {len(name) for name in names} == {10}
