"""Vetoes: something that was not done, with the code that says why."""

import msgspec

from engine.domain.layers import Layer
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS


class Veto(msgspec.Struct, frozen=True):
    """Something that was not done, with the whole why."""

    ts: int
    cycle_id: str
    layer: Layer
    reason: Reason
    values: dict[str, str]
    play: str = ""
    symbol: str = ""

    @property
    def text(self) -> str:
        """The code and its values in one line."""
        return " ".join([self.reason.value, *(f"{key}={value}" for key, value in self.values.items())])


def veto(
    reason: Reason, *, ts: int, cycle_id: str, play: str = "", symbol: str = "", **values: object
) -> Veto:
    """Build a veto; its layer is the reason's own."""
    texts = {key: str(value) for key, value in values.items()}
    return Veto(ts, cycle_id, REASONS[reason].layer, reason, texts, play, symbol)
