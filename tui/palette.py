"""The command palette's entries: every action of the table, pane, layout and theme."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.actions import ACTIONS
from tui.panes.pane import NUMBERS_MAX
from tui.panes.registry import PANES

if TYPE_CHECKING:
    from tui.app import ConsoleApp
    from tui.look import Look


class Wear:
    """The entry of a theme: it is tried on while it is marked, and kept when it is chosen."""

    def __init__(self, look: "Look", name: str) -> None:
        self._look, self.name = look, name

    def __call__(self) -> None:
        """Keep it."""
        self._look.use(self.name)


def try_on(look: "Look", moved: CommandPalette.OptionHighlighted) -> None:
    """Show the theme whose entry is marked now; back to the one in force where it is none."""
    hit = getattr(moved.highlighted_event.option, "hit", None)
    wish = hit.command if isinstance(hit, Hit | DiscoveryHit) else None
    if isinstance(wish, Wear):
        look.preview(wish.name)
    else:
        look.give_up()


class ActionProvider(Provider):
    """Offers actions, panes, layouts and themes by name."""

    async def startup(self) -> None:
        """Look which themes there are, once: the disk is not for the screen to wait for."""
        self._themes = await asyncio.to_thread(cast("ConsoleApp", self.app).look.library.names)

    def _entries(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        app = cast("ConsoleApp", self.app)
        for spec in ACTIONS:
            if spec.palette:
                note = f"{app.key_of(spec.id)}  {spec.description}".strip()
                yield spec.title, note, partial(app.action_act, spec.id)
        for pane in PANES:
            key = app.key_of(f"pane-{pane.number}") if pane.number <= NUMBERS_MAX else ""
            yield (
                f"Pane: {pane.title}",
                f"{key}  Go to it".strip(),
                partial(app.navigator.choose, pane.name_id),
            )
        for layout in app.arranging.arranger.layouts.values():
            about = layout.about or "your own"
            yield f"Layout: {layout.name}", about, partial(app.arranging.chosen, layout.name)
        for name in self._themes:
            note = "in force" if name == app.look.chosen else "shown while marked; Enter keeps it"
            yield f"Theme: {name}", note, Wear(app.look, name)

    async def discover(self) -> Hits:
        """Yield everything, for the empty query."""
        for title, note, call in self._entries():
            yield DiscoveryHit(title, call, help=note)

    async def search(self, query: str) -> Hits:
        """Yield what matches."""
        matcher = self.matcher(query)
        for title, note, call in self._entries():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), call, help=note)
