"""Sides, cycle ids and the hash of a play."""

from decimal import Decimal

import msgspec

from engine.domain.play import PlaySpec, Rule, Sizing, SizingKind
from engine.domain.signals import Side, Signal, SignalKind, cycle_id


def test_sides_are_opposite():
    assert Side.BUY.sign == 1
    assert Side.SELL.sign == -1
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


def test_a_cycle_is_a_play_at_a_close():
    signal = Signal(1_700_000_000_000_000_000, "canary", "A", Side.BUY, SignalKind.ENTRY, 1.0)
    assert signal.cycle_id == "canary@1700000000000" == cycle_id("canary", signal.ts)


def test_a_plays_hash_follows_its_meaning():
    play = PlaySpec(
        name="p", sizing=Sizing(SizingKind.NOTIONAL, Decimal(100)), long_entry=Rule("close > open")
    )
    same = msgspec.json.decode(msgspec.json.encode(play), type=PlaySpec)
    assert same.hash == play.hash
    assert len(play.hash) == 64
    assert msgspec.structs.replace(play, long_entry=Rule("close < open")).hash != play.hash
