"""Whatever happens: two runs of the same events are one, also where one of them was restarted in between."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.setup import CoreSetup
from engine.core.view import view
from engine.domain.calendar import Window
from engine.domain.commands import Command, SaveVeto, SubmitOrder
from engine.domain.events import (
    Action,
    Backfill,
    CallOutcome,
    CancelRejected,
    Channel,
    ChannelReport,
    ClockChecked,
    Event,
    Fault,
    FaultKind,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    OrderSent,
    OrderTimedOut,
    PlaySwapped,
    VenueOrder,
    VenuePosition,
    VenueReport,
    Woken,
)
from engine.domain.limits import LimitsChanged
from engine.domain.market import NS_PER_S
from engine.domain.modes import RiskMode, Rung
from engine.domain.orders import Order, OrderKind, OrderState
from engine.domain.play import Rule
from engine.domain.reasons import Reason
from engine.risk.stops import OnMissing, OnStuck, StopPolicy
from tests.builders import BTC, ENTER_LONG, ETH, PLAY, STEP, bar, fill, quote, rich, setup, spec, trade
from tests.fakes import Hand

encode = msgspec.msgpack.Encoder(decimal_format="string").encode

closes = st.sampled_from([80.0, 89.0, 96.0, 100.0, 104.0, ENTER_LONG, 120.0])
symbols = st.sampled_from([BTC, ETH])
ANSWERS = ("ack", "fill", "part", "over", "again", "cancel", "reject", "timeout", "cancel refused")
LIKELY = ("ack", "fill", "fill", "part", "cancel", *ANSWERS)
CONTROLS = list(Action)
HANDS_REFUSED = {
    Reason.ALREADY_SO,
    Reason.EXIT_WORKING,
    Reason.FLATTEN_RUNNING,
    Reason.NO_SUCH_ORDER,
    Reason.NOTHING_TO_CLOSE,
    Reason.ORDER_PROTECTS,
}
TOLD = ("lives", "gone", "filled", "nobody", "half")

answers = st.tuples(st.just("answer"), st.sampled_from(LIKELY), st.integers(0, 5))
bars = st.tuples(st.just("bar"), closes, symbols)
# What may happen, as a name and what it needs to know; what happens often is written twice.
steps = st.one_of(
    bars,
    bars,
    answers,
    answers,
    answers,
    st.tuples(st.just("trade"), closes, symbols),
    st.tuples(st.just("quote"), closes, symbols),
    st.tuples(st.just("report"), st.sampled_from(["truth", "truth", "nothing", "part", "more"]), st.just(0)),
    st.tuples(
        st.just("told"), st.sampled_from(["lives", "gone", "filled", "nobody", "half"]), st.integers(0, 5)
    ),
    st.tuples(st.just("control"), st.sampled_from(CONTROLS), st.sampled_from(["", "aa", PLAY, *RiskMode])),
    st.tuples(st.just("control"), st.just(Action.ARM), st.just(PLAY)),
    st.tuples(st.just("resolve"), st.just(Action.RESOLVE), st.integers(0, 5)),
    st.tuples(
        st.just("hand"), st.sampled_from([Action.CLOSE_POSITION, Action.CANCEL_ORDER]), st.integers(0, 5)
    ),
    st.tuples(st.just("wait"), st.sampled_from([0.25, 0.25, 1.0, 31.0, 50_000.0]), st.just(0)),
    st.tuples(
        st.just("other"),
        st.sampled_from(["swap", "backfill", "fault", "mended", "feed", "back", "deaf", "heard"]),
        st.just(0),
    ),
    st.tuples(st.just("limits"), st.sampled_from([0.05, 0.1, 5.0]), st.booleans()),
    st.tuples(st.just("sent"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([20.0, -150.0]), st.just(0)),
    st.tuples(st.just("channel"), st.sampled_from(list(Channel)), st.sampled_from([*CallOutcome, "storm"])),
)
sequences = st.lists(steps, min_size=25, max_size=45)


def facts() -> CoreSetup:
    return setup(
        spec(),
        spec("other", long_entry=Rule("close > sma(2)"), take_profit=None),
        stale_check_ns=3600 * NS_PER_S,
        stale_after_s=7200.0,
        daily_loss_max=Decimal(40),
        mode_dwell_s=1.0,
    )


def rich_facts() -> CoreSetup:
    """Plays with all that follows a position, an entry and the trades."""
    return setup(
        rich(),
        rich("other", against=True, kind=OrderKind.STOP),
        stale_check_ns=3600 * NS_PER_S,
        stale_after_s=7200.0,
        daily_loss_max=Decimal(4000),
        mode_dwell_s=1.0,
    )


def compared_facts() -> CoreSetup:
    """Books that are compared with the venue, and more often than it answers."""
    return msgspec.structs.replace(facts(), reconcile_ns=20 * NS_PER_S)


def closing_facts() -> CoreSetup:
    """Positions that are closed where their stops are missing or stuck."""
    policy = StopPolicy(missing=OnMissing.CLOSE, stuck=OnStuck.CLOSE, stuck_after_s=1.0)
    return msgspec.structs.replace(facts(), stops=policy, stale_check_ns=25 * NS_PER_S)


def limited_facts() -> CoreSetup:
    """Every limit that looks back on something, a calendar, and a person who must let looser limits in."""
    noon = Window(name="noon", starts=tuple(range(720, 780, 7)), minutes=2, symbols=(ETH,))
    limited = setup(
        spec(),
        spec("other", long_entry=Rule("close > sma(2)"), take_profit=None),
        stale_check_ns=30 * NS_PER_S,
        stale_after_s=7200.0,
        mode_dwell_s=1.0,
        order_rate_max=6,
        repeat_entries_max=3,
        cycle_notional_max=Decimal(400),
        leverage_max=0.1,
        drawdown_max_percent=0.4,
        losses_in_a_row_max=3,
        slippage_max_bps=900.0,
        slippage_fills=3,
        reject_max_percent=80.0,
        reject_orders=4,
        retries_max=8,
        unknown_order_max_s=40_000.0,
        data_silence_max_s=40_000.0,
        clock_offset_max_ms=100.0,
        profit_reserve_percent=Decimal(30),
    )
    return msgspec.structs.replace(limited, calendar=(noon,), confirms_loosening=True)


styles = st.sampled_from([facts, rich_facts, compared_facts, closing_facts, limited_facts])


def apply(world: Hand, step: tuple[str, Any, Any]) -> list[Command]:
    """Let one thing happen."""
    kind, what, more = step
    match kind:
        case "bar":
            return world.bar(what, more)
        case "trade":
            return world.market(trade(what, world.now + 1, more))
        case "quote":
            return world.market(quote(what - 1, what + 1, world.now + 1, more))
        case "answer":
            return world.take(*answer(world, what, more))
        case "report":
            return world.take(report(world, what))
        case "told":
            return world.take(*told(world, what, more))
        case "control":
            return world.ask(what, more, "because")
        case "resolve" | "hand":
            return world.ask(*pointed(world, what, more))
        case "wait":
            return world.wait(what)
        case "limits" | "sent" | "clock":
            return world.take(watched(world, kind, what, more))
        case "channel":
            outcome = CallOutcome.TRANSIENT if more == "storm" else more
            reports = [ChannelReport(world.now, "v", what, outcome, "x")] * (5 if more == "storm" else 1)
            return world.take(*reports)
        case _:
            return world.take(other(world, what))


def watched(world: Hand, kind: str, what: Any, more: Any) -> Event:
    """Return what limits and those who watch over them are told."""
    if kind == "clock":
        return ClockChecked(world.now, "v", what)
    if kind == "sent":
        orders = world.orders()
        return OrderSent(world.now, orders[what % len(orders)].client_id if orders else "nobody")
    limits = msgspec.structs.replace(world.setup.limits, leverage_max=what, order_rate_max=4)
    return LimitsChanged(world.now, "aa", limits, world.setup.calendar if more else ())


def unanswered(world: Hand, number: int) -> str:
    """Return the client id of an order without an answer, of any other where there is none."""
    orders = world.orders()
    named = [o for o in orders if o.state is OrderState.UNKNOWN] or orders
    return named[number % len(named)].client_id if named else "nobody"


def pointed(world: Hand, action: Action, number: int) -> tuple[Action, str, str]:
    """Return what an operator may do to an order or an open position."""
    if action is Action.RESOLVE:
        return action, f"{unanswered(world, number)} dead", "because"
    positions = [f"{p.play} {p.symbol}" for p in world.machine.ledger.open_positions()]
    orders = [order.client_id for order in world.orders()]
    found = positions if action is Action.CLOSE_POSITION else orders
    return action, found[number % len(found)] if found else PLAY, ""


def answer(world: Hand, what: str, number: int) -> list[Event]:
    """Return what the venue says of one of the orders there are, or were."""
    book = world.machine.desk.book
    orders = [*book.open_orders(), *book.ended_orders()[-3:]]
    if not orders:
        return []
    order: Order = orders[number % len(orders)]
    now, client_id = world.now, order.client_id
    amounts = {
        "fill": order.remaining_qty or Decimal("0.01"),
        "part": Decimal("0.01"),
        "over": order.request.qty * 2,
    }
    match what:
        case "ack":
            return [OrderAcked(now, client_id, f"v{number}")]
        case "cancel":
            return [OrderCanceled(now, client_id)]
        case "reject":
            return [OrderRejected(now, client_id, Reason.OFF_TICK)]
        case "timeout":
            return [OrderTimedOut(now, client_id)]
        case "cancel refused":
            return [CancelRejected(now, client_id, Reason.ORDER_NOT_FOUND)]
        case _:
            trade_id = f"t{world.machine.ledger.fills - (what == 'again')}"
            facts: dict[str, Any] = {"ts": now, "trade_id": trade_id, "side": order.request.side}
            return [fill(client_id, amounts.get(what, "0.01"), "101", symbol=order.request.symbol, **facts)]


def report(world: Hand, what: str) -> VenueReport:
    """Return what a venue may answer to the last query: all of it, nothing, less or more."""
    orders = tuple(
        listed(o, o.state) for o in world.machine.desk.book.open_orders() if o.state is not OrderState.UNKNOWN
    )
    held = tuple(
        VenuePosition(symbol, world.machine.ledger.net_qty(symbol) + (what == "more"))
        for symbol in (BTC, ETH)
    )
    number = world.silent.queries[-1] if world.silent.queries else 0
    if what == "nothing":
        orders, held = (), ()
    return VenueReport(world.now, number, orders, held, complete=what != "part")


def listed(order: Order, state: OrderState, filled: Decimal | None = None) -> VenueOrder:
    """Return one of our orders as the venue may list it."""
    request, venue_id = order.request, f"v{order.client_id}"
    qty = order.filled_qty if filled is None else filled
    return VenueOrder(order.client_id, venue_id, request.symbol, request.side, request.qty, qty, state)


def told(world: Hand, what: str, number: int) -> list[Event]:
    """Return what the venue may answer when it is asked about an order."""
    orders = world.orders()
    if not orders:
        return []
    order = orders[number % len(orders)]
    rest = order.request.qty - order.filled_qty
    match what:
        case "lives":
            return [OrderReport(world.now, order.client_id, listed(order, OrderState.ACKNOWLEDGED))]
        case "gone":
            return [OrderReport(world.now, order.client_id, listed(order, OrderState.CANCELED))]
        case "filled" if rest > 0:
            trade = fill(
                order.client_id,
                rest,
                "101",
                ts=world.now,
                trade_id=f"told{world.machine.ledger.fills}",
                symbol=order.request.symbol,
                side=order.request.side,
            )
            ended = listed(order, OrderState.FILLED, order.request.qty)
            return [OrderReport(world.now, order.client_id, ended, (trade,))]
        case "half":
            return [
                OrderReport(world.now, order.client_id, listed(order, OrderState.CANCELED), complete=False)
            ]
        case _:
            return [OrderReport(world.now, order.client_id, None)]


def other(world: Hand, what: str) -> Event:
    now = world.now
    match what:
        case "swap":
            return PlaySwapped(now, spec(long_exit=Rule("close < 100")), 2)
        case "backfill":
            return Backfill(now, (bar(100.0, now - STEP), bar(101.0, now - STEP, ETH)))
        case "fault" | "mended":
            return Fault(now, FaultKind.STORAGE, "disk", cleared=what == "mended")
        case "feed":
            return FeedChanged(now, "feed", FeedState.DISCONNECTED)
        case "back":
            return FeedChanged(now, "feed", FeedState.CONNECTED)
        case "deaf":
            return FeedChanged(now, "orders", FeedState.DISCONNECTED, channel=Channel.PRIVATE)
        case "heard":
            return FeedChanged(now, "orders", FeedState.CONNECTED, channel=Channel.PRIVATE)
        case _:
            return Woken(now)


@settings(max_examples=40)
@given(styles, sequences)
def test_the_same_events_lead_to_the_same_commands(style, sequence):
    one, other_run = Hand(style()), Hand(style())
    for step in sequence:
        assert encode(apply(one, step)) == encode(apply(other_run, step))
    assert one.machine.state() == other_run.machine.state()


@settings(max_examples=100)
@given(styles, sequences, st.integers(0, 44))
def test_a_restart_at_any_moment_changes_nothing_that_follows(style, sequence, moment):
    straight, restarted = Hand(style()), Hand(style())
    for number, step in enumerate(sequence):
        if number == moment % len(sequence):
            restarted.restart()
        assert encode(apply(straight, step)) == encode(apply(restarted, step)), step
    assert encode(restarted.machine.state()) == encode(straight.machine.state())
    assert restarted.loop.state().timers == straight.loop.state().timers
    assert encode(view(restarted.machine, straight.now)) == encode(view(straight.machine, straight.now))


@settings(max_examples=50)
@given(styles, sequences)
def test_what_must_hold_after_every_event(style, sequence):
    world = Hand(style())
    world.watch = lambda batch: look_at(world, batch)
    for step in sequence:
        unknown = {o.client_id for o in world.orders() if o.state is OrderState.UNKNOWN}
        before = world.machine.ledger.fills
        apply(world, step)
        if step[0] == "resolve":
            assert world.machine.ledger.fills == before, "a word books nothing"
        if step[0] not in {"answer", "told", "resolve"}:
            still = {o.client_id for o in world.orders() if o.state is OrderState.UNKNOWN}
            assert unknown <= still, "only the venue's word on an order ends UNKNOWN, or an operator's"
        for runner in world.machine.trading.runners:
            qty = world.qty(runner.binding.symbol, runner.binding.spec.name)
            assert runner.side == (qty > 0) - (qty < 0)
        view(world.machine, world.now)


def look_at(world: Hand, batch: Sequence[Command]) -> None:
    """Hold a batch against what must be at the moment when it is decided."""
    for command in batch:
        if isinstance(command, SubmitOrder):
            assert command.request.reduce_only is not command.increases
            assert not command.increases or world.rung(command.request.symbol) is Rung.FULL
            deaf = world.machine.setup.reconcile_ns and world.machine.channels.unheard
            assert not (command.increases and deaf), "nobody would tell what becomes of it"


@settings(max_examples=60)
@given(styles, sequences)
def test_an_operators_hand_only_ever_reduces_and_is_refused_for_no_limit(style, sequence):
    world = Hand(style())
    for step in sequence:
        commands = apply(world, step)
        if step[0] != "hand":
            continue
        assert not [c for c in commands if isinstance(c, SubmitOrder) and c.increases]
        sent = [c.request for c in commands if isinstance(c, SubmitOrder)]
        assert len(sent) <= 1
        for request in sent:
            held = world.machine.ledger.position(request.play, request.symbol).qty
            assert request.qty == abs(held)
            assert request.side.sign * held < 0
        assert {c.veto.reason for c in commands if isinstance(c, SaveVeto)} <= HANDS_REFUSED
