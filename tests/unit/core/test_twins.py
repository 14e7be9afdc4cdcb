"""Shadow twins: other versions of a play on the same market, with books of their own."""

from decimal import Decimal
from random import Random

import msgspec
import pytest

from engine.core.divergence import SIGNALS_MAX, Divergence
from engine.core.machine import Machine
from engine.core.twinned import TwinnedMachine
from engine.core.twins import TWINS_MAX
from engine.core.view import view
from engine.domain.commands import CancelOrder, SaveFill, SaveOrder, SaveSignal, SubmitOrder
from engine.domain.errors import CheckpointError
from engine.domain.events import Action, Backfill, PlaySwapped
from engine.domain.limits import LimitsChanged
from engine.domain.play import PlaySpec, Rule
from engine.domain.positions import Position
from engine.domain.shadow import SaveShadow, SaveStage, ShadowSignal, Whose
from engine.domain.signals import Signal, SignalKind
from engine.domain.versions import TwinChanged
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import (
    BTC,
    BUY,
    ENTER_LONG,
    ETH,
    EXIT_LONG,
    PLAY,
    QUIET,
    STEP,
    T0,
    World,
    bar,
    control,
    fill,
    machine_of,
    of,
    quote,
    recode,
    rich,
    setup,
    spec,
    trade,
)

EAGER = spec(long_entry=Rule("close > 100.5"), long_exit=Rule("close < 99.5"))
WALK = [100.0 + 18.0 * Random(5).uniform(-1, 1) + 6.0 * (i % 7 - 3) for i in range(120)]


def twin(world: World, version: PlaySpec = EAGER, label: str = PLAY, generation: int = 2) -> None:
    world.take(TwinChanged(world.now, label, PLAY, version, generation))


def shadows(commands: list) -> list[ShadowSignal]:
    return [saved.signal for saved in of(SaveShadow, commands)]


def test_a_twin_signals_and_trades_in_its_own_books_and_sends_nothing():
    world = World()
    twin(world)
    commands = world.bars(101.0, 102.0, 103.0)
    assert [signal.kind for signal in shadows(commands)] == [SignalKind.ENTRY]
    assert not of(SubmitOrder, commands) + of(CancelOrder, commands) + of(SaveFill, commands)
    assert not of(SaveSignal, commands) + of(SaveOrder, commands)
    (row,) = world.machine.twin_rows(world.now)
    assert (row.qty > 0, row.signals, row.bars, row.generation) == (True, 1, 3, 2)
    assert world.machine.ledger.open_positions() == ()


@pytest.mark.parametrize("version", [spec(), rich(), rich(against=True)])
def test_the_twin_of_the_running_version_does_what_that_does(version: PlaySpec):
    world = World(setup(version))
    twin(world, version)
    world.bars(*WALK)
    (row,) = world.machine.twin_rows(world.now)
    running = world.machine.ledger
    assert row.only_running == row.only_twin == 0
    assert row.both == row.signals > 5
    assert row.trades == running.trades > 2
    assert row.pnl == pytest.approx(running.equity() - float(running.start_equity), abs=1e-9)
    assert row.running_pnl == pytest.approx(row.pnl)
    assert row.differing == ()


def test_signals_that_only_one_version_gave_are_told_apart():
    world = World()
    twin(world)
    world.bars(101.0, QUIET, ENTER_LONG, QUIET)
    (row,) = world.machine.twin_rows(world.now)
    assert (row.only_twin, row.only_running, row.both) == (1, 2, 0)
    assert {difference.whose for difference in row.differing} == {Whose.TWIN, Whose.RUNNING}


def test_an_entry_is_resolved_with_the_position_it_opened():
    world = World()
    twin(world)
    commands = world.bars(101.0, 106.0, 103.0)
    world_exit = world.bars(99.0, 98.0)
    (entry,) = [s for s in shadows(commands) if s.kind is SignalKind.ENTRY]
    assert entry.resolved == 0
    ended = [s for s in shadows(world_exit) if s.kind is SignalKind.ENTRY and s.resolved]
    assert len(ended) == 1
    assert ended[0].pnl is not None
    assert ended[0].pnl < 0
    assert ended[0].mfe_percent == pytest.approx((106 / 101 - 1) * 100)
    assert ended[0].mae_percent == pytest.approx((98 / 101 - 1) * 100, abs=1.0)


def test_an_entry_that_its_books_refuse_is_held_against_the_market_after_the_horizon():
    world = World(setup(shadow_horizon_bars=3, order_notional_max=Decimal(1)))
    twin(world)
    commands = world.bars(101.0, 104.0, 100.2, 102.0, 90.0)
    refused = [s for s in shadows(commands) if s.reason == "ORDER_NOTIONAL_MAX"]
    assert refused
    ended = [s for s in refused if s.resolved and s.ts == refused[0].ts]
    assert len(ended) == 1
    assert ended[0].pnl is None
    assert ended[0].return_percent == pytest.approx((102 / 101 - 1) * 100)
    assert ended[0].mfe_percent == pytest.approx((104 / 101 - 1) * 100)


def test_a_twin_takes_the_limits_that_change_but_for_those_that_only_a_person_ends():
    world = World(setup(order_notional_max=Decimal(1)))
    twin(world)
    assert {s.reason for s in shadows(world.bars(101.0, 102.0)) if s.kind is SignalKind.ENTRY} == {
        "ORDER_NOTIONAL_MAX"
    }
    wider = msgspec.structs.replace(
        world.setup.limits, order_notional_max=None, daily_loss_max=Decimal(1), drawdown_max_percent=0.1
    )
    world.take(LimitsChanged(world.now, "aa", wider, ()))
    policy = world.machine.twins.by_label[PLAY].machine.policy
    assert policy.limits == msgspec.structs.replace(wider, daily_loss_max=None, drawdown_max_percent=None)
    assert any(s.reason == "" for s in shadows(world.bars(99.0, 101.0, 102.0)))
    twin(world, label="later")
    assert world.machine.twins.by_label["later"].machine.policy.limits == policy.limits


def test_a_short_counts_the_other_way():
    world = World(setup(shadow_horizon_bars=1, order_notional_max=Decimal(1)))
    twin(world, spec())
    commands = world.bars(89.0, 80.0)
    (ended,) = [s for s in shadows(commands) if s.resolved and s.price == 89.0]
    assert ended.return_percent == pytest.approx((1 - 80 / 89) * 100)
    assert ended.mae_percent == 0.0


def test_a_twin_may_look_at_another_symbol_and_at_prints():
    world = World(setup(spec(), symbols=(BTC, ETH)))
    prints = spec(
        "prints", timeframe="trade", long_entry=Rule("close > 50"), stop_loss=None, take_profit=None
    )
    world.take(TwinChanged(world.now, "prints", "", prints, 1, ETH, 1))
    world.until(world.now + STEP)
    commands = world.market(trade(120.0, world.now + 1, ETH))
    assert [signal.symbol for signal in shadows(commands)] == [ETH]
    (row,) = world.machine.twin_rows(world.now)
    assert (row.of, row.running_hash, row.running_pnl, row.bars) == ("", "", 0.0, 1)


def test_a_twin_ends_and_another_one_takes_its_label():
    world = World()
    twin(world)
    world.bars(101.0, 102.0)
    commands = world.take(TwinChanged(world.now, PLAY, PLAY, spec(long_entry=Rule("close > 102.5")), 3))
    (stage,) = [saved.stage for saved in of(SaveStage, commands)]
    assert (stage.bars, stage.signals, stage.hash) == (2, 1, EAGER.hash)
    (left,) = shadows(commands)
    assert (left.resolved, left.pnl) == (world.now, None)
    assert left.return_percent == pytest.approx((102 / 101 - 1) * 100)
    assert world.machine.twin_rows(world.now)[0].generation == 3
    world.take(TwinChanged(world.now, PLAY, PLAY))
    assert world.machine.twin_rows(world.now) == ()


def test_there_are_only_so_many_twins():
    world = World()
    for number in range(TWINS_MAX + 1):
        twin(world, label=f"twin{number}")
    assert len(world.machine.twin_rows(world.now)) == TWINS_MAX
    assert "run already" in world.machine.board.notices[-1].text


def test_a_twin_is_warm_where_the_window_covers_its_lookback():
    averaged = spec(long_entry=Rule("close > sma(10)"), long_exit=Rule("close < sma(10)"))
    from_the_start, later = World(), World()
    twin(from_the_start, averaged)
    from_the_start.bars(*WALK[:40])
    later.bars(*WALK[:40])
    twin(later, averaged)
    assert later.machine.twin_rows(later.now)[0].bars_missing == 0
    first, second = (
        w.machine.twins.by_label[PLAY].machine.trading.runners[0] for w in (from_the_start, later)
    )
    assert first.evaluator.values() == second.evaluator.values()


def test_a_restart_at_any_event_gives_the_same_bytes():
    steady, broken = World(setup(rich())), World(setup(rich()))
    version = rich(long_entry=Rule("close > 104"))
    for world in (steady, broken):
        twin(world, version)
    for number, close in enumerate(WALK[:60]):
        for world in (steady, broken):
            world.bar(close)
            if number == 30:
                world.ask(Action.PROMOTE, PLAY)
        broken.restart()
        assert msgspec.msgpack.encode(broken.loop.state()) == msgspec.msgpack.encode(steady.loop.state())
    assert steady.commands == broken.commands


def test_a_state_that_is_no_twins_is_told():
    world = World()
    state = recode(world.loop.state()).machine
    with pytest.raises(CheckpointError, match="shadow twins cannot be read"):
        world.machine.restore(msgspec.structs.replace(state, twinned=b"\xc1"))


def test_stages_are_told_at_the_stop_and_now_and_then():
    world = World()
    twin(world)
    world.bars(101.0, 102.0, ENTER_LONG, EXIT_LONG, QUIET)
    commands = world.ask(Action.STOP, "keep")
    running, shadow = [saved.stage for saved in of(SaveStage, commands)]
    assert (running.bars, running.signals, running.trades) == (5, 2, 1)
    assert running.pnl < 0
    assert (shadow.role, shadow.signals) == ("twin", 1)
    assert of(SaveStage, World().bars(*[QUIET] * 11))


def test_an_earlier_state_without_twins_is_taken_up():
    world = World()
    world.bars(QUIET)
    state = msgspec.structs.replace(recode(world.loop.state()).machine, twinned=b"")
    fresh = machine_of(world.setup)
    fresh.restore(state)
    fresh.handle(Backfill(world.now, ()), world.now)
    stop = control(Action.STOP, "keep", ts=world.now)
    (saved,) = of(SaveStage, fresh.handle(stop, world.now))
    assert (saved.stage.began, saved.stage.bars) == (world.now, 0)


def test_a_swap_at_once_is_remembered():
    world = World()
    commands = world.take(PlaySwapped(world.now, EAGER, 2))
    assert world.machine.versions.running[PLAY].before[0].spec == spec()
    assert any(type(command).__name__ == "SaveTransition" for command in commands)


def test_a_twin_of_the_running_version_itself_follows_a_swap():
    world = World(setup(takes_orders=False))
    twin(world, spec(), generation=1)
    world.bars(ENTER_LONG, QUIET)
    (row,) = world.machine.twin_rows(world.now)
    assert (row.of, row.both, row.only_running, row.running_pnl) == ("", 0, 0, 0.0)
    assert row.qty > 0
    world.take(PlaySwapped(world.now, EAGER, 2))
    (row,) = world.machine.twin_rows(world.now)
    assert (row.hash, row.generation) == (EAGER.hash, 2)
    twin(world, spec(), generation=3)
    world.take(PlaySwapped(world.now, rich(), 4))
    assert world.machine.twin_rows(world.now)[0].generation == 3


def test_bars_of_the_past_warm_the_twin_as_the_running_version():
    world = World()
    twin(world, spec(long_entry=Rule("close > sma(10)")))
    past = tuple(bar(100.0, world.now + n * STEP) for n in range(1, 12))
    assert world.machine.twin_rows(world.now)[0].bars_missing == 10
    world.take(Backfill(world.now, past))
    assert world.machine.twin_rows(world.now)[0].bars_missing == 0
    assert of(SaveStage, world.ask(Action.STOP, "keep"))[0].stage.bars == 0
    plain = Machine(setup())
    assert view(plain, world.now).twins == ()


def test_orders_of_a_twin_take_the_time_that_the_venue_takes():
    facts = setup()
    config = SimulatedConfig(latency_ns=STEP // 2)
    machine = TwinnedMachine(facts, lambda instruments: SimulatedVenue(instruments, config))
    now = T0
    machine.start(now)
    machine.handle(TwinChanged(now, PLAY, PLAY, EAGER, 2), now)
    for close in (101.0, 102.0, 103.0):
        now += STEP
        machine.handle(bar(close, now), now)
    (row,) = machine.twin_rows(now)
    assert row.entry_price == Decimal(102)


def test_what_a_twin_does_not_look_at_passes_it_by():
    world = World()
    twin(world)
    pair = spec("late", legs=("btc", "eth"), long_entry=Rule("btc.close > eth.close"))
    world.take(TwinChanged(world.now, "z", PLAY, pair, 1, BTC, STEP, (ETH,)))
    world.bar(QUIET, ETH)
    world.market(trade(101.0, world.now + 1))
    world.market(quote(100.0, 101.0, world.now + 1))
    assert [row.bars for row in world.machine.twin_rows(world.now)] == [0, 0]
    world.bars(ENTER_LONG)
    world.ask(Action.PROMOTE, PLAY)
    world.take(TwinChanged(world.now, "z", PLAY))
    assert world.machine.versions.waiting


def test_signals_of_another_play_are_not_compared():
    world = World(setup(spec(), spec("second")))
    twin(world)
    world.bar(ENTER_LONG, ETH)
    assert world.machine.twin_rows(world.now)[0].only_running == 0
    closed = SaveFill(fill(), Position(play="nobody", symbol=BTC))
    world.machine.versions.note((closed,))
    assert [running.trades for running in world.machine.versions.running.values()] == [0, 0]


def test_only_the_last_bars_and_the_newest_signals_are_compared():
    compared = Divergence(STEP)
    for number in range(SIGNALS_MAX + 50):
        signal = Signal(number * 10 * STEP, PLAY, BTC, BUY, SignalKind.ENTRY, 100.0)
        compared.twin(signal)
    assert len(compared.state().given) == SIGNALS_MAX
    rows = compared.rows((SIGNALS_MAX + 50) * 10 * STEP)
    assert 40 < len(rows) <= 51
