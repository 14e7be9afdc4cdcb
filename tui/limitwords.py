"""Limits in words: how near each is, the calendar's countdown, what was put aside and what waits."""

from collections.abc import Iterator

from engine.api import BlackoutRow, CauseRow, GateRow, GateStatus, RiskSection, Snapshot
from tui.formats import clean, clock, duration, money

NS_PER_S = 1_000_000_000
LABEL = 16


def limit_lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield what `limits show` prints: causes, the nearest first, capital, calendar, and what waits."""
    risk = snapshot.risk
    yield f"{'cause':<{LABEL}}{'value':>10}{'limit':>10}{'used':>7}  latches"
    for row in nearest(risk):
        latched = f", latched {clock(row.latched)}Z" if row.latched else ""
        limit = row.limit if row.used >= 0 or row.limit != "-" else "none"
        yield (
            f"{cause_name(row):<{LABEL}}{row.value:>10}{limit:>10}{used_words(row):>7}"
            f"  {row.mode.value}{latched}"
        )
    yield ""
    yield f"{'gate':<{LABEL}}{'value':>18}{'limit':>18}  now"
    for gate in snapshot.gates:
        yield f"{gate.name:<{LABEL}}{gate.value:>18}{gate.limit:>18}  {gate.status.value}"
    yield ""
    yield f"trading capital {money(risk.trading_capital)}, put aside {capital_words(risk)}"
    for window in risk.blackouts:
        yield f"blackout {blackout_words(window, snapshot.status.now)}"
    for stopped in risk.stopped:
        enable = f"trader-tui limits enable {clean(stopped.rsplit(' ', 2)[0])} --reason WHY"
        yield f"stopped: {clean(stopped)} entered too often: {enable}"
    for change in risk.pending:
        yield f"waits: {change.setting} {clean(change.now)} -> {clean(change.wanted)}"
    if risk.pending:
        yield "what waits is let in by: trader-tui limits accept --reason WHY"


def refusing_gates(snapshot: Snapshot) -> tuple[GateRow, ...]:
    """Return the gates that would refuse an entry of the first play now."""
    return tuple(gate for gate in snapshot.gates if gate.status is GateStatus.VETO)


def nearest(risk: RiskSection) -> tuple[CauseRow, ...]:
    """Return the causes, latched ones first, then the nearest to their limits."""
    return tuple(sorted(risk.causes, key=lambda row: (not row.latched, -row.used)))


def cause_name(row: CauseRow) -> str:
    """Name a cause in words."""
    return row.cause.replace("_", " ")


def used_words(row: CauseRow) -> str:
    """Write how far a value is on its way to its limit, in percent."""
    return "-" if row.used < 0 else f"{min(row.used, 9.99) * 100:.0f}%"


def capital_words(risk: RiskSection) -> str:
    """Write what was put aside, and of what."""
    return f"{money(risk.reserve)} ({risk.reserve_percent.normalize():f}% of profits)"


def blackout_words(window: BlackoutRow, now: int) -> str:
    """Write a window with its countdown."""
    whom = "" if not window.symbols else f" {' '.join(clean(symbol) for symbol in window.symbols)}"
    if window.begins <= now < window.ends:
        return f"{clean(window.name)}{whom}: ends in {duration((window.ends - now) / NS_PER_S)}"
    lasts = duration((window.ends - window.begins) / NS_PER_S)
    return f"{clean(window.name)}{whom}: in {duration((window.begins - now) / NS_PER_S)}, for {lasts}"
