"""One deed, told in full: going back is the default, and doing it takes another key than asking did."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.screens.dialog import Dialog, Field, say, words

BACK = "back"
LINES_APART = 3  # more of them stand without blank rows between them


class Evidence(VerticalScroll):
    """What the deed is about; it scrolls, and Tab goes there, where it is longer than there is room."""

    def on_resize(self) -> None:
        """Take the focus only where there is something to scroll."""
        self.can_focus = self.max_scroll_y > 0


class ConfirmDialog(Dialog[str]):
    """Answers the reason (it may be empty) where the deed is chosen, None where it is not.

    Enter on what is highlighted at first goes back; the deed is one row further down. Where a name is to be
    `typed`, the deed is done only with it.
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        deed: str,
        *,
        typed: str = "",
        needs_reason: bool = False,
        danger: bool = False,
    ) -> None:
        fields = "name, reason" if typed else "reason"
        super().__init__(title, f"↓ Enter does it · Tab {fields} · Esc goes back", danger=danger)
        self._lines, self._deed = tuple(lines), deed
        self._name_wanted, self._needs_reason = typed, needs_reason

    def parts(self) -> ComposeResult:
        """Yield what would happen, the two answers and the reason."""
        with Evidence(classes="dense" if len(self._lines) > LINES_APART else None):
            for line in self._lines:
                yield say(line)
        yield OptionList(
            Option(words("Go back: nothing happens"), id=BACK),
            Option(words(self._deed), id="do"),
            id="answers",
            compact=True,
        )
        if self._name_wanted:
            yield say(f"Type {self._name_wanted}:", kind="label")
            yield Field(id="name", placeholder=self._name_wanted, compact=True)
        needed = "needed" if self._needs_reason else "may be empty"
        yield say(f"Reason ({needed}, kept in the record):", kind="label")
        yield Field(id="reason", compact=True)
        yield say("", kind="problem", widget_id="problem")

    def on_mount(self) -> None:
        """Let Enter go back."""
        answers = self.query_one("#answers", OptionList)
        answers.highlighted = 0
        answers.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        reason = self.query_one("#reason", Input)
        if event.option_id == BACK:
            self.dismiss(None)
        elif self._name_wanted and self.query_one("#name", Input).value.strip() != self._name_wanted:
            self.query_one("#name", Input).focus()
            self.complain(f"Type {self._name_wanted} first. Nothing was done.")
        elif self._needs_reason and not reason.value.strip():
            reason.focus()
            self.complain("A reason is needed.")
        else:
            self.dismiss(reason.value.strip())

    @on(Input.Submitted)
    def _typed(self) -> None:
        """Go from what was typed to the answers: it does nothing by itself, nor does a paste."""
        self.query_one("#answers", OptionList).focus()
