"""Whatever is asked: no order that the gates let through breaks a limit; what reduces is not asked."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.snapshot import Phase
from engine.domain.commands import SubmitOrder
from engine.domain.events import Action
from engine.domain.ids import OrderRole
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S
from engine.domain.modes import Hold, Holder, Rung, lowest
from engine.domain.play import Sizing, SizingKind
from engine.risk.gates import EntryFacts, Verdict, ask, ask_all
from tests.builders import (
    BTC,
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    EXIT_LONG,
    EXIT_SHORT,
    STEP,
    World,
    bar,
    of,
    setup,
    spec,
)

amounts = st.integers(0, 10_000).map(lambda n: Decimal(n) / 10)
caps = st.none() | amounts
holds = st.lists(
    st.builds(Hold, st.sampled_from(Holder), st.sampled_from(["", BTC, ETH]), st.just(0)), max_size=3
).map(tuple)
facts = st.builds(
    EntryFacts,
    symbol=st.just(BTC),
    takes_orders=st.booleans() | st.just(True),
    lock_held=st.booleans() | st.just(True),
    holds=holds,
    data_age_s=st.floats(-5, 20),
    order_notional=amounts,
    position_notional_after=amounts,
    open_orders=st.integers(0, 6),
    day_pnl=amounts.map(lambda amount: 500 - float(amount)),
)
limits = st.builds(
    Limits,
    order_notional_max=caps,
    position_notional_max=caps,
    daily_loss_max=caps,
    open_orders_max=st.integers(0, 6),
    stale_after_s=st.floats(0, 20),
)


@given(facts, limits)
def test_what_passes_breaks_no_limit(entry, limit):
    if ask(entry, limit) is not None:
        return
    assert entry.takes_orders
    assert entry.lock_held
    assert lowest(entry.holds, BTC) is Rung.FULL
    assert entry.data_age_s <= limit.stale_after_s
    assert limit.order_notional_max is None or entry.order_notional <= limit.order_notional_max
    assert limit.position_notional_max is None or entry.position_notional_after <= limit.position_notional_max
    assert limit.daily_loss_max is None or entry.loss_today <= limit.daily_loss_max
    assert entry.open_orders < limit.open_orders_max


@given(facts, limits)
def test_asking_one_by_one_and_asking_all_agree(entry, limit):
    vetoes = [result for result in ask_all(entry, limit) if result.verdict is Verdict.VETO]
    assert ask(entry, limit) == (vetoes[0] if vetoes else None)
    assert all(result.reason is not None for result in vetoes)


closes = st.integers(80, 120).map(float)
steps = st.lists(
    st.tuples(closes, st.sampled_from([None, *([None] * 6), Action.PAUSE, Action.RESUME, Action.DISARM])),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60)
@given(
    steps,
    amounts,
    st.builds(
        dict,
        order_notional_max=caps,
        position_notional_max=caps,
        open_orders_max=st.integers(0, 6),
        daily_loss_max=st.none() | st.integers(1, 50).map(Decimal),
    ),
)
def test_a_machine_that_trades_stays_inside_its_limits(moves, worth, given_limits):
    sizing = Sizing(SizingKind.NOTIONAL, worth)
    world = World(setup(spec(sizing=sizing), symbols=(BTC,), **given_limits))
    limit, ledger = world.setup.limits, world.machine.ledger
    for close, action in moves:
        if action is not None:
            world.ask(action)
        before, rung, net = len(world.orders()), world.rung(BTC), ledger.net_qty(BTC)
        for command in of(SubmitOrder, world.bar(close)):
            request = command.request
            if request.role is not OrderRole.ENTRY:
                assert request.reduce_only, "what is not an entry only reduces"
                continue
            notional = request.qty * Decimal(repr(close))
            after = abs(ledger.net_qty(BTC) + request.side.sign * request.qty) * Decimal(repr(close))
            assert limit.order_notional_max is None or notional <= limit.order_notional_max
            assert limit.position_notional_max is None or after <= limit.position_notional_max
            assert rung is Rung.FULL, (before, net)


@settings(max_examples=40)
@given(limits, st.sampled_from([(ENTER_LONG, EXIT_LONG), (ENTER_SHORT, EXIT_SHORT)]), st.integers(0, 10))
def test_no_gate_stops_what_reduces(limit, levels, late_s):
    """A position that is open can be closed and flattened, whatever the limits became."""
    world = World(setup(stale_after_s=15.0))
    enter, leave = levels
    world.bars(enter, enter)
    assert world.qty() != 0
    tight = {name: getattr(limit, name) for name in ("order_notional_max", "position_notional_max")}
    world.machine.policy.limits = Limits(
        stale_after_s=15.0, open_orders_max=0, daily_loss_max=Decimal(0), **tight
    )
    closing = bar(leave, world.now + STEP)
    world.until(closing.ts)
    steps_taken = world.loop.market(closing, closing.ts + late_s * NS_PER_S)
    assert steps_taken is not None
    (submit,) = of(SubmitOrder, next(steps_taken))
    assert submit.request.role is OrderRole.EXIT
    world.flatten()
    assert world.phase() is Phase.FLATTENING
