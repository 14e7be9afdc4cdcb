"""What a run leaves behind: its exit code, what is still open, and the result of a tape."""

import msgspec

from engine.domain.money import canonical
from engine.domain.orders import Order
from engine.execution.desk import describe
from engine.runtime.context import EngineContext
from engine.runtime.report import RunReport, report


class ExitReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine ended and what it left open."""

    exit_code: int
    text: str
    open_orders: tuple[str, ...]
    positions: tuple[str, ...]
    run: RunReport | None = None


def exit_report(context: EngineContext, exit_code: int, text: str, *, wall_s: float) -> ExitReport:
    """Sum up an engine that has ended; `wall_s` is how long its tape took."""
    machine = context.loop.machine
    return ExitReport(
        exit_code=exit_code,
        text=text,
        open_orders=tuple(_open_order(order) for order in machine.desk.book.open_orders()),
        positions=tuple(f"{p.symbol} {canonical(p.qty)} ({p.play})" for p in machine.ledger.open_positions()),
        run=_run_report(context, wall_s),
    )


def _open_order(order: Order) -> str:
    return f"{order.client_id} {order.venue_id or '-'} {describe(order.request)} {order.state}"


def _run_report(context: EngineContext, wall_s: float) -> RunReport | None:
    source = context.source
    if source.tape is None:
        return None
    return report(
        context.loop.machine,
        data=tuple(str(tape.path) for tape in source.tapes),
        rows=source.tape.rows,
        events=context.pump.tape_offset,
        load_s=source.load_s,
        wall_s=wall_s,
    )
