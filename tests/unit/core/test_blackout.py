"""The calendar at work: entries are held back while a window runs, and nothing else is."""

from decimal import Decimal

from engine.core.blackout import BLACKOUT_TIMER
from engine.core.view import view
from engine.domain.calendar import Window
from engine.domain.commands import CancelOrder, SetTimer
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Holder, Rung
from tests.builders import BTC, ENTER_LONG, ETH, EXIT_LONG, T0, World, of, setup
from tests.fakes import Hand

MINUTE = 60 * NS_PER_S
SOON = Window(name="news", starts=(725,), minutes=10)  # 12:05, five minutes after the start
ONLY_ETH = Window(name="eth", starts=(721,), minutes=2, symbols=(ETH,))


def test_a_timer_stands_for_the_next_beginning():
    world = World(setup(calendar=(SOON, ONLY_ETH)))
    assert of(SetTimer, world.commands) == [SetTimer(BLACKOUT_TIMER, T0 + MINUTE)]
    assert World(setup()).commands == []


def test_a_window_holds_entries_back_and_lets_go_by_itself():
    world = Hand(setup(calendar=(SOON,)))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    commands = world.wait(4 * 60)
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]
    (hold,) = world.machine.authority.holds.all
    assert (hold.holder, hold.symbol, hold.detail) == (Holder.BLACKOUT, "", "news")
    world.wait(10 * 60 - 1)
    assert world.rung() is Rung.REDUCE
    world.wait(1)
    assert world.rung() is Rung.FULL


def test_what_reduces_goes_on_in_a_blackout():
    world = World(setup(calendar=(SOON,)))
    world.bars(ENTER_LONG, 111.0, 111.0, 111.0, 111.0)
    assert (world.rung(), world.qty()) == (Rung.REDUCE, Decimal(1))
    world.bars(EXIT_LONG, EXIT_LONG)
    assert world.qty() == 0


def test_a_window_of_one_symbol_holds_that_alone():
    world = World(setup(calendar=(ONLY_ETH,)))
    world.wait(60)
    assert (world.rung(ETH), world.rung(BTC)) == (Rung.REDUCE, Rung.FULL)
    world.wait(120)
    assert world.rung(ETH) is Rung.FULL


def test_the_screen_counts_down():
    world = World(setup(calendar=(SOON, ONLY_ETH)))
    rows = view(world.machine, world.now).risk.blackouts
    minutes = [((row.begins - T0) // MINUTE, (row.ends - T0) // MINUTE) for row in rows]
    assert [(row.name, row.symbols) for row in rows] == [("eth", (ETH,)), ("news", ())]
    assert minutes == [(1, 3), (5, 15)]
    world.wait(6 * 60)
    assert view(world.machine, world.now).risk.blackouts[0].name == "news"


def test_a_restart_within_a_window_is_held_by_it():
    world = Hand(setup(calendar=(SOON,), stale_check_ns=NS_PER_S))
    world.wait(6 * 60)
    before = world.loop.state()
    world.restart()
    assert world.loop.state() == before
    world.restart(new_run=True)
    assert world.rung() is Rung.FULL, "what is held by itself is looked at afresh"
    world.wait(1)
    assert world.rung() is Rung.REDUCE
    world.wait(9 * 60)
    assert world.rung() is Rung.FULL
