"""Fingerprints: what counts changes them, what does not leaves them alone."""

import msgspec
import pytest

from engine.core.tally import WAITING_MAX, Tally
from engine.domain.signals import Side, Signal, SignalKind
from tests.builders import BTC, BUY, PLAY, SELL, T0, fill

SIGNAL = Signal(T0, PLAY, BTC, Side.BUY, SignalKind.ENTRY, 100.0)


def hashes(*changes: dict, of: str) -> str:
    tally = Tally()
    for change in changes:
        if of == "signals":
            tally.signal(msgspec.structs.replace(SIGNAL, **change))
        else:
            tally.fill(msgspec.structs.replace(fill(), **change))
    return tally.signal_hash if of == "signals" else tally.trade_hash


@pytest.mark.parametrize(
    "change", [{"ts": T0 + 1}, {"play": "x"}, {"symbol": "x"}, {"side": SELL}, {"kind": SignalKind.EXIT}]
)
def test_what_was_signalled_counts(change):
    assert hashes(change, of="signals") != hashes({}, of="signals")


@pytest.mark.parametrize("change", [{"price": 1.0}, {"stop": 1.0}, {"strength": 0.5}])
def test_how_a_signal_was_priced_does_not_count(change):
    assert hashes(change, of="signals") == hashes({}, of="signals")


@pytest.mark.parametrize("change", [{"ts": T0 + 1}, {"side": SELL}, {"price": 1}, {"qty": 2}, {"fee": 3}])
def test_what_was_traded_counts(change):
    assert hashes(change, of="fills") != hashes({}, of="fills")


@pytest.mark.parametrize("change", [{"client_id": "x"}, {"trade_id": "x"}, {"venue_id": "x"}])
def test_ids_do_not_count(change):
    assert hashes(change, of="fills") == hashes({}, of="fills")


def test_a_price_counts_the_same_however_it_is_written():
    written = fill(price="100.00", qty="1.0")
    tally, plain = Tally(), Tally()
    tally.fill(written)
    plain.fill(fill(price="1E+2", qty="1"))
    assert tally.trade_hash == plain.trade_hash


def test_the_order_counts():
    one, other = {"side": BUY}, {"side": SELL}
    assert hashes(one, other, of="fills") != hashes(other, one, of="fills")


def test_looking_in_between_changes_nothing():
    looked_at, left_alone = Tally(), Tally()
    for number in range(2 * WAITING_MAX + 3):
        for tally in (looked_at, left_alone):
            tally.signal(msgspec.structs.replace(SIGNAL, ts=T0 + number))
            tally.fill(msgspec.structs.replace(fill(), ts=T0 + number))
        assert looked_at.signal_hash != looked_at.trade_hash
    assert looked_at.state() == left_alone.state()


def test_what_waits_is_part_of_a_checkpoint_and_does_not_outlive_a_restore():
    tally, restored = Tally(), Tally()
    tally.signal(SIGNAL)
    restored.fill(fill())
    restored.restore(tally.state())
    assert restored.state() == tally.state()
    assert tally.state() != Tally().state()


def test_signals_and_vetoes_are_counted_and_leave_each_others_hash_alone():
    tally = Tally()
    tally.signal(SIGNAL)
    before = tally.state()
    tally.veto()
    tally.fill(fill())
    assert (tally.signals, tally.vetoed) == (1, 1)
    assert tally.state().signal_chain == before.signal_chain
    again = Tally()
    again.restore(tally.state())
    for one in (tally, again):
        one.signal(SIGNAL)
    assert again.signal_hash == tally.signal_hash
    assert len(tally.signal_hash) == 64
