"""Help: every key, what each rung allows and what each command does. All of it from tables."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from engine.api import COMMANDS_COLUMNS, COMMANDS_TABLE
from tui.actions import ACTIONS, PANE_KEYS
from tui.actionspec import ActionSpec, Confirm, Group
from tui.formats import wrapped
from tui.screens.dialog import Dialog, Field, say, words

INDENT = 37  # where descriptions begin
WIDTH_MAX = 130
BOX = 8  # what the box and its scrollbar take of the screen
FIRST_PANE = "pane-1"
PALETTE_ONLY = "(palette)"
EFFECTS = "Rungs, holders and commands: what becomes of entries, exits, orders and positions"
SHELL = (
    "trader-tui status | arm | disarm | pause | resume | flatten | stop | attach",
    "If the screen hangs: F12 F12 still flattens; so does `trader-tui flatten` elsewhere.",
)
SHOWN = (0, 1, 3, 4, 5, 6, 7)  # the columns of the table of commands that help has room for


class Entry(msgspec.Struct, frozen=True):
    """What is found or left out as one: the lines of a key or of a command, and what they stand under."""

    heading: str
    text: str

    def has(self, wanted: str) -> bool:
        """Tell whether every one of these words is in it; upper and lower case are one."""
        text = f"{self.heading} {self.text}".casefold()
        return all(word in text for word in wanted.casefold().split())


def page(entries: Sequence[Entry], wanted: str = "") -> str:
    """Return the entries that have the wanted words, under their headings."""
    found = [entry for entry in entries if entry.has(wanted)]
    blocks = [
        "\n".join((heading, *(entry.text for entry in group)))
        for heading, group in groupby(found, key=lambda entry: entry.heading)
    ]
    return "\n\n".join(blocks) or f"Nothing here has {wanted!r}."


def key_entries(keys_of: Callable[[str], str], width: int) -> list[Entry]:
    """Return the keys by group; long descriptions go on under themselves."""
    return [
        Entry(group.value, "\n".join(_key_lines(spec, keys_of(spec.id), width - INDENT)))
        for group in Group
        for spec in ACTIONS
        if spec.group is group and (spec.id == FIRST_PANE or not spec.id.startswith("pane-"))
    ]


def _key_lines(spec: ActionSpec, keys: str, room: int) -> list[str]:
    if spec.id == FIRST_PANE:
        return [f"  {PANE_KEYS:<15}{'Go to a pane':<20}its number is in its title"]
    guard = f" ({spec.confirm.value})" if spec.confirm is not Confirm.NONE else ""
    first, *rest = wrapped(f"{spec.description}{guard}", room)
    return [
        f"  {keys or PALETTE_ONLY:<15}{spec.title:<20}{first}".rstrip(),
        *(f"{'':<{INDENT}}{line}" for line in rest),
    ]


def command_entries(width: int) -> list[Entry]:
    """Return what every rung, holder and command means: as a table where it fits, else as a list."""
    rows = [(row.name, *row.cells[: len(COMMANDS_COLUMNS) - 1]) for row in COMMANDS_TABLE]
    head = ("", *COMMANDS_COLUMNS[:-1])
    table = [tuple(row[index] for index in SHOWN) for row in (head, *rows)]
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    if sum(widths) > width:
        kinds = [row.kind.value for row in COMMANDS_TABLE]
        named = [(f"{row[0]} ({kind})", *row[1:]) for row, kind in zip(rows, kinds, strict=True)]
        return [Entry(EFFECTS, "\n".join(_listed(row, head, width))) for row in named]
    top, *aligned = ["".join(map(str.ljust, row, widths)).rstrip() for row in table]
    return [Entry(f"{EFFECTS}\n{top}", line) for line in aligned]


def shell_entries(width: int) -> list[Entry]:
    """Return what can be done without the screen."""
    return [
        Entry("From a shell", "\n".join(f"  {line}" for line in wrapped(text, width - 2))) for text in SHELL
    ]


def _listed(row: Sequence[str], head: Sequence[str], width: int) -> list[str]:
    facts = ", ".join(f"{head[index]} {row[index]}" for index in SHOWN[1:])
    return [row[0], *(f"  {line}" for line in wrapped(facts, width - 2))]


class HelpDialog(Dialog[None]):
    """A page to scroll and to search; Esc, ? or q closes it."""

    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,f1", "cancel", "Close", show=False),
        Binding("j", "page(1)", show=False),
        Binding("k", "page(-1)", show=False),
        Binding("slash", "search", show=False),
    ]

    def __init__(self, keys_of: Callable[[str], str], screen_width: int) -> None:
        super().__init__("Help", "↑↓ j k scroll · / search · Esc closes")
        width = min(WIDTH_MAX, screen_width - BOX)
        self._entries = [*key_entries(keys_of, width), *command_entries(width), *shell_entries(width)]

    def parts(self) -> ComposeResult:
        """Yield the page, and over it what is looked for once it is."""
        field = Field(id="search", placeholder="words that must be in it", compact=True)
        field.display = False
        yield field
        with VerticalScroll():
            yield say(page(self._entries), widget_id="page")

    def action_page(self, rows: int) -> None:
        """Scroll by rows."""
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_search(self) -> None:
        """Look for words."""
        field = self.query_one("#search", Input)
        field.display = True
        field.focus()

    def action_cancel(self) -> None:
        """Show the whole page again, or close it where it is shown."""
        field = self.query_one("#search", Input)
        if not field.display:
            self.dismiss(None)
            return
        field.value = ""
        field.display = False
        self.query_one(VerticalScroll).focus()

    @on(Input.Changed)
    def _searched(self, event: Input.Changed) -> None:
        self.query_one("#page", Static).update(words(page(self._entries, event.value)))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    @on(Input.Submitted)
    def _found(self) -> None:
        self.query_one(VerticalScroll).focus()
