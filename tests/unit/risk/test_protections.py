"""Protections: what a play remembers of its trades, and when that keeps it from entering."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import NS_PER_DAY
from engine.domain.play import DrawdownStop, LossGuard, LowProfit, Protections
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.risk.protections import (
    TRADES_MAX,
    ClosedTrade,
    GuardState,
    after_fill,
    begin,
    drawdown,
    named,
    refusal,
    when,
    written_off,
)
from tests.builders import BTC, DAY0, PLAY, STEP

HOUR = 60 * STEP
FLAT = Position(play=PLAY, symbol=BTC)


class Book:
    """A play whose trades end as told; time goes on by a minute with each."""

    def __init__(self, guards: Protections, now: int = DAY0) -> None:
        self.guards, self.now = guards, now
        self.position, self.equity = FLAT, 10_000.0
        self.state = begin(FLAT)

    def fill(
        self, qty: str, cost: str, realized: str = "0", fees: str = "0", *, stopped: bool = False
    ) -> None:
        before = self.position
        self.position = Position(
            play=PLAY,
            symbol=BTC,
            qty=Decimal(qty),
            entry_notional=Decimal(cost),
            realized=before.realized + Decimal(realized),
            fees=before.fees + Decimal(fees),
        )
        self.state = after_fill(
            self.state, self.guards, self.position, self.now, stopped=stopped, equity=self.equity
        )

    def trade(self, profit: str, *, stopped: bool = True, minutes: int = 1) -> None:
        """A trade that cost 100 and made so much."""
        self.now += minutes * STEP
        self.fill("1", "100")
        self.equity += float(profit)
        self.fill("0", "0", profit, stopped=stopped)

    def says(self, later: int = 0, *, opens: bool = True) -> Reason | None:
        found = refusal(self.state, self.guards, self.now + later, STEP, opens=opens)
        return None if found is None else found.reason


def test_a_play_rests_for_some_bars_after_each_trade():
    book = Book(Protections(cooldown_bars=3))
    assert book.says() is None
    book.trade("1", stopped=False)
    assert [book.says(n * STEP) for n in range(4)] == [Reason.PLAY_COOLDOWN] * 3 + [None]
    assert book.says(opens=False) is None, "a further entry opens no trade"
    found = refusal(book.state, book.guards, book.now, STEP)
    assert found is not None
    assert found.values == {"until": when(book.now + 3 * STEP), "bars": "3"}


def test_a_day_takes_so_many_trades_and_the_next_one_as_many_again():
    book = Book(Protections(trades_per_day_max=2))
    book.trade("1")
    assert book.says() is None
    book.fill("1", "100")
    book.fill("2", "200")
    assert book.says() is Reason.TRADES_PER_DAY_MAX, "what opens counts, growing does not"
    assert book.says(opens=False) is None
    found = refusal(book.state, book.guards, book.now, STEP)
    assert found is not None
    assert found.values == {"until": when(DAY0 + NS_PER_DAY), "trades": "2", "max": "2"}
    assert book.says(NS_PER_DAY) is None
    book.fill("0", "0")
    book.now = DAY0 + NS_PER_DAY
    book.trade("1")
    assert book.state.opened_today == 1


def test_stops_with_a_loss_in_a_short_time_pause_the_play():
    book = Book(Protections(stop_loss_guard=LossGuard(trades=2, within_ns=HOUR, pause_ns=2 * HOUR)))
    book.trade("-1")
    book.trade("-1", stopped=False)
    book.trade("1")
    assert book.says() is None, "one stop with a loss, one other loss, one stop with a profit"
    book.trade("-1", minutes=58)
    assert book.says() is None, "the first one is an hour old"
    book.trade("-1")
    assert book.says(2 * HOUR - 1) is Reason.STOP_LOSS_GUARD
    assert book.says(opens=False) is Reason.STOP_LOSS_GUARD, "nor may it grow"
    assert book.says(2 * HOUR) is None
    found = refusal(book.state, book.guards, book.now, STEP)
    assert found is not None
    assert (found.values["until"], found.values["stops"]) == (when(book.now + 2 * HOUR), "2")
    assert found.values["trades"].endswith(f"{when(book.now)}/-1.00%")


def test_too_little_profit_pauses_the_play():
    book = Book(Protections(low_profit=LowProfit(2, HOUR, 1.5, HOUR)))
    book.trade("-5")
    assert book.says() is None, "one trade says nothing yet"
    book.trade("6")
    assert book.says() is Reason.LOW_PROFIT
    book.trade("3")
    assert book.says() is Reason.LOW_PROFIT, "a pause that has begun is kept"
    assert book.says(HOUR) is None
    found = refusal(book.state, book.guards, book.now, STEP)
    assert found is not None
    assert (found.values["made"], found.values["min"]) == ("1.00%", "1.5%")


def test_a_fall_from_the_best_pauses_the_play():
    book = Book(Protections(drawdown=DrawdownStop(2.0, HOUR, HOUR)))
    for profit in ("300", "-100", "100", "-150"):
        book.trade(profit)
        assert book.says() is None
    book.trade("-60")
    assert book.says() is Reason.DRAWDOWN_STOP
    found = refusal(book.state, book.guards, book.now, STEP)
    assert found is not None
    assert found.values["drawdown"] == "2.10%", "210 from the peak, of 10,000"


def test_profit_is_after_fees_and_in_percent_of_the_largest_cost():
    book = Book(Protections(stop_loss_guard=LossGuard(9, HOUR, HOUR)))
    book.fill("1", "100", fees="0.5")
    book.fill("2", "300", fees="1")
    book.fill("1", "150", "5", fees="0.5")
    book.fill("0", "0", "5", fees="1", stopped=True)
    trade = book.state.trades[-1]
    assert (trade.profit, trade.stopped) == (Decimal(7), True)
    assert trade.percent == pytest.approx(7 / 3)
    book.trade("2")
    assert book.state.trades[-1].profit == 2, "the fees of the trade before stay with it"


def test_protections_that_begin_in_a_trade_take_it_from_there():
    held = Position(play=PLAY, symbol=BTC, qty=Decimal(1), entry_notional=Decimal(50), realized=Decimal(9))
    state = begin(held)
    assert (state.is_open, state.cost, state.realized) == (True, Decimal(50), Decimal(9))
    assert begin(FLAT) == GuardState()


def test_a_trade_that_was_written_off_counts_for_nothing():
    book = Book(Protections(stop_loss_guard=LossGuard(1, HOUR, HOUR)))
    book.fill("1", "100")
    lost = Position(play=PLAY, symbol=BTC, realized=Decimal(-40))
    book.state = written_off(book.state, lost)
    book.state = after_fill(book.state, book.guards, lost, book.now, stopped=True, equity=1.0)
    assert not book.state.trades
    book.position = lost
    book.trade("-1")
    assert [trade.profit for trade in book.state.trades] == [-1]


def test_what_is_remembered_is_bounded_by_time_and_number():
    book = Book(Protections(stop_loss_guard=LossGuard(999, HOUR, HOUR)))
    book.trade("-1")
    for _ in range(70):
        book.trade("-1")
    assert len(book.state.trades) == 60
    many = Book(Protections(stop_loss_guard=LossGuard(2, 99 * NS_PER_DAY, STEP)))
    for _ in range(TRADES_MAX + 5):
        many.trade("-1")
    assert len(many.state.trades) == TRADES_MAX
    assert len(many.state.pauses) == 1, "pauses that are over are forgotten"


def test_many_trades_are_named_by_the_newest():
    trades = [ClosedTrade(n * STEP, Decimal(1), float(n), 1.0, stopped=True) for n in range(7)]
    text = named(trades)
    assert text.startswith(f"{when(2 * STEP)}/+2.00%,")
    assert text.endswith("/+6.00%,+2")


def test_there_is_no_drawdown_without_trades_and_all_of_it_without_equity():
    assert drawdown([]) == 0.0
    assert drawdown([ClosedTrade(0, Decimal(-5), -1.0, -5.0, stopped=True)]) == 100.0


profits = st.lists(st.integers(-50, 50), min_size=1, max_size=20)


@given(profits)
def test_a_drawdown_is_the_deepest_fall_between_any_two_moments(made):
    equity, trades, sums = 1_000.0, [], [0]
    for profit in made:
        equity += profit
        sums.append(sums[-1] + profit)
        trades.append(ClosedTrade(0, Decimal(profit), 0.0, equity, stopped=False))
    deepest = max(high - low for at, high in enumerate(sums) for low in sums[at:])
    assert drawdown(trades) == pytest.approx(deepest / 1_000 * 100)
