"""What an action of the console is."""

from enum import StrEnum

import msgspec

from engine.api import Action


class Group(StrEnum):
    """Where an action stands in the help screen."""

    CONTROL = "Control"
    PANES = "Panes"
    LAYOUT = "Layout"
    CONSOLE = "Console"


class Confirm(StrEnum):
    """What stands between the key and the deed."""

    NONE = "at once"
    TWICE = "the key twice within 2 s"
    DIALOG = "dialog"
    TYPED = "typed name"


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One action. `footer` orders the footer (0 keeps it out); `always` works inside dialogs too."""

    id: str
    keys: tuple[str, ...]
    title: str
    description: str
    group: Group
    footer: int = 0
    confirm: Confirm = Confirm.NONE
    engine: Action | None = None
    always: bool = False
    palette: bool = True
    everybody: bool = False  # for consoles that only watch, too

    @property
    def needs_control(self) -> bool:
        """Whether only the console that has control may do it."""
        return self.engine is not None and not self.everybody
