"""What trades fill, and what quotes and trades fill together."""

from decimal import Decimal

import pytest

from engine.domain.market import MarketEvent, Trade
from engine.domain.orders import OrderRequest, TimeInForce
from engine.domain.positions import Fill, Liquidity
from engine.venues.simulated import MatchOn
from tests.unit.venues.market_builders import (
    BUY,
    SELL,
    World,
    bar,
    instrument,
    limit,
    market,
    quote,
    stop,
    told,
    trade,
)

IOC = TimeInForce.IOC


@pytest.fixture
def tape() -> World:
    """A venue on a feed of trades that has seen one at 100."""
    world = World(MatchOn.TRADES)
    world.market(trade(100))
    return world


@pytest.fixture
def touch() -> World:
    """A venue on a feed of quotes and trades that has seen 99 bid, 101 offered."""
    world = World(MatchOn.QUOTES)
    world.market(quote(99, 101))
    return world


TRADE_CASES: list[tuple[str, OrderRequest, Trade, list[str]]] = [
    ("market order fills at the print", market("a", BUY), trade(101), ["a 1@101"]),
    ("market order fills at the last price", market("a", BUY), trade(101, high=103, low=99), ["a 1@101"]),
    ("buy limit fills when its price prints", limit("a", BUY, "98"), trade(98), ["a 1@98"]),
    ("buy limit fills at its limit when less prints", limit("a", BUY, "98"), trade(97), ["a 1@98"]),
    ("buy limit waits while more prints", limit("a", BUY, "98"), trade(98.1), []),
    ("buy limit fills at a conflated low", limit("a", BUY, "98"), trade(99, low=97.5), ["a 1@98"]),
    ("sell limit fills at its limit when more prints", limit("a", SELL, "102"), trade(103), ["a 1@102"]),
    ("sell limit waits while less prints", limit("a", SELL, "102"), trade(101.9), []),
    ("crossing buy limit takes at the print", limit("a", BUY, "105"), trade(101), ["a 1@101"]),
    ("crossing limit that the print escapes rests", limit("a", BUY, "105"), trade(106), []),
    ("crossing limit rests inside several", limit("a", BUY, "105"), trade(106, low=104), ["a 1@105"]),
    ("sell stop fills at the print that passed it", stop("a", SELL, "98"), trade(97), ["a 1@97"]),
    ("buy stop fills at the print that passed it", stop("a", BUY, "102"), trade(103), ["a 1@103"]),
    ("sell stop fills inside several", stop("a", SELL, "98"), trade(99, low=97), ["a 1@98"]),
    ("sell stop waits while more prints", stop("a", SELL, "98"), trade(98.1), []),
    ("immediate limit takes at the print", limit("a", BUY, "100", tif=IOC), trade(100), ["a 1@100"]),
    ("immediate limit ends", limit("a", BUY, "99", tif=IOC), trade(99.5), ["a IOC_REMAINDER"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "event", "expected"), [c[1:] for c in TRADE_CASES], ids=[c[0] for c in TRADE_CASES]
)
def test_trade_fills(tape: World, request_: OrderRequest, event: Trade, expected: list[str]) -> None:
    tape.accept(request_)
    assert told(tape.market(event)) == expected


def test_bars_and_quotes_are_not_matched_on_a_feed_of_trades(tape: World) -> None:
    tape.accept(market("a", BUY))
    assert tape.market(bar(100, 110, 90, 100)) == []
    assert tape.market(quote(99, 101)) == []
    assert told(tape.market(trade(100))) == ["a 1@100"]


def test_each_symbol_may_have_its_own_stream() -> None:
    rules = [instrument(), instrument("ETHUSDT")]
    world = World(MatchOn.TRADES, rules, match_on_by_symbol={"ETHUSDT": MatchOn.BARS})
    bars = bar(10, 10, 10, 10, symbol="ETHUSDT")
    world.market(trade(100))
    world.market(bars)
    world.accept(market("a", BUY), market("b", BUY, symbol="ETHUSDT"))
    assert world.market(bar(100, 100, 100, 100)) == []
    assert told(world.market(bars)) == ["b 1@10"]
    assert told(world.market(trade(100))) == ["a 1@100"]


def test_one_trades_quantity_fills_our_orders_once_in_price_time_order(tape: World) -> None:
    tape.accept(limit("low", BUY, "98", "2"), limit("high", BUY, "99", "2"), limit("late", BUY, "99", "2"))
    assert told(tape.market(trade(97, 3))) == ["high 2@99", "late 1@99"]
    assert told(tape.market(trade(97, 2.5))) == ["late 1@99", "low 1.5@98"]


def test_the_rest_of_a_market_order_waits_for_the_next_trade(tape: World) -> None:
    tape.accept(market("a", BUY, "2"))
    assert told(tape.market(trade(100, 0.5))) == ["a 0.5@100"]
    assert told(tape.market(trade(101, 5))) == ["a 1.5@101"]


def test_the_rest_of_a_crossing_limit_goes_on_taking_until_it_is_seen_to_rest(tape: World) -> None:
    tape.accept(limit("a", BUY, "105", "3"))
    assert told(tape.market(trade(101, 1))) == ["a 1@101"]
    assert told(tape.market(trade(102, 1))) == ["a 1@102"]
    assert tape.market(trade(106, 1)) == []
    (fill,) = tape.market(trade(101, 1))
    assert isinstance(fill, Fill)
    assert (fill.price, fill.liquidity) == (Decimal(105), Liquidity.MAKER)


def test_participation_bounds_a_trade() -> None:
    world = World(MatchOn.TRADES, participation=Decimal("0.25"))
    world.market(trade(100))
    world.accept(market("a", BUY, "2"))
    assert told(world.market(trade(100, 1))) == ["a 0.25@100"]


QUOTE_CASES: list[tuple[str, OrderRequest, MarketEvent, list[str]]] = [
    ("market buy takes the offer", market("a", BUY), quote(99, 101), ["a 1@101"]),
    ("market sell hits the bid", market("a", SELL), quote(99, 101), ["a 1@99"]),
    ("market order waits over a trade", market("a", BUY), trade(100), []),
    ("crossing limit takes the offer", limit("a", BUY, "102"), quote(99, 101), ["a 1@101"]),
    ("limit at the offer takes it", limit("a", BUY, "101"), quote(99, 101), ["a 1@101"]),
    ("crossing limit waits over a trade", limit("a", BUY, "102"), trade(100), []),
    ("resting limit fills when its price prints", limit("a", BUY, "99"), trade(99), ["a 1@99"]),
    ("offer falls on a resting buy limit", limit("a", BUY, "100"), quote(98, 99), ["a 1@100"]),
    ("bid climbs on a resting sell limit", limit("a", SELL, "100"), quote(101, 102), ["a 1@100"]),
    ("resting limit waits while the offer is above", limit("a", BUY, "100"), quote(99, 100.1), []),
    ("quotes do not trigger stops", stop("a", SELL, "98"), quote(96, 97), []),
    ("a side without a price offers nothing", market("a", BUY), quote(99, 0), []),
    ("immediate market order outlives a trade", market("a", BUY, tif=IOC), trade(100), []),
    ("bars are not matched", market("a", BUY), bar(100, 101, 99, 100), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "event", "expected"), [c[1:] for c in QUOTE_CASES], ids=[c[0] for c in QUOTE_CASES]
)
def test_quote_fills(touch: World, request_: OrderRequest, event: MarketEvent, expected: list[str]) -> None:
    touch.accept(request_)
    assert told(touch.market(event)) == expected


def test_a_stop_triggered_by_a_trade_takes_at_the_next_quote(touch: World) -> None:
    touch.accept(stop("a", SELL, "98"))
    assert touch.market(trade(97.5)) == []
    assert told(touch.market(quote(97, 98))) == ["a 1@97"]


def test_a_touch_is_shared_by_side_and_every_quote_offers_its_size_anew(touch: World) -> None:
    touch.accept(market("a", BUY, "2"), market("b", BUY, "2"), market("c", SELL, "3"))
    assert told(touch.market(quote(99, 101, bid_qty=2, ask_qty=3))) == ["a 2@101", "b 1@101", "c 2@99"]
    assert told(touch.market(quote(99, 101, bid_qty=2, ask_qty=3))) == ["b 1@101", "c 1@99"]


def test_the_rest_of_a_limit_that_took_rests_and_becomes_a_maker(touch: World) -> None:
    touch.accept(limit("a", BUY, "101", "2"))
    assert told(touch.market(quote(99, 101, ask_qty=1))) == ["a 1@101"]
    assert touch.market(quote(101, 102)) == []
    (fill,) = touch.market(trade(101))
    assert isinstance(fill, Fill)
    assert (fill.price, fill.liquidity) == (Decimal(101), Liquidity.MAKER)


def test_an_immediate_order_takes_what_one_quote_has(touch: World) -> None:
    touch.accept(market("a", BUY, "2", tif=IOC))
    assert told(touch.market(quote(99, 101, ask_qty=0.5))) == ["a 0.5@101", "a IOC_REMAINDER"]


def test_a_fill_or_kill_order_takes_nothing_of_a_quote_that_is_too_small(touch: World) -> None:
    touch.accept(limit("a", BUY, "101", "2", tif=TimeInForce.FOK))
    assert told(touch.market(quote(99, 101, ask_qty=1.5))) == ["a FOK_UNFILLED"]
    touch.accept(limit("b", BUY, "101", "2", tif=TimeInForce.FOK))
    assert told(touch.market(quote(99, 101, ask_qty=2))) == ["b 2@101"]


def test_before_the_first_quote_the_last_trade_is_the_market() -> None:
    world = World(MatchOn.QUOTES)
    world.market(trade(100))
    world.accept(limit("a", BUY, "100", post_only=True))
    assert told(world.market(trade(100))) == ["a 1@100"]


def test_resting_orders_out_of_reach_are_left_alone(touch: World) -> None:
    touch.accept(limit("a", BUY, "95"), stop("b", BUY, "110"))
    for event in (quote(99, 101), trade(100), quote(98, 100), trade(99)):
        assert touch.market(event) == []
    assert touch.open_ids() == ["a", "b"]
