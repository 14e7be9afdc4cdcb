"""The limits in force: every part of the core reads them here, so that they can change between two events."""

import msgspec

from engine.domain.calendar import Calendar
from engine.domain.limits import Limits


class Proposal(msgspec.Struct, frozen=True):
    """What a changed file asks for that loosens something: it waits for a person who names its id."""

    id: str
    limits: Limits
    calendar: Calendar


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """The limits as a checkpoint holds them."""

    limits: Limits = Limits()
    calendar: Calendar = ()
    proposal: Proposal | None = None


class Policy:
    """Holds the limits and the calendar in force, and what waits for a person."""

    def __init__(self, limits: Limits, calendar: Calendar = ()) -> None:
        self.limits, self.calendar = limits, calendar
        self.proposal: Proposal | None = None

    def state(self) -> PolicyState:
        """Return all that a checkpoint needs."""
        return PolicyState(limits=self.limits, calendar=self.calendar, proposal=self.proposal)

    def restore(self, state: PolicyState) -> None:
        """Take up a checkpoint's state."""
        self.limits, self.calendar, self.proposal = state.limits, state.calendar, state.proposal
