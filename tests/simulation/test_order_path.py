"""The whole order path under a seed: plays, an operator, partial fills, refusals, a line that garbles all."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from engine.core.setup import CoreSetup
from engine.domain.commands import Command, FlattenEnded, Notice, SubmitOrder
from engine.domain.events import Action
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Rung
from engine.domain.orders import OrderKind, OrderState
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import BTC, ETH, World, bar, instrument, of, rich, setup, spec
from tests.fakes import BadLine

SEEDS = 240
BATCH = 24
MINUTES = 45
SYMBOLS = (BTC, ETH)
RECONCILE_NS = 50 * NS_PER_S
LOST = 0.05  # of all answers, where the line loses some


PLAYS = {
    "plain": (spec(), spec("other")),
    "rich": (rich(), rich("other", against=True, kind=OrderKind.STOP)),
}


def facts(style: str, **changes: Any) -> CoreSetup:
    return setup(
        *PLAYS[style],
        **changes,
        instruments=tuple(instrument(symbol, volume_caps_fills=True) for symbol in SYMBOLS),
        flatten_deadline_s=180.0,
        mode_dwell_s=60.0,
        daily_loss_max=Decimal(60),
    )


class Simulation:
    """One run: a market that wanders, an operator who meddles, a venue behind a bad line."""

    def __init__(self, seed: int, style: str = "plain", lost: float = 0.0) -> None:
        self.random = random.Random(seed)
        configured = facts(style, reconcile_ns=RECONCILE_NS if lost else 0)
        self.venue = BadLine(SimulatedVenue(configured.instruments, SimulatedConfig()), seed, lost=lost)
        self.world = World(configured, self.venue)
        self.prices = dict.fromkeys(SYMBOLS, 100.0)
        self.world.watch = self.watch
        self.flats = 0

    def run(self) -> None:
        for _ in range(MINUTES):
            self.minute()
            self.meddle()
            self.check_entries()
        self.calm_down()

    def minute(self) -> None:
        """Let a minute pass: a bar of each symbol, with little volume at times."""
        self.world.wait(60)
        for symbol in SYMBOLS:
            opened = self.prices[symbol]
            close = round(min(125.0, max(80.0, opened + self.random.uniform(-9, 9))), 1)
            volume = self.random.choice([0.1, 0.5, 2.0, 100.0])
            self.prices[symbol] = close
            self.world.market(bar(close, self.world.now, symbol, open=opened, volume=volume))

    def meddle(self) -> None:
        """Let the operator do something now and then; he arms when all is calm."""
        dice = self.random.random()
        world = self.world
        if dice < 0.04:
            world.flatten()
        elif dice < 0.10:
            world.ask(self.random.choice([Action.PAUSE, Action.DISARM]))
        elif dice < 0.12:
            world.ask(Action.RISK_MODE, self.random.choice(["reduce", "observe"]))
        elif dice < 0.13:
            self.lay_hand_on()
        elif dice < 0.60:
            world.ask(Action.RESUME)
            world.ask(Action.RISK_MODE, "normal", "seen")
            if self.venue.quiet:
                world.arm("all is calm")

    def lay_hand_on(self) -> None:
        """Let the operator close a position or cancel an order."""
        world = self.world
        held = [f"{p.play} {p.symbol}" for p in world.machine.ledger.open_positions()]
        orders = [order.client_id for order in world.orders()]
        if held and self.random.random() < 0.5:
            world.ask(Action.CLOSE_POSITION, self.random.choice(held), "enough")
        elif orders:
            world.ask(Action.CANCEL_ORDER, self.random.choice(orders), "not now")

    def watch(self, batch: Sequence[Command]) -> None:
        """Hold a batch against what must be at the moment when it is decided."""
        for submit in of(SubmitOrder, batch):
            assert submit.request.reduce_only is not submit.increases
            if submit.increases:
                assert self.world.rung(submit.request.symbol) is Rung.FULL, "an entry below FULL"
            request, held = submit.request, self.world.qty(submit.request.symbol, submit.request.play)
            if request.role in {OrderRole.STOP, OrderRole.TARGET}:
                assert request.side.sign * held < 0, "it protects what is not there"
                assert request.qty <= abs(held), "it protects more than there is"
        for ended in of(FlattenEnded, batch):
            self.flats += ended.flat
            if ended.flat:
                truth = self.venue.truth()
                assert not truth.orders, "FLAT was said with an order open"
                assert not truth.positions, "FLAT was said with a position open"

    def check_entries(self) -> None:
        """No entry rests where the ladder does not allow it, once all is said."""
        probed = self.world.machine.reconciler.state.probes
        for order in self.world.orders(OrderRole.ENTRY):
            if order.client_id in probed:
                continue  # the venue would not cancel it, and is being asked why
            if self.venue.quiet and self.world.rung(order.request.symbol) < Rung.FULL:
                assert order.cancel_requested or order.state is OrderState.UNKNOWN, (
                    "an entry rests below FULL"
                )

    def calm_down(self) -> None:
        """Let everything that is on its way arrive, and a flatten end; then books and venue must agree."""
        world = self.world
        self.venue.bad = False
        world.take(*self.venue.all_of_it())
        for _ in range(8):
            self.minute()
            self.check_entries()
        truth = self.venue.truth()
        held = {position.symbol: position.qty for position in truth.positions}
        unknown = {order.client_id for order in world.orders() if order.state is OrderState.UNKNOWN}
        for symbol in SYMBOLS:
            assert world.machine.ledger.net_qty(symbol) == held.get(symbol, 0), symbol
        ours, theirs = ({order.client_id for order in orders} for orders in (world.orders(), truth.orders))
        assert ours - unknown <= theirs <= ours, [world.machine.desk.book.get(o) for o in ours - theirs]


@pytest.mark.parametrize("style", PLAYS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_books_and_venue_agree_whatever_the_line_does(first, style):
    flats = fills = 0
    for seed in range(first, first + BATCH):
        simulation = Simulation(seed, style)
        try:
            simulation.run()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        flats += simulation.flats
        fills += simulation.world.machine.ledger.fills
    assert flats > 0, "the seeds show nothing where nothing is ever flattened"
    assert fills > 9 * BATCH  # a play sits out for a while after an operator's hand


@pytest.mark.parametrize("style", PLAYS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_books_and_venue_agree_again_whatever_the_line_loses(first, style):
    told = 0
    for seed in range(first, first + BATCH):
        simulation = Simulation(seed, style, LOST)
        try:
            simulation.run()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        told += sum(notice.kind == "reconcile" for notice in of(Notice, simulation.world.commands))
    assert told > 10 * BATCH, "the seeds show nothing where nothing is lost"


@pytest.mark.parametrize("style", PLAYS)
def test_a_seed_is_a_run(style):
    one, other = Simulation(7, style), Simulation(7, style)
    one.run()
    other.run()
    assert one.world.commands == other.world.commands
