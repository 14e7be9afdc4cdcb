"""Which way a limit is tighter: tables, and what is left of a change that loosens."""

from decimal import Decimal

import pytest

from engine.domain.calendar import Window
from engine.domain.limits import Limits
from engine.risk.loosening import (
    DIRECTIONS,
    Change,
    Tighter,
    calendar_changes,
    changes,
    loosens,
    stricter,
    stricter_calendar,
)

LUNCH = Window(name="lunch", starts=(720,), minutes=30)
NEWS = Window(name="news", starts=(810,), minutes=10)


@pytest.mark.parametrize("setting", Limits.__struct_fields__)
def test_every_limit_has_a_direction_and_lifting_it_always_loosens(setting):
    assert loosens(setting, 5, None)
    assert not loosens(setting, None, 5)
    assert not loosens(setting, 5, 5)
    up, down = loosens(setting, 5, 6), loosens(setting, 5, 4)
    match DIRECTIONS[setting]:
        case Tighter.LOWER:
            assert (up, down) == (True, False)
        case Tighter.HIGHER:
            assert (up, down) == (False, True)
        case Tighter.NEITHER:
            assert (up, down) == (True, True)


def test_what_tightens_is_taken_and_what_loosens_is_not():
    now = Limits(order_notional_max=Decimal(100), leverage_max=2.0, cash_reserve_min=Decimal(50))
    wanted = Limits(order_notional_max=Decimal(50), leverage_max=3.0, daily_loss_max=Decimal(5))
    merged = stricter(now, wanted)
    assert (merged.order_notional_max, merged.leverage_max) == (Decimal(50), 2.0)
    assert (merged.cash_reserve_min, merged.daily_loss_max) == (Decimal(50), Decimal(5))
    assert changes(merged, wanted) == (
        Change("leverage_max", "2", "3"),
        Change("cash_reserve_min", "50", "null"),
    )


def test_windows_are_added_at_once_and_never_taken_away():
    assert stricter_calendar((LUNCH,), (NEWS,)) == (LUNCH, NEWS)
    assert calendar_changes((LUNCH,), (LUNCH,)) == ()
    assert calendar_changes((LUNCH, NEWS), (NEWS,)) == (Change("blackout", "lunch, news", "news"),)
    assert calendar_changes((), (NEWS,)) == (Change("blackout", "none", "news"),)
    moved = Window(name="lunch", starts=(730,), minutes=30)
    assert calendar_changes((LUNCH,), (moved,)) == (Change("blackout", "lunch", "lunch, at other times"),)
