"""Trades on their way: each once and in order."""

import pytest

from engine.domain.market import Trade
from engine.venues import ws_trades
from engine.venues.ws_trades import Named, NumberedTrades, UnnumberedTrades
from tests.unit.venues.stream_builders import trade


def numbered(*numbers: int) -> NumberedTrades:
    order = NumberedTrades()
    for number in numbers:
        order.add(number, trade(number))
    return order


def named(*names: int | str) -> list[Named]:
    return [
        Named(name, trade(number if isinstance(name, str) else name)) for number, name in enumerate(names)
    ]


def times(trades) -> list[int]:
    return [each.ts for each in trades]


class TestNumbered:
    def test_the_first_number_is_taken_as_it_is(self):
        order = NumberedTrades()
        assert times(order.add(7, trade(7))) == [7]
        assert order.newest == 7

    def test_what_was_told_before_is_left_out(self):
        order = numbered(1, 2)
        assert order.add(2, trade(2)) == ()
        assert order.add(1, trade(1)) == ()
        assert order.repeated == 2

    def test_what_comes_after_a_hole_waits_until_it_is_filled_by_itself(self):
        order = numbered(1)
        assert order.add(3, trade(3)) == ()
        assert order.add(4, trade(4)) == ()
        assert order.lacks
        assert times(order.add(2, trade(2))) == [2, 3, 4]
        assert not order.lacks

    def test_an_answer_fills_a_hole(self):
        order = numbered(1)
        order.add(4, trade(4))
        assert times(order.fill(named(1, 2, 3, 4, 5))) == [2, 3, 4, 5]
        assert (order.lost, order.newest) == (0, 5)

    def test_numbers_that_the_venue_knows_no_trade_of_are_not_lost(self):
        order = numbered(1)
        order.add(6, trade(6))
        assert times(order.fill(named(1, 3, 7))) == [3, 6, 7]
        assert order.lost == 0

    @pytest.mark.parametrize(
        ("answer", "lost"), [((), 3), ((4, 5), 2), ((2,), 2), ((3,), 2), ((20, 30), 17), ((2, 3, 4), 0)]
    )
    def test_what_an_answer_does_not_reach_is_lost(self, answer, lost):
        order = numbered(1)
        order.add(5, trade(5))
        order.fill(named(*answer))
        assert order.lost == lost
        assert not order.lacks

    def test_a_number_that_is_no_trade_is_passed_over(self):
        order = numbered(1)
        assert order.add(2, None) == ()
        assert times(order.add(3, trade(3))) == [3]
        order.add(5, None)
        assert times(order.add(4, trade(4))) == [4]
        assert order.newest == 5
        order.add(7, None)
        assert times(order.fill([Named(6, None)])) == []
        assert (order.newest, order.lost) == (7, 0)

    def test_an_answer_before_the_first_trade_is_no_news(self):
        assert NumberedTrades().fill(named(1, 2)) == ()

    def test_too_many_that_wait_give_the_hole_up(self, monkeypatch):
        monkeypatch.setattr(ws_trades, "WAITING_MAX", 2)
        order = numbered(1)
        order.add(3, trade(3))
        order.add(4, trade(4))
        assert times(order.add(5, trade(5))) == [3, 4, 5]
        assert order.lost == 1

    def test_an_interruption_changes_nothing(self):
        order = numbered(1)
        order.interrupt()
        assert times(order.add(2, trade(2))) == [2]


class TestUnnumbered:
    def told(self, *names: str) -> UnnumberedTrades:
        order = UnnumberedTrades()
        for ts, name in enumerate(names):
            order.add(name, trade(ts))
        return order

    def test_each_name_is_told_once(self):
        order = self.told("a")
        assert order.add("a", trade(0)) == ()
        assert times(order.add("b", trade(1))) == [1]
        assert order.repeated == 1

    def test_after_an_interruption_trades_wait_for_the_venue_s_answer(self):
        order = self.told("a", "b")
        order.interrupt()
        assert order.lacks
        assert order.add("d", trade(4)) == ()
        assert times(order.fill(named("a", "b", "c", "d"))) == [2, 3]
        assert times(order.add("e", trade(9))) == [9]
        assert (order.lost, order.lacks, order.newest) == (0, False, "e")

    def test_what_came_after_the_answer_was_made_follows_it(self):
        order = self.told("a")
        order.interrupt()
        order.add("c", trade(8))
        assert times(order.fill(named("a", "b"))) == [1, 8]

    def test_an_answer_that_does_not_reach_back_leaves_a_loss(self):
        order = self.told("a", "b")
        order.interrupt()
        order.add("z", trade(30))
        answer = [Named("x", trade(20)), Named("old", trade(0)), Named("z", trade(30))]
        assert times(order.fill(answer)) == [20, 30]
        assert order.lost == 1

    def test_giving_up_hands_on_what_waits(self):
        order = self.told("a")
        order.interrupt()
        order.add("c", trade(8))
        assert times(order.fill(())) == [8]
        assert order.lost == 1

    def test_before_the_first_trade_there_is_nothing_to_interrupt(self):
        order = UnnumberedTrades()
        order.interrupt()
        assert times(order.add("a", trade(1))) == [1]

    def test_the_oldest_names_are_forgotten(self, monkeypatch):
        monkeypatch.setattr(ws_trades, "REMEMBERED", 2)
        order = self.told("a", "b", "c")
        assert times(order.add("a", trade(5))) == [5]

    def test_too_many_that_wait_are_handed_on(self, monkeypatch):
        monkeypatch.setattr(ws_trades, "WAITING_MAX", 1)
        order = self.told("a")
        order.interrupt()
        order.add("b", trade(1))
        assert times(order.add("c", trade(2))) == [1, 2]


def test_both_kinds_hand_on_the_trade_itself():
    one: Trade = trade(3)
    assert NumberedTrades().add(1, one)[0] is one
    assert UnnumberedTrades().add("1", one)[0] is one
