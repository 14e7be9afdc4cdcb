"""How near each limit that latches a risk mode is: read from the machine for a screen, changing nothing."""

from collections.abc import Callable

from engine.core.machine import Machine
from engine.core.risksection import CauseRow, LimitRow, RiskSection
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S
from engine.domain.money import money
from engine.risk.causes import CAUSES, CauseRule, RiskCause


def risk_section(machine: Machine, now: int) -> RiskSection:
    """Return how near the limits are."""
    ledger, policy = machine.ledger, machine.policy
    reserve, proposal = ledger.capital.reserve, policy.proposal
    pending = machine.limits_desk.pending_after(proposal.limits, proposal.calendar) if proposal else ()
    since = {latched.cause: latched.since for latched in machine.authority.operator.causes}
    return RiskSection(
        causes=tuple(_row(machine, cause, rule, since.get(cause, 0), now) for cause, rule in CAUSES.items()),
        trading_capital=money(ledger.equity()) - reserve,
        reserve=reserve,
        reserve_percent=ledger.capital.reserve_percent,
        blackouts=machine.risk.blackout.rows(now),
        pending=tuple(LimitRow(change.setting, change.now, change.wanted) for change in pending),
        pending_id=proposal.id if proposal else "",
        stopped=tuple(" ".join(key) for key in machine.risk.pace.stopped),
    )


def _row(machine: Machine, cause: RiskCause, rule: CauseRule, since: int, now: int) -> CauseRow:
    value, limit = _MEASURES[cause](machine, now), _limit(machine, cause)
    used = value / limit if value is not None and limit else -1.0
    return CauseRow(cause.value, rule.mode, _written(value, rule), _written(limit, rule), used, since)


def _limit(machine: Machine, cause: RiskCause) -> float | None:
    if cause is RiskCause.OUTAGE:
        return machine.setup.breaker.outage_latch_s
    setting = CAUSES[cause].setting
    limit = getattr(machine.policy.limits, setting) if setting in Limits.__struct_fields__ else None
    return None if limit is None else float(limit)


# By a table: the values of most causes are one call each.
_MEASURES: dict[RiskCause, Callable[[Machine, int], float | None]] = {
    RiskCause.DAILY_LOSS: lambda machine, _: max(0.0, -machine.ledger.day_pnl()),
    RiskCause.DRAWDOWN: lambda machine, _: machine.risk.losses.drawdown_percent(machine.ledger.equity()),
    RiskCause.LOSSES_IN_A_ROW: lambda machine, _: float(machine.ledger.capital.losses_in_a_row),
    RiskCause.SLIPPAGE: lambda machine, _: machine.risk.watch.slippage_bps(),
    RiskCause.REJECTS: lambda machine, _: machine.risk.watch.reject_percent(),
    RiskCause.RETRIES: lambda machine, now: float(machine.risk.watch.retries(now)),
    RiskCause.UNKNOWN_ORDER: lambda machine, now: machine.risk.watch.unknown_s(now),
    RiskCause.STALE_DATA: lambda machine, now: machine.risk.watch.silence_s(now),
    RiskCause.RECONCILE_LAG: lambda machine, now: machine.risk.watch.lag_s(now),
    RiskCause.CLOCK_OFFSET: lambda machine, _: abs(machine.risk.watch.clock_offset_ms),
    RiskCause.OUTAGE: lambda machine, now: (now - machine.channels.gone_since(now)) / NS_PER_S,
    RiskCause.AUTH: lambda _machine, _now: None,
    RiskCause.MODEL_DEMOTION: lambda _machine, _now: None,
}


def _written(value: float | None, rule: CauseRule) -> str:
    if value is None:
        return "-"
    digits = {"%": 1, "bps": 1, "": 2}.get(rule.unit, 0)
    return f"{value:.{digits}f}".removesuffix(".00") + rule.unit
