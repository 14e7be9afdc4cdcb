"""Moving about: which pane has the focus, which one is maximised, which row is selected."""

from typing import TYPE_CHECKING

from tui.layout import beside
from tui.panes.asking import AskingPane
from tui.panes.chart import ChartPane
from tui.panes.market import MarketPane
from tui.panes.pane import Pane
from tui.panes.registry import PANES

if TYPE_CHECKING:
    from tui.app import ConsoleApp


class Navigator:
    """The pane group of the action table."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app

    def act(self, action_id: str) -> None:
        """Do one of the actions of the pane group."""
        match action_id:
            case "next-pane" | "previous-pane":
                self._step(_step_of(action_id))
            case "zoom":
                self._zoom()
            case "escape":
                self._back()
            case "jump":
                self._app.catcher.jump()
            case "filter":
                self._app.catcher.filter()
            case "next-match" | "previous-match":
                self._match(_step_of(action_id))
            case "left-pane":
                self._sideways(-1)
            case "right-pane":
                self._sideways(1)
            case "next-symbol" | "previous-symbol":
                self._other_symbol(_step_of(action_id))
            case "next-play" | "previous-play":
                self._other_play(_step_of(action_id))
            case "half-down" | "half-up" | "down" | "up" | "page-down" | "page-up" | "top" | "bottom":
                self._move(action_id)
            case _:
                self.choose_number(int(action_id.removeprefix("pane-")))

    def choose(self, name: str) -> None:
        """Focus a pane, bringing its tab to the front, and itself back where it was hidden."""
        self._app.arranging.arranger.show(name)
        self._app.desk.choose(name)
        self._app.draw_soon()

    def choose_number(self, number: int) -> None:
        """Focus a pane by its number."""
        name = next((pane.name_id for pane in PANES if pane.number == number), "")
        if name:
            self.choose(name)
        else:
            self._app.tell(f"There is no pane {number}; the last one is {len(PANES)}.")

    def _step(self, step: int) -> None:
        desk, focused = self._app.desk, self._app.focused
        order = [pane.name_id for pane in PANES] if desk.zoomed else desk.order()
        name = focused.name_id if isinstance(focused, Pane) else ""
        index = order.index(name) + step if name in order else 0
        if order:
            self.choose(order[index % len(order)])

    def _sideways(self, step: int) -> None:
        """Go to the pane beside the focused one; where panes stand in one column, to the tab beside it."""
        desk, focused = self._app.desk, self._app.focused
        if not isinstance(focused, Pane) or desk.zoomed or focused not in desk.shown():
            self._step(step)
            return
        tabs = [name for name, _, _ in focused.tabs]
        if len({slot.box.x for slot in desk.plan.slots}) == 1:
            self.choose(tabs[(tabs.index(focused.name_id) + step) % len(tabs)])
            return
        slot = beside(desk.plan.slots, focused.slot, step)
        if slot is not None:
            self.choose(desk.front(slot))

    def _zoom(self) -> None:
        if isinstance(self._app.focused, Pane):
            self._app.desk.zoom(self._app.focused.name_id)
            self._app.draw_soon()

    def _back(self) -> None:
        """Show all rows of the focused list again; where it shows them, give a maximised pane back."""
        pane = self._app.focused
        if isinstance(pane, Pane) and pane.sifting.active:
            pane.show_all()
            pane.paint(self._app.frame())
        elif self._app.desk.zoomed:
            self._app.desk.unzoom()
            self._app.draw_soon()

    def _other_symbol(self, step: int) -> None:
        """Select a symbol some rows on in Market: the chart and the book show it."""
        panes = self._app.desk.panes.values()
        symbol = next(pane for pane in panes if isinstance(pane, MarketPane)).choose(step)
        if not symbol:
            self._app.tell("There is no symbol yet: they come with the market.")
        for pane in panes:
            if isinstance(pane, AskingPane):
                pane.symbol = symbol
        self._app.draw()

    def _other_play(self, step: int) -> None:
        """Show the indicators of another play; the chart itself first, where it is not on the screen."""
        chart = next(pane for pane in self._app.desk.panes.values() if isinstance(pane, ChartPane))
        if chart not in self._app.desk.shown():
            self.choose(chart.name_id)
        elif not chart.choose_play(step):
            self._app.tell(f"There is no other play of {chart.symbol or 'any symbol'} to show.")

    def _match(self, step: int) -> None:
        pane = self._app.focused
        if isinstance(pane, Pane) and pane.next_match(step):
            pane.paint(self._app.frame())
        else:
            self._app.tell(f"Nothing to go to: {self._app.key_of('filter')} says what to look for in a list.")

    def _move(self, action_id: str) -> None:
        pane = self._app.focused
        if not isinstance(pane, Pane):
            return
        match action_id:
            case "down":
                pane.move(1)
            case "up":
                pane.move(-1)
            case "half-down":
                pane.move(max(1, pane.page_rows // 2))
            case "half-up":
                pane.move(-max(1, pane.page_rows // 2))
            case "page-down":
                pane.move(pane.page_rows)
            case "page-up":
                pane.move(-pane.page_rows)
            case _:
                pane.jump(last=action_id == "bottom")
        pane.paint(self._app.frame())


def _step_of(action_id: str) -> int:
    return 1 if action_id.startswith("next") else -1
