"""Bars that a real machine explained, for screens."""

from engine.api import WhyReply
from engine.core.inquiry import explain_bars, inquire
from tests.builders import World


def why_reply(*closes: float) -> WhyReply:
    """Return the explanation of some bars of one play that trades on levels."""
    world = World()
    world.bars(*(closes or (100.0, 109.5, 101.0)))
    inquiry = inquire(world.machine, "", world.now)
    assert inquiry is not None
    return WhyReply(1, explain_bars(inquiry, last=100))
