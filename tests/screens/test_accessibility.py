"""The screen without colour, without a mouse: no state by colour alone, no sign without a word.

The rules are tried on the text that is drawn, of every pane and of every dialog that an action opens.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from decimal import Decimal
from itertools import combinations

import pytest
from msgspec.structs import replace
from textual.strip import Strip
from textual.widgets import Input

from engine.api import (
    Alarm,
    BreakerState,
    Channel,
    FeedRow,
    GateRow,
    GateStatus,
    Goodbye,
    Mode,
    NoticeLevel,
    OrderRole,
    OrderState,
    Phase,
    RiskMode,
    Severity,
    Side,
    SignalKind,
    Snapshot,
)
from tests.console_fakes import (
    NOW,
    FakeLink,
    account,
    breaker,
    empty_snapshot,
    flattening_snapshot,
    notice,
    order,
    signal,
    snapshot,
    status,
    ticks,
    trouble_snapshot,
    venue_snapshot,
)
from tests.console_positions import position
from tests.screens.console import Desk, console
from tui.actions import ACTIONS
from tui.panes.registry import PANES
from tui.screens.dialog import Dialog
from tui.settings import ConsoleSettings
from tui.widgets.grid import Grid

WIDE = (200, 50)
MOMENTS = (snapshot, empty_snapshot, trouble_snapshot, venue_snapshot, flattening_snapshot)
STATE_ROLES = frozenset({"ok", "warn", "danger", "armed", "stale", "buy", "sell"})
SIGN = re.compile(r"[\u2190-\u21ff\u25a0-\u27bf\u2b00-\u2bff]")  # arrows, shapes, dingbats
FRAME = re.compile(r"[\u2500-\u259f\u2800-\u28ff]")  # frames, sparklines, charts


def orders_in(state: OrderState) -> Snapshot:
    return snapshot(orders=(order(3, state, "ETHUSDT", Side.BUY, OrderRole.ENTRY),))


def positions_of(qty: str, **changes: object) -> Snapshot:
    return snapshot(positions=(position("canary", "BTCUSDT", qty, "61000", 61_000.0, "10.00", **changes),))


def feed(state: str, age_ms: float = 100.0) -> Snapshot:
    return venue_snapshot_with(feeds=(FeedRow("bybit", state, age_ms, 10, ""),))


def venue_snapshot_with(**changes: object) -> Snapshot:
    return replace(venue_snapshot(), **changes)


def signals_of(side: Side, kind: SignalKind = SignalKind.ENTRY, why: str = "") -> Snapshot:
    return snapshot(signals=(signal(32, "canary", "SOLUSDT", side, kind, 162.0, why),))


def alarm(severity: Severity, *, acknowledged: bool = False) -> Snapshot:
    return snapshot(alarms=(Alarm("X", severity, NOW, "something", acknowledged=acknowledged),))


STATES: dict[str, tuple[str, Sequence[Snapshot]]] = {  # what is told, and where
    "mode": ("status", [snapshot(status=status(mode=mode)) for mode in Mode]),
    "phase": ("status", [snapshot(status=status(phase=phase)) for phase in Phase]),
    "paused": ("status", [snapshot(status=status(paused=value)) for value in (False, True)]),
    "risk mode": ("status", [snapshot(status=status(risk_mode=mode)) for mode in RiskMode]),
    "day": ("status", [snapshot(account=account(day_pnl=Decimal(gain))) for gain in ("5", "-5", "0")]),
    "feed": ("status", [feed("connected"), feed("disconnected"), feed("connected", 9_000.0)]),
    "order": ("orders", [orders_in(state) for state in OrderState]),
    "side held": ("positions", [positions_of(qty) for qty in ("1", "-1", "0")]),
    "protection": ("positions", [positions_of("1"), positions_of("1", stop_price=Decimal(60_000))]),
    "side wanted": ("signals", [signals_of(side) for side in Side]),
    "kind of signal": ("signals", [signals_of(Side.BUY, kind) for kind in SignalKind]),
    "verdict": ("signals", [signals_of(Side.BUY), signals_of(Side.BUY, why="LADDER rung=REDUCE")]),
    "gate": ("risk", [snapshot(gates=(GateRow("ladder", value, "1", "2"),)) for value in GateStatus]),
    "level": ("events", [snapshot(notices=(notice(9, level, "x", "text"),)) for level in NoticeLevel]),
    "severity": ("events", [alarm(severity) for severity in Severity]),
    "quiet": ("events", [alarm(Severity.CRITICAL), alarm(Severity.CRITICAL, acknowledged=True)]),
    "channel": (
        "health",
        [venue_snapshot_with(breakers=(breaker(Channel.ORDERS, state),)) for state in BreakerState],
    ),
}


@pytest.mark.parametrize("what", STATES)
async def test_two_states_never_give_the_same_text(what: str) -> None:
    pane, moments = STATES[what]
    seen = []
    async with console(moments[0], size=WIDE, settings=ConsoleSettings(theme="mono")) as desk:
        if pane != "status":
            desk.app.navigator.choose(pane)
        for moment in moments:
            await desk.play(moment)
            seen.append(desk.text(pane))
    same = [(one, other) for one, other in combinations(range(len(seen)), 2) if seen[one] == seen[other]]
    assert not same, seen[same[0][0]]


async def test_a_price_that_rose_is_told_from_one_that_fell() -> None:
    seen = []
    for step in (1, -1):
        moved = tuple(replace(tick, price=tick.price + step) for tick in ticks())
        async with console(snapshot(), size=WIDE) as desk:
            await desk.play(snapshot(ticks=tuple(replace(tick, price=tick.price) for tick in moved)))
            seen.append(re.sub(r"[\d.,]+", "", desk.text("market").split("\n")[2]))
    assert seen[0] != seen[1]
    assert "▲" in seen[0]
    assert "▼" in seen[1]


async def test_the_same_words_never_mean_two_states() -> None:
    """Wherever one text stands in two colours of state in one pane, colour alone would tell them apart."""
    for make in MOMENTS:
        async with console(make(), size=WIDE) as desk:
            for pane in await shown(desk):
                found = defaultdict(set)
                for text, style in cells(pane):
                    role = style.rstrip("*!")
                    if role in STATE_ROLES and re.search(r"[A-Za-z]{2}", text):
                        found[text.strip()].add(role)
                twofold = {text: roles for text, roles in found.items() if len(roles) > 1}
                assert not twofold, (pane.id, twofold)


async def test_no_sign_stands_without_a_word_beside_it() -> None:
    """An arrow or a shape has a word or a number in its own row."""
    for make in MOMENTS:
        async with console(make(), size=WIDE) as desk:
            for pane in await shown(desk):
                for line in pane.text().splitlines():
                    bare = FRAME.sub(" ", line)
                    if SIGN.search(bare):
                        assert re.search(r"[A-Za-z]{2,}|\d", SIGN.sub(" ", bare)), (pane.id, line)


async def test_the_sentence_under_the_status_row_says_the_worst() -> None:
    """In words, whatever the colours: what a trader must read first."""
    async with console(trouble_snapshot()) as desk:
        assert "UNKNOWN" in desk.text("attention")


# dialogs


@pytest.mark.parametrize("make", [snapshot, empty_snapshot])
async def test_every_dialog_is_worked_and_left_by_keys(make: Callable[[], Snapshot]) -> None:
    """Tab reaches all that takes keys, the frame says how one gets out, Esc does it and changes nothing."""
    async with console(make()) as desk:
        opened = 0
        async for action, dialog in each_dialog(desk):
            opened += 1
            hint = str(dialog.query_one("#box").border_subtitle)
            assert re.search(r"Esc|any key", hint), (action, hint)
            await reaches_all(desk, dialog)
            sent = list(desk.link.commands)
            if dialog in desk.app.screen_stack:
                await desk.press("escape")
            assert dialog not in desk.app.screen_stack, action
            assert desk.link.commands == sent, action
        assert opened >= 7


async def test_the_last_dialog_is_left_by_keys() -> None:
    """When the engine is gone, Enter leaves and Esc stays."""
    link = FakeLink([snapshot()])
    async with console(link=link) as desk:
        link.end(Goodbye(1, "a reason"))
        await desk.until(lambda: isinstance(desk.app.screen, Dialog))
        hint = str(desk.app.screen.query_one("#box").border_subtitle)
        assert "Enter" in hint
        assert "Esc" in hint
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 1


async def test_dialogs_say_the_same_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in them needs a colour: with NO_COLOR the text is the same, and none is drawn."""
    texts: list[dict[str, list[str]]] = []
    for plain in (False, True):
        if plain:
            monkeypatch.setenv("NO_COLOR", "1")
        texts.append({})
        async with console(snapshot()) as desk:
            async for action, dialog in each_dialog(desk):
                strips = [strip for strip in boxed(dialog) if strip]
                texts[-1][action] = [strip.text for strip in strips]
                colours = {segment.style.color for strip in strips for segment in strip if segment.style}
                assert plain is ({c for c in colours if c is not None and not c.is_default} == set()), action
                await desk.press("escape")
    assert texts[0] == texts[1]


async def each_dialog(desk: Desk) -> AsyncIterator[tuple[str, Dialog]]:
    """Open, one after the other, every dialog that an action opens."""
    for spec in ACTIONS:
        desk.app.action_act(spec.id)
        await desk.settle()
        dialog = desk.app.screen
        if isinstance(dialog, Dialog):
            for field in dialog.query(Input):
                field.cursor_blink = False
            yield spec.id, dialog
        while len(desk.app.screen_stack) > 1:
            await desk.press("escape")


def boxed(dialog: Dialog) -> list[Strip]:
    """Return what is drawn of a dialog, without the desk around it."""
    box = dialog.query_one("#box").region
    lines = dialog._compositor.render_strips()[box.y : box.bottom]
    return [line.crop(box.x, box.right) for line in lines]


async def reaches_all(desk: Desk, dialog: Dialog) -> None:
    """Press Tab until every part that can have the focus had it, or the dialog has another use for Tab."""
    wanted = {widget for widget in dialog.focus_chain if not widget.disabled}
    if any(binding.key == "tab" for binding in dialog._bindings.key_to_bindings.get("tab", ())):
        return
    had = {desk.app.focused}
    for _ in wanted:
        await desk.press("tab")
        had.add(desk.app.focused)
    assert wanted <= had or dialog not in desk.app.screen_stack


# looking


async def shown(desk: Desk) -> list[Grid]:
    """Return the three rows and, one after the other maximised, every pane; all of them drawn."""
    grids: list[Grid] = list(desk.app.desk.rows)
    for pane in PANES:
        desk.app.navigator.choose(pane.name_id)
        await desk.settle()
        grids.append(desk.app.desk.panes[pane.name_id])
    return grids


def cells(grid: Grid) -> Iterable[tuple[str, str]]:
    """Return the texts of a grid with the names of their styles."""
    return ((text, name) for row, _ in grid._lines for text, name in row)
