"""Every missing piece of a start on a real venue is named, and all of them together."""

from typing import Any

import msgspec
import pytest

from engine.risk.clearance import (
    HomeFacts,
    KeyFacts,
    VenueFacts,
    lacks_at_home,
    lacks_at_venue,
    told_together,
)
from tests.builders import BTC, ETH

LIVE = HomeFacts(real_money=True, confirmed=True, variable="true", plays=1)
DEMO = HomeFacts(real_money=False)
TOLD = VenueFacts(
    keys=KeyFacts(real_money=True, can_trade=True, can_withdraw=False),
    symbols=frozenset({BTC, ETH}),
    clock_offset_ms=-999.0,
)

HOME: list[tuple[dict[str, Any], str]] = [
    ({"confirmed": False}, "--confirm is missing"),
    ({"variable": ""}, "CONFIRM_LIVE_TRADING is not set; it must be 'true'"),
    ({"variable": "yes"}, "CONFIRM_LIVE_TRADING is 'yes'; it must be 'true'"),
    ({"venue_flaw": "no venue"}, "no venue"),
    ({"key_flaw": "no keys"}, "no keys"),
    ({"keys_shared": True}, "each account has its own"),
    ({"plays": 0}, "no play is named"),
    ({"failed_checks": ("disk: full",)}, "disk: full"),
]
VENUE: list[tuple[VenueFacts, str]] = [
    (VenueFacts(keys=KeyFacts(real_money=False)), "the keys are of a demo account, and the mode is live"),
    (VenueFacts(keys=KeyFacts(can_trade=False)), "the keys may not trade"),
    (VenueFacts(keys=KeyFacts(can_withdraw=True)), "the keys may withdraw"),
    (VenueFacts(clock_offset_ms=1_001.0), "our clock is 1.0 s behind the venue's"),
    (VenueFacts(clock_offset_ms=-2_500.0), "our clock is 2.5 s ahead of the venue's"),
]


def at_venue(told: VenueFacts, *symbols: str, real_money: bool = True) -> tuple[str, ...]:
    return lacks_at_venue(told, real_money=real_money, symbols=symbols)


def test_a_start_that_lacks_nothing_is_clear():
    assert lacks_at_home(LIVE) == ()
    assert lacks_at_home(DEMO) == (), "money that is none needs no confirmation"
    assert at_venue(TOLD, BTC, ETH) == ()


@pytest.mark.parametrize(("change", "text"), HOME)
def test_each_missing_piece_at_home_is_named(change, text):
    (lack,) = lacks_at_home(msgspec.structs.replace(LIVE, **change))
    assert text in lack


def test_all_of_them_are_named_together():
    lacks = lacks_at_home(HomeFacts(real_money=True, key_flaw="no keys", failed_checks=("clock: off",)))
    assert len(lacks) == 5
    message = told_together(lacks, "live")
    assert message.startswith("live does not start, for 5 reasons:\n  --confirm")
    assert len(message.splitlines()) == 6
    assert told_together(("no keys",), "demo") == "demo does not start: no keys"


@pytest.mark.parametrize(("told", "text"), VENUE)
def test_each_word_of_the_venue_against_a_start_is_named(told, text):
    (lack,) = at_venue(told)
    assert text in lack


def test_keys_of_real_money_do_not_start_a_demo():
    (lack,) = at_venue(VenueFacts(keys=KeyFacts(real_money=True)), real_money=False)
    assert lack == "the keys are of a real account, and the mode is demo"


def test_symbols_that_the_venue_does_not_trade_are_named():
    assert at_venue(TOLD, BTC, "XUSDT", "YUSDT") == ("the venue does not trade XUSDT, YUSDT now",)


def test_what_the_venue_does_not_tell_speaks_against_nothing():
    assert at_venue(VenueFacts()) == ()
