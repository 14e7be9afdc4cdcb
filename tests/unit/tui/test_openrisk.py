"""The open risk in words, at every width."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import OpenRisk, Snapshot
from tests.console_fakes import empty_snapshot, snapshot, trouble_snapshot
from tests.console_positions import NOW, OPEN_RISK, POSITIONS, S
from tui.openrisk import risk_row
from tui.panes.pane import Frame
from tui.panes.positions import guard
from tui.statuswords import status_lines
from tui.widgets.cells import on_point, row_width


def words(moment: Snapshot | None, width: int = 200) -> str:
    return "".join(text for text, _ in risk_row(Frame(moment), width)).strip()


def risk(**changes: Any) -> Snapshot:
    return snapshot(open_risk=msgspec.structs.replace(OPEN_RISK, **changes))


def test_all_of_it_where_there_is_room() -> None:
    """What equity loses, what nothing protects, what may still be opened."""
    assert " ".join(words(snapshot()).split()) == (
        "Open risk: if every stop fills -342.17 USDT (-3.38% of equity) "
        "NOT PROTECTED: 1,948.88 USDT in 1 position no order is unknown 1 entry may fill"
    )


def test_what_nobody_knows_is_told_with_its_age() -> None:
    """The alarm of alarms."""
    assert "UNKNOWN 2 orders, the oldest for 45s" in words(risk(unknown=2, unknown_since=NOW - 45 * S))
    only = snapshot(open_risk=OpenRisk(unknown=1, unknown_since=NOW - S))
    assert "UNKNOWN 1 order, the oldest for 1s" in words(only)


def test_flat_is_no_risk() -> None:
    """And what may open one is told."""
    assert words(empty_snapshot()) == "Open risk: none, all flat."
    waits = snapshot(open_risk=OpenRisk(entries=2))
    assert words(waits) == "Open risk: none, all flat; 2 entries may fill."
    assert words(None) == ""


def test_protected_is_said_too() -> None:
    """So that its absence is no sign."""
    assert "every position is protected" in words(risk(bare_positions=0, bare_notional=Decimal(0)))


def test_without_any_stop_there_is_no_worst_case() -> None:
    """Zero would look like no risk at all."""
    assert "no stop rests" in words(risk(worst=Decimal(0), bare_positions=3))


@given(st.integers(40, 250), st.booleans())
def test_it_fits(width: int, trouble: bool) -> None:
    """From 40 columns on without a cut, and what matters stays."""
    moment = trouble_snapshot() if trouble else snapshot()
    row = risk_row(Frame(moment), width)
    text = "".join(cell for cell, _ in row)
    assert row_width(row) <= width
    assert ("UNKNOWN" in text) is trouble
    assert "NOT PROTECTED" in text
    assert "-342.17" in text or (trouble and width < 50)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "stop -1.20%"),
        ({"bare": Decimal("0.05")}, "20% NO STOP"),
        ({"bare": Decimal("0.0001")}, "1% NO STOP"),
        ({"bare": Decimal("0.2499")}, "99% NO STOP"),
        ({"at_stop": None, "bare": Decimal("0.25")}, "NOT PROTECTED"),
    ],
)
def test_the_guard_of_a_position(changes: dict[str, Any], said: str) -> None:
    """How far its stop is, or that there is none, in words."""
    assert guard(msgspec.structs.replace(POSITIONS[0], **changes))[0] == said


def test_decimal_points_meet_where_there_is_room() -> None:
    """A column of prices of several symbols."""
    prices = ["61,234.5", "2,684.31", "-", "0.61234"]
    assert on_point(prices, 12) == ["61,234.5    ", "2,684.31   ", "-", "0.61234"]
    assert on_point(prices, 8) == prices
    assert on_point([], 8) == []
    assert on_point(["1.2%", "10%"], 8) == ["1.2%", "10%  "]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (
            trouble_snapshot(),
            "if every stop fills -342.17 USDT (-3.38%), NOT PROTECTED 1,948.88 USDT in 1, UNKNOWN orders 1",
        ),
        (empty_snapshot(), "none, all flat"),
        (
            snapshot(open_risk=OpenRisk(positions=1, bare_positions=1, bare_notional=Decimal(5))),
            "NOT PROTECTED 5.00 USDT in 1",
        ),
    ],
)
def test_status_has_it_in_one_line(moment: Snapshot, said: str) -> None:
    """For scripts and for people without a console."""
    (line,) = [line for line in status_lines(moment, 1) if line.startswith("risk ")]
    assert line.removeprefix("risk").strip().startswith(said)
