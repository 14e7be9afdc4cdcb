"""What holds in the simulated venue whatever is sent to it and whatever the market does."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.events import Event, OrderAcked, OrderCanceled, VenueReport
from engine.domain.market import Bar, MarketEvent, Quote, Trade
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.domain.positions import Fill, Liquidity
from engine.domain.signals import Side
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from tests.unit.venues.market_builders import SYMBOL, instrument, order

RULES = instrument()
PARTICIPATION = Decimal("0.5")


class Cancel(msgspec.Struct, frozen=True):
    """Cancel the order of that number."""

    number: int


class Query(msgspec.Struct, frozen=True):
    """Ask for a report."""


class Passing(msgspec.Struct, frozen=True):
    """Let time go by."""

    ns: int


Step = OrderRequest | Cancel | Query | Passing | Bar | Trade | Quote

ticks = st.integers(950, 1050)
lots = st.integers(0, 400)
levels = ticks.map(lambda tick: str(Decimal(tick) / 10))


def as_price(tick: int) -> float:
    return tick / 10


@st.composite
def orders(draw: st.DrawFn) -> OrderRequest:
    kind = draw(st.sampled_from(OrderKind))
    prices = {OrderKind.LIMIT: ["price"], OrderKind.STOP: ["trigger"], OrderKind.MARKET: []}[kind]
    return order(
        "",
        draw(st.sampled_from(Side)),
        kind,
        str(Decimal(draw(st.integers(1, 300))) / 100),
        reduce_only=draw(st.booleans()),
        post_only=draw(st.booleans()) and kind is OrderKind.LIMIT,
        tif=draw(st.sampled_from(TimeInForce)),
        **{name: draw(levels) for name in prices},
    )


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low, close, high = (as_price(tick) for tick in sorted(draw(st.tuples(ticks, ticks, ticks))))
    return Bar(
        0, SYMBOL, as_price(draw(ticks)), high, low, close, draw(lots) / 100, draw(st.sampled_from([1, 3]))
    )


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    low, last, high = (as_price(tick) for tick in sorted(draw(st.tuples(ticks, ticks, ticks))))
    if draw(st.booleans()):
        low = high = last
    return Trade(0, SYMBOL, last, draw(lots) / 100, 1, high, low)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    bid = draw(ticks)
    ask = bid + draw(st.integers(1, 10))
    return Quote(0, SYMBOL, as_price(bid), draw(lots) / 100, as_price(ask), draw(lots) / 100)


market_events = st.one_of(bars(), trades(), quotes())
steps = st.one_of(
    orders(),
    orders(),
    market_events,
    market_events,
    st.builds(Cancel, st.integers(0, 20)),
    st.just(Query()),
    st.builds(Passing, st.integers(1, 30)),
)
scripts = st.lists(steps, min_size=1, max_size=40)
configs = st.builds(
    SimulatedConfig,
    match_on=st.sampled_from(MatchOn),
    latency_ns=st.sampled_from([0, 7]),
    participation=st.just(PARTICIPATION),
)


class Run:
    """Plays a script against a venue and keeps what each step led to."""

    def __init__(self, config: SimulatedConfig) -> None:
        self.config = config
        self.venue = self.fresh()
        self.now = 0
        self.sent: dict[str, OrderRequest] = {}
        self.by_step: list[tuple[Step, list[Event]]] = []

    def fresh(self) -> SimulatedVenue:
        return SimulatedVenue([RULES], self.config)

    def restart(self) -> None:
        state = self.venue.state()
        self.venue = self.fresh()
        self.venue.restore(state)
        assert self.venue.state() == state

    def play(self, script: Sequence[Step], restart_before: int = -1, *, vigilant: bool = False) -> "Run":
        """Play a script; a vigilant venue looks at every order on every event."""
        for number, step in enumerate(script):
            if vigilant:
                self.venue._books[SYMBOL].wake()
            if number == restart_before:
                self.restart()
            self.now += 1
            self._time_goes_by()
            self.by_step.append((step, list(self._do(step))))
        return self

    def _time_goes_by(self) -> None:
        while (due := self.venue.next_at()) is not None and due <= self.now:
            self.by_step.append((Passing(0), list(self.venue.on_time(due))))

    def _do(self, step: Step) -> Sequence[Event]:
        match step:
            case OrderRequest():
                request = msgspec.structs.replace(step, client_id=f"c{len(self.sent)}")
                self.sent[request.client_id] = request
                return self.venue.submit(request, self.now)
            case Cancel(number):
                return self.venue.cancel(f"c{number}", SYMBOL, self.now)
            case Query():
                return self.venue.query(self.now, self.now)
            case Passing(ns):
                self.now += ns
                return self.venue.on_time(self.now)
            case Bar() | Trade() | Quote():
                return self.venue.on_market(msgspec.structs.replace(step, ts=self.now))

    @property
    def events(self) -> list[Event]:
        return [event for _, events in self.by_step for event in events]

    @property
    def fills(self) -> list[Fill]:
        return [event for event in self.events if isinstance(event, Fill)]


def offered(event: MarketEvent, side: Side) -> tuple[float, float, float]:
    """Return low, high and volume of what an event has for an order of that side."""
    match event:
        case Bar():
            return min(event.low, event.open), max(event.high, event.open), event.volume
        case Trade():
            return event.low, event.high, event.qty
        case Quote():
            price, qty = (event.ask, event.ask_qty) if side is Side.BUY else (event.bid, event.bid_qty)
            return price, price, qty


@settings(deadline=None)
@given(configs, scripts)
def test_never_more_is_filled_than_traded_and_never_more_than_ordered(
    config: SimulatedConfig, script: list[Step]
) -> None:
    run = Run(config).play(script)
    by_order: dict[str, Decimal] = defaultdict(Decimal)
    for step, events in run.by_step:
        by_side: dict[Side, Decimal] = defaultdict(Decimal)
        for fill in events:
            if isinstance(fill, Fill):
                assert isinstance(step, Bar | Trade | Quote), "only the market fills"
                by_side[fill.side] += fill.qty
                by_order[fill.client_id] += fill.qty
                assert fill.qty > 0
                assert fill.qty % RULES.lot == 0
        if isinstance(step, Bar | Trade | Quote):
            shared = [sum(by_side.values(), ZERO)] if not isinstance(step, Quote) else []
            for qty, side in [*((qty, Side.BUY) for qty in shared), *((q, s) for s, q in by_side.items())]:
                volume = offered(step, side)[2]
                assert volume == 0 or qty <= RULES.qty(volume) * PARTICIPATION
    for client_id, filled in by_order.items():
        assert filled <= run.sent[client_id].qty


@settings(deadline=None)
@given(configs, scripts)
def test_no_fill_is_worse_than_its_limit_or_outside_the_market(
    config: SimulatedConfig, script: list[Step]
) -> None:
    run = Run(config).play(script)
    for step, events in run.by_step:
        for fill in events:
            if not isinstance(fill, Fill) or not isinstance(step, Bar | Trade | Quote):
                continue
            request = run.sent[fill.client_id]
            sign = fill.side.sign
            if request.kind is OrderKind.LIMIT:
                assert request.price is not None
                assert sign * fill.price <= sign * request.price
            low, high, _ = offered(step, fill.side)
            inside = RULES.price(low) <= fill.price <= RULES.price(high)
            gave = fill.liquidity is Liquidity.MAKER and fill.price == request.price
            assert inside or (gave and not isinstance(step, Bar)), (
                "a resting limit may be run through by ticks"
            )
            assert fill.fee == fill.price * fill.qty * (
                RULES.maker_fee if fill.liquidity is Liquidity.MAKER else RULES.taker_fee
            )
            assert not (request.post_only and fill.liquidity is Liquidity.TAKER)


@settings(deadline=None)
@given(configs, scripts)
def test_the_position_is_the_sum_of_fills_and_reduce_only_never_grows_it(
    config: SimulatedConfig, script: list[Step]
) -> None:
    run = Run(config).play([*script, Passing(100), Query(), Passing(100)])
    position = ZERO
    for fill in run.fills:
        after = position + fill.side.sign * fill.qty
        if run.sent[fill.client_id].reduce_only:
            assert abs(after) < abs(position)
            assert after * position >= 0, "it never turns"
        position = after
    report = [event for event in run.events if isinstance(event, VenueReport)][-1]
    assert sum((listed.qty for listed in report.positions), ZERO) == position
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in run.fills:
        filled[fill.client_id] += fill.qty
    ended = {event.client_id for event in run.events if isinstance(event, OrderCanceled)}
    acked = {event.client_id for event in run.events if isinstance(event, OrderAcked)}
    alive = {name for name in acked - ended if filled[name] < run.sent[name].qty}
    assert {listed.client_id for listed in report.orders} == alive
    assert all(listed.filled_qty == filled[listed.client_id] for listed in report.orders)


@settings(deadline=None)
@given(configs, scripts, st.data())
def test_the_same_script_gives_the_same_events_with_or_without_a_restart(
    config: SimulatedConfig, script: list[Step], data: st.DataObject
) -> None:
    straight = Run(config).play(script)
    assert Run(config).play(script).by_step == straight.by_step
    restarted = Run(config).play(script, data.draw(st.integers(0, len(script) - 1)))
    assert restarted.by_step == straight.by_step
    assert restarted.venue.state() == straight.venue.state()


@settings(deadline=None)
@given(configs, scripts)
def test_orders_that_are_left_asleep_had_nothing_to_do(config: SimulatedConfig, script: list[Step]) -> None:
    assert Run(config).play(script, vigilant=True).by_step == Run(config).play(script).by_step


@settings(deadline=None)
@given(configs, scripts)
def test_trade_ids_are_unique_and_every_fill_follows_an_ack(
    config: SimulatedConfig, script: list[Step]
) -> None:
    acked: dict[str, str] = {}
    seen: set[str] = set()
    for event in Run(config).play(script).events:
        if isinstance(event, OrderAcked):
            acked[event.client_id] = event.venue_id
        elif isinstance(event, Fill):
            assert acked[event.client_id] == event.venue_id
            assert event.trade_id not in seen
            seen.add(event.trade_id)


@settings(deadline=None)
@given(st.sampled_from(Side), ticks, ticks, bars())
def test_of_a_stop_and_a_target_in_one_bar_the_stop_fills(
    side: Side, stop_tick: int, target_tick: int, event: Bar
) -> None:
    run = Run(SimulatedConfig())
    opening = Bar(0, SYMBOL, 100.0, 100.0, 100.0, 100.0, 0.0, 60)
    exit_side = side.opposite
    # A protective stop lies on the losing side of the target, both away from the open, inside the bar.
    low, high = sorted((stop_tick, target_tick))
    stop_at, target_at = (low, high) if side is Side.BUY else (high, low)
    range_low, range_high = min(event.low, event.open), max(event.high, event.open)
    script: list[Step] = [
        opening,
        order("", side, OrderKind.MARKET, "1"),
        opening,
        order("", exit_side, OrderKind.LIMIT, "1", price=str(Decimal(target_at) / 10), reduce_only=True),
        order("", exit_side, OrderKind.STOP, "1", trigger=str(Decimal(stop_at) / 10), reduce_only=True),
        msgspec.structs.replace(event, volume=0.0),
    ]
    last = run.play(script).by_step[-1][1]
    both = range_low <= as_price(low) and as_price(high) <= range_high and low < high
    gapped = event.open >= as_price(target_at) if side is Side.BUY else event.open <= as_price(target_at)
    fills = [fill.client_id for fill in last if isinstance(fill, Fill)]
    if both:
        assert fills == (["c1"] if gapped else ["c2"])
    assert len(fills) <= 1, "the position is closed once"


@pytest.mark.parametrize("match_on", MatchOn)
def test_nothing_rests_nothing_is_said(match_on: MatchOn) -> None:
    venue = SimulatedVenue([RULES], SimulatedConfig(match_on=match_on))
    event = Trade(1, SYMBOL, 100.0, 1.0, 1, 100.0, 100.0)
    assert venue.on_market(event) is venue.on_market(event)
