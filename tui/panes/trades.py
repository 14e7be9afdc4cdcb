"""The blotter: closed trades, newest at the bottom, and what they made by play, today and in this run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from engine.api import Blotted, ClosedTrade, Side, Snapshot, TradesWish, TradeTotals
from tui.formats import NS_PER_S, age_between, clock, count, date, moment, money, price, quantity, signed
from tui.panes.absence import entry_steps
from tui.panes.asking import AskingPane
from tui.panes.content import Content, Frame
from tui.panes.market import gain_style
from tui.pricedigits import price_digits
from tui.widgets.cells import Cell, Column, Row, fit_table

COLUMNS = (
    Column("CLOSED", 8, keep=90, whole=True),
    Column("SYMBOL", 9, keep=98),
    Column("SIDE", 5, keep=95),
    Column("QTY", 8, keep=80, number=True, point=True),
    Column("ENTRY", 10, keep=70, number=True, point=True),
    Column("EXIT", 10, keep=71, number=True, point=True),
    Column("P&L", 10, keep=99, number=True, point=True),
    Column("FEES", 8, keep=50, number=True, point=True),
    Column("HELD", 5, keep=40, number=True),
    Column("PLAY", 10, keep=60, flex=True),
)
TOTALS = (
    Column("TOTALS", 14, keep=99),
    Column("TRADES", 6, keep=98, number=True),
    Column("WON", 5, keep=96, number=True),
    Column("FACTOR", 6, keep=90, number=True, point=True),
    Column("FEES", 9, keep=80, number=True, point=True),
    Column("P&L", 11, keep=97, number=True, point=True),
)
PLAYS_SHOWN = 3


class TradesPane(AskingPane):
    """From flat to flat: a trade a row."""

    number = 11
    name_id = "trades"
    title = "Trades"
    follows = True
    fields = ("play", "symbol", "side", "result", "time")

    def wish(self) -> TradesWish:
        """All that is kept."""
        return TradesWish()

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a trade, and the totals under them."""
        told = self.reply.sight if self.reply is not None else None
        if not isinstance(told, Blotted):
            return Content((), empty=self.waits("the closed trades"))
        digits = price_digits(snapshot)
        table = [_values(trade, digits.get(trade.symbol), snapshot.status.now) for trade in told.trades]
        fitted = fit_table(COLUMNS, width, table)
        newest = told.trades[-1].closed if told.trades else 0
        return Content(
            fitted.rows(table),
            header=fitted.header(),
            summary=_totals(told, width),
            details=tuple(_detail(trade, digits.get(trade.symbol)) for trade in told.trades),
            items=told.trades,
            age_s=max(0, snapshot.status.now - newest) / NS_PER_S if newest else None,
            stopped=self.unanswered,
            title_note="" if self.following else f"held; {frame.key('bottom')} follows",
            empty=(
                "No trade has closed yet: one ends when its position is flat again.",
                *entry_steps(snapshot, frame),
            ),
        )

    def facts(self, item: ClosedTrade) -> Mapping[str, str]:
        """The side is that of the entry, the result won, lost or even."""
        return {
            "play": item.play,
            "symbol": item.symbol,
            "side": "long" if item.side is Side.BUY else "short",
            "result": "won" if item.pnl > 0 else "lost" if item.pnl < 0 else "even",
            "time": f"{date(item.closed)} {clock(item.closed)}",
        }


def _values(trade: ClosedTrade, digits: int | None, now: int) -> list[Cell]:
    long = trade.side is Side.BUY
    return [
        (moment(trade.closed, now), "muted"),
        (trade.symbol, "text*"),
        ("LONG" if long else "SHORT", "buy" if long else "sell"),
        (quantity(trade.qty), "text"),
        (price(trade.entry_price, digits), "text"),
        (price(trade.exit_price, digits), "text"),
        (signed(trade.pnl), f"{gain_style(trade.pnl)}*"),
        (money(trade.fees), "muted"),
        (age_between(trade.closed, trade.opened), "muted"),
        (trade.play, "muted"),
    ]


def _detail(trade: ClosedTrade, digits: int | None) -> str:
    said = "long" if trade.side is Side.BUY else "short"
    held = age_between(trade.closed, trade.opened)
    return (
        f"{trade.play} was {said} {quantity(trade.qty)} {trade.symbol} for {held}, in at "
        f"{price(trade.entry_price, digits)} and out at {price(trade.exit_price, digits)} on average: "
        f"{signed(trade.pnl)} after {money(trade.fees)} fees."
    )


def _totals(told: Blotted, width: int) -> tuple[Row, ...]:
    """Write what the plays made: today each, where there are several, and all of them; then this run."""
    table: list[list[Cell]] = []
    if len(told.today) > 1:
        ordered = sorted(told.today, key=lambda totals: totals.trades, reverse=True)
        table += [_total(f"today {totals.play}", totals) for totals in ordered[:PLAYS_SHOWN]]
        more = ordered[PLAYS_SHOWN:]
        if more:
            table.append(_total(f"today {len(more)} more", added(more)))
    only = f" {told.today[0].play}" if len(told.today) == 1 else ""
    table.append(_total(f"today{only}", added(told.today)))
    table.append(_total("this run", added(told.session)))
    fitted = fit_table(TOTALS, width, table)
    return fitted.header(), *fitted.rows(table)


def added(totals: Sequence[TradeTotals]) -> TradeTotals:
    """Add up the totals of several plays."""
    return TradeTotals(
        "",
        sum(one.trades for one in totals),
        sum(one.wins for one in totals),
        sum((one.gain for one in totals), Decimal(0)),
        sum((one.loss for one in totals), Decimal(0)),
        sum((one.fees for one in totals), Decimal(0)),
    )


def _total(name: str, totals: TradeTotals) -> list[Cell]:
    factor = totals.profit_factor
    won = f"{100 * totals.wins / totals.trades:.0f}%" if totals.trades else "-"
    return [
        (name, "text"),
        (count(totals.trades), "text"),
        (won, "text"),
        (f"{factor:.2f}" if factor is not None else "-", "text"),
        (money(totals.fees), "muted"),
        (signed(totals.pnl), f"{gain_style(totals.pnl)}*"),
    ]
