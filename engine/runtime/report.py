"""What a run over a tape came to: the object that backtest and replay both print."""

import msgspec

from engine.core.machine import Machine
from engine.core.snapshot import ModelRow
from engine.domain.money import canonical


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one run. Money as decimal text, `max_drawdown` a ratio of the peak, times in seconds."""

    play: str
    data: tuple[str, ...]
    bars: int  # that the plays were evaluated on
    events: int
    signals: int
    orders: int
    fills: int
    trades: int  # round trips
    vetoed: int  # signals that led to no order
    risk_mode: str  # at the end: a limit may have latched it
    signal_hash: str
    trade_hash: str
    start_equity: str
    final_equity: str
    fees: str
    max_drawdown: float
    load_s: float
    wall_s: float
    events_per_s: float  # input bars or trades over wall_s; loading apart
    play_hash: str
    rows: int
    models: tuple[ModelRow, ...] = ()  # how the forecasts of plays' models did


def report(
    machine: Machine,
    *,
    data: tuple[str, ...],
    rows: int,
    events: int,
    load_s: float,
    wall_s: float,
) -> RunReport:
    """Sum up a machine that has seen its tape. `rows` counts input lines, `events` what was made of them."""
    ledger, tally = machine.ledger, machine.tally
    specs = [runner.binding.spec for runner in machine.trading.runners]
    return RunReport(
        play=",".join(spec.name for spec in specs),
        play_hash=",".join(spec.hash for spec in specs),
        data=data,
        bars=sum(runner.evaluator.bars for runner in machine.trading.runners),
        rows=rows,
        models=machine.trading.watch.rows(machine.trading.runners),
        events=events,
        signals=tally.signals,
        orders=machine.desk.sequence,
        fills=ledger.fills,
        trades=ledger.trades,
        vetoed=tally.vetoed,
        risk_mode=machine.authority.operator.risk_mode.value,
        signal_hash=tally.signal_hash,
        trade_hash=tally.trade_hash,
        start_equity=canonical(ledger.start_equity),
        final_equity=canonical(ledger.exact_equity()),
        fees=canonical(ledger.fees),
        max_drawdown=round(ledger.drawdown_max, 10),
        load_s=round(load_s, 4),
        wall_s=round(wall_s, 4),
        events_per_s=round(rows / wall_s, 1) if wall_s > 0 else 0.0,
    )
