"""Answers why a bar led to an order or to none, for a console and for a shell."""

import asyncio

from engine.core.inquiry import explain_bars, inquire
from engine.core.machine import Machine
from engine.runtime.protocol import WhyReply, WhyRequest


async def answer_why(machine: Machine, request: WhyRequest, now: int) -> WhyReply:
    """Gather what the machine knows now, and evaluate older bars anew in a thread."""
    inquiry = inquire(machine, request.play, now)
    if inquiry is None:
        names = ", ".join(runner.binding.spec.name for runner in machine.trading.runners) or "none"
        return WhyReply(request.id, text=f"no play {request.play!r} runs; there are: {names}")
    bars = await asyncio.to_thread(explain_bars, inquiry, last=request.last, at=request.at)
    if bars:
        return WhyReply(request.id, bars)
    name, kept = inquiry.binding.spec.name, len(inquiry.window)
    if kept and request.at:
        return WhyReply(request.id, text=f"{name}: that bar is older than the {kept} bars that are kept")
    return WhyReply(request.id, text=f"{name} has seen no closed bar yet")
