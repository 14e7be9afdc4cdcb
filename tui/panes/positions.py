"""Positions and the account: what is open, what it is worth and whether a stop protects it."""

from collections.abc import Mapping

from engine.api import PositionRow, Snapshot
from tui.formats import age_between, money, percent, price, quantity, several, signed
from tui.panes.absence import entry_steps
from tui.panes.market import gain_style
from tui.panes.pane import Content, Frame, Pane
from tui.pricedigits import price_digits
from tui.widgets.cells import Cell, Column, Row, fit_table

COLUMNS = (
    Column("SYMBOL", 9, keep=99),
    Column("SIDE", 5, keep=97),
    Column("QTY", 8, keep=96, number=True, point=True),
    Column("ENTRY", 10, keep=80, number=True, point=True),
    Column("MARK", 10, keep=70, number=True, point=True),
    Column("P&L", 10, keep=98, number=True, point=True),
    Column("GUARD", 13, keep=95),
    Column("AT STOP", 9, keep=75, number=True, point=True),
    Column("STOP", 10, keep=60, number=True, point=True),
    Column("TO STOP", 9, keep=58, number=True, point=True),
    Column("TARGET", 10, keep=40, number=True, point=True),
    Column("AGE", 5, keep=30, number=True),
    Column("PLAY", 8, keep=35, flex=True),
)


class PositionsPane(Pane):
    """Open positions first, then today's closed ones; the account's totals below."""

    number = 2
    name_id = "positions"
    title = "Positions"
    fields = ("symbol", "play", "side")

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Positions and the account."""
        return snapshot.positions, snapshot.account

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a position and two lines of totals."""
        digits = price_digits(snapshot)
        now = snapshot.status.now
        ordered = sorted(snapshot.positions, key=lambda row: row.qty == 0)
        table = [_values(row, digits.get(row.symbol), now) for row in ordered]
        fitted = fit_table(COLUMNS, width, table)
        return Content(
            fitted.rows(table),
            header=fitted.header(),
            summary=_totals(snapshot, width),
            details=tuple(_detail(row, digits.get(row.symbol)) for row in ordered),
            items=tuple(ordered),
            age_s=frame.silent_s,
            empty=("Flat: an entry that fills opens a position.", *entry_steps(snapshot, frame)),
        )

    def identity(self, item: PositionRow) -> tuple[str, str]:
        """Its play and symbol."""
        return item.play, item.symbol

    def facts(self, item: PositionRow) -> Mapping[str, str]:
        """The side is long, short or flat."""
        side = "long" if item.qty > 0 else "short" if item.qty < 0 else "flat"
        return {"symbol": item.symbol, "play": item.play, "side": side}


def _values(row: PositionRow, digits: int | None, now: int) -> list[Cell]:
    if row.qty == 0:
        done = row.realized - row.fees
        flat: list[Cell] = [(row.symbol, "muted"), ("flat", "muted"), ("0", "muted"), ("-", "muted")]
        flat += [("-", "muted"), (signed(done), gain_style(done)), ("closed", "muted")]
        return [*flat, *[("-", "muted")] * 5, (row.play, "muted")]
    side: Cell = ("LONG", "buy*") if row.qty > 0 else ("SHORT", "sell*")
    return [
        (row.symbol, "text*"),
        side,
        (quantity(abs(row.qty)), "text"),
        (price(row.entry_price, digits), "text"),
        (price(row.mark, digits), "text"),
        (signed(row.unrealized), f"{gain_style(row.unrealized)}*"),
        guard(row),
        _at_stop(row),
        (price(row.stop_price, digits) if row.stop_price is not None else "-", "text"),
        (signed(row.to_stop) if row.at_stop is not None else "-", "text"),
        (price(row.target_price, digits) if row.target_price is not None else "-", "text"),
        (age_between(now, row.opened), "muted"),
        (row.play, "muted"),
    ]


def guard(row: PositionRow) -> Cell:
    """Say how far the stop is, or that none that the venue confirmed protects all of the position."""
    if row.at_stop is None:
        return "NOT PROTECTED", "danger*"
    if row.bare:
        share = min(99, max(1, round(100 * row.bare / abs(row.qty)))) if row.bare < abs(row.qty) else 100
        return f"{share}% NO STOP", "danger*"
    return f"stop {percent(-row.stop_distance)}", "ok"


def _at_stop(row: PositionRow) -> Cell:
    return ("no floor", "danger*") if row.at_stop is None else (signed(row.at_stop), gain_style(row.at_stop))


def _detail(row: PositionRow, digits: int | None) -> str:
    """Say in words what protects the selected position and what it makes if its stop fills."""
    name = f"{row.symbol} of {row.play}"
    if row.qty == 0:
        return f"{name} is flat: {signed(row.realized)} realised, {money(row.fees)} fees."
    said = "LONG" if row.qty > 0 else "SHORT"
    text = f"{name}: {said} {quantity(abs(row.qty))} from {price(row.entry_price, digits)}. "
    if row.at_stop is None:
        waits = "one is on its way" if row.stop_price is not None else "none rests at the venue"
        return f"{text}NOT PROTECTED, for no stop is confirmed ({waits}): its loss has no floor."
    where = f" at {price(row.stop_price, digits)}" if row.stop_price is not None else ""
    text += (
        f"Its stop{where} is {percent(row.stop_distance).lstrip('+')} from the mark: if it fills, equity "
        f"moves by {signed(row.to_stop)} from now and the position makes {signed(row.at_stop)} before fees."
    )
    return f"{text} NOT PROTECTED are {quantity(row.bare)} of it." if row.bare else text


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
        (f"  {several(account.trades, 'trade')}", "muted"),
        (f", {several(account.fills, 'fill')}", "muted"),
    ]
    joined = [*first, ("  ", "muted"), *second]
    if sum(len(text) for text, _ in joined) <= width:
        return (tuple(joined),)
    return tuple(first), tuple(second if sum(len(text) for text, _ in second) <= width else second[:-1])
