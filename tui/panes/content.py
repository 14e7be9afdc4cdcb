"""What a pane is given to draw, and what it wants to show."""

import msgspec

from engine.api import Snapshot
from tui.actions import BY_ID
from tui.widgets.cells import Row

STOPPED_AFTER_S = 2.0


class Frame(msgspec.Struct, frozen=True):
    """One frame's input.

    `silent_s` is how long ago the last snapshot came; `waiting` says why there is none.
    """

    snapshot: Snapshot | None
    silent_s: float = 0.0
    waiting: str = "connecting to the engine ..."
    ended: bool = False  # the engine said goodbye or vanished, or the connection to it broke
    keys: tuple[tuple[str, str], ...] = ()  # action id and the name of its key, for the texts of empty panes
    lost: bool = False  # only the connection is known to be gone
    read_only: bool = False  # another console has control, or none has
    sparklines: bool = True  # whether the line has bytes to spare for them
    plain_glyphs: bool = False  # whether charts are to be drawn in ASCII
    letters: tuple[tuple[str, str], ...] = ()  # panes and what goes to them, while a letter is awaited
    hint: str = ""  # what keys mean for the moment, where they are no actions

    def key(self, action_id: str) -> str:
        """Return the name of an action's key; of what has every action where the user took its key away.

        A console that only watches takes control before it commands.
        """
        keys = dict(self.keys)
        key = keys.get(action_id) or "the palette"
        if self.read_only and BY_ID[action_id].needs_control:
            return f"{keys.get('take-control') or 'the palette'}, then {key}"
        return key

    @property
    def stopped(self) -> bool:
        """Whether the engine has been silent for too long."""
        return self.silent_s >= STOPPED_AFTER_S


class Content(msgspec.Struct, frozen=True):
    """What a pane wants to show. `age_s` is that of its newest data, None where age has no meaning."""

    rows: tuple[Row, ...]
    header: Row = ()
    summary: tuple[Row, ...] = ()
    details: tuple[str, ...] = ()  # what to say of each row while it is selected
    age_s: float | None = None
    stopped: str = ""  # why this pane's own data stopped, in words
    empty: tuple[str, ...] = ()
    title_note: str = ""
    title_hint: str = ""  # which keys change what is shown; said where there is room
    items: tuple[object, ...] = ()  # what each row is of, where the pane's list can be filtered
