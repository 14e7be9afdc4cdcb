"""Positions and the account: what is open, what it is worth and whether a stop protects it."""

from engine.api import PositionRow, Snapshot
from tui.formats import age_between, money, percent, price, quantity, signed
from tui.panes.market import gain_style, is_protected
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Cell, Column, Row, fit_columns

COLUMNS = (
    Column("SYMBOL", 10, keep=99),
    Column("SIDE", 5, keep=97),
    Column("QTY", 9, keep=96, number=True),
    Column("ENTRY", 11, keep=80, number=True),
    Column("MARK", 11, keep=70, number=True),
    Column("P&L", 10, keep=98, number=True),
    Column("STOP", 11, keep=60, number=True),
    Column("TARGET", 11, keep=40, number=True),
    Column("GUARD", 7, keep=95),
    Column("AGE", 5, keep=30, number=True),
    Column("PLAY", 8, keep=35, flex=True),
)


class PositionsPane(Pane):
    """Open positions first, then today's closed ones; the account's totals below."""

    number = 2
    name_id = "positions"
    title = "Positions"

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Positions and the account."""
        return snapshot.positions, snapshot.account

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a position and two lines of totals."""
        fitted = fit_columns(COLUMNS, width)
        digits = {tick.symbol: tick.price_digits for tick in snapshot.ticks}
        now = snapshot.status.now
        ordered = sorted(snapshot.positions, key=lambda row: row.qty == 0)
        rows = tuple(fitted.row(_values(row, digits.get(row.symbol, 2), now)) for row in ordered)
        return Content(
            rows,
            header=fitted.header(),
            summary=_totals(snapshot, width),
            age_s=frame.silent_s,
            empty=(f"Flat. A play's entry opens one once the engine is armed ({frame.key('arm')}).",),
        )


def _values(row: PositionRow, digits: int, now: int) -> list[Cell]:
    if row.qty == 0:
        done = row.realized - row.fees
        flat: list[Cell] = [(row.symbol, "muted"), ("flat", "muted"), ("0", "muted"), ("-", "muted")]
        flat += [("-", "muted"), (signed(done), gain_style(done))]
        return [*flat, *[("-", "muted")] * 2, ("closed", "muted"), ("-", "muted"), (row.play, "muted")]
    side: Cell = ("LONG", "buy*") if row.qty > 0 else ("SHORT", "sell*")
    return [
        (row.symbol, "text*"),
        side,
        (quantity(abs(row.qty)), "text"),
        (price(row.entry_price, digits), "text"),
        (price(row.mark, digits), "text"),
        (signed(row.unrealized), f"{gain_style(row.unrealized)}*"),
        (price(row.stop_price, digits) if row.stop_price is not None else "-", "text"),
        (price(row.target_price, digits) if row.target_price is not None else "-", "text"),
        ("stop ok", "ok") if is_protected(row) else ("NO STOP", "warn*"),
        (age_between(now, row.opened), "muted"),
        (row.play, "muted"),
    ]


def _totals(snapshot: Snapshot, width: int) -> tuple[Row, ...]:
    account = snapshot.account
    first: list[Cell] = [
        ("equity ", "muted"),
        (f"{money(account.equity)} {account.currency}", "text*"),
        ("  day ", "muted"),
        (signed(account.day_pnl), f"{gain_style(account.day_pnl)}*"),
        ("  open ", "muted"),
        (signed(account.unrealized), gain_style(account.unrealized)),
    ]
    second: list[Cell] = [
        ("realised ", "muted"),
        (signed(account.realized), gain_style(account.realized)),
        ("  fees ", "muted"),
        (money(account.fees), "text"),
        ("  drawdown ", "muted"),
        (percent(account.drawdown).lstrip("+"), "text"),
        (f"  {account.trades} trades, {account.fills} fills", "muted"),
    ]
    joined = [*first, ("  ", "muted"), *second]
    if sum(len(text) for text, _ in joined) <= width:
        return (tuple(joined),)
    return tuple(first), tuple(second)
