"""Who decides, and what is to be said of a reason code."""

from enum import StrEnum

import msgspec


class Layer(StrEnum):
    """Who decided."""

    OPERATOR = "operator"
    RISK = "risk"
    SIZING = "sizing"
    EXECUTION = "execution"
    VENUE = "venue"
    STORAGE = "storage"


class ReasonFacts(msgspec.Struct, frozen=True):
    """What a code means and what a trader can do about it."""

    layer: Layer
    meaning: str
    remedy: str
