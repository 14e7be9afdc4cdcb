"""The status row and the sentence under it, as functions of a frame: states are words, never colour alone."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

from engine.api import (
    HOLDERS,
    Hold,
    Holder,
    Mode,
    OrderRow,
    OrderState,
    Phase,
    RiskMode,
    Rung,
    Severity,
    Snapshot,
    StatusSection,
)
from tui.factrow import KEPT, Item, fit_items
from tui.feedwords import CONNECTED, feed_age, is_late, worst
from tui.formats import age, age_between, clean, clock, left, signed
from tui.limitwords import refusing_gates
from tui.panes.market import gain_style
from tui.panes.pane import Frame
from tui.panes.risk import FREED_BY, RISK_STYLE, RUNG_STYLE, holder_name
from tui.widgets.cells import Row, cells_of, cropped

MODE_STYLE = {Mode.LIVE: "danger!", Mode.DEMO: "armed!"}
PHASE_STYLE = {
    Phase.DISARMED: "text*",
    Phase.ARMED: "armed!",
    Phase.FLATTENING: "danger!",
    Phase.HALTED: "danger!",
    Phase.STOPPING: "warn!",
}


def status_row(frame: Frame, width: int) -> Row:
    """Return the row that is there at every size."""
    snapshot = frame.snapshot
    if snapshot is None:
        return cropped(((" TRADER-TUI ", "accent!"), ("  ", "text"), (clean(frame.waiting), "text*")), width)
    status = snapshot.status
    mode, phase = status.mode.value.upper(), status.phase.value.upper()
    items = [
        Item(((f" {mode} ", 60), (mode, KEPT)), MODE_STYLE.get(status.mode, "accent!"), rank=8),
        Item(((f" {phase} ", 61), (phase, KEPT)), PHASE_STYLE[status.phase], rank=9),
        _flag("PAUSED" if status.paused else "", "warn!", rank=2),
        _watching(frame),
        _flag(_alarms(snapshot), "danger!", rank=3),
        _flag(_unknown(snapshot), "danger!", rank=6),
        _risk_item(snapshot.status.risk_mode),
        Item(_rung_forms(snapshot), RUNG_STYLE[_lowest_rung(status)], rank=1),
        _feed_item(snapshot),
        _engine_item(frame),
        _position_item(snapshot),
        _day_item(snapshot.account.day_pnl),
        Item(((f"ord {_open_orders(snapshot)}", 88), ("", 0)), "text"),
        _reload_item(snapshot),
        Item(((f"{clock(status.now)}Z", 35), ("", 0)), "muted"),
    ]
    return fit_items(items, width)


def _risk_item(risk: RiskMode) -> Item:
    normal = risk is RiskMode.NORMAL
    forms = (("NORMAL", 40), ("", 0)) if normal else ((f"risk {risk.value.upper()}", KEPT),)
    return Item(forms, RISK_STYLE[risk], rank=4)


def _watching(frame: Frame) -> Item:
    """Say that this console only watches."""
    forms = ((" READ-ONLY ", 62), ("READ-ONLY", 91), ("R-O", KEPT)) if frame.read_only else (("", KEPT),)
    return Item(forms, "warn!", rank=2)


def _flag(text: str, style: str, *, rank: int) -> Item:
    """Return a badge that is there only while it means something; it then stays to the last."""
    return Item(((f" {text} ", 62), (text, KEPT)) if text else (("", KEPT),), style, rank)


def _alarms(snapshot: Snapshot) -> str:
    loud = sum(not alarm.acknowledged and alarm.severity is not Severity.INFO for alarm in snapshot.alarms)
    return f"ALARM {loud}" if loud else ""


def _unknown(snapshot: Snapshot) -> str:
    count = sum(order.state is OrderState.UNKNOWN for order in snapshot.orders)
    return f"UNKNOWN {count}" if count else ""


def _rung_forms(snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
    rung = snapshot.status.rung.name
    names = holder_names(snapshot)
    some = [holder_name(hold) for hold in _held_symbols(snapshot.status)]
    if some:
        many = f"rung {rung} but {len(some)} held"
        return (f"rung {rung} but {', '.join(some)}", 30), (many, KEPT)
    if not names:
        return (f"rung {rung}", 25), (rung, 90), ("", 0)
    first = names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")
    return (f"rung {rung} by {', '.join(names)}", 30), (f"rung {rung} by {first}", 42), (f"rung {rung}", KEPT)


def _held_symbols(status: StatusSection) -> list[Hold]:
    """Return what holds single symbols lower than everything is held."""
    return [hold for hold in status.holds if hold.symbol and hold.rung < status.rung]


def _lowest_rung(status: StatusSection) -> Rung:
    return min((status.rung, *(hold.rung for hold in _held_symbols(status))))


def holder_names(snapshot: Snapshot) -> list[str]:
    """Return who holds the rung in force, in words, each once."""
    status = snapshot.status
    held = [hold for hold in status.holds if hold.rung is status.rung] if status.rung < Rung.FULL else []
    return list(dict.fromkeys(holder_name(hold) for hold in held))


def _feed_item(snapshot: Snapshot) -> Item:
    if snapshot.status.data_ended:
        return Item((("feed ended", 70), ("", 0)), "stale*")
    if not snapshot.feeds:
        return Item((("feed -", 20), ("", 0)), "muted")
    feed = worst(snapshot.feeds)
    text = feed_age(feed)
    if feed.state != CONNECTED:
        forms = (f"feed {feed.state} {text}", 45), (f"feed {feed.state}", 50), ("feed DOWN", KEPT)
        return Item(forms, "stale*", rank=5)
    if is_late(feed):
        return Item(((f"feed STALE {text}", KEPT),), "stale*", rank=5)
    return Item(((f"feed {text}", 70), ("", 0)), "ok")


def _engine_item(frame: Frame) -> Item:
    if frame.lost:
        return Item(((" LINK LOST ", 64), ("LINK LOST", KEPT)), "danger!", rank=7)
    if frame.ended:
        return Item(((" ENGINE GONE ", 64), ("ENGINE GONE", KEPT)), "danger!", rank=7)
    if frame.stopped:
        text = f"eng SILENT {age(frame.silent_s)}"
        return Item(((f" {text} ", 64), (text, KEPT)), "danger!", rank=7)
    return Item((("eng ok", 65), ("", 0)), "ok")


def _position_item(snapshot: Snapshot) -> Item:
    count = sum(row.qty != 0 for row in snapshot.positions)
    gain = snapshot.account.unrealized
    style = gain_style(gain) if count else "text"
    return Item(((f"pos {count} {signed(gain)}", 55), (f"pos {count}", 92), ("", 0)), style)


def _day_item(gain: Decimal) -> Item:
    return Item(((f"day {signed(gain)}", 15), ("", 0)), gain_style(gain))


def _open_orders(snapshot: Snapshot) -> int:
    return sum(order.state.is_open for order in snapshot.orders)


def _reload_item(snapshot: Snapshot) -> Item:
    if not snapshot.reloads:
        return Item((("", KEPT),), "muted")
    generation = max(row.generation for row in snapshot.reloads)
    if any(row.failures for row in snapshot.reloads):
        return Item(((f"reload gen {generation} REJECTED", 43), ("reload REJECTED", 75), ("", 0)), "danger*")
    return Item(((f"reload gen {generation} ok", 10), (f"gen {generation} ok", 20), ("", 0)), "muted")


def attention_row(frame: Frame, width: int) -> Row:
    """Return the one sentence the operator should read now, and who runs on the right."""
    text, style = _sentence(frame)
    text = left(text, max(0, width - 1)).rstrip()
    snapshot, room = frame.snapshot, width - cells_of(text) - 1
    tail = "" if snapshot is None else clean(_who_runs(snapshot.status))
    tail = tail if cells_of(tail) < room else ""
    return ((f" {text}", style), (" " * max(0, room - cells_of(tail)), "text"), (tail, "muted"))


def _who_runs(status: StatusSection) -> str:
    return f"{', '.join(status.plays) or 'no play'} on {status.instance} "


def is_urgent(frame: Frame) -> bool:
    """Tell whether the sentence is about something that is wrong now."""
    snapshot = frame.snapshot
    return snapshot is None or frame.ended or frame.stopped or _urgent(snapshot, frame) is not None


def _sentence(frame: Frame) -> tuple[str, str]:
    snapshot = frame.snapshot
    if snapshot is None:
        return "", "muted"
    leaves = frame.key("shutdown")
    if frame.lost:
        return f"Connection lost; this is its last state. It may still trade. {leaves} leaves.", "danger*"
    if frame.ended:
        return f"The engine is gone; this is its last state. {leaves} leaves; then start it again.", "danger*"
    if frame.stopped:
        text = (
            f"Silent {age(frame.silent_s)}. It may still trade: `trader-tui status` or `trader-tui flatten` "
            "in a shell. What you see is that old."
        )
        return text, "danger*"
    return _urgent(snapshot, frame) or _held(snapshot, frame)


def _urgent(snapshot: Snapshot, frame: Frame) -> tuple[str, str] | None:
    status, flatten = snapshot.status, snapshot.flatten
    if status.phase is Phase.FLATTENING:
        left = f"cancels left {flatten.cancels_left}, positions left {flatten.positions_left}"
        return f"FLATTENING for {age_between(status.now, flatten.since)}: {flatten.step}, {left}", "danger*"
    if flatten.residual:
        where = frame.key("pane-5")
        return f"NOT FLAT: {len(flatten.residual)} left at the venue, see Risk ({where})", "danger*"
    unknown = [order for order in snapshot.orders if order.state is OrderState.UNKNOWN]
    if unknown:
        return _unknown_sentence(unknown, status.now), "danger*"
    loud = [a for a in snapshot.alarms if not a.acknowledged and a.severity is Severity.CRITICAL]
    if loud:
        return f"ALARM: {clean(loud[0].text)} ({frame.key('acknowledge')} quiets)", "danger*"
    return None


def _unknown_sentence(unknown: Sequence[OrderRow], now: int) -> str:
    oldest = age_between(now, min(order.created for order in unknown))
    symbols = ", ".join(sorted({order.symbol for order in unknown}))
    what = "1 order" if len(unknown) == 1 else f"{len(unknown)} orders"
    return f"{what} UNKNOWN for {oldest}: no new exposure on {symbols} until the venue answers"


def _held(snapshot: Snapshot, frame: Frame) -> tuple[str, str]:
    status = snapshot.status
    if status.phase is Phase.HALTED:
        key = frame.key("arm")
        flat = snapshot.flatten.step == "flat"
        how = "FLAT, as the venue showed, and halted" if flat else "Halted after a flatten"
        return f"{how}. To arm again, with a reason: {key}.", "danger*"
    if status.data_ended:
        return "The data has ended: nothing more is decided. Commands still work.", "warn"
    some = _held_symbols(status)
    if some:
        symbols = ", ".join(sorted({hold.symbol for hold in some}))
        kinds = ", ".join(sorted({hold.holder.value.replace("_", " ").upper() for hold in some}))
        lowest = _lowest_rung(status)
        way = _waits({hold.holder for hold in some}, frame)
        return f"No new positions on {symbols}: held at {lowest.name} by {kinds}{way}.", "warn"
    if status.rung is Rung.FULL:
        return _free(snapshot, frame)
    holders = {hold.holder for hold in status.holds if hold.rung is status.rung}
    freed = {FREED_BY.get(holder, "") for holder in holders} - {""}
    words = {"arm": "to arm", "pause": "to resume", "risk-mode": "to change the risk mode"}
    ways = ", ".join(f"{words[name]}: {frame.key(name)}" for name in sorted(freed))
    held = ", ".join(holder_names(snapshot)) or "nobody"
    way = f"; {ways}" if ways else _waits(holders, frame)
    return f"No new positions: held at {status.rung.name} by {held}{way}.", "warn"


def _free(snapshot: Snapshot, frame: Frame) -> tuple[str, str]:
    """Say what becomes of an entry: that nothing holds it back does not mean that it passes."""
    refusing = refusing_gates(snapshot)
    if not refusing:
        return "Armed and free: entries that pass the gates are sent.", "ok"
    gates = ", ".join(gate.name.upper() for gate in refusing)
    play = snapshot.status.plays[0] if snapshot.status.plays else "a play"
    return (
        f"Armed, but an entry of {play} would be refused now: {gates}; {frame.key('why')} tells more.",
        "warn",
    )


def _waits(holders: AbstractSet[Holder], frame: Frame) -> str:
    """Tell that nobody needs to do anything, and where to look meanwhile."""
    if not holders or any(HOLDERS[holder].latched for holder in holders):
        return ""
    outside = holders & {Holder.BREAKER, Holder.STALE}
    return f"; it frees itself, {frame.key('pane-8')} tells more" if outside else "; it frees itself"
