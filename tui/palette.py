"""The command palette's entries: every action of the table and every theme."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.actions import ACTIONS

if TYPE_CHECKING:
    from tui.app import ConsoleApp


class ActionProvider(Provider):
    """Offers actions and themes by name."""

    def _entries(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        app = cast("ConsoleApp", self.app)
        for spec in ACTIONS:
            if spec.palette:
                note = f"{app.key_of(spec.id)}  {spec.description}".strip()
                yield spec.title, note, partial(app.action_act, spec.id)
        for name in app.themes.names():
            yield f"Theme: {name}", "Switch at once", partial(app.use_theme, name)

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
