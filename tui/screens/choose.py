"""One of several deeds; the first row goes back, and it is the one that Enter takes by default."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.screens.dialog import Dialog, say, words


class ChooseDialog(Dialog[int]):
    """Answers the index of the deed, None where nothing is to happen."""

    def __init__(self, title: str, about: str, deeds: Sequence[str]) -> None:
        super().__init__(title, "↑↓ choose · Enter asks further · Esc goes back")
        self._about, self._deeds = about, tuple(deeds)

    def parts(self) -> ComposeResult:
        """Yield the deeds under the way back."""
        yield say(self._about)
        rows = ("Go back: nothing happens", *self._deeds)
        choices = OptionList(*(Option(words(row)) for row in rows), id="choices", compact=True)
        choices.highlighted = 0
        yield choices

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index - 1 if event.option_index else None)
