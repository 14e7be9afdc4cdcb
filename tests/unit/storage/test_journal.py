import asyncio
import sqlite3
from decimal import Decimal

import msgspec
import pytest

from engine.domain.commands import (
    CancelAllAfter,
    ClearTimer,
    FlattenEnded,
    Latch,
    Notice,
    NoticeLevel,
    QueryVenue,
    SaveVeto,
    SetTimer,
    Stopped,
    TransitionKind,
)
from engine.domain.errors import StorageError
from engine.domain.intents import IntentAction, IntentState
from engine.domain.orders import OPEN_STATES, Order, OrderKind, OrderRequest, OrderState
from engine.domain.reasons import Reason
from engine.domain.signals import EntryPlan, Part
from engine.ports import Journal
from engine.storage.database import Database
from engine.storage.decisions import DecisionRepository
from engine.storage.journal import SqliteJournal, statements_of
from engine.storage.ledger import LedgerRepository
from engine.storage.orders import OPEN_CONDITION, UNSETTLED_CONDITION, OrderRepository
from engine.storage.rows import ORDER_COLUMNS
from tests.unit.storage import samples
from tests.unit.storage.samples import T0


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "engine.db", synchronous="off")
    yield opened
    await opened.close()


@pytest.fixture
def journal(database) -> Journal:
    return SqliteJournal(database)


@pytest.fixture
async def reader(database):
    async with database.reader() as connection:
        yield connection


@pytest.fixture
def orders(reader):
    return OrderRepository(reader)


@pytest.fixture
def ledger(reader):
    return LedgerRepository(reader)


@pytest.fixture
def decisions(reader):
    return DecisionRepository(reader)


async def test_a_submit_is_pending_as_order_and_as_intent(journal, orders):
    await journal.commit([samples.submit(7)])
    [order] = await orders.open_orders()
    assert order.request == samples.request(7)
    assert order.state is OrderState.PENDING
    [intent] = await orders.unsettled_intents()
    assert (intent.client_id, intent.action, intent.state) == (
        order.client_id,
        IntentAction.SUBMIT,
        IntentState.PENDING,
    )
    assert intent.qty == Decimal("0.01")
    assert await orders.highest_sequence() == 7


async def test_a_submit_again_does_not_reset_what_moved_on(journal, orders):
    await journal.commit([samples.submit()])
    await journal.commit([samples.saved(state=OrderState.ACKNOWLEDGED)])
    await journal.commit([samples.submit()])
    order = await orders.order(samples.request().client_id)
    assert order.state is OrderState.ACKNOWLEDGED
    assert await orders.unsettled_intents() == []


async def test_an_order_comes_back_as_it_was_saved(journal, orders):
    saved = samples.saved(
        state=OrderState.PARTIALLY_FILLED,
        filled_qty=Decimal("0.004"),
        filled_notional=Decimal("240.0004"),
        fees=Decimal("-0.01"),
        cancel_requested=True,
        reason="NO_ANSWER",
        request=samples.request(kind=OrderKind.STOP, price=None, trigger=Decimal("1E+3"), reduce_only=True),
    )
    await journal.commit([saved])
    assert await orders.order(saved.order.client_id) == saved.order
    assert await orders.newest() == [saved.order]
    assert await orders.intent_states([saved.order.client_id]) == {
        saved.order.client_id: IntentState.COMMITTED
    }


async def test_an_unknown_order_stays_among_the_open_and_the_unsettled(journal, orders):
    await journal.commit(
        [samples.submit(), samples.saved(state=OrderState.UNKNOWN, intent=IntentState.UNKNOWN)]
    )
    assert [order.state for order in await orders.open_orders()] == [OrderState.UNKNOWN]
    assert [intent.state for intent in await orders.unsettled_intents()] == [IntentState.UNKNOWN]
    counts = await orders.counts()
    assert (counts.orders, counts.open_orders, counts.unsettled_intents, counts.unknown_orders) == (
        1,
        1,
        1,
        1,
    )


@pytest.mark.parametrize(
    ("later", "ends_as"),
    [
        (samples.saved(state=OrderState.CANCELED), IntentState.COMMITTED),
        (samples.saved(state=OrderState.FILLED), IntentState.COMMITTED),
        (samples.saved(state=OrderState.ACKNOWLEDGED, cancel_requested=False), IntentState.FAILED),
        (samples.saved(state=OrderState.PARTIALLY_FILLED, cancel_requested=True), IntentState.PENDING),
    ],
)
async def test_a_cancel_is_an_intent_until_its_order_tells_how_it_ended(journal, reader, later, ends_as):
    await journal.commit([samples.submit(), samples.saved(cancel_requested=True), samples.cancel()])
    await journal.commit([later])
    rows = await reader.execute_fetchall("SELECT state, ts, cycle_id FROM intents WHERE action = 'cancel'")
    assert rows == [(ends_as.value, T0 + 1_000, "canary@1")]


async def test_a_cancel_may_be_asked_for_again_after_it_failed(journal, orders):
    await journal.commit(
        [samples.submit(), samples.cancel(), samples.saved(), samples.cancel(), samples.cancel()]
    )
    assert [intent.action for intent in await orders.unsettled_intents()] == [IntentAction.CANCEL]


async def test_a_cancel_of_an_order_that_the_store_never_saw_is_kept(journal, orders):
    await journal.commit([samples.cancel(5)])
    [intent] = await orders.unsettled_intents()
    assert (intent.symbol, intent.ts, intent.cycle_id) == ("BTCUSDT", 0, "")


async def test_fills_are_booked_once_and_a_repeated_one_does_not_move_the_position_back(journal, ledger):
    first, second = samples.fill(trade_id="t1", held="0.01"), samples.fill(2, trade_id="t2", held="0.02")
    await journal.commit([first, second])
    await journal.commit([first])
    assert await ledger.fills_since(0) == [first.fill, second.fill]
    assert await ledger.positions() == [second.position]
    assert await ledger.fill_count() == 2
    assert await ledger.newest_fills(1) == [second.fill]
    assert await ledger.fills_of(second.fill.client_id) == [second.fill]
    assert await ledger.fills_beyond([second.fill.client_id, "absent"], "t1") == [first.fill, second.fill]
    assert await ledger.fills_beyond([], "adjustment") == []
    assert await ledger.fills_since(T0 + 2) == [second.fill]


async def test_the_fills_a_start_asks_for_are_found_by_an_index(journal, ledger):
    for part in (
        "symbol IN (SELECT symbol FROM positions) AND trade_id = 'adjustment'",
        "client_id IN ('a', 'b')",
    ):
        plan = await ledger._reader.execute_fetchall(f"EXPLAIN QUERY PLAN SELECT * FROM fills WHERE {part}")
        assert not [row[-1] for row in plan if row[-1].startswith("SCAN fills")], "it reads them all"


async def test_a_trade_between_two_of_our_own_orders_is_two_fills(journal, ledger):
    await journal.commit([samples.fill(1, trade_id="same"), samples.fill(2, trade_id="same")])
    assert await ledger.fill_count() == 2


async def test_signals_come_back_newest_first_with_their_order_or_veto(journal, decisions):
    approved = samples.signal(T0, client_id="tt1")
    vetoed = samples.signal(T0 + 60_000_000_000, why=samples.refusal(T0 + 60_000_000_000))
    await journal.commit([approved, vetoed])
    await journal.commit([approved])
    assert await decisions.newest_signals(9) == [approved, vetoed]
    assert await decisions.signal_count() == 2
    assert await decisions.newest_vetoes(9) == [vetoed.veto]


async def test_vetoes_of_signals_and_of_commands_are_in_one_list(journal, decisions):
    late = samples.refusal(T0 + 5, Reason.NOT_JOURNALED)
    signal = samples.signal(why=samples.refusal())
    await journal.commit([signal, SaveVeto(late), SaveVeto(late)])
    assert await decisions.newest_vetoes(9) == [late, signal.veto]
    assert await decisions.newest_vetoes(1) == [late]


async def test_the_last_transition_of_each_kind_is_what_stands(journal, decisions):
    armed = samples.transition(T0, "disarmed", "armed")
    paused = samples.transition(T0 + 1, "running", "paused", TransitionKind.PAUSE)
    halted = samples.transition(T0 + 2, "armed", "halted")
    await journal.commit([armed, paused, halted])
    assert await decisions.last_transitions() == {TransitionKind.PHASE: halted, TransitionKind.PAUSE: paused}
    assert await decisions.newest_transitions(9) == [halted, paused, armed]


async def test_a_replay_over_the_same_times_ends_with_its_own_last_transition(journal, decisions):
    armed = samples.transition(T0, "disarmed", "armed")
    await journal.commit([armed, samples.transition(T0 + 2, "armed", "halted")])
    await journal.commit([armed])
    assert (await decisions.last_transitions())[TransitionKind.PHASE] == armed


async def test_orders_that_an_operator_resolved_are_all_kept(journal, decisions):
    words = [
        samples.transition(T0, f"c{number} unknown", f"c{number} rejected", TransitionKind.ORDER)
        for number in (1, 2)
    ]
    await journal.commit([samples.transition(T0, "disarmed", "armed"), words[0]])
    await journal.commit([words[1]])
    assert {saved.before for saved in await decisions.newest_transitions(9)} >= {w.before for w in words}


async def test_commands_that_only_act_store_nothing_and_do_not_wait(journal, database):
    await database.close()
    await journal.commit(
        [
            QueryVenue(1),
            CancelAllAfter(1),
            SetTimer("t", 1),
            ClearTimer("t"),
            Notice(0, NoticeLevel.INFO, "x", "y"),
            Latch(engaged=True),
            FlattenEnded(0, flat=True, residual=(), elapsed_ms=Decimal(1)),
            Stopped(0),
        ]
    )
    with pytest.raises(StorageError):
        await journal.commit([samples.submit()])


async def test_a_batch_is_stored_whole_or_not_at_all(journal, database, orders):
    await database.write(
        [("CREATE TRIGGER no_fills BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'no'); END", ())]
    )
    with pytest.raises(StorageError):
        await journal.commit([samples.submit(), samples.fill()])
    assert (await orders.counts()).orders == 0


async def test_many_commits_at_once_all_last(journal, orders):
    await asyncio.gather(*(journal.commit([samples.submit(n)]) for n in range(1, 401)))
    assert (await orders.counts()).open_orders == 400
    assert await orders.highest_sequence() == 400
    states = await orders.intent_states({samples.request(n).client_id for n in range(700)})
    assert set(states.values()) == {IntentState.PENDING}
    assert len(states) == 400
    assert len(await orders.newest(limit=5)) == 5


async def test_orders_are_found_by_their_sequence_and_by_their_id(journal, orders):
    await journal.commit([samples.submit(n) for n in (3, 1, 2)])
    await journal.commit([samples.cancel(1), samples.saved(2)])
    assert [o.client_id for o in await orders.orders_after(1)] == [
        samples.request(n).client_id for n in (3, 2)
    ]
    asked = [samples.request(n).client_id for n in (2, 9, 1)]
    assert [o.client_id for o in await orders.orders(asked)] == [samples.request(n).client_id for n in (1, 2)]
    assert await orders.orders([]) == await orders.orders_after(3) == []


async def test_a_signal_keeps_its_plan(journal, decisions):
    plan = EntryPlan(price=60_000.1, stop=59_000.0, ladder=(Part(5.0, Decimal("30.5")),), volatility=0.5)
    saved = samples.signal(client_id="tt1")
    planned = msgspec.structs.replace(saved, signal=msgspec.structs.replace(saved.signal, plan=plan))
    await journal.commit([planned, samples.signal(ts=T0 + 10**9, client_id="tt2")])
    assert await decisions.signals_of(["tt1", "absent"]) == [planned.signal]
    assert (await decisions.newest_signals(1))[0].signal.plan is None


async def test_an_empty_store_reads_as_empty(orders, ledger, decisions):
    assert await orders.highest_sequence() == 0
    assert await orders.order("absent") is None
    assert await decisions.last_transitions() == {}
    assert await ledger.positions() == []


def test_the_index_of_open_orders_holds_exactly_the_open_states():
    quoted = OPEN_CONDITION.removeprefix("state IN (").removesuffix(")").split(", ")
    assert {OrderState(text.strip("'")) for text in quoted} == OPEN_STATES


@pytest.mark.parametrize(
    ("table", "condition", "index"),
    [("orders", OPEN_CONDITION, "orders_open"), ("intents", UNSETTLED_CONDITION, "intents_unsettled")],
)
async def test_recovery_reads_through_partial_indexes(reader, table, condition, index):
    plan = await reader.execute_fetchall(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}")
    assert any(index in row[3] for row in plan), plan


async def test_values_are_parameters_never_part_of_the_statement():
    hostile = samples.submit(symbol="'; DROP TABLE orders; --")
    assert all("DROP" not in sql for sql, _ in statements_of(hostile))


async def test_decimals_lie_in_the_file_as_canonical_text(journal, tmp_path):
    await journal.commit([samples.submit(qty=Decimal("1.500"), price=Decimal("6E+4"))])
    connection = sqlite3.connect(tmp_path / "engine.db")
    assert connection.execute("SELECT qty, price FROM orders").fetchall() == [("1.5", "60000")]
    connection.close()


def test_a_row_has_a_column_for_every_field_of_an_order():
    kept = len(ORDER_COLUMNS.split(","))
    fields = len(OrderRequest.__struct_fields__) + len(Order.__struct_fields__) - 1
    assert kept == fields, "a new field of an order needs a column: append a migration"


async def test_ids_of_another_form_do_not_disturb_the_sequence(journal, orders):
    ours = samples.request(35).client_id
    foreign = ("web_1", ours[:-1] + "_", "x" + ours[1:])
    await journal.commit([samples.submit(n, client_id=name) for n, name in enumerate(foreign)])
    assert await orders.highest_sequence() == 0
    await journal.commit([samples.submit(35)])
    assert await orders.highest_sequence() == 35
