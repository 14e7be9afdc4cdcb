"""A pane that asks the engine for what it shows, at most once a second and only while it is shown."""

from abc import abstractmethod

from engine.api import LookReply, Snapshot, Wish
from tui.panes.content import Frame
from tui.panes.market import MarketPane
from tui.panes.pane import Pane
from tui.theme import Palette


class AskingPane(Pane):
    """What it shows is no part of a snapshot. `symbol` is the one that is selected in the market pane."""

    of_symbol: bool = False  # whether what it shows belongs to one symbol

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self.symbol = ""
        self.reply: LookReply | None = None
        self.failure = ""  # why the last question got no answer

    @abstractmethod
    def wish(self) -> Wish:
        """Return what to ask for now."""

    def answered(self, reply: LookReply) -> None:
        """Take an answer."""
        self.reply, self.failure = reply, ""

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:  # noqa: ARG002 - subclasses add theirs
        """What was answered, and to which question."""
        return self.reply, self.symbol, self.failure

    def waits(self, what: str) -> tuple[str, ...]:
        """Return what to say while there is nothing to show."""
        said = self.failure or (self.reply.text if self.reply is not None else "")
        return (said or f"Asking the engine for {what} ...",)

    @property
    def unanswered(self) -> str:
        """Say that what is shown is an old answer; empty where it is not."""
        return "no answer" if self.failure and self.reply is not None else ""

    def symbol_hint(self, snapshot: Snapshot, frame: Frame) -> str:
        """Name the key that shows another symbol; empty where there is none."""
        return f"{frame.key('next-symbol')} next symbol" if len(snapshot.ticks) > 1 else ""

    def move(self, rows: int) -> None:
        """Go to another symbol where this pane shows one; else to another row."""
        if not self.of_symbol:
            super().move(rows)
            return
        self.symbol = self.screen.query_one(MarketPane).choose(rows)
