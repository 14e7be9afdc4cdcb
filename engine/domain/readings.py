"""What the rules of a play read on a bar, as data: conditions with their numbers, and what they lacked."""

import math

import msgspec


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition as it stood on a bar; `truth` is None where a number it needs was missing.

    A comparison has its two numbers, `and`, `or` and `not` have parts, anything else is only true or not.
    `gap` is how far a comparison is from turning, as a ratio of the larger of its numbers; None where that is
    no matter of distance.
    """

    text: str
    truth: bool | None
    left: float | None = None
    right: float | None = None
    gap: float | None = None
    joined_by: str = ""
    parts: tuple["Reading", ...] = ()


class RuleReading(msgspec.Struct, frozen=True):
    """A rule of a play as it stood on a bar."""

    name: str
    reading: Reading


class Miss(msgspec.Struct, frozen=True):
    """What stood between a rule and its signal: conditions that all had to turn.

    `gap` is the largest of theirs, None where one of them is no matter of distance.
    """

    rule: str
    lacking: tuple[Reading, ...]
    gap: float | None

    @property
    def rank(self) -> tuple[int, float]:
        """The smaller, the nearer: first by how many conditions lack, then by how far they are."""
        return len(self.lacking), math.inf if self.gap is None else self.gap
