"""What a screen may know: every section of the snapshot, read from a machine at work."""

from decimal import Decimal

from engine.core.snapshot import FlattenSection, GateStatus, Phase
from engine.core.view import OPEN_SHOWN, ROWS_SHOWN, view
from engine.domain.events import Action
from engine.domain.ids import OrderRole
from engine.domain.modes import Mode, RiskMode, Rung
from engine.domain.orders import OrderState
from engine.risk.gates import GATES
from tests.builders import BTC, ENTER_LONG, ETH, PLAY, SELL, World, bar, instrument, setup, spec
from tests.fakes import Hand


def test_a_fresh_engine():
    world = Hand(setup(armed=False))
    shown = view(world.machine, world.now)
    status = shown.status
    assert (status.mode, status.instance, status.phase) == (Mode.PAPER, "test", Phase.DISARMED)
    assert (status.paused, status.risk_mode, status.rung) == (False, RiskMode.NORMAL, Rung.REDUCE)
    assert [hold.holder.value for hold in status.holds] == ["disarmed"]
    assert (status.plays, status.confirm_name, status.data_ended) == ((PLAY,), PLAY, False)
    assert shown.account.equity == 10_000
    assert (shown.orders, shown.positions, shown.signals, shown.alarms) == ((), (), (), ())
    assert shown.flatten == FlattenSection()
    assert [row.symbol for row in shown.ticks] == [BTC, ETH]


def test_where_plays_need_approval_the_gate_asks_for_that_of_the_first():
    world = World(setup(needs_approval=True))
    world.bar(ENTER_LONG)
    gates = {row.name: row for row in view(world.machine, world.now).gates}
    assert gates["play approved"].status is GateStatus.VETO


def test_a_long_position_with_its_protection():
    world = World(setup(instruments=(instrument(taker_fee=Decimal("0.001")),)))
    world.bars(ENTER_LONG, 112.0, 115.0)
    shown = view(world.machine, world.now)
    (position,) = shown.positions
    assert (position.qty, position.entry_price, position.mark) == (Decimal(1), Decimal(112), 115.0)
    assert (position.unrealized, position.realized, position.fees) == (
        Decimal(3),
        Decimal(0),
        Decimal("0.112"),
    )
    assert (position.stop_price, position.target_price) == (Decimal("100.9"), Decimal("134.2"))
    account = shown.account
    assert (account.equity, account.unrealized, account.fees) == (
        Decimal("10002.888"),
        Decimal(3),
        Decimal("0.112"),
    )
    assert (account.fills, account.trades, account.signals, account.currency) == (1, 0, 1, "USDT")
    assert account.day_pnl == Decimal("2.888")
    assert account.drawdown == 0.0


def test_open_orders_come_first_then_the_newest_ended():
    world = World()
    world.bars(ENTER_LONG, 112.0)
    rows = view(world.machine, world.now).orders
    assert [row.role for row in rows] == [OrderRole.STOP, OrderRole.TARGET, OrderRole.ENTRY]
    stop, target, entry = rows
    assert (stop.price, stop.average_price, stop.state) == (Decimal("100.9"), None, OrderState.ACKNOWLEDGED)
    assert target.price == Decimal("134.2")
    assert (entry.price, entry.average_price, entry.filled_qty) == (None, Decimal(112), Decimal(1))
    assert entry.venue_id == "sim1"


def test_flat_positions_come_last():
    world = World(setup(spec(), spec("other")))
    world.bars(ENTER_LONG, 112.0, 100.0)
    world.market(bar(ENTER_LONG, world.now, ETH))
    world.bar(100.0)
    world.market(bar(112.0, world.now, ETH))
    shown = view(world.machine, world.now)
    assert [(row.symbol, bool(row.qty)) for row in shown.positions] == [(ETH, True), (BTC, False)]
    assert shown.positions[1].entry_price == 0
    assert shown.signals[0].text == f"entry buy 1 {BTC}"


def test_gates_are_asked_as_if_the_first_play_entered_now():
    world = World(setup(armed=False, stale_after_s=10.0))
    world.bar(100.0)
    world.wait(11)
    gates = {row.name: row for row in view(world.machine, world.now).gates}
    assert gates["ladder"].status is GateStatus.VETO
    assert gates["ladder"].value == "REDUCE by disarmed"
    assert (gates["data fresh"].status, gates["data fresh"].value) == (GateStatus.VETO, "11.0s")
    assert gates["lock"].status is GateStatus.PASS
    assert gates["breaker"].status is GateStatus.PASS
    assert gates["play approved"].status is GateStatus.PASS


def test_without_a_play_the_first_instrument_is_asked_about():
    world = World(setup(plays=()))
    assert len(view(world.machine, world.now).gates) == len(GATES)


def test_a_flatten_shows_how_far_it_is():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    world.flatten()
    section = view(world.machine, world.now).flatten
    assert (section.step, section.since) == ("close positions", world.now)
    assert (section.cancels_left, section.positions_left) == (3, 1), "entry, stop and target"
    world.fill(world.order(OrderRole.FLATTEN))
    world.cancel(entry)
    world.wait(31)
    section = view(world.machine, world.now).flatten
    assert section.step == "residual"
    assert (section.cancels_left, section.positions_left, len(section.residual)) == (2, 0, 2)


def test_only_so_many_rows_are_shown():
    world = Hand()
    for number in range(OPEN_SHOWN + 10):
        world.machine.desk.submit(
            role=OrderRole.STOP,
            play=PLAY,
            symbol=BTC,
            side=SELL,
            qty=Decimal(1),
            now=world.now,
            cycle_id=str(number),
        )
    for _ in range(ROWS_SHOWN):
        world.ask(Action.PAUSE)
        world.ask(Action.RESUME)
    shown = view(world.machine, world.now)
    assert len(shown.orders) == OPEN_SHOWN
    assert shown.orders[-1].client_id == list(world.machine.desk.book.open)[-1], "the newest are among them"
    assert shown.open_risk.orders == OPEN_SHOWN + 10
    assert len(shown.notices) == ROWS_SHOWN
    assert shown.notices[-1].text == "pause: paused -> running by me"
