"""One suite for what an engine keeps: the model that simulations crash on behaves as SQLite and the files do.

`kill` ends the process as it is. `cut_power` also takes what was never synced: of the real files, a copy is
taken at each fsync, and what lies beyond it is gone. A commit of the database is synced when it returns.
"""

import asyncio
import os
import random
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.core.snapshot import Phase
from engine.domain.commands import (
    CancelOrder,
    Command,
    Notice,
    NoticeLevel,
    SaveTransition,
    SetTimer,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.errors import StorageError
from engine.domain.events import Woken
from engine.domain.intents import Intent, IntentState
from engine.domain.orders import OrderState
from engine.runtime.stores import Beyond, DatabaseArchive, Past, Record, RecordFiles, Stores
from engine.storage.checkpoints import KEPT, CheckpointStore
from engine.storage.codec import Consumed, End, Entry, SessionHeader
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal
from engine.storage.latch import Latch
from engine.storage.ledger import LedgerRepository
from engine.storage.orders import OrderRepository
from engine.storage.sessions import Session
from tests.simulation.disk import Disk, Life, ModelDatabase
from tests.unit.storage import samples
from tests.unit.storage.samples import T0

BYTES_MAX = 10_000_000
CASES = 40
UNSETTLED = frozenset({IntentState.PENDING, IntentState.UNKNOWN})


def by_time(intent: Intent) -> tuple[int, str, str]:
    """Order intents as they are shown, and further where two are of one moment."""
    return intent.ts, intent.client_id, intent.action


class Rig(ABC):
    """A disk with one process after the other on it."""

    stores: Stores

    @abstractmethod
    async def start(self) -> None:
        """Let a process begin."""

    @abstractmethod
    async def kill(self) -> None:
        """End the process without a word, and begin another."""

    @abstractmethod
    async def cut_power(self) -> None:
        """Take the power away, and begin another process."""

    @abstractmethod
    async def tables(self) -> dict[str, Any]:
        """Return what the database holds of orders, intents, fills and positions."""

    @abstractmethod
    async def end(self) -> None:
        """Let go of everything."""


class ModelRig(Rig):
    """The model."""

    def __init__(self) -> None:
        self.disk, self._life = Disk(), Life()

    async def start(self) -> None:
        """Let a process begin."""
        self._life = Life()
        self.stores = self.disk.stores(self._life, _at_once)

    async def kill(self) -> None:
        """End the process without a word, and begin another."""
        await self._crash(power_cut=False)

    async def cut_power(self) -> None:
        """Take the power away, and begin another process."""
        await self._crash(power_cut=True)

    async def _crash(self, *, power_cut: bool) -> None:
        self._life.alive = False
        self.disk.lose(Everything(), power_cut=power_cut)
        await self.start()

    async def tables(self) -> dict[str, Any]:
        """Return what the database holds."""
        rows = self.disk.rows
        unsettled = [
            i for i in rows.intents.values() if i.state in (IntentState.PENDING, IntentState.UNKNOWN)
        ]
        return {
            "orders": list(rows.orders.values()),
            "open": [order for order in rows.orders.values() if order.state.is_open],
            "intents": sorted(unsettled, key=by_time),
            "fills": list(rows.fills.values()),
            "positions": sorted(rows.positions.values(), key=lambda p: (p.play, p.symbol)),
        }

    async def end(self) -> None:
        """Let go of everything."""


class Everything(random.Random):
    """The worst chance: a power cut takes all that was never synced."""

    def randint(self, a: int, b: int) -> int:
        """Keep as little as may be."""
        return a

    def random(self) -> float:
        """Let it happen."""
        return 0.0


async def _at_once() -> None:
    """The way to the database takes no time."""


class FileRig(Rig):
    """SQLite and files; `synced` holds what an fsync has brought to the disk."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._number = folder, 0
        self._home = folder / "0"
        self._synced: dict[Path, bytes] = {}  # by the file's path
        self._names: dict[Path, set[str]] = {}  # by the directory's path
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self._on_fsync)

    def _on_fsync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            names = {name.name for name in path.iterdir()}
            self._names[path] = names
            for name in names:  # what was renamed is what was synced under its other name
                file = path / name
                if file.is_file() and file not in self._synced:
                    self._synced[file] = file.read_bytes()
        else:
            self._synced[path] = path.read_bytes()

    async def start(self) -> None:
        """Let a process begin."""
        home = self._home
        self._database = await Database.open(home / "engine.sqlite")
        self.stores = Stores(
            journal=SqliteJournal(self._database),
            archive=DatabaseArchive(self._database),
            records=RecordFiles(home / "records", BYTES_MAX),
            checkpoints=CheckpointStore(home / "checkpoints"),
            latch=Latch(home),
        )

    async def kill(self) -> None:
        """End the process without a word, and begin another on a copy of what lies there."""
        await self._go_on_with(lambda path: path.read_bytes())

    async def cut_power(self) -> None:
        """Take the power away, and begin another process on what was synced."""

        def left(path: Path) -> bytes | None:
            if path.name.startswith("engine.sqlite"):
                return path.read_bytes()
            named = path.name in self._names.get(path.parent, set())
            return self._synced.get(path) if named else None

        await self._go_on_with(left)

    async def _go_on_with(self, left: Any) -> None:
        self._number += 1
        before, self._home = self._home, self._folder / str(self._number)
        for path in sorted(before.rglob("*")):
            to = self._home / path.relative_to(before)
            data = None if path.is_dir() else left(path)
            if path.is_dir():
                to.mkdir(parents=True)
            elif data is not None:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(data)
                self._synced[to] = data
                self._names.setdefault(to.parent, set()).add(to.name)
        await self._database.close()
        shutil.rmtree(before)
        await self.start()

    async def tables(self) -> dict[str, Any]:
        """Return what the database holds."""
        async with self._database.reader() as reader:
            orders, ledger = OrderRepository(reader), LedgerRepository(reader)
            return {
                "orders": (await orders.newest())[::-1],
                "open": await orders.open_orders(),
                "intents": sorted(
                    await orders.unsettled_intents(), key=lambda i: (i.ts, i.client_id, i.action)
                ),
                "fills": await ledger.fills_since(0),
                "positions": await ledger.positions(),
            }

    async def end(self) -> None:
        """Let go of everything."""
        await self._database.close()


@pytest.fixture(params=["model", "files"])
async def rig(request, tmp_path, monkeypatch):
    """The model and the real stores, one after the other."""
    made = ModelRig() if request.param == "model" else FileRig(tmp_path, monkeypatch)
    await made.start()
    yield made
    await made.end()


CRASHES = ["kill", "cut_power"]


async def crash(rig: Rig, how: str) -> None:
    await getattr(rig, how)()


def session(number: int, **changes: Any) -> Session:
    return Session(id=f"s{number}", started=T0 + number, mode="paper", record="", **changes)


def header(number: int) -> SessionHeader:
    return msgspec.structs.replace(samples.header(f"s{number}"), started=T0 + number)


def entries(rig: Rig, name: str = "s1", since: int = 0) -> list[Entry]:
    return list(rig.stores.records.open(name).entries(since))


def take(record: Record, *numbers: int) -> list[Consumed]:
    for number in numbers:
        record.consumed(number, T0 + number, Woken(T0 + number))
    return [Consumed(number, T0 + number, Woken(T0 + number)) for number in numbers]


# the journal


@pytest.mark.parametrize("how", CRASHES)
async def test_what_was_committed_is_there_after_a_crash(rig, how):
    await rig.stores.journal.commit([samples.submit(1), samples.fill(1), samples.saved(2)])
    before = await rig.tables()
    assert len(before["orders"]) == 2
    await crash(rig, how)
    assert await rig.tables() == before


async def test_the_same_batch_twice_changes_nothing(rig):
    batch = [samples.submit(1), samples.saved(1), samples.fill(1), samples.transition(T0, "a", "b")]
    await rig.stores.journal.commit(batch)
    before = await rig.tables()
    await rig.stores.journal.commit([samples.submit(1), samples.fill(1)])
    assert await rig.tables() == before


async def test_what_stores_nothing_is_no_commit(rig):
    await rig.stores.journal.commit([SetTimer("a", 1), Notice(1, NoticeLevel.INFO, "a", "b")])
    assert (await rig.tables())["orders"] == []


async def test_an_empty_disk_has_no_past(rig):
    assert await rig.stores.archive.past() == Past()
    assert await rig.stores.archive.beyond(0, []) == Beyond()
    assert rig.stores.records.newest() == ""
    assert rig.stores.checkpoints.load_newest(T0).checkpoint is None
    assert not rig.stores.latch.engaged()
    with pytest.raises(StorageError):
        rig.stores.records.open("s1")


async def test_the_past_is_the_newest_of_everything(rig):
    archive = rig.stores.archive
    for number in (1, 2):
        await archive.start_session(session(number))
    await archive.end_session("s1", T0 + 9, 4)
    halted = samples.transition(T0 + 2, Phase.FLATTENING, Phase.HALTED)
    paused = samples.transition(T0 + 1, "running", "paused", TransitionKind.PAUSE)
    await rig.stores.journal.commit([samples.transition(T0, "a", Phase.FLATTENING), halted, paused])
    await rig.stores.journal.commit([samples.submit(7), samples.submit(3)])
    past = await archive.past()
    assert (past.started, past.birth_s) == (T0 + 2, 1_720_000_000)
    assert past.standing == {TransitionKind.PHASE: halted, TransitionKind.PAUSE: paused}


async def test_what_lies_beyond_a_state_are_later_orders_known_ones_and_their_trades(rig):
    await rig.stores.journal.commit([samples.submit(n) for n in (3, 1, 4)])
    known = samples.request(1).client_id
    of_known, of_other = samples.fill(1, "t1"), samples.fill(2, "t2")
    await rig.stores.journal.commit([of_known, of_other, samples.saved(4, OrderState.CANCELED)])
    beyond = await rig.stores.archive.beyond(2, [known, "absent"])
    assert {order.client_id for order in beyond.orders} == {samples.request(n).client_id for n in (1, 3, 4)}
    assert [order.state for order in beyond.orders if order.client_id.endswith("4")] == [OrderState.CANCELED]
    assert (beyond.fills, beyond.sequence) == ((of_known.fill,), 4)


@pytest.mark.parametrize("seed", range(CASES))
async def test_model_and_sqlite_come_to_the_same_tables(seed, tmp_path, monkeypatch):
    """Whatever is committed in whatever order, with crashes in between."""
    rigs: tuple[Rig, ...] = ModelRig(), FileRig(tmp_path, monkeypatch)
    batches = list(_batches(random.Random(f"tables/{seed}")))
    seen = []
    for rig in rigs:
        await rig.start()
        states = []
        for number, batch in enumerate(batches):
            await rig.stores.journal.commit(batch)
            if number % 7 == seed % 7:
                await crash(rig, CRASHES[number % 2])
            past = await rig.stores.archive.past()
            beyond = await rig.stores.archive.beyond(4, [samples.request(n).client_id for n in (1, 2)])
            orders = sorted(beyond.orders, key=lambda order: order.client_id)
            states.append((await rig.tables(), past, orders, beyond.fills, beyond.sequence))
        seen.append(states)
        await rig.end()
    assert seen[0] == seen[1]


def _batches(chance: random.Random) -> Iterator[list[Command]]:
    for number in range(14):
        yield [_command(chance, number * 10 + place) for place in range(chance.randint(1, 5))]


def _command(chance: random.Random, ts: int) -> Command:
    sequence = chance.randint(1, 8)
    match chance.randint(0, 6):
        case 0 | 1:
            return SubmitOrder(samples.request(sequence), increases=True)
        case 2:
            return CancelOrder(samples.request(sequence).client_id, "v", "BTCUSDT")
        case 3 | 4:
            state, intent = chance.choice(list(OrderState)), chance.choice(list(IntentState))
            return samples.saved(
                sequence, state, intent, cancel_requested=chance.random() < 0.4, updated=T0 + ts
            )
        case 5:
            held = str(chance.randint(1, 9))
            return samples.fill(
                sequence, chance.choice([f"t{chance.randint(1, 9)}", "adjustment"]), held=held
            )
        case _:
            kind = chance.choice([TransitionKind.PHASE, TransitionKind.PAUSE])
            return SaveTransition(T0 + chance.randint(0, 5), kind, "a", chance.choice("bcd"), "me", "")


# the record


@pytest.mark.parametrize("how", CRASHES)
async def test_a_record_holds_its_header_from_the_start(rig, how):
    rig.stores.records.begin(header(1))
    rig.stores.records.begin(header(2))
    await crash(rig, how)
    assert rig.stores.records.newest() == "s2"
    assert rig.stores.records.open("s1").header == header(1)
    assert entries(rig) == []


async def test_what_waits_in_memory_dies_with_its_process(rig):
    record = rig.stores.records.begin(header(1))
    written = take(record, 1, 2)
    record.flush()
    take(record, 3)
    await rig.kill()
    assert entries(rig) == written
    assert entries(rig, since=2) == written[1:]


async def test_what_was_written_and_never_synced_may_be_gone_with_the_power(rig):
    record = rig.stores.records.begin(header(1))
    take(record, 1)
    record.flush()
    await rig.cut_power()
    assert entries(rig) == []


@pytest.mark.parametrize("how", CRASHES)
async def test_what_was_synced_stays(rig, how):
    record = rig.stores.records.begin(header(1))
    synced = take(record, 1, 2)
    record.flush(sync=True)
    lost = take(record, 3)
    record.flush()
    await crash(rig, how)
    assert entries(rig) == (synced if how == "cut_power" else synced + lost)


async def test_a_record_that_is_closed_is_synced(rig):
    record = rig.stores.records.begin(header(1))
    kept = take(record, 1)
    record.end(1, "f" * 64, 0)
    record.close()
    await rig.cut_power()
    assert entries(rig) == [*kept, End(1, "f" * 64, 0)]


# checkpoints


@pytest.mark.parametrize("how", CRASHES)
async def test_the_newest_checkpoint_is_whole_after_a_crash(rig, how):
    for number in range(KEPT + 2):
        rig.stores.checkpoints.save(number, T0 + number, bytes([number]) * 100)
    await crash(rig, how)
    found = rig.stores.checkpoints.load_newest(T0 + 10)
    assert found.warnings == ()
    assert found.checkpoint is not None
    assert (found.checkpoint.sequence, found.checkpoint.payload) == (KEPT + 1, bytes([KEPT + 1]) * 100)


async def test_an_old_checkpoint_is_said_to_be_stale(rig):
    rig.stores.checkpoints.save(1, T0, b"state")
    found = rig.stores.checkpoints.load_newest(T0 + 2 * 3_600_000_000_000)
    assert found.checkpoint is not None
    assert found.checkpoint.stale
    assert len(found.warnings) == 1


# the latch


@pytest.mark.parametrize("how", CRASHES)
async def test_a_latch_that_was_set_stays_set(rig, how):
    rig.stores.latch.engage("somebody")
    await crash(rig, how)
    assert rig.stores.latch.engaged()
    assert rig.stores.latch.text() == "somebody"
    rig.stores.latch.release()
    rig.stores.latch.release()
    await crash(rig, how)
    assert not rig.stores.latch.engaged()


# a full disk


async def test_a_full_disk_takes_nothing_and_loses_nothing():
    """What the real stores do on one is in tests/unit/storage; the model answers with the same errors."""
    rig = ModelRig()
    await rig.start()
    await rig.stores.journal.commit([samples.submit(1)])
    record = rig.stores.records.begin(header(1))
    kept = take(record, 1)
    record.flush()
    before = await rig.tables()
    rig.disk.full = True
    with pytest.raises(StorageError):
        await rig.stores.journal.commit([samples.submit(2)])
    with pytest.raises(StorageError):
        rig.stores.records.begin(header(2))
    with pytest.raises(StorageError):
        rig.stores.latch.engage("it holds all the same")
    assert rig.stores.latch.engaged()
    take(record, 2)
    record.flush()
    assert record.stopped
    assert (await rig.tables(), entries(rig)) == (before, kept)
    rig.disk.full = False
    record.prune(1)
    after = take(record, 3)
    record.flush()
    assert not record.stopped
    assert [type(entry).__name__ for entry in entries(rig)] == ["Consumed", "Gap", "Consumed"]
    assert entries(rig)[-1:] == after


async def test_a_commit_is_written_before_it_is_synced():
    """The moment between the two is the model's own: SQLite does both in one call."""
    rig, hops = ModelRig(), asyncio.Semaphore(0)
    rig.stores = rig.disk.stores(Life(), _after(hops))
    committing = asyncio.ensure_future(rig.stores.journal.commit([samples.submit(1)]))
    for hop, (written, synced) in enumerate([(0, 0), (1, 0), (0, 1)]):
        await asyncio.sleep(0)
        assert (len(rig.disk.written), len(rig.disk.rows.orders)) == (written, synced), hop
        assert not committing.done()
        hops.release()
        await asyncio.sleep(0)
    await committing
    assert isinstance(rig.stores.archive, ModelDatabase)


def _after(hops: asyncio.Semaphore) -> Any:
    async def hop() -> None:
        await hops.acquire()

    return hop
