"""What can become of entries, exits, orders and positions, in the words of the table of commands."""

from enum import StrEnum

import msgspec

from engine.domain.events import Action
from engine.domain.modes import Holder, Rung


class Entries(StrEnum):
    """What becomes of a signal that would open a position."""

    GATED = "if the gates pass"
    VETOED = "no"


class Increases(StrEnum):
    """Whether an open position may grow: plays never add to one, but what is left of an entry fills on."""

    REST_OF_ENTRY = "rest of an entry"
    NONE = "no"


class Exits(StrEnum):
    """What becomes of a play's own signal to close; stops and targets at the venue are `Protective`."""

    SENT = "on fresh data"
    VETOED = "no"


class EntryOrders(StrEnum):
    """What becomes of entry orders that rest at the venue."""

    REST = "rest"
    CANCELED = "canceled"


class Protective(StrEnum):
    """What becomes of stops and targets."""

    KEPT_UP = "kept up"
    NOT_PLACED = "none placed"
    CANCELED_LAST = "canceled last"


class Positions(StrEnum):
    """What becomes of open positions."""

    KEPT = "kept"
    CLOSED = "closed"


class Restart(StrEnum):
    """What a restart of the engine makes of it."""

    DISARMS = "starts disarmed"  # unless started with --arm
    AS_ITS_HOLDERS = "as its holders"
    HELD = "still held"
    AFRESH = "looked at afresh"
    GOES_ON = "goes on"
    OVER = "over"
    STAYS_FREE = "stays free"


class Confirmation(StrEnum):
    """What the operator is asked for in the console; the command line asks for names and reasons only."""

    NONE = "none"
    NAME = "typed name; after a halt a reason, too"
    TWICE = "the key twice within 2 s"
    DIALOG = "dialog"
    REASON = "dialog, reason"
    COOL_DOWN = "dialog, reason, cool-down"
    NAME_AND_REASON = "dialog, typed name, reason"
    SHELL_REASON = "command line only: reason"
    LAST_FOUR = "command line only: the id's last four characters, reason"


class RowKind(StrEnum):
    """What a row is about."""

    RUNG = "rung"
    HOLDER = "holder"
    COMMAND = "command"


class Effects(msgspec.Struct, frozen=True):
    """The cells that follow from the rung."""

    entries: Entries
    increases: Increases
    exits: Exits
    entry_orders: EntryOrders
    protective: Protective
    positions: Positions


COLUMNS = (
    "new entries",
    "increases",
    "play exits",
    "resting entry orders",
    "protective orders",
    "positions",
    "after a restart",
    "confirmation",
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `takes` and `frees` are what a command does to the ladder."""

    kind: RowKind
    name: str
    about: str
    rung: Rung
    effects: Effects
    restart: Restart
    confirmation: Confirmation = Confirmation.NONE
    symbol_only: bool = False  # it is about one symbol, not about everything
    action: Action | None = None
    argument: str = ""
    takes: tuple[Holder, ...] = ()
    frees: tuple[Holder, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """The row under `COLUMNS`, in words."""
        return (*(str(value) for value in msgspec.structs.astuple(self.effects)), self.restart, self.asked)

    @property
    def asked(self) -> str:
        """The confirmation in words, empty for what is not a command."""
        return self.confirmation.value if self.kind is RowKind.COMMAND else ""
