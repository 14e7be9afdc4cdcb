"""Keys that do not mean actions for a while: a letter to jump to, or the words of a filter being typed."""

from enum import Enum, auto
from typing import TYPE_CHECKING

from textual import events

from tui.actions import ACTIONS
from tui.actionspec import Group
from tui.jump import elsewhere, letters
from tui.keymap import textual_key
from tui.panes.pane import Pane
from tui.panes.registry import PANES
from tui.sieve import TEXT_MAX

if TYPE_CHECKING:
    from tui.app import ConsoleApp

EDITING = frozenset({"delete", "home", "end", "left", "right"})
TAKEN = (events.Key, events.Paste, events.MouseDown)


class Catch(Enum):
    """What the next keys mean."""

    ACTIONS = auto()
    JUMP = auto()
    FILTER = auto()


class Catcher:
    """Takes keys before they become actions. Kill-switch and leaving are never taken."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self.catch = Catch.ACTIONS
        self._letters = letters(pane.name_id for pane in PANES)
        self._pane: Pane | None = None  # whose filter is typed

    @property
    def letters(self) -> dict[str, str]:
        """The letters of the panes while one is awaited; empty else."""
        return self._letters if self.catch is Catch.JUMP else {}

    def hint(self) -> str:
        """Return what the footer says meanwhile; empty where keys are actions."""
        match self.catch:
            case Catch.ACTIONS:
                return ""
            case Catch.JUMP:
                panes = [(pane.name_id, pane.title) for pane in PANES]
                rest = elsewhere(panes, self._app.desk.order(), self._letters)
                return f"Jump: a title's letter goes there, Esc stays{'; ' + rest if rest else ''}"
            case Catch.FILTER:
                fields = " ".join(f"{field}:" for field in self._pane.fields) if self._pane else ""
                return f"Filter: Enter keeps, Esc shows all, !word leaves out; {fields}"

    def jump(self) -> None:
        """Await a pane's letter."""
        self.catch = Catch.JUMP
        self._app.draw()

    def filter(self) -> None:
        """Type the focused list's filter."""
        pane = self._app.focused
        if not isinstance(pane, Pane) or not pane.fields:
            lists = ", ".join(pane.title for pane in PANES if pane.fields)
            self._app.tell(f"This pane is no list. There are: {lists}.")
            return
        self.catch, self._pane = Catch.FILTER, pane
        pane.sifting.typing = True
        self._app.draw()

    def end(self) -> None:
        """Let keys be actions again; what was typed stays in force."""
        self.catch = Catch.ACTIONS
        if self._pane is not None:
            self._pane.sifting.typing = False
            self._pane = None
        self._app.draw()

    def take(self, event: events.Event) -> bool:
        """Tell whether an event was meant for this; all others go on their way."""
        if self.catch is Catch.ACTIONS or event.is_forwarded or not isinstance(event, TAKEN):
            return False
        if len(self._app.screen_stack) > 1:
            self.end()
            return False
        if isinstance(event, events.Key):
            return event.key not in self._never_taken() and self._take_key(event)
        if isinstance(event, events.Paste):
            return self._take_paste(event)
        if isinstance(event, events.MouseDown):
            self.end()
        return False

    def _never_taken(self) -> set[str]:
        app = self._app
        return {textual_key(key) for spec in ACTIONS if spec.always for key in app.keymap[spec.id]}

    def _take_key(self, event: events.Key) -> bool:
        if self.catch is Catch.JUMP:
            self._land(event.character or "")
            return True
        return self._type(event)

    def _land(self, character: str) -> None:
        self.end()
        by_letter = {letter: name for name, letter in self._letters.items()}
        if character in by_letter:
            self._app.navigator.choose(by_letter[character])
        elif character.isdigit():
            self._app.navigator.choose_number(int(character) or 10)

    def _type(self, event: events.Key) -> bool:
        pane = self._pane
        assert pane is not None, "a filter is typed in a pane"
        text = pane.sifting.sieve.text
        match event.key:
            case "enter":
                self.end()
            case "escape":
                self.end()
                pane.show_all()
                self._app.draw()
            case "backspace" | "ctrl+h":
                self._write(text[:-1])
            case "ctrl+u":
                self._write("")
            case "ctrl+w":
                self._write(text.rstrip().rpartition(" ")[0])
            case "down" | "up":
                pane.move(1 if event.key == "down" else -1)
                self._app.draw()
            case _ if event.is_printable:
                self._write(text + (event.character or ""))
            case _:
                return self._swallow(event.key)
        return True

    def _swallow(self, key: str) -> bool:
        """Take what edits lines elsewhere, and commands; other keys end the typing and do what they do."""
        app = self._app
        commands = {
            textual_key(name)
            for spec in ACTIONS
            if spec.group is Group.CONTROL
            for name in app.keymap[spec.id]
        }
        if key in EDITING or key in commands:
            return True
        self.end()
        return False

    def _take_paste(self, event: events.Paste) -> bool:
        if self.catch is Catch.JUMP:
            self.end()
        elif self._pane is not None:
            line = "".join(filter(str.isprintable, (event.text.splitlines() or [""])[0]))
            self._write(self._pane.sifting.sieve.text + line)
        return True

    def _write(self, text: str) -> None:
        assert self._pane is not None, "a filter is typed in a pane"
        self._pane.sifting.write(text[:TEXT_MAX])
        self._app.draw()
