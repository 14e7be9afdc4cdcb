"""The simulation sees what it is there to see: with a defect put in on purpose, some seed soon fails."""

import asyncio
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.core import recalling, reconciling
from engine.core.answers import Answers
from engine.core.machine import Machine
from engine.core.reconciling import Reconciler
from engine.core.trading import Trading
from engine.domain.commands import SubmitOrder
from engine.domain.events import FeedChanged, FeedState, OrderRejected, OrderTimedOut
from engine.domain.orders import OrderRequest, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.execution.book import OrderBook
from engine.execution.flatten import Flatten
from engine.runtime import beginning, context
from engine.runtime.dispatch import Dispatcher
from engine.runtime.loop import NO_REFUSALS, Batch, Refusals
from engine.runtime.stores import Beyond
from tests.simulation.disk import Disk, ModelDatabase
from tests.simulation.exchange import Connection
from tests.simulation.faults import Kind
from tests.simulation.seeds import explain, outcome_of
from tests.simulation.world import SimulatedEngine, World

pytestmark = pytest.mark.simulation

SEEDS_MAX = 400


def first_failure(world_type: type[World] = World) -> tuple[int, str]:
    """Return the first seed that fails, and why."""
    for seed in range(SEEDS_MAX):
        what = outcome_of(seed, world_type).what
        if what:
            return seed, what
    pytest.fail(f"{SEEDS_MAX} seeds saw nothing")


def catches(pattern: str, world_type: type[World] = World) -> None:
    """Assert that the defect is seen for what it is."""
    seed, what = first_failure(world_type)
    assert re.search(pattern, what), f"seed {seed} saw something else: {what}"


class FullDiskWorld(World):
    """A world whose disk is full every other minute."""

    disk_full = 0.5


class HastyDatabase(ModelDatabase):
    """Says that a transaction is durable when it is only written."""

    async def _write(self, items: Any) -> None:
        await self._hop()
        self.disk.require_room("the transaction")
        self.write(items)


class HastyDisk(Disk):
    """A disk whose database syncs nothing by itself."""

    database_type = HastyDatabase


class HastyWorld(World):
    """A world on such a disk."""

    disk_type = HastyDisk


def test_a_journal_that_says_synced_too_early():
    catches("before its intent is on disk", HastyWorld)


def test_a_dispatcher_that_sends_before_the_disk_has_answered(monkeypatch):
    waiting: list[asyncio.Task[bool]] = []

    async def commit(self: Dispatcher, batch: Batch, now: int) -> Refusals:
        self._waiting.extend(batch)
        waiting.append(asyncio.ensure_future(self.flush(now)))
        self._on_batch(batch)
        return NO_REFUSALS

    monkeypatch.setattr(Dispatcher, "commit", commit)
    catches("before its intent is on disk")


def test_a_dispatcher_that_sends_entries_while_the_disk_fails(monkeypatch):
    refusals = Dispatcher._refusals
    monkeypatch.setattr(
        Dispatcher, "_refusals", lambda self, batch, *, stored: refusals(self, batch, stored=True)
    )
    catches("before its intent is on disk")


def test_a_dispatcher_that_does_not_look_at_the_latch(monkeypatch):
    def refusals(self: Dispatcher, batch: Batch, *, stored: bool) -> Refusals:
        entries = [c.request.client_id for c in batch if type(c) is SubmitOrder and c.increases]
        return {} if stored else dict.fromkeys(entries, Reason.NOT_JOURNALED)

    class LatchedWorld(World):
        """Somebody else's flatten sets the latch, and the engine is told nothing."""

        def _operate(self) -> None:
            super()._operate()
            if self.engine is not None and self.chance.of("work").random() < 0.2 and not self._calm:
                self.disk.latch = self.disk.latch_before = "somebody else"

    monkeypatch.setattr(Dispatcher, "_refusals", refusals)
    catches("although the latch is set", LatchedWorld)


def test_a_time_out_that_is_taken_for_a_refusal(monkeypatch):
    def time_out(self: Connection, client_id: str) -> None:
        if client_id not in self._answered:
            self._post(OrderRejected(self._time.now, client_id, Reason.NO_ANSWER), local=True)

    monkeypatch.setattr(Connection, "_time_out", time_out)
    catches("not in the books|a fill is lost|the venue has|FLAT is said|may bring the position")


def test_a_recovery_that_does_not_ask_the_journal(monkeypatch):
    async def nothing(*_: object, **__: object) -> Beyond:
        return Beyond()

    monkeypatch.setattr(context, "_beyond", nothing)
    catches("sent twice|not in the books|a fill is lost|the venue has|FLAT is said")


def test_ids_that_are_given_again_after_a_crash_on_a_full_disk(monkeypatch):
    monkeypatch.setattr(context, "IDS_SKIPPED", 0)
    catches("is sent twice", FullDiskWorld)


def test_what_only_the_venue_knows_is_left_to_it(monkeypatch):
    monkeypatch.setattr(reconciling, "adopted", lambda *_, **__: ())
    catches("not in the books|a fill is lost|FLAT is said", FullDiskWorld)


def test_fills_that_are_not_known_by_their_trade(monkeypatch):
    fill = OrderBook.fill

    def forgetful(self: OrderBook, order: Any, event: Fill, now: int) -> Any:
        self._trade_ids.clear()
        return fill(self, order, event, now)

    monkeypatch.setattr(OrderBook, "fill", forgetful)
    catches("is booked twice")


def test_a_start_that_forgets_what_was_set(monkeypatch):
    monkeypatch.setattr(beginning, "_stay_safe", lambda *_, **__: None)
    catches("before the restart, and is")


def test_a_start_that_is_armed_by_itself(monkeypatch):
    monkeypatch.setattr(beginning, "_follow_arm", lambda *_: None)
    catches("armed after a restart")


class PowerCutWorld(World):
    """A world in which the power goes after an entry has left, about when the venue fills it.

    A plan that is forgotten shows only where the position came to be: sooner, the start cancels the entry.
    """

    def _on_send(self, request: OrderRequest, engine: SimulatedEngine) -> None:
        super()._on_send(request, engine)
        if request.reduce_only or self._loop is None or self._calm:
            return
        work = self.chance.of("work")
        if work.random() < 0.6:
            self._crash_at = self._loop.steps + work.randint(20, 120)


def test_a_recovery_that_forgets_what_was_planned(monkeypatch):
    monkeypatch.setattr(recalling, "_plan_again", lambda *_: None)
    monkeypatch.setattr(reconciling, "unplanned", lambda *_: ())
    catches("has no stop, and nobody says so", PowerCutWorld)


class HastyOperatorWorld(World):
    """A world whose operator flattens while entries are on their way."""

    def _on_send(self, request: OrderRequest, engine: SimulatedEngine) -> None:
        super()._on_send(request, engine)
        if not request.reduce_only and not self._calm:
            self.time.after(self.chance.of(Kind.OPERATOR).uniform(0, 2), lambda: engine.flatten("me"))


def test_a_flatten_that_does_not_wait_for_what_is_unsettled(monkeypatch):
    monkeypatch.setattr(Flatten, "_settled", lambda *_: True)
    catches("FLAT is said", HastyOperatorWorld)


def test_gates_that_do_not_look_at_caps(monkeypatch):
    class Loose(Machine):
        """Plays that size their orders four times as large, and no cap that stops them."""

        def __init__(self, setup: Any) -> None:
            limits = msgspec.structs.replace(
                setup.limits, order_notional_max=None, position_notional_max=None
            )
            plays = tuple(_larger(binding) for binding in setup.plays)
            super().__init__(msgspec.structs.replace(setup, limits=limits, plays=plays))

    def _larger(binding: Any) -> Any:
        sizing = binding.spec.sizing
        larger = msgspec.structs.replace(sizing, value=sizing.value * Decimal(4))
        return msgspec.structs.replace(binding, spec=msgspec.structs.replace(binding.spec, sizing=larger))

    async def _nothing(*_: object) -> None:
        """Let a start go on with the limits that a checkpoint has."""

    class UneditedWorld(World):
        """A world in which nobody puts the plays back to their size."""

        def _look_at_files(self) -> None:
            return

        def _hold_plays(self, machine: Machine) -> None:
            return

    monkeypatch.setattr(beginning, "_keep_to_limits", _nothing)
    monkeypatch.setattr("tests.simulation.world.Machine", Loose)
    catches("over the order cap|may bring the position", UneditedWorld)


def test_a_reconciler_that_turns_unknown_into_dead(monkeypatch):
    """A timer that ends what nobody answered: the mistake that this engine is built not to make."""
    take = Answers.on_timeout

    def give_up(self: Answers, event: OrderTimedOut, now: int) -> None:
        take(self, event, now)
        order = self._desk.book.get(event.client_id)
        if order is not None and order.state is OrderState.UNKNOWN:
            self._desk.resolve(order, now)

    monkeypatch.setattr(Answers, "on_timeout", give_up)
    catches("not in the books|a fill is lost|the venue has|FLAT is said|has no stop, and nobody says so")


def test_positions_that_others_changed_are_left_in_the_books(monkeypatch):
    class HandsWorld(World):
        """A world in which others trade beside us all the time."""

        trades_by_hand = 0.5

    monkeypatch.setattr(reconciling, "GAP_REPORTS", 1_000_000)
    catches("they were not corrected", HandsWorld)


def test_positions_that_others_changed_are_passed_over(monkeypatch):
    monkeypatch.setattr(Reconciler, "_compare_positions", lambda *_: None)
    catches("they were not corrected|no alarm says so")


def test_entries_while_nobody_tells_what_becomes_of_orders(monkeypatch):
    take = Machine._on_feed

    def only_what_is_back(self: Machine, event: FeedChanged, now: int) -> None:
        if event.state is FeedState.CONNECTED:
            take(self, event, now)

    monkeypatch.setattr(Machine, "_on_feed", only_what_is_back)
    catches("while orders and fills are not heard")


def test_a_reload_that_changes_nothing(monkeypatch):
    monkeypatch.setattr(Trading, "swap", lambda *_: None)
    catches("was edited, and an earlier version runs")


def test_a_failing_seed_is_told_with_what_it_takes():
    seed, what = first_failure(HastyWorld)
    told = explain(seed, HastyWorld)
    assert told.startswith(f"seed {seed}: ")
    assert what.split(":")[0] in told
    assert f"python -m benchmarks.simulation --seed {seed}" in told
    assert "no faults at all" in told, "it needs none: the first entry shows it"
    assert told == explain(seed, HastyWorld)


def test_a_seed_that_holds_is_not_explained():
    assert explain(0) == "seed 0 does not fail"
