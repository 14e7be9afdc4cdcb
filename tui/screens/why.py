"""Why not: a play's bars one by one, with every rule, stage and gate that led to an order or to none."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from engine.api import Link, TraderError, Why, WhyReply
from tui.screens.dialog import Dialog, say, words
from tui.whytext import nearest, why_lines

BARS_LOADED = 120
BOX = 8  # what the box and its scrollbar take of the screen
WIDTH_MAX = 130


class WhyDialog(Dialog[None]):
    """One bar at a time; older and newer ones with ← and →, other plays with Tab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,w", "cancel", "Close", show=False),
        Binding("left,h", "bar(-1)", show=False),
        Binding("right,l", "bar(1)", show=False),
        Binding("end,G", "newest", show=False),
        Binding("n", "nearest", show=False),
        Binding("tab", "play", show=False, priority=True),
        Binding("r", "load", show=False),
        Binding("j", "page(1)", show=False),
        Binding("k", "page(-1)", show=False),
    ]

    def __init__(self, link: Link, plays: tuple[str, ...], screen_width: int) -> None:
        super().__init__("Why", "← → bar · n nearest miss · Tab play · r newest · Esc closes")
        self._link, self._plays = link, plays or ("",)
        self._width = min(WIDTH_MAX, screen_width) - BOX
        self._play = 0
        self._bars: tuple[Why, ...] = ()
        self._at = 0

    def parts(self) -> ComposeResult:
        """Yield the page."""
        with VerticalScroll():
            yield say("asking the engine ...", widget_id="why")

    def on_mount(self) -> None:
        """Ask at once."""
        self.action_load()

    def action_load(self) -> None:
        """Ask for the bars of the play that is shown."""
        self.run_worker(self._load(), exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        try:
            reply = await self._link.why(play=self._plays[self._play], last=BARS_LOADED)
        except (TraderError, OSError) as error:
            reply = WhyReply(0, text=str(error))
        self._bars, self._at = reply.bars, len(reply.bars) - 1
        self._show(reply.text)

    def _show(self, text: str = "") -> None:
        page = self.query_one("#why", Static)
        if not self._bars:
            page.update(words(text))
            return
        why = self._bars[self._at]
        place = f"bar {self._at + 1} of {len(self._bars)}"
        page.update(words("\n".join([place, *why_lines(why, self._width)])))

    def action_bar(self, step: int) -> None:
        """Go to an older or a newer bar."""
        self._go(self._at + step)

    def action_newest(self) -> None:
        """Go to the newest bar that was loaded."""
        self._go(len(self._bars) - 1)

    def action_nearest(self) -> None:
        """Go to the bar on which an entry rule came nearest to a signal."""
        near = nearest(self._bars)
        if near is not None:
            self._go(self._bars.index(near))

    def _go(self, at: int) -> None:
        if not self._bars:
            return  # why there are none stays on the page
        self._at = max(0, min(at, len(self._bars) - 1))
        self._show()

    def action_play(self) -> None:
        """Go to the next play."""
        self._play = (self._play + 1) % len(self._plays)
        self.action_load()

    def action_page(self, rows: int) -> None:
        """Scroll by rows."""
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
