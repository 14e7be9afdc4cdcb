"""What a bar fills, at what price and in which order."""

from decimal import Decimal
from functools import partial

import pytest
from msgspec.structs import replace

from engine.domain.market import Bar
from engine.domain.orders import OrderRequest, OrderState, TimeInForce
from engine.domain.positions import Fill, Liquidity
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

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


@pytest.fixture
def world() -> World:
    """A venue that has seen the price at 100."""
    world = World()
    world.market(bar(100, 100, 100, 100))
    return world


BUY_LIMIT, SELL_LIMIT = partial(limit, "a", BUY), partial(limit, "a", SELL)
BUY_STOP, SELL_STOP = partial(stop, "a", BUY), partial(stop, "a", SELL)

Prices = tuple[float, float, float, float]
CASES: list[tuple[str, OrderRequest, Prices, str]] = [
    ("market buy fills at the open", market("a", BUY), (101, 105, 99, 104), "a 1@101"),
    ("market sell fills at the open", market("a", SELL), (101, 105, 99, 104), "a 1@101"),
    ("buy limit at the low fills at its limit", BUY_LIMIT("98"), (100, 101, 98, 99), "a 1@98"),
    ("buy limit over the low fills at its limit", BUY_LIMIT("98"), (100, 101, 97, 99), "a 1@98"),
    ("buy limit under the low waits", BUY_LIMIT("98"), (100, 101, 98.1, 99), ""),
    ("sell limit at the high fills at its limit", SELL_LIMIT("102"), (100, 102, 98, 99), "a 1@102"),
    ("sell limit over the high waits", SELL_LIMIT("102"), (100, 101.9, 98, 99), ""),
    ("buy limit gapped through fills at the open", BUY_LIMIT("98"), (97, 99, 96, 98), "a 1@97"),
    ("sell limit gapped through fills at the open", SELL_LIMIT("102"), (103, 104, 99, 100), "a 1@103"),
    ("crossing buy limit takes at the open", BUY_LIMIT("105"), (101, 106, 99, 100), "a 1@101"),
    ("crossing sell limit takes at the open", SELL_LIMIT("95"), (101, 106, 99, 100), "a 1@101"),
    ("crossing limit that the open escapes rests", BUY_LIMIT("105"), (106, 107, 104, 105), "a 1@105"),
    ("sell stop inside the bar fills at its trigger", SELL_STOP("98"), (100, 101, 97, 99), "a 1@98"),
    ("buy stop inside the bar fills at its trigger", BUY_STOP("102"), (100, 103, 97, 99), "a 1@102"),
    ("sell stop gapped through fills at the open", SELL_STOP("98"), (96, 99, 95, 97), "a 1@96"),
    ("buy stop gapped through fills at the open", BUY_STOP("102"), (104, 105, 101, 103), "a 1@104"),
    ("stop that the market has passed fills at the open", SELL_STOP("110"), (100, 101, 99, 100), "a 1@100"),
    ("sell stop under the low waits", SELL_STOP("98"), (100, 101, 98.1, 99), ""),
    ("buy stop over the high waits", BUY_STOP("102"), (100, 101.9, 98, 99), ""),
    ("open under the low belongs to the range", SELL_STOP("98"), (97, 101, 99, 100), "a 1@97"),
    ("open over the high belongs to the range", SELL_LIMIT("102"), (103, 101, 99, 100), "a 1@103"),
    ("level between high and a higher open is reached", BUY_LIMIT("102"), (103, 101, 99, 100), "a 1@102"),
    ("immediate limit takes at the open", BUY_LIMIT("101", tif=IOC), (101, 102, 99, 100), "a 1@101"),
    ("immediate limit skips the range", BUY_LIMIT("99", tif=IOC), (100, 101, 98, 100), "a IOC_REMAINDER"),
    ("immediate stop waits for its trigger", SELL_STOP("98", tif=IOC), (100, 101, 99, 100), ""),
]


@pytest.mark.parametrize(
    ("request_", "prices", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bar_fills(world: World, request_: OrderRequest, prices: Prices, expected: str) -> None:
    world.accept(request_)
    assert told(world.market(bar(*prices))) == ([expected] if expected else [])


def test_an_order_acts_from_the_next_event_and_fills_once(world: World) -> None:
    answers = world.submit(market("a", BUY), now=7)
    assert [type(answer).__name__ for answer in answers] == ["OrderAcked"]
    assert told(world.market(bar(101, 102, 99, 100))) == ["a 1@101"]
    assert world.market(bar(101, 102, 99, 100)) == []
    assert world.open_ids() == []


def test_a_resting_order_waits_over_many_bars(world: World) -> None:
    world.accept(
        limit("buy", BUY, "95"), stop("up", BUY, "110"), limit("sell", SELL, "108"), stop("down", SELL, "92")
    )
    for _ in range(3):
        assert world.market(bar(100, 107, 96, 100)) == []
    assert told(world.market(bar(100, 109, 96, 100))) == ["sell 1@108"]
    assert told(world.market(bar(100, 100, 95, 100))) == ["buy 1@95"]
    assert told(world.market(bar(100, 110, 96, 100))) == ["up 1@110"]
    assert told(world.market(bar(100, 100, 92, 100))) == ["down 1@92"]


@pytest.mark.parametrize(
    ("held", "stop_at", "target_at"), [("1", "95", "105"), ("-1", "105", "95")], ids=["long", "short"]
)
def test_stop_fills_before_target_inside_one_bar(
    world: World, held: str, stop_at: str, target_at: str
) -> None:
    world.hold(held)
    side = SELL if held == "1" else BUY
    world.accept(
        limit("target", side, target_at, reduce_only=True), stop("stop", side, stop_at, reduce_only=True)
    )
    events = world.market(bar(100, 106, 94, 100))
    assert told(events) == [f"stop 1@{stop_at}", "target REDUCE_ONLY_WOULD_INCREASE"]
    assert world.position() == 0


def test_a_target_gapped_at_the_open_comes_before_a_stop_inside_the_bar(world: World) -> None:
    world.hold("1")
    world.accept(stop("stop", SELL, "95", reduce_only=True), limit("target", SELL, "105", reduce_only=True))
    assert told(world.market(bar(106, 107, 94, 100))) == ["target 1@106", "stop REDUCE_ONLY_WOULD_INCREASE"]


def test_orders_of_one_bar_fill_takers_then_stops_then_limits_each_by_price_then_time(world: World) -> None:
    world.accept(
        limit("limit 97", BUY, "97"),
        limit("limit 98", BUY, "98"),
        limit("late 98", BUY, "98"),
        stop("stop 96", SELL, "96"),
        stop("stop 98", SELL, "98"),
        market("market", BUY),
    )
    assert told(world.market(bar(100, 100, 95, 96))) == [
        "market 1@100", "stop 98 1@98", "stop 96 1@96", "limit 98 1@98", "late 98 1@98", "limit 97 1@97",
    ]  # fmt: skip


def test_volume_is_shared_and_the_rest_waits_for_the_next_open(world: World) -> None:
    world.accept(market("a", BUY, "3"), market("b", BUY, "3"))
    assert told(world.market(bar(100, 101, 99, 100, volume=4))) == ["a 3@100", "b 1@100"]
    assert told(world.market(bar(101, 102, 99, 100, volume=1.5))) == ["b 1.5@101"]
    assert told(world.market(bar(102, 102, 99, 100, volume=4))) == ["b 0.5@102"]


def test_a_triggered_stop_without_volume_goes_on_at_the_next_open(world: World) -> None:
    world.accept(stop("a", SELL, "98", "2"))
    assert told(world.market(bar(100, 100, 97, 99, volume=0.5))) == ["a 0.5@98"]
    assert told(world.market(bar(103, 104, 102, 103))) == ["a 1.5@103"]


def test_a_partly_filled_limit_rests_on(world: World) -> None:
    world.accept(limit("a", BUY, "98", "2"))
    assert told(world.market(bar(100, 100, 97, 99, volume=0.5))) == ["a 0.5@98"]
    (listed,) = world.report().orders
    assert listed.state is OrderState.PARTIALLY_FILLED
    assert (listed.filled_qty, listed.qty) == (Decimal("0.5"), Decimal(2))
    assert told(world.market(bar(99, 99, 97, 99))) == ["a 1.5@98"]


def test_participation_takes_its_part_in_whole_lots() -> None:
    world = World(participation=Decimal("0.1"))
    world.market(bar(100, 100, 100, 100))
    world.accept(market("a", BUY, "3"))
    assert told(world.market(bar(100, 101, 99, 100, volume=1.57))) == ["a 0.15@100"]
    assert world.market(bar(100, 101, 99, 100, volume=0.09)) == []
    assert world.open_ids() == ["a"]


@pytest.mark.parametrize(
    ("caps", "volume"),
    [(True, 0.0), (True, float("nan")), (False, 0.5)],
    ids=["zero", "none", "unit unknown"],
)
def test_volume_that_says_nothing_caps_nothing(caps: bool, volume: float) -> None:
    world = World(rules=[instrument(volume_caps_fills=caps)])
    world.market(bar(100, 100, 100, 100))
    world.accept(market("a", BUY, "50"))
    assert told(world.market(bar(100, 101, 99, 100, volume=volume))) == ["a 50@100"]


@pytest.mark.parametrize(
    "request_",
    [
        market("a", BUY, "3", tif=IOC),
        limit("a", BUY, "101", "3", tif=IOC),
        stop("a", BUY, "100", "3", tif=IOC),
    ],
    ids=["market", "limit", "stop"],
)
def test_the_rest_of_an_immediate_order_is_cancelled(world: World, request_: OrderRequest) -> None:
    world.accept(request_)
    assert told(world.market(bar(100, 101, 99, 100, volume=1))) == ["a 1@100", "a IOC_REMAINDER"]
    assert world.open_ids() == []


@pytest.mark.parametrize(
    "request_",
    [
        market("a", BUY, "3", tif=FOK),
        limit("a", BUY, "101", "3", tif=FOK),
        stop("a", BUY, "100", "3", tif=FOK),
    ],
    ids=["market", "limit", "stop"],
)
def test_a_fill_or_kill_order_takes_all_or_nothing(world: World, request_: OrderRequest) -> None:
    world.accept(request_)
    assert told(world.market(bar(100, 101, 99, 100, volume=2))) == ["a FOK_UNFILLED"]
    assert world.open_ids() == []
    world.accept(replace(request_, client_id="b"))
    assert told(world.market(bar(100, 101, 99, 100, volume=3))) == ["b 3@100"]
    world.accept(replace(request_, client_id="c"))
    assert told(world.market(bar(100, 101, 99, 100, volume=0))) == ["c 3@100"], "0 says nothing of volume"


def test_a_fill_or_kill_order_finds_what_others_left(world: World) -> None:
    world.accept(market("a", BUY, "2"), market("b", BUY, "2", tif=FOK), market("c", BUY, "1"))
    told_ = told(world.market(bar(100, 101, 99, 100, volume=3)))
    assert told_ == ["a 2@100", "c 1@100", "b FOK_UNFILLED"]


def test_a_reduce_only_fill_or_kill_closes_all_it_asks_for_or_nothing(world: World) -> None:
    world.accept(market("a", BUY, "2"))
    world.market(bar(100, 101, 99, 100))
    world.accept(market("b", SELL, "3", tif=FOK, reduce_only=True))
    assert told(world.market(bar(100, 101, 99, 100))) == ["b FOK_UNFILLED"]


def test_a_fill_or_kill_limit_that_does_not_cross_ends(world: World) -> None:
    world.accept(limit("a", BUY, "99", tif=FOK))
    assert told(world.market(bar(100, 101, 98, 100))) == ["a FOK_UNFILLED"]


def fill_of(world: World, request_: OrderRequest, event: Bar) -> Fill:
    world.accept(request_)
    (fill,) = world.market(event)
    assert isinstance(fill, Fill)
    return fill


@pytest.mark.parametrize(
    ("request_", "event", "liquidity", "fee"),
    [
        (market("a", BUY, "2"), bar(101, 102, 99, 100), Liquidity.TAKER, "0.101"),
        (stop("a", SELL, "99", "2"), bar(101, 102, 99, 100), Liquidity.TAKER, "0.099"),
        (limit("a", BUY, "105", "2"), bar(101, 102, 99, 100), Liquidity.TAKER, "0.101"),
        (limit("a", BUY, "99", "2"), bar(101, 102, 99, 100), Liquidity.MAKER, "0.0396"),
        (limit("a", SELL, "100", "2"), bar(101, 102, 99, 100), Liquidity.MAKER, "0.0404"),
        (limit("a", SELL, "100", "2", post_only=True), bar(101, 102, 99, 100), Liquidity.MAKER, "0.0404"),
    ],
    ids=["market", "stop", "crossing limit", "resting limit", "gapped limit", "gapped post-only"],
)
def test_fees_are_exact_and_of_the_side_of_the_book(
    world: World, request_: OrderRequest, event: Bar, liquidity: Liquidity, fee: str
) -> None:
    fill = fill_of(world, request_, event)
    assert (fill.liquidity, fill.fee) == (liquidity, Decimal(fee))


def test_a_fill_names_its_order_and_carries_the_bars_time(world: World) -> None:
    world.accept(limit("a", BUY, "98", "2"))
    fills = [world.market(bar(100, 100, 97, 99, volume=1, ts=ts))[0] for ts in (11, 12)]
    assert [(fill.ts, fill.trade_id, fill.venue_id) for fill in fills if isinstance(fill, Fill)] == [
        (11, "sim1-1", "sim1"),
        (12, "sim1-2", "sim1"),
    ]


def test_trades_and_quotes_are_not_matched_on_a_feed_of_bars(world: World) -> None:
    world.accept(market("a", BUY))
    assert world.market(trade(100)) == []
    assert world.market(quote(99.9, 100.1)) == []
    assert told(world.market(bar(101, 102, 99, 100))) == ["a 1@101"]


def test_a_coarser_bar_does_not_match_the_time_of_its_finer_bars_again() -> None:
    world = World()
    world.market(bar(100, 100, 100, 100, ts=100, step_ns=20))
    world.market(bar(100, 120, 80, 100, ts=120, step_ns=20))
    world.accept(limit("a", BUY, "90"), market("b", BUY))
    assert world.market(bar(100, 120, 80, 100, ts=120, step_ns=40)) == []
    assert world.market(bar(100, 130, 70, 100, ts=120, step_ns=120)) == []
    assert told(world.market(bar(101, 102, 99, 100, ts=140, step_ns=20))) == ["b 1@101"]
    assert told(world.market(bar(101, 102, 89, 100, ts=200, step_ns=60))) == ["a 1@90"]


def test_symbols_do_not_meet() -> None:
    world = World(rules=[instrument(), instrument("ETHUSDT")])
    world.market(bar(100, 100, 100, 100))
    world.market(bar(50, 50, 50, 50, symbol="ETHUSDT"))
    world.accept(market("a", BUY), market("b", SELL, symbol="ETHUSDT"))
    assert told(world.market(bar(50, 50, 50, 50, symbol="ETHUSDT"))) == ["b 1@50"]
    assert world.market(bar(7, 7, 7, 7, symbol="UNHEARD")) == []
    assert (world.position(), world.position("ETHUSDT")) == (Decimal(0), Decimal(-1))
