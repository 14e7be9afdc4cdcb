"""`status --watch`: one line a change, for a second terminal, a pipe, or a screen reader."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TextIO

import msgspec

from engine.api import Link, OrderState, PositionRow, Severity, Snapshot
from tui.feedwords import CONNECTED, is_late
from tui.folding import folded
from tui.formats import clean, clock, quantity
from tui.statuswords import status_facts

LOST_CODE = 1


def watch(reach: Callable[[], Awaitable[Link]], out: TextIO, err: TextIO, *, as_json: bool) -> int:
    """Print changes until the engine ends; return its exit code, 1 where it vanished, 130 after Ctrl-C."""

    async def follow() -> int:
        link = await reach()
        try:
            return await tell_changes(link, out, err, as_json=as_json)
        finally:
            await link.close()

    try:
        return asyncio.run(follow())
    except KeyboardInterrupt:
        return 130


async def tell_changes(link: Link, out: TextIO, err: TextIO, *, as_json: bool) -> int:
    """Print a line whenever what it says is new; with `as_json` all facts of that moment as one object."""
    told = ""
    async for snapshot in link.snapshots():
        said = change_line(snapshot)
        if said == told:
            continue
        told = said
        facts = msgspec.json.encode(status_facts(snapshot, link.hello.pid)).decode() if as_json else ""
        line = facts or folded(f"{clock(snapshot.status.now)}Z {said}", out)
        out.write(f"{line}\n")
        out.flush()
    goodbye = link.goodbye
    text = goodbye.text or "the engine has ended" if goodbye else "the engine vanished without a word"
    err.write(f"{text}\n")
    return goodbye.exit_code if goodbye is not None else LOST_CODE


def change_line(snapshot: Snapshot) -> str:
    """Return the state in words, without what changes all the time: prices, gains and ages."""
    at = snapshot.status
    parts = [
        f"{at.mode.value} {at.phase.value}{', paused' if at.paused else ''}",
        f"risk {at.risk_mode.value}",
        f"rung {at.rung.name}{_held_by(snapshot)}",
        f"feed {_feed(snapshot)}",
        f"positions {_positions(snapshot)}",
        f"orders {_orders(snapshot)}",
        f"alarms {_alarms(snapshot)}",
    ]
    if at.phase.value == "flattening" or snapshot.flatten.residual:
        flat = snapshot.flatten
        parts.append(f"flatten {flat.step}, {flat.cancels_left} to cancel, {flat.positions_left} to close")
    return "; ".join(parts)


def _held_by(snapshot: Snapshot) -> str:
    held = [f"{hold.holder.value} {hold.symbol}".strip() for hold in snapshot.status.holds]
    return f" by {', '.join(held)}" if held else ""


def _feed(snapshot: Snapshot) -> str:
    if snapshot.status.data_ended:
        return "ended"
    if not snapshot.feeds:
        return "none"
    bad = [feed for feed in snapshot.feeds if feed.state != CONNECTED]
    if bad:
        return ", ".join(f"{feed.name} {feed.state}" for feed in bad)
    late = [feed.name for feed in snapshot.feeds if is_late(feed)]
    return f"stale: {', '.join(late)}" if late else "ok"


def _positions(snapshot: Snapshot) -> str:
    held = [
        f"{row.symbol} {'+' if row.qty > 0 else ''}{quantity(row.qty)}{_unprotected(row)}"
        for row in snapshot.positions
        if row.qty
    ]
    return ", ".join(held) or "none"


def _unprotected(row: PositionRow) -> str:
    """Say what no stop that the venue confirmed protects."""
    if row.at_stop is None:
        return " NOT PROTECTED"
    return f" NOT PROTECTED {quantity(row.bare)}" if row.bare else ""


def _orders(snapshot: Snapshot) -> str:
    count = sum(order.state.is_open for order in snapshot.orders)
    unknown = sum(order.state is OrderState.UNKNOWN for order in snapshot.orders)
    return f"{count} open" + (f", {unknown} UNKNOWN" if unknown else "")


def _alarms(snapshot: Snapshot) -> str:
    loud = [alarm for alarm in snapshot.alarms if not alarm.acknowledged]
    loud = [alarm for alarm in loud if alarm.severity is not Severity.INFO]
    worst = max(loud, key=lambda alarm: list(Severity).index(alarm.severity), default=None)
    return f"{len(loud)}: {clean(worst.text)}" if worst is not None else "none"
