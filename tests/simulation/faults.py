"""What may go wrong, drawn from a seed: each kind has a stream of its own, so that one may be left out."""

import random
from enum import StrEnum


class Kind(StrEnum):
    """A kind of fault that a simulation can do without."""

    LOSS = "loss"  # of answers and of requests
    DELAY = "delay"
    DUPLICATES = "duplicates"
    REFUSALS = "refusals"  # by rate limits and the like, and incomplete reports
    DISCONNECTS = "disconnects"
    VENUE_RESTARTS = "venue restarts"
    CRASHES = "crashes"
    POWER_CUTS = "power cuts"
    DISK_FULL = "disk full"
    OPERATOR = "operator"
    HANDS = "hands"  # somebody trades the account's instruments beside us
    RELOADS = "reloads"  # a play is edited while it runs


class Chance:
    """All randomness of one seed. A kind that is left out never happens."""

    def __init__(self, seed: int, without: frozenset[Kind] = frozenset()) -> None:
        self.seed, self.without = seed, without
        # Seeded with text: the same in every process, whatever PYTHONHASHSEED says.
        self._streams = {name: random.Random(f"{seed}/{name}") for name in (*Kind, "market", "work")}

    def of(self, name: str) -> random.Random:
        """Return the stream of a kind of fault, of the market or of how long work takes."""
        return self._streams[name]

    def happens(self, kind: Kind, probability: float) -> bool:
        """Draw whether something happens now; a kind that is left out draws all the same."""
        drawn = self._streams[kind].random() < probability
        return drawn and kind not in self.without
