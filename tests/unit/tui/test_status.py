"""The status row and its sentence: words at every size, and the dear ones last to go."""

import inspect
import re
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import (
    FeedRow,
    FlattenSection,
    GateRow,
    GateStatus,
    Hold,
    Holder,
    Mode,
    OrderState,
    Phase,
    RiskMode,
    Rung,
    Snapshot,
)
from tests.console_fakes import (
    ALARM,
    FEEDS,
    GATES,
    NOW,
    RELOADS,
    UNKNOWN_ORDER,
    S,
    disarmed,
    empty_snapshot,
    flattening_snapshot,
    snapshot,
    status,
    trouble_snapshot,
)
from tui import status as status_module
from tui.actions import ACTIONS, key_name
from tui.panes.pane import Frame
from tui.plain import WAYS
from tui.status import attention_row, status_row
from tui.widgets.cells import row_width
from tui.widgets.rows import footer_row

UNAPPROVED = GateRow("play approved", GateStatus.VETO, "5098f03bbe17", "promoted")
KEYS = tuple((spec.id, key_name(spec.keys[0])) for spec in ACTIONS if spec.keys)


def words(moment: Snapshot | None, width: int = 200, **frame: object) -> str:
    made = Frame(moment, keys=KEYS, **frame)  # type: ignore[arg-type]  # the fields of Frame by name
    return "".join(text for text, _ in status_row(made, width))


def sentence(moment: Snapshot | None, **frame: object) -> str:
    made = Frame(moment, keys=KEYS, **frame)  # type: ignore[arg-type]  # the fields of Frame by name
    return "".join(text for text, _ in attention_row(made, 200)).strip()


def test_the_whole_row() -> None:
    """As designed."""
    assert " ".join(words(snapshot()).split()) == (
        "PAPER ARMED NORMAL rung FULL feed 0.1s eng ok pos 3 +98.44 day +124.22 ord 4 "
        "reload gen 17 ok 14:02:11Z"
    )


@pytest.mark.parametrize(
    ("moment", "width"),
    product((snapshot(), empty_snapshot(), trouble_snapshot(), flattening_snapshot()), (80, 120, 200)),
)
def test_it_fits_and_names_what_matters_most(moment: Snapshot, width: int) -> None:
    """Mode, phase, rung and what is wrong are there at 80 columns too."""
    text = words(moment, width)
    assert len(text) <= width
    state = moment.status
    assert state.mode.value.upper() in text
    assert state.phase.value.upper() in text
    assert state.rung.name in text
    assert "pos" in text
    assert ("PAUSED" in text) is state.paused
    assert ("ALARM" in text) is bool(moment.alarms)


def test_the_holder_of_the_rung_is_named() -> None:
    """And how many more there are where there is no room."""
    assert "rung REDUCE by DISARMED" in words(empty_snapshot())
    assert "rung REDUCE by PAUSED +3" in words(trouble_snapshot(), 190)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": status(data_ended=True)}, "feed ended"),
        ({"feeds": ()}, "feed -"),
        ({"feeds": (msgspec.structs.replace(FEEDS[0], age_ms=7_000.0),)}, "feed STALE 7.0s"),
        ({"feeds": (msgspec.structs.replace(FEEDS[0], age_ms=700_000.0),)}, "feed STALE 11m"),
        ({"feeds": (FeedRow("x", "disconnected", 100.0, 1, ""),)}, "feed disconnected 0.1s"),
        ({"reloads": RELOADS}, "reload gen 17 REJECTED"),
        ({"orders": (UNKNOWN_ORDER,)}, " UNKNOWN 1 "),
        ({"alarms": (ALARM,)}, " ALARM 1 "),
        ({"status": status(risk_mode=RiskMode.OBSERVE)}, "risk OBSERVE"),
        ({"positions": ()}, "pos 0 +98.44"),
    ],
)
def test_each_state_is_a_word(changes: dict[str, object], said: str) -> None:
    """Never a colour alone."""
    assert said in words(snapshot(**changes))


def test_no_alarm_no_badge() -> None:
    """An acknowledged one is quiet."""
    assert "ALARM" not in words(snapshot(alarms=(msgspec.structs.replace(ALARM, acknowledged=True),)))


def test_before_the_first_snapshot_it_says_what_it_waits_for() -> None:
    """Not a blank row."""
    assert (
        words(None, waiting="connecting to the engine ...").strip()
        == "TRADER-TUI   connecting to the engine ..."
    )
    assert sentence(None) == ""


def test_a_silent_and_a_gone_engine_are_told_apart() -> None:
    """The first may still trade."""
    assert "eng SILENT 12s" in words(snapshot(), silent_s=12.0)
    assert "It may still trade" in sentence(snapshot(), silent_s=12.0)
    assert "ENGINE GONE" in words(snapshot(), ended=True)
    assert sentence(snapshot(), ended=True).startswith(
        "The engine is gone; this is its last state. Ctrl-Q leaves; then start it again."
    )
    assert "LINK LOST" in words(snapshot(), ended=True, lost=True)
    assert "It may still trade" in sentence(snapshot(), ended=True, lost=True)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (snapshot(), "Armed and free"),
        (
            snapshot(gates=(*GATES[:-1], UNAPPROVED)),
            "Armed, but an entry of ema_cross would be refused now: PLAY APPROVED; w tells more.",
        ),
        (empty_snapshot(), "No new positions: held at REDUCE by DISARMED; to arm: a."),
        (
            snapshot(status=status(phase=Phase.HALTED, rung=Rung.HOLD)),
            "Halted after a flatten. To arm again, with a reason: a.",
        ),
        (
            snapshot(status=status(phase=Phase.HALTED, rung=Rung.HOLD), flatten=FlattenSection("flat", NOW)),
            "FLAT, as the venue showed, and halted. To arm again, with a reason: a.",
        ),
        (flattening_snapshot(), "FLATTENING for 2s: closing positions, cancels left 1, positions left 2"),
        (
            snapshot(flatten=FlattenSection("ended", NOW, 0, 1, ("v7 BTCUSDT",))),
            "NOT FLAT: 1 left at the venue",
        ),
        (snapshot(orders=(UNKNOWN_ORDER,)), "1 order UNKNOWN for 63s: no new exposure on ETHUSDT"),
        (snapshot(orders=(UNKNOWN_ORDER, UNKNOWN_ORDER)), "2 orders UNKNOWN"),
        (snapshot(alarms=trouble_snapshot().alarms), "ALARM: engine loop stalled for 2.1 s (x quiets)"),
        (
            snapshot(status=status(rung=Rung.REDUCE, holds=(Hold(Holder.STALE, "SOLUSDT", NOW - S),))),
            "held at REDUCE by STALE SOLUSDT; it frees itself, 8 tells more.",
        ),
        (
            snapshot(status=status(holds=(Hold(Holder.STALE, "SOLUSDT", NOW - S),))),
            "No new positions on SOLUSDT: held at REDUCE by STALE; it frees itself, 8 tells more.",
        ),
        (
            snapshot(status=status(rung=Rung.REDUCE, holds=(Hold(Holder.RECONCILING, "", NOW - S),))),
            "held at REDUCE by RECONCILING; it frees itself.",
        ),
        (
            snapshot(status=status(rung=Rung.HOLD, holds=(Hold(Holder.STOPPING, "", NOW - S),))),
            "held at HOLD by STOPPING.",
        ),
        (snapshot(status=disarmed(plays=())), "no play on default"),
    ],
)
def test_the_sentence_says_what_to_know_now(moment: Snapshot, said: str) -> None:
    """The most urgent thing, with the key that changes it."""
    assert said in sentence(moment)


def test_a_symbol_that_is_held_alone_stands_beside_the_rung() -> None:
    """With one symbol traded, FULL alone would say that entries are sent."""
    held = snapshot(status=status(holds=(Hold(Holder.STALE, "SOLUSDT", NOW - S),)))
    assert "rung FULL but STALE SOLUSDT" in words(held)
    assert "rung FULL but 1 held" in words(held, width=60)


def test_a_terminal_of_one_cell_is_no_error() -> None:
    """The row is then longer than the screen, which crops it."""
    assert row_width(status_row(Frame(snapshot()), 1)) >= 1


@pytest.mark.parametrize("width", range(8, 210, 7))
@pytest.mark.parametrize(
    "moment", [snapshot(), snapshot(status=disarmed()), snapshot(status=status(paused=True))]
)
def test_the_footer_never_cuts_a_key_or_its_title(moment: Snapshot, width: int) -> None:
    """A word that is cut off says nothing, and the way out is there at 80 columns."""
    row = footer_row(Frame(moment, keys=KEYS), width)
    assert row_width(row) - 2 <= width
    shown = "".join(text for text, _ in row)
    assert width < 80 or "Ctrl-Q Leave" in shown
    assert width < 78 or "F12 Flatten (x2)" in shown


@st.composite
def moments(draw: st.DrawFn) -> tuple[Snapshot, dict[str, object]]:
    """Any mode, phase, risk mode and rung, with or without alarms, UNKNOWN orders, silence and late feeds."""
    said = status(
        mode=draw(st.sampled_from([mode for mode in Mode if mode is not Mode.BACKTEST])),
        phase=draw(st.sampled_from(list(Phase))),
        paused=draw(st.booleans()),
        risk_mode=draw(st.sampled_from(list(RiskMode))),
        rung=draw(st.sampled_from(list(Rung))),
    )
    feed_state = draw(st.sampled_from(["connected", "connecting"]))
    feed = FeedRow("bybit", feed_state, draw(st.floats(0, 1e8)), 1, "")
    made = snapshot(
        status=said,
        feeds=(feed,),
        alarms=(ALARM,) * draw(st.integers(0, 12)),
        orders=(UNKNOWN_ORDER,) * draw(st.integers(0, 3)),
        reloads=RELOADS,
    )
    return made, {"silent_s": draw(st.sampled_from([0.0, 200.0])), "ended": draw(st.booleans())}


@given(moments(), st.integers(20, 200))
def test_the_row_has_words_at_every_width(moment: tuple[Snapshot, dict[str, object]], width: int) -> None:
    """Mode and phase always, no word cut, and what has no room is counted."""
    shown, frame = moment
    row = status_row(Frame(shown, keys=KEYS, **frame), width)  # type: ignore[arg-type]  # by name, as above
    text = "".join(text for text, _ in row)
    assert row_width(row) <= width
    assert text.split()[:2] == [shown.status.mode.value.upper(), shown.status.phase.value.upper()]
    whole = words(shown, 400, **frame).split()
    short = {"feed", "DOWN", "but", "held", "gen", "rung", "by"}
    for word in text.split():
        assert word in whole or word in short or word.lstrip("+").isdigit() or word in Rung.__members__


@given(moments())
def test_what_counts_most_is_given_up_last(moment: tuple[Snapshot, dict[str, object]]) -> None:
    """An engine that is silent or gone is said from 40 cells on, an UNKNOWN order from 50 on."""
    shown, frame = moment
    if frame["ended"]:
        assert "ENGINE GONE" in words(shown, 40, **frame)
    elif frame["silent_s"]:
        assert "eng SILENT" in words(shown, 40, **frame)
    if any(order.state is OrderState.UNKNOWN for order in shown.orders):
        assert f"UNKNOWN {len(shown.orders)}" in words(shown, 50, **frame)


@given(moments(), st.integers(20, 200))
def test_a_sentence_that_is_cut_says_so(moment: tuple[Snapshot, dict[str, object]], width: int) -> None:
    """By an ellipsis."""
    shown, frame = moment
    made = Frame(shown, keys=KEYS, **frame)  # type: ignore[arg-type]  # by name, as above
    row = attention_row(made, width)
    whole = "".join(text for text, _ in attention_row(made, 600)[:1])
    assert row_width(row) <= width
    assert row[0][0] == whole or row[0][0].endswith("…")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_feed_without_any_data_is_named_before_a_fresh_one(width: int) -> None:
    """Connected is not enough."""
    fresh = FeedRow(name="a", state="connected", age_ms=90.0, events=5, text="")
    quiet = FeedRow(name="b", state="connected", age_ms=-1.0, events=0, text="")
    assert "feed STALE no data" in words(snapshot(feeds=(fresh, quiet)), width)


def test_every_key_that_a_sentence_names_has_a_way_without_a_screen() -> None:
    """In `--plain` there are no keys."""
    named = set(re.findall(r"frame\.key\([\"']([a-z0-9-]+)", inspect.getsource(status_module)))
    assert "why" in named
    assert named <= {action for action, _ in WAYS}


def test_an_action_without_a_key_is_in_the_palette() -> None:
    """A sentence never ends in nothing."""
    assert Frame(None, keys=(("arm", ""),)).key("arm") == "the palette"


@pytest.mark.parametrize("width", [1, 10, 30, 79, 200])
def test_names_in_wide_letters_break_no_row(width: int) -> None:
    """A play may be called what its author likes."""
    moment = snapshot(status=status(plays=("漢字の戦略", "e\u0301cart"), instance="夜"))
    frame = Frame(moment)
    assert row_width(attention_row(frame, width)) == width
    assert row_width(status_row(Frame(None, waiting="connecting to 漢字 ..."), width)) <= width
