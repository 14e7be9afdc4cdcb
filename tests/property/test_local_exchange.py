"""Whatever is asked of the local exchange, its books add up, and a restart at any moment changes nothing."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.money import ZERO
from engine.domain.signals import Side
from engine.venues.bybit_server import wire_account
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.orders import Force, Kind, Rising, Ticket
from engine.venues.bybit_server.refusals import RefusedError
from engine.venues.bybit_server.statefile import StateFile
from tests.unit.venues.bybit_server.floor import START, SYMBOL, quote, rules, trade

EQUITY = Decimal(10_000)
PRICES = st.integers(180, 220).map(lambda halves: Decimal(halves) / 2)
QTYS = st.integers(1, 4_000).map(lambda lots: Decimal(lots) / 1000)
SIDES = st.sampled_from(Side)

TICKETS = st.builds(
    Ticket,
    symbol=st.just(SYMBOL),
    side=SIDES,
    kind=st.just(Kind.LIMIT),
    qty=QTYS,
    price=PRICES,
    force=st.sampled_from(Force),
    reduce_only=st.booleans(),
) | st.builds(
    Ticket,
    symbol=st.just(SYMBOL),
    side=SIDES,
    kind=st.just(Kind.MARKET),
    qty=QTYS,
    force=st.just(Force.IOC),
    reduce_only=st.booleans(),
    trigger=st.none() | PRICES,
    rising=st.sampled_from((Rising.UP, Rising.DOWN)),
    take_profit=st.none() | PRICES,
    stop_loss=st.none() | PRICES,
)
STEPS = st.one_of(
    st.tuples(st.just("create"), TICKETS),
    st.tuples(st.just("trade"), st.tuples(PRICES, QTYS)),
    st.tuples(st.just("quote"), st.tuples(PRICES, QTYS)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("amend"), st.tuples(st.integers(0, 20), st.none() | QTYS, st.none() | PRICES)),
    st.tuples(st.just("protect"), st.tuples(st.none() | PRICES, st.none() | PRICES)),
)


def opened() -> Exchange:
    made = Exchange([rules()], id_key=b"property", equity=EQUITY)
    made.on_quote(quote(100.0, 100.5, 2.0))
    made.on_trade(trade(100.0))
    return made


def do(made: Exchange, step: tuple[str, Any], now: int) -> None:
    """Do one step; what is refused changes nothing."""
    kind, what = step
    waiting = list(made.blotter.open.values())
    try:
        match kind:
            case "create":
                made.create(what, now)
            case "trade":
                made.on_trade(trade(float(what[0]), float(what[1]), now))
            case "quote":
                made.on_quote(quote(float(what[0]), float(what[0]) + 0.5, float(what[1]), now))
            case "cancel" if waiting:
                made.cancel(waiting[what % len(waiting)], now)
            case "amend" if waiting:
                made.amend(waiting[what[0] % len(waiting)], now, qty=what[1], price=what[2], trigger=None)
            case "protect":
                made.protect(SYMBOL, now, take_profit=what[0], stop_loss=what[1])
            case _:
                pass
    except RefusedError:
        pass


def check_books(made: Exchange) -> None:
    blotter, holding, listing = made.blotter, made.account.holdings[SYMBOL], made.listings[SYMBOL]
    assert holding.qty == listing.book.position == sum(f.qty * f.side.sign for f in blotter.executions)
    fees = sum((fill.fee for fill in blotter.executions), ZERO)
    assert holding.position.fees == fees
    cash = sum((-fill.price * fill.qty * fill.side.sign for fill in blotter.executions), ZERO)
    worth = cash + holding.qty * listing.mark - fees
    assert abs(made.account.equity(made.marks()) - (EQUITY + worth)) < Decimal("1e-9")
    for order in blotter.orders.values():
        fills = [fill for fill in blotter.executions if fill.order_id == order.order_id]
        assert order.filled == sum((fill.qty for fill in fills), ZERO) <= order.qty
        assert (order.order_id in blotter.open) is order.status.is_open
        if order.ticket.force is Force.FOK:
            assert order.filled in (ZERO, order.qty)
        for fill in fills:
            if order.ticket.kind is Kind.LIMIT:  # at the price it had then, or better
                assert (fill.price - fill.order_price) * fill.side.sign <= 0
    resting, waiting = set(listing.book.orders), set(listing.waiting)
    assert (resting | waiting, resting & waiting) == (set(blotter.open), set())
    guards = [order for order in listing.waiting.values() if order.stop_kind != "Stop"]
    for order in guards:
        assert order.qty == abs(holding.qty)
        assert holding.qty * order.ticket.side.sign < 0


def seen(made: Exchange) -> Any:
    """Return all that a client can ask for."""
    blotter = made.blotter
    return (
        [wire_account.order(order) for order in blotter.orders.values()],
        [wire_account.execution(fill) for fill in blotter.executions],
        wire_account.position(made, SYMBOL),
        wire_account.wallet(made),
        set(blotter.open),
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=40))
def test_books_add_up(steps: list[tuple[str, Any]]):
    made = opened()
    for at, step in enumerate(steps):
        do(made, step, START + at)
        check_books(made)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25), st.integers(0, 25))
def test_a_restart_at_any_moment_changes_nothing(steps: list[tuple[str, Any]], cut: int):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        made = opened()
        state = StateFile.open(path)
        state.begin(START, EQUITY)
        for at, step in enumerate(steps[:cut]):
            do(made, step, START + at)
            state.keep(made, made.blotter.drain())
        state.close()
        state = StateFile.open(path)
        again = Exchange([rules()], id_key=b"property", equity=EQUITY)
        state.restore(again)
        state.close()
        listing = made.listings[SYMBOL]
        assert listing.book.quote is not None
        again.listings[SYMBOL].see_quote(listing.book.quote)
        again.listings[SYMBOL].book.last, again.listings[SYMBOL].last = listing.book.last, listing.last
        check_books(again)
        assert seen(again)[:2] == seen(made)[:2]
        again.blotter.sequence = made.blotter.sequence  # numbers go on, whatever they count
        assert seen(again) == seen(made)
