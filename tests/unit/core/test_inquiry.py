"""Why a bar led to an order or to none, as the machine tells it."""

from decimal import Decimal
from typing import Any

from engine.core.inquiry import Inquiry, explain_bars, inquire
from engine.core.why import LinkStatus, Why
from engine.domain.events import Action
from engine.domain.play import Distance, DistanceKind, Protections, Rule, Sizing, SizingKind
from tests.builders import BTC, ENTER_LONG, ENTER_SHORT, ETH, EXIT_LONG, QUIET, STEP, World, setup, spec

PASS, VETO, NOT_ASKED = LinkStatus.PASS, LinkStatus.VETO, LinkStatus.NOT_ASKED


def told(world: World, play: str = "") -> Inquiry:
    inquiry = inquire(world.machine, play, world.now)
    assert inquiry is not None
    return inquiry


def newest(world: World) -> Why:
    (why,) = explain_bars(told(world))
    return why


def vetoing(why: Why) -> list[tuple[str, str]]:
    return [(link.name, link.reason) for link in why.chain if link.status is VETO]


def world(**changes: Any) -> World:
    return World(setup(spec(), **changes))


def test_no_play_of_a_name_and_no_bar_yet_are_told_apart() -> None:
    fresh = world()
    assert inquire(fresh.machine, "nix", fresh.now) is None
    assert explain_bars(told(fresh)) == ()


def test_a_bar_without_a_signal_tells_what_the_nearest_entry_lacked_and_would_meet_now() -> None:
    quiet = world()
    quiet.bar(95.0)
    why = newest(quiet)
    assert (why.signal, why.as_of_now, why.asked) == (None, True, "sell entry")
    assert why.outcome.startswith("no signal")
    assert [miss.rule for miss in why.misses] == ["short_entry", "long_entry"]
    assert {link.status for link in why.chain} <= {PASS, NOT_ASKED}
    assert [link.value for link in why.chain if link.name == "price"] == ["market 95"]


def test_an_entry_tells_what_it_met_with_the_values_of_then() -> None:
    entered = world()
    entered.bar(ENTER_LONG)
    entered.ask(Action.DISARM)
    why = newest(entered)
    assert why.signal is not None
    assert (why.asked, why.as_of_now, vetoing(why)) == ("buy entry", False, [])
    assert [link.value for link in why.chain if link.name == "ladder"] == ["FULL"]


def test_a_gate_that_vetoed_is_named_and_those_behind_it_still_tell_their_values() -> None:
    capped = world(order_notional_max=Decimal(1), position_notional_max=Decimal(2))
    capped.bar(ENTER_LONG)
    assert vetoing(newest(capped)) == [
        ("order cap", "ORDER_NOTIONAL_MAX"),
        ("position cap", "POSITION_NOTIONAL_MAX"),
    ]


def test_what_stops_an_entry_before_the_gates_leaves_them_unasked() -> None:
    small = World(setup(spec(sizing=Sizing(SizingKind.NOTIONAL, Decimal("0.0001")))))
    small.bar(ENTER_LONG)
    why = newest(small)
    assert vetoing(why) == [("size", "QTY_BELOW_MINIMUM")]
    assert [link.status for link in why.chain[:3]] == [PASS] * 3
    assert {link.status for link in why.chain[4:]} == {NOT_ASKED}


def test_a_protection_is_a_stage_of_its_own() -> None:
    resting = World(setup(spec(protections=Protections(cooldown_bars=5))))
    resting.bars(ENTER_LONG, QUIET, EXIT_LONG, QUIET, ENTER_SHORT)
    why = newest(resting)
    assert vetoing(why) == [("protections", "PLAY_COOLDOWN")]


def test_an_exit_tells_its_verdict() -> None:
    left = world()
    left.bars(ENTER_LONG, QUIET + 10, EXIT_LONG)
    why = newest(left)
    assert why.outcome.startswith("exit sell")
    assert [(link.name, link.status) for link in why.chain] == [("verdict", PASS)]


def test_a_verdict_that_only_the_board_remembers_is_told_without_its_values() -> None:
    before = world(order_notional_max=Decimal(1))
    before.bar(ENTER_LONG)
    before.restart()
    why = newest(before)
    assert [(link.name, link.reason) for link in why.chain] == [("verdict", "ORDER_NOTIONAL_MAX")]


def test_older_bars_are_evaluated_anew_and_the_newest_is_as_it_is() -> None:
    some = world()
    some.bars(QUIET, 109.0, ENTER_LONG, QUIET + 9)
    bars = explain_bars(told(some), last=3)
    assert [why.close for why in bars] == [109.0, ENTER_LONG, QUIET + 9]
    assert [why.recomputed_bars for why in bars] == [2, 3, 0]
    assert [why.signal is not None for why in bars] == [False, True, False]
    assert len(explain_bars(told(some), last=100)) == 4


def test_a_moment_names_the_bar_that_was_newest_then() -> None:
    some = world()
    some.bars(QUIET, 109.0, 108.0)
    then = some.now - STEP
    assert [why.close for why in explain_bars(told(some), at=then)] == [109.0]
    assert [why.close for why in explain_bars(told(some), at=then + 1)] == [109.0]
    assert [why.close for why in explain_bars(told(some), at=some.now)] == [108.0]
    assert explain_bars(told(some), at=then - 5 * STEP) == ()


def test_a_play_that_warms_up_says_how_far_it_is() -> None:
    cold = World(setup(spec(long_entry=Rule("close > sma(20)"))))
    cold.bar(QUIET)
    why = newest(cold)
    assert (why.bars, why.warmup_bars) == (1, 20)
    assert why.outcome == "no signal: 1 of the 20 bars that its first one takes"


def test_an_entry_whose_distance_is_missing_meets_nothing() -> None:
    still = World(setup(spec(stop_loss=Distance(DistanceKind.ATR, 2.0, 3))))
    still.bars(QUIET, QUIET, QUIET, QUIET)
    why = newest(still)
    assert (why.chain, why.asked) == ((), "")


def test_each_play_is_asked_for_itself() -> None:
    two = World(setup(spec("one"), spec("two")))
    two.bar(QUIET, BTC)
    two.bar(ENTER_LONG, ETH)
    assert [why.symbol for why in explain_bars(told(two, "two"))] == [ETH]
    assert [why.symbol for why in explain_bars(told(two))] == [BTC]
