"""The desk: it holds the rows and panes and stands them where the plan for this size says."""

from collections.abc import Callable, Iterable, Mapping

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget

from engine.api import Snapshot
from tui.arrangement import Arrangement, SizeClass, size_class
from tui.layout import Box, Plan, Slot, plan
from tui.panes.pane import NO_SLOT, Pane
from tui.widgets.painted import Painted


class DeskLayout(Layout):
    """Places the desk's children by the plan; children without a place are not shown."""

    name = "desk"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],  # noqa: ARG002 - Textual's signature, as the next
        size: Size,
        greedy: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> ArrangeResult:
        """Return where each child stands."""
        assert isinstance(parent, Desk)
        return [
            WidgetPlacement(_region(box), NULL_OFFSET, NULL_SPACING, widget)
            for widget, box in parent.places(size.width, size.height)
        ]


def _region(box: Box) -> Region:
    return Region(box.x, box.y, box.width, box.height)


class Desk(Widget):
    """Status, attention and footer rows, and the panes between them."""

    DEFAULT_CSS = "Desk { width: 1fr; height: 1fr; }"

    def __init__(
        self,
        rows: tuple[Painted, Painted, Painted],
        panes: Iterable[Pane],
        arrangement: Callable[[SizeClass], Arrangement],
    ) -> None:
        """`arrangement` tells how the panes are to stand at a class of width."""
        self.panes: dict[str, Pane] = {pane.name_id: pane for pane in panes}
        super().__init__(*rows, *self.panes.values(), id="desk")
        self.rows = rows
        self._arrangement = arrangement
        self.zoomed = ""
        self.drawn: Snapshot | None = None  # what a person sees; a slow terminal is behind the newest
        self._peeked = False  # maximised only because the layout has no place for it
        self.plan: Plan = plan(1, 1)
        self._recent: list[str] = []  # panes by how recently they were chosen, newest first
        self._wanted: Mapping[str, int] = {}
        self._layout = DeskLayout()

    @property
    def layout(self) -> Layout:
        """The desk's own layout."""
        return self._layout

    def places(self, width: int, height: int) -> list[tuple[Widget, Box]]:
        """Make the plan for a size, tell the panes of it, and return who stands where."""
        self.plan = self._planned(width, height, self.zoomed)
        for pane in self.panes.values():
            pane.slot = NO_SLOT
        placed: list[tuple[Widget, Box]] = [
            (row, box)
            for row, box in zip(
                self.rows, (self.plan.status, self.plan.attention, self.plan.footer), strict=True
            )
            if box is not None
        ]
        for slot in self.plan.slots:
            pane = self.panes[self.front(slot)]
            pane.slot, pane.merged = slot, self.plan.merged
            pane.tabs = tuple((name, self.panes[name].label, self.panes[name].title) for name in slot.panes)
            placed.append((pane, slot.box))
        return placed

    def front(self, slot: Slot) -> str:
        """Return the pane on top of a slot: the one chosen last."""
        chosen = (name for name in self._recent if name in slot.panes)
        return next(chosen, slot.panes[0])

    def shown(self) -> list[Pane]:
        """Return the panes on screen, in the order of the plan."""
        return [self.panes[self.front(slot)] for slot in self.plan.slots]

    def order(self) -> list[str]:
        """Return all panes with a place in the order Tab goes: every tab of every slot."""
        return [name for slot in self._planned(*self.size, self.zoomed).slots for name in slot.panes]

    def want(self, wanted: Mapping[str, int]) -> None:
        """Take how many rows short panes need; lay out again only where that changed."""
        if wanted != self._wanted:
            self._wanted = dict(wanted)
            self.lay_out_again()

    def choose(self, name: str) -> None:
        """Bring a pane to the front and focus it; one that the plan has no place for is maximised."""
        self._recent = [name, *(other for other in self._recent if other != name)]
        placed = name in self._placed()
        if self._peeked or not self.zoomed:
            self.zoomed, self._peeked = ("", False) if placed else (name, True)
        else:
            self.zoomed = name
        self.lay_out_again()
        self.panes[name].focus(scroll_visible=False)

    def _planned(self, width: int, height: int, zoomed: str = "") -> Plan:
        arrangement = self._arrangement(size_class(width))
        return plan(width, height, arrangement=arrangement, zoomed=zoomed, wanted=self._wanted)

    def _placed(self) -> list[str]:
        """Return the panes that have a place where none is maximised."""
        return [name for slot in self._planned(*self.size).slots for name in slot.panes]

    def coming(self) -> list[str]:
        """Return the panes that will be on screen when it has been laid out again."""
        return [self.front(slot) for slot in self._planned(*self.size, self.zoomed).slots]

    def on_resize(self) -> None:
        """Keep the focus on what the new size shows; a pane that has a place in it stands there again."""
        if self._peeked and self.zoomed in self._placed():
            self.unzoom()
        self.stay_in_view()

    def stay_in_view(self) -> None:
        """Move the focus on where its pane is no longer shown: keys act on what is seen."""
        focused, coming = self.screen.focused, self.coming()
        if coming and isinstance(focused, Pane) and focused.name_id not in coming:
            self.choose(coming[0])

    def zoom(self, name: str) -> None:
        """Give a pane the whole screen, or take it back where it has it."""
        self.zoomed, self._peeked = "" if self.zoomed else name, False
        self.lay_out_again()

    def unzoom(self) -> None:
        """Let the layout show again."""
        self.zoomed, self._peeked = "", False
        self.lay_out_again()

    def lay_out_again(self) -> None:
        """Ask for a new arrangement: a child's wish for one clears what its parent has cached."""
        self.rows[0].refresh(layout=True)


class DeskScreen(Screen[None], inherit_bindings=False):
    """The screen under all dialogs; its keys are the action table's alone, Tab included."""
