"""What the screens look like: pictures at the three designed sizes, compared to the approved ones.

After a wanted change: `pytest tests/screens/test_pictures.py --snapshot-update`, and look at them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from typing import cast

import msgspec
import pytest

from engine.api import Snapshot
from tests.console_fakes import (
    NOW,
    RELOADS,
    TWIN,
    FakeLink,
    empty_snapshot,
    flattening_snapshot,
    snapshot,
    trouble_snapshot,
    venue_snapshot,
)
from tests.sight_fakes import sights
from tests.why_fakes import why_reply
from tui.app import ConsoleApp
from tui.panes.asking import AskingPane
from tui.settings import ConsoleSettings

SIZES = ((80, 24), (120, 40), (200, 50))
LOOKS = tuple(product(SIZES, ("dark", "light")))
Size = tuple[int, int]
Compare = Callable[..., bool]


def console(moment: Snapshot | None, theme: str = "dark", *, link: FakeLink | None = None) -> ConsoleApp:
    link = link or FakeLink([moment] if moment is not None else [])
    link.sights = sights()

    async def connect() -> FakeLink:
        return link

    app = ConsoleApp(connect, settings=ConsoleSettings(theme=theme), clock=lambda: 100.0, driver_class=None)
    app.animation_level = "none"
    return app


def _answered(app: ConsoleApp) -> bool:
    """Tell whether every pane on screen that asks has its answer."""
    asking = [pane for pane in app.desk.shown() if isinstance(pane, AskingPane)]
    return all(pane.reply is not None for pane in asking)


def _gathers(app: ConsoleApp) -> bool:
    """Tell whether what is on top still gathers what it shows, as the palette does."""
    return any(worker.node is app.screen and not worker.is_finished for worker in app.workers)


def shown(app: ConsoleApp, keys: Sequence[str] = (), pane: str = "") -> Callable[..., object]:
    """Return what to do before the picture is taken: settle, press, maximise a pane, still the cursor."""

    async def before(pilot: object) -> None:
        for _ in range(3):
            await app.animator.wait_until_complete()
            await pilot.pause()  # type: ignore[attr-defined]  # a Pilot, which the plugin does not type
        app.draw()
        await pilot.press(*keys)  # type: ignore[attr-defined]
        if pane:
            app.navigator.choose(pane)
            app.desk.zoom(pane)
            await pilot.pause()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            while _gathers(app) or (app.latest is not None and not _answered(app)):
                await pilot.pause(0.02)  # type: ignore[attr-defined]
        for field in app.screen.query("Input"):
            field.cursor_blink = False  # type: ignore[attr-defined]  # an Input
        await pilot.pause()  # type: ignore[attr-defined]
        app.draw()

    return before


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_busy_desk(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    """The screen one looks at all day."""
    app = console(snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_everything_wrong_at_once(snap_compare: Compare, size: Size, theme: str) -> None:
    """The screen one looks at at three in the morning."""
    app = console(trouble_snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_why_not(snap_compare: Compare, size: Size, theme: str) -> None:
    """What a trader asks most."""
    link = FakeLink([snapshot()])
    link.whys = {play: why_reply() for play in snapshot().status.plays}
    app = console(snapshot(), theme, link=link)
    assert snap_compare(app, terminal_size=size, run_before=shown(app, ("w",)))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("arm", ("a", "p", "a")),
        ("risk-mode", ("m",)),
        ("leave", ("ctrl+q",)),
        ("help", ("question_mark",)),
        ("flatten", ("f12",)),
        ("close", ("2", "ctrl+x")),
        ("decide", ("R",)),
        ("layouts", ("L",)),
        ("palette", ("ctrl+p",)),
        ("zoom", ("3", "z")),
        ("promote", ("R", "down", "enter")),
    ],
)
@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_what_opens_over_the_desk(
    snap_compare: Compare, name: str, keys: tuple[str, ...], size: Size, theme: str
) -> None:
    """Every dialog, the kill-switch's question, and one pane alone."""
    moment = {"arm": empty_snapshot(), "promote": with_twin()}.get(name) or snapshot()
    app = console(moment, theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app, keys))


def with_twin() -> Snapshot:
    """A twin that a change of its file brought."""
    changes = ("stop_loss.percent 1.0 -> 1.5", "entry.long close > 120 -> close > 125")
    watched = msgspec.structs.replace(RELOADS[0], result="shadow", changes=changes)
    twin = msgspec.structs.replace(TWIN, since=NOW - 86_400 * 10**9, generation=18, running_generation=17)
    return snapshot(twins=(twin,), reloads=(watched,))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_the_first_page(snap_compare: Compare, size: Size, theme: str) -> None:
    """What the first start explains."""
    app = console(empty_snapshot(), theme)

    async def opened(pilot: object) -> None:
        await cast("Awaitable[None]", shown(app)(pilot))
        app.action_act("first-steps")
        await cast("Awaitable[None]", shown(app)(pilot))

    assert snap_compare(app, terminal_size=size, run_before=opened)


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_feeds_and_venue(snap_compare: Compare, size: Size, theme: str) -> None:
    """The health pane of a desk on a real venue."""
    app = console(venue_snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app, ("8",)))


@pytest.mark.parametrize("pane", ["chart", "book", "trades", "equity"])
@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_what_is_asked_for(snap_compare: Compare, pane: str, size: Size, theme: str) -> None:
    """Maximised."""
    app = console(snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app, pane=pane))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_flatten_under_way(snap_compare: Compare, size: Size, theme: str) -> None:
    """What is left, in the second row."""
    app = console(flattening_snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app))


def test_before_the_engine_answers(snap_compare: Compare) -> None:
    """The first frame."""
    app = console(None)
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(app))


def test_a_tiny_terminal(snap_compare: Compare) -> None:
    """Status and orders."""
    app = console(snapshot())
    assert snap_compare(app, terminal_size=(50, 12), run_before=shown(app))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("trade", ("L", "down", "enter")),
        ("watch", ("L", "down", "down", "enter")),
        ("jump", ("f",)),
        ("filter", ("7", "slash", *"btc")),
    ],
)
def test_layouts_and_finding(
    snap_compare: Compare,
    name: str,
    keys: tuple[str, ...],
    size: Size,
    theme: str,
) -> None:
    """Each layout, the letters of jump mode, a filter."""
    app = console(snapshot(), theme)

    async def without_toasts(pilot: object) -> None:
        await cast("Awaitable[None]", shown(app, keys)(pilot))
        app.clear_notifications()
        await pilot.pause()  # type: ignore[attr-defined]  # a Pilot, as above

    assert snap_compare(app, terminal_size=size, run_before=without_toasts)


@pytest.mark.parametrize(
    ("theme", "size"),
    [("high-contrast", SIZES[0]), ("colour-blind", SIZES[1]), ("amber", SIZES[1]), ("mono", SIZES[2])],
)
@pytest.mark.parametrize("keys", [(), ("m",)], ids=["desk", "risk-mode"])
def test_the_other_themes(snap_compare: Compare, theme: str, size: Size, keys: tuple[str, ...]) -> None:
    """Each with the desk in trouble and a dialog over it, at one size."""
    app = console(trouble_snapshot(), theme)
    assert snap_compare(app, terminal_size=size, run_before=shown(app, keys))
