"""Help: every key, what each rung allows and what each command does. All of it from tables."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from engine.api import COMMANDS_COLUMNS, COMMANDS_TABLE
from tui.actions import ACTIONS, PANE_KEYS
from tui.actionspec import ActionSpec, Confirm, Group
from tui.panes.pane import wrapped
from tui.screens.dialog import Dialog, say

INDENT = 37  # where descriptions begin
WIDTH_MAX = 130
BOX = 8  # what the box and its scrollbar take of the screen
FIRST_PANE = "pane-1"
SHOWN = (0, 1, 3, 4, 5, 6, 7)  # the columns of the table of commands that help has room for


def keys_text(keys_of: Callable[[str], str], width: int) -> str:
    """Return the table of keys by group; long descriptions go on under themselves."""
    lines: list[str] = []
    for group in Group:
        lines.append(group.value)
        for spec in ACTIONS:
            if spec.group is group and (spec.id == FIRST_PANE or not spec.id.startswith("pane-")):
                lines += _key_lines(spec, keys_of(spec.id), width - INDENT)
        lines.append("")
    return "\n".join(lines).rstrip()


def _key_lines(spec: ActionSpec, keys: str, room: int) -> list[str]:
    if spec.id == FIRST_PANE:
        return [f"  {PANE_KEYS:<15}{'Go to a pane':<20}its number is in its title"]
    guard = f" ({spec.confirm.value})" if spec.confirm is not Confirm.NONE else ""
    first, *rest = wrapped(f"{spec.description}{guard}", room)
    return [f"  {keys:<15}{spec.title:<20}{first}".rstrip(), *(f"{'':<{INDENT}}{line}" for line in rest)]


def commands_text(width: int) -> str:
    """Return what every rung, holder and command means: a table where it fits, else a list."""
    rows = [(row.name, *row.cells[: len(COMMANDS_COLUMNS) - 1]) for row in COMMANDS_TABLE]
    head = ("", *COMMANDS_COLUMNS[:-1])
    table = [tuple(row[index] for index in SHOWN) for row in (head, *rows)]
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    if sum(widths) > width:
        return "\n".join(line for row in rows for line in _listed(row, head, width))
    aligned = ["".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in aligned)


def _listed(row: Sequence[str], head: Sequence[str], width: int) -> list[str]:
    facts = ", ".join(f"{head[index]} {row[index]}" for index in SHOWN[1:])
    return [row[0], *(f"  {line}" for line in wrapped(facts, width - 2))]


class HelpDialog(Dialog[None]):
    """A page to scroll; Esc, ? or q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,f1", "cancel", "Close", show=False),
        Binding("j", "page(1)", show=False),
        Binding("k", "page(-1)", show=False),
    ]

    def __init__(self, keys_of: Callable[[str], str], screen_width: int) -> None:
        super().__init__("Help", "↑↓ j k scroll · Esc closes")
        self._keys_of = keys_of
        self._width = min(WIDTH_MAX, screen_width - BOX)

    def parts(self) -> ComposeResult:
        """Yield the tables."""
        with VerticalScroll():
            yield say(keys_text(self._keys_of, self._width))
            yield say("Rungs, holders and commands: what becomes of entries, exits, orders and positions.")
            yield say(commands_text(self._width))
            yield say(
                "From a shell: trader-tui status | arm | disarm | pause | resume | flatten | stop | attach\n"
                "If the screen hangs: F12 F12 still flattens; so does `trader-tui flatten` elsewhere."
            )

    def action_page(self, rows: int) -> None:
        """Scroll by rows."""
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
