"""Help: every key, what each rung allows and what each command does. All of it from tables."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.actions import ACTIONS, Confirm, Group
from tui.commands_table import COMMANDS, HEADINGS, RUNGS
from tui.screens.dialog import Dialog, say

COLUMN = 13


def keys_text(key_of: Callable[[str], str]) -> str:
    """Return the table of keys by group."""
    lines: list[str] = []
    for group in Group:
        lines.append(group.value)
        lines += [
            _key_line(spec.id, spec.title, spec.description, spec.confirm, key_of)
            for spec in ACTIONS
            if spec.group is group and not (spec.id.startswith("pane-") and spec.id != "pane-1")
        ]
        lines.append("")
    return "\n".join(lines)


def _key_line(
    action_id: str, title: str, description: str, confirm: Confirm, key_of: Callable[[str], str]
) -> str:
    if action_id == "pane-1":
        return f"  {'1 to 8':<14}{'Go to a pane':<20} Its number is in its title"
    guard = f" [{confirm.value}]" if confirm is not Confirm.NONE else ""
    return f"  {key_of(action_id):<14}{title:<20} {description}{guard}".rstrip()


def rungs_text() -> str:
    """Return the table of rungs and what each allows."""
    lines = ["".join(f"{word:<{COLUMN}}" for word in HEADINGS)]
    lines += ["".join(f"{word:<{COLUMN}}" for word in row) for row in RUNGS]
    return "\n".join(lines)


def commands_text() -> str:
    """Return what each command does."""
    return "\n".join(f"  {name:<11}{text}" for name, text in COMMANDS)


class HelpDialog(Dialog[None]):
    """A page to scroll; Esc, ? or q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,f1", "cancel", "Close", show=False),
        Binding("j", "page(1)", show=False),
        Binding("k", "page(-1)", show=False),
    ]

    def __init__(self, key_of: Callable[[str], str]) -> None:
        super().__init__("Help", "↑↓ j k scroll · Esc closes")
        self._key_of = key_of

    def parts(self) -> ComposeResult:
        """Yield the tables."""
        with VerticalScroll():
            yield say(keys_text(self._key_of))
            yield say(f"What a rung allows: the lowest one held counts\n{rungs_text()}")
            yield say(f"Commands\n{commands_text()}")
            yield say(
                "From a shell: trader-tui status | arm | disarm | pause | resume | flatten | stop | attach\n"
                "If the screen hangs: F12 F12 still flattens; so does `trader-tui flatten` elsewhere."
            )

    def action_page(self, rows: int) -> None:
        """Scroll by rows."""
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
