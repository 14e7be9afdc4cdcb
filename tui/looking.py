"""Asks the engine for what the shown panes want to know beyond the snapshot; nothing for hidden ones."""

import asyncio
from typing import TYPE_CHECKING

from engine.api import Link, Snapshot, TraderError
from tui.panes.asking import AskingPane
from tui.panes.market import MarketPane

if TYPE_CHECKING:
    from tui.app import ConsoleApp

TURN_S = 0.1  # how soon a pane that comes to the front is asked for
LOOK_S = 1.0  # how often one that stays there is


class Looking:
    """One question at a time; a pane whose question changed (another symbol) does not wait its second."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._asked: dict[str, tuple[object, float]] = {}

    async def watch(self) -> None:
        """Look for as long as the console runs."""
        while True:
            await self.turn()
            await asyncio.sleep(TURN_S)

    async def turn(self) -> None:
        """Ask for every shown pane whose time has come."""
        app = self._app
        link, snapshot = app.link, app.latest
        if link is None or snapshot is None or app.gone:
            return
        for pane in app.desk.shown():
            if isinstance(pane, AskingPane):
                pane.symbol = self._symbol(snapshot)
                await self._ask(link, pane)

    def _symbol(self, snapshot: Snapshot) -> str:
        market = self._app.desk.panes["market"]
        assert isinstance(market, MarketPane)
        return market.symbol_of(snapshot)

    async def _ask(self, link: Link, pane: AskingPane) -> None:
        wish, now = pane.wish(), self._app.clock()
        before = self._asked.get(pane.name_id)
        if before is not None and before[0] == wish and now - before[1] < LOOK_S:
            return
        self._asked[pane.name_id] = (wish, now)
        try:
            reply = await link.look(wish)
        except (TraderError, OSError) as error:
            pane.failure = str(error)
            return
        pane.answered(reply)
