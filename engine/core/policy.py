"""The limits in force: every part of the core reads them here, so that they can change between two events."""

from engine.domain.limits import Limits


class Policy:
    """Holds the limits in force."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
