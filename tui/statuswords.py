"""What `trader-tui status` prints, for scripts and for people."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.api import BREAKER_WORDS, BreakerRow, FeedRow, OrderRow, Phase, Rung, Snapshot, VenueSection
from tui.formats import age, age_between, clean, duration, money, percent, price, quantity, signed
from tui.limitwords import blackout_words, cause_name, nearest, refusing_gates, used_words
from tui.modelwords import model_words
from tui.pricedigits import price_digits


def status_facts(snapshot: Snapshot, pid: int) -> dict[str, Any]:
    """Return what `status --json` prints."""
    at = snapshot.status
    health = snapshot.health
    return {
        "mode": at.mode.value,
        "instance": at.instance,
        "phase": at.phase.value,
        "armed": at.phase is Phase.ARMED,
        "paused": at.paused,
        "risk_mode": at.risk_mode.value,
        "rung": at.rung.name,
        "holders": [msgspec.to_builtins(hold) for hold in at.holds],
        "dead_man_s": at.dead_man_s,
        "in_control": at.in_control_name,
        "plays": list(at.plays),
        "account": msgspec.to_builtins(snapshot.account),
        "positions": [msgspec.to_builtins(p) for p in snapshot.positions if p.qty != 0],
        "orders": [msgspec.to_builtins(o) for o in snapshot.orders if o.state.is_open],
        "alarms": [msgspec.to_builtins(alarm) for alarm in snapshot.alarms],
        "flatten": msgspec.to_builtins(snapshot.flatten),
        "feeds": [msgspec.to_builtins(feed) for feed in snapshot.feeds],
        "risk": msgspec.to_builtins(snapshot.risk),
        "open_risk": msgspec.to_builtins(snapshot.open_risk),
        "breakers": [msgspec.to_builtins(breaker) for breaker in snapshot.breakers],
        "venue": msgspec.to_builtins(snapshot.venue),
        "hot_reload": [msgspec.to_builtins(row) for row in snapshot.reloads],
        "models": [msgspec.to_builtins(row) for row in snapshot.models],
        "latency": {
            "p50_ms": health.latency_p50_ms,
            "p99_ms": health.latency_p99_ms,
            "p999_ms": health.latency_p999_ms,
        },
        "health": msgspec.to_builtins(health),
        "uptime_s": health.uptime_s,
        "pid": pid,
    }


def status_lines(snapshot: Snapshot, pid: int, socket: str = "") -> Iterator[str]:
    """Yield what `status` prints for people: one line a subject, several where there are several things."""
    at, account, health = snapshot.status, snapshot.account, snapshot.health
    paused = ", paused" if at.paused else ""
    yield _row("engine", f"{at.mode.value}, {at.phase.value}{paused}, risk mode {at.risk_mode.value}")
    holders = ", ".join(f"{hold.holder.value} {hold.symbol}".strip() for hold in at.holds)
    yield _row("rung", at.rung.name + (f", held by {holders}" if holders else ""))
    refusing = refusing_gates(snapshot)
    if refusing and at.rung is Rung.FULL:
        gates = ", ".join(f"{gate.name} ({gate.value}, limit {gate.limit})" for gate in refusing)
        yield _row("entries", f"of {', '.join(at.plays[:1]) or 'a play'} would be refused now by {gates}")
    if at.dead_man_s:
        yield _row(
            "dead-man", f"after {at.dead_man_s:g} s, renewed {age_between(at.now, at.dead_man_renewed)} ago"
        )
    yield _row("instance", f"{at.instance}, pid {pid}, up {duration(health.uptime_s)}")
    yield from _reached_by(at.in_control_name, socket)
    yield _row("plays", ", ".join(at.plays) or "none")
    yield _row(
        "account",
        f"{money(account.equity)} {account.currency}, day {signed(account.day_pnl)}, "
        f"drawdown {percent(account.drawdown)}, {account.fills} fills, {account.trades} trades",
    )
    yield from _rows("positions", _position_words(snapshot))
    yield from _rows("orders", [_order_words(o) for o in snapshot.orders if o.state.is_open])
    yield _row("risk", _open_risk_words(snapshot))
    yield _row("limits", _limit_words(snapshot))
    if snapshot.risk.blackouts:
        yield from _rows("blackout", [blackout_words(row, at.now) for row in snapshot.risk.blackouts])
    yield from _rows("alarms", [f"{alarm.severity.value} {alarm.text}" for alarm in snapshot.alarms])
    yield from _engine_lines(snapshot)


def _engine_lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield how the lines to the venue are, what a flatten came to, and how fast the engine is."""
    health = snapshot.health
    yield from _rows("feeds", [_feed_words(feed) for feed in snapshot.feeds])
    if snapshot.breakers:
        yield from _rows("channels", [_breaker_words(row) for row in snapshot.breakers])
    if snapshot.venue.name:
        yield from _rows("venue", list(_venue_words(snapshot.venue, snapshot.status.now)))
    yield _row("flatten", _flatten_words(snapshot))
    yield from _rows(
        "reload", [f"{row.play} generation {row.generation}, {row.result}" for row in snapshot.reloads]
    )
    if snapshot.models:
        yield from _rows("models", [f"{row.play}: {model_words(row)}" for row in snapshot.models])
    yield _row(
        "latency",
        f"p50 {health.latency_p50_ms:.2f} ms, p99 {health.latency_p99_ms:.2f} ms, "
        f"p99.9 {health.latency_p999_ms:.2f} ms",
    )


def _reached_by(console: str, socket: str) -> Iterator[str]:
    """Say which console commands, and where others reach the engine."""
    if console:
        yield _row("control", console)
    if socket:
        yield _row("socket", socket)


def _order_ids(order: OrderRow) -> str:
    """Return the id to act by, and the one to find it by at the venue."""
    return f"{order.client_id} ({order.venue_id} at the venue)" if order.venue_id else order.client_id


def _position_words(snapshot: Snapshot) -> list[str]:
    digits = price_digits(snapshot)
    return [
        f"{p.symbol} {quantity(p.qty)} at {price(p.entry_price, digits.get(p.symbol))} ({p.play}), "
        f"open P&L {signed(p.unrealized)}"
        for p in snapshot.positions
        if p.qty != 0
    ]


def _order_words(row: OrderRow) -> str:
    left = quantity(row.qty - row.filled_qty)
    at = quantity(row.price) if row.price is not None else ""
    return (
        f"{row.symbol} {row.side.value} {left} {row.kind.value} {at} {row.role.value} "
        f"{row.state.value} {_order_ids(row)}"
    )


def _open_risk_words(snapshot: Snapshot) -> str:
    """Say what equity loses if the stops fill, and what no stop protects."""
    risk, currency = snapshot.open_risk, snapshot.account.currency
    words: list[str] = []
    if risk.bare_positions < risk.positions or risk.worst:
        words.append(f"if every stop fills {signed(risk.worst)} {currency} ({percent(risk.worst_ratio)})")
    if risk.bare_positions:
        words.append(f"NOT PROTECTED {money(risk.bare_notional)} {currency} in {risk.bare_positions}")
    if risk.unknown:
        oldest = age_between(snapshot.status.now, risk.unknown_since)
        words.append(f"UNKNOWN orders {risk.unknown}, the oldest for {oldest}")
    return ", ".join(words) or "none, all flat"


def _limit_words(snapshot: Snapshot) -> str:
    """Name what latched the risk mode, else the nearest limit, and what waits for a person."""
    risk = snapshot.risk
    latched = [f"{cause_name(row)} latched" for row in risk.causes if row.latched]
    near = [row for row in nearest(risk)[:1] if row.used >= 0 and not latched]
    words = latched or [f"nearest: {cause_name(row)} {used_words(row)} of {row.limit}" for row in near]
    if risk.pending:
        words.append(f"{len(risk.pending)} looser wait for `trader-tui limits accept`")
    return ", ".join(words) or "none set"


def _feed_words(feed: FeedRow) -> str:
    old = "no data yet" if feed.age_ms < 0 else f"{age(feed.age_ms / 1000)} old"
    again = "" if not feed.reconnects else f"connected {feed.reconnects + 1} times"
    broken = f"last error: {feed.error}" if feed.error else ""
    return ", ".join(part for part in (f"{feed.name} {feed.state}", old, again, feed.text, broken) if part)


def _breaker_words(row: BreakerRow) -> str:
    failures = f", {row.failures} failures of late, the last: {row.text}" if row.failures else ""
    return f"{row.venue} {row.channel.value} {BREAKER_WORDS[row.state]}{failures}"


def _venue_words(venue: VenueSection, now: int) -> Iterator[str]:
    offset = venue.clock_offset_ms
    clock = "" if offset is None else f", its clock minus ours {offset:+.0f} ms"
    old = f" {age_between(now, venue.last_error_at)} ago" if venue.last_error_at else ""
    yield f"{venue.name}{clock}" + (f", last error{old}: {venue.last_error}" if venue.last_error else "")
    if venue.budget_flaw:
        yield f"the rate budget counts this engine alone: {venue.budget_flaw}"
    for row in venue.budgets:
        yield f"{row.name} {row.used} of {row.count} in {row.window_s:g} s"


def _flatten_words(snapshot: Snapshot) -> str:
    at = snapshot.flatten
    return "; ".join((at.step or "never asked for", *at.residual))


def _rows(name: str, items: Sequence[str]) -> Iterator[str]:
    for index, item in enumerate(items or ("none",)):
        yield _row("" if index else name, item)


def _row(name: str, text: str) -> str:
    return f"{name:<10} {' '.join(clean(text).split())}"
