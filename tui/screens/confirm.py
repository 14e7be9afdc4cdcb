"""One deed, told in full: going back is the default, and doing it takes another key than asking did."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.screens.dialog import Dialog, Field, say, words

BACK = "back"


class ConfirmDialog(Dialog[str]):
    """Answers the reason (it may be empty) where the deed is chosen, None where it is not.

    Enter on what is highlighted at first goes back; the deed is one row further down.
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        deed: str,
        *,
        needs_reason: bool = False,
        danger: bool = False,
    ) -> None:
        super().__init__(title, "↓ Enter does it · Tab reason · Esc goes back", danger=danger)
        self._lines, self._deed, self._needs_reason = tuple(lines), deed, needs_reason

    def parts(self) -> ComposeResult:
        """Yield what would happen, the two answers and the reason."""
        for line in self._lines:
            yield say(line)
        yield OptionList(
            Option(words("Go back: nothing happens"), id=BACK),
            Option(words(self._deed), id="do"),
            id="answers",
            compact=True,
        )
        needed = "needed" if self._needs_reason else "may be empty"
        yield say(f"Reason ({needed}, kept in the record):", kind="label")
        yield Field(id="reason", placeholder="why", compact=True)
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
        elif self._needs_reason and not reason.value.strip():
            reason.focus()
            self.complain("A reason is needed.")
        else:
            self.dismiss(reason.value.strip())

    @on(Input.Submitted)
    def _typed(self) -> None:
        """Go from the reason to the answers: what is typed, or pasted, does nothing by itself."""
        self.query_one("#answers", OptionList).focus()
