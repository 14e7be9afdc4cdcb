"""Power cuts under real SQLite: what was reported durable is there, nothing is half there, the file is sound.

The engine's own code writes (Database, SqliteJournal); apsw runs its statements on a VFS that records each
write and sync (see recording.py), since Python's sqlite3 takes no VFS. After each cut it is Python's sqlite3
that opens what is left, by the engine's own way. A test here shows that both give the same rows.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.domain.commands import Command
from engine.domain.errors import StorageError
from engine.storage.database import Database, Synchronous
from engine.storage.journal import SqliteJournal
from tests.unit.storage import samples
from tests.unit.storage.power import Fate, PowerCut
from tests.unit.storage.recording import MAIN, Recording, Reported, Step

CUTS = 70
ORDERS_MAX = 4
CHECKPOINT_PAGES = (1_000, 6, 25)  # SQLite's own, and two that write the log back all the time


class Sent(NamedTuple):
    """A batch that was committed: new intents, or what became of those of an earlier batch."""

    sequences: tuple[int, ...]
    settles: bool

    def commands(self) -> list[Command]:
        """Return what the engine stores."""
        if not self.settles:
            return [samples.submit(sequence) for sequence in self.sequences]
        return [
            command
            for sequence in self.sequences
            for command in (samples.saved(sequence), samples.fill(sequence, f"t{sequence}"))
        ]


class Life(NamedTuple):
    """One process: the files it found, what it did to them, and the batches it sent, by number."""

    standing: dict[str, bytes]
    steps: list[Step]
    sent: dict[int, Sent]
    seen: frozenset[int]  # batches of earlier lives that were there when it had opened the database
    ready: int  # at which step it had


class Story(NamedTuple):
    """What may be expected after a cut: batches of this life and of earlier ones."""

    sent: dict[int, Sent]
    durable: frozenset[int]


async def live(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    *,
    before: Story = Story({}, frozenset()),  # noqa: B008 - nothing in it changes
    batches: int = 60,
    lying: bool = False,
    synchronous: Synchronous = Synchronous.FULL,
    pages: int = CHECKPOINT_PAGES[0],
    closes: bool = False,
) -> Life:
    """Let a process commit batches, alone and several at once; `pages` in the log bring them to the file."""
    rng = random.Random(seed)
    standing = files(home)
    with monkeypatch.context() as patched:
        recording = Recording(home, patched, lying=lying)
        store = await Database.open(home / MAIN, synchronous=synchronous)
        ready = len(recording.steps)
        seen = await there(store, before.sent)
        await store._writer.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        sent = draw(rng, batches, first=max(before.sent, default=0) + 1)
        await send(store, sent, recording, rng)
        steps = list(recording.steps)
        await store.close()
        recording.end()
    return Life(standing, recording.steps if closes else steps, sent, frozenset(seen), ready)


def files(home: Path) -> dict[str, bytes]:
    """Return what a directory holds, by name."""
    return {path.name: path.read_bytes() for path in home.iterdir()}


def draw(rng: random.Random, batches: int, first: int) -> dict[int, Sent]:
    """Return the batches of a life; the numbers of orders go on over lives."""
    sent: dict[int, Sent] = {}
    sequence = first * ORDERS_MAX
    unsettled: list[int] = []
    for number in range(first, first + batches):
        if unsettled and rng.random() < 0.4:
            earlier = unsettled.pop(rng.randrange(len(unsettled)))
            sent[number] = Sent(sent[earlier].sequences, settles=True)
        else:
            count = rng.randint(1, ORDERS_MAX)
            sent[number] = Sent(tuple(range(sequence, sequence + count)), settles=False)
            sequence += count
            unsettled.append(number)
    return sent


async def send(store: Database, sent: dict[int, Sent], recording: Recording, rng: random.Random) -> None:
    """Commit batches in order, up to five at a time."""
    journal = SqliteJournal(store)

    async def commit(number: int) -> None:
        await journal.commit(sent[number].commands())
        recording.steps.append(Reported(number))

    numbers = list(sent)
    while numbers:
        together = rng.choice((1, 1, 5))
        await asyncio.gather(*map(commit, numbers[:together]))
        del numbers[:together]


async def there(store: Database, sent: dict[int, Sent]) -> set[int]:
    """Return which batches are in a database. Raises AssertionError for one that is half there."""

    async def column(sql: str) -> set[str]:
        async with store._writer.execute(sql) as cursor:
            return {row[0] for row in await cursor.fetchall()}

    intents = await column("SELECT client_id FROM intents")
    orders = await column("SELECT client_id FROM orders")
    settled = await column("SELECT client_id FROM orders WHERE state = 'acknowledged'")
    known = await column("SELECT client_id FROM intents WHERE state = 'committed'")
    filled = await column("SELECT client_id FROM fills")
    whole = set()
    for number, batch in sent.items():
        ids = {samples.request(sequence).client_id for sequence in batch.sequences}
        found = [ids & rows for rows in ((settled, known, filled) if batch.settles else (intents, orders))]
        assert all(part == ids for part in found) or not any(found), f"batch {number} is half there"
        if found[0]:
            whole.add(number)
    return whole


async def wrong_after(image: dict[str, bytes], story: Story, home: Path) -> str:
    """Open what a power cut left by the engine's own way; return what is wrong with it, empty for nothing."""
    for name, content in image.items():
        (home / name).write_bytes(content)
    try:
        store = await Database.open(home / MAIN)
    except StorageError as error:
        return f"refused: {error}"
    try:
        async with store._writer.execute("PRAGMA integrity_check") as cursor:
            said = [row[0] for row in await cursor.fetchall()]
        if said != ["ok"]:
            return f"damaged: {said[0]}"
        found = await there(store, story.sent)
        if lost := story.durable - found:
            return f"lost: batches {sorted(lost)} were reported durable"
        await SqliteJournal(store).commit([samples.submit(10**6)])  # it goes on
    except AssertionError as error:
        return f"half: {error}"
    finally:
        await store.close()
    return ""


async def cut(
    life: Life, before: Story, home: Path, seed: int, cuts: int = CUTS
) -> list[tuple[int, Fate, str]]:
    """Cut the power after some steps of a life, drawn by the seed; return step, fate and what was wrong."""
    rng = random.Random(seed)
    points = sorted(rng.choices(range(len(life.steps)), k=cuts))
    disk, played, outcomes = PowerCut(life.standing), 0, []
    for case, point in enumerate(points):
        for step in life.steps[played : point + 1]:
            disk.play(step)
        played = point + 1
        fate = list(Fate)[case % len(Fate)]
        image = disk.image(fate, rng)
        if rng.random() < 0.3:
            image[f"{MAIN}-shm"] = rng.randbytes(32_768)  # an index of the log that nobody vouches for
        place = home / f"{seed}-{case}"
        place.mkdir()
        outcomes.append((point, fate, await wrong_after(image, story(life, before, disk, point), place)))
    return outcomes


def story(life: Life, before: Story, disk: PowerCut, point: int) -> Story:
    """Return what must be there where the power goes after a step."""
    seen = life.seen if point >= life.ready else frozenset()
    return Story(before.sent | life.sent, before.durable | seen | disk.reported)


def failures(outcomes: Sequence[tuple[int, Fate, str]]) -> list[str]:
    """Return what went wrong, as it is shown."""
    return [f"after step {point}, the rest {fate}: {what}" for point, fate, what in outcomes if what]


@pytest.mark.parametrize("seed", range(6))
async def test_a_power_cut_loses_nothing_that_was_reported_durable(tmp_path, monkeypatch, seed):
    home = tmp_path / "life"
    home.mkdir()
    batches = 300 if seed == 0 else 60  # enough for SQLite's own checkpoint at 1,000 pages
    pages = CHECKPOINT_PAGES[seed % len(CHECKPOINT_PAGES)]
    life = await live(home, monkeypatch, seed, batches=batches, pages=pages, closes=seed % 2 == 1)
    outcomes = await cut(life, Story({}, frozenset()), tmp_path, seed)
    assert failures(outcomes) == []
    assert set(Counter(fate for _, fate, _ in outcomes)) == set(Fate)


@pytest.mark.parametrize("seed", range(6))
async def test_a_power_cut_after_a_power_cut_loses_nothing_either(tmp_path, monkeypatch, seed):
    first_home, second_home = tmp_path / "first", tmp_path / "second"
    first_home.mkdir()
    second_home.mkdir()
    nothing = Story({}, frozenset())
    rng = random.Random(seed)
    first = await live(first_home, monkeypatch, seed, batches=25)
    disk, point = PowerCut(first.standing), rng.randrange(len(first.steps))
    for step in first.steps[: point + 1]:
        disk.play(step)
    for name, content in disk.image(rng.choice(list(Fate)), rng).items():
        (second_home / name).write_bytes(content)
    before = story(first, nothing, disk, point)
    pages = CHECKPOINT_PAGES[seed % len(CHECKPOINT_PAGES)]
    second = await live(
        second_home, monkeypatch, seed + 100, before=before, batches=25, pages=pages, closes=True
    )
    assert failures(await cut(second, before, tmp_path, seed)) == []


@pytest.mark.parametrize("how", ["a disk that lies", "normal", "off"])
async def test_these_cuts_find_commits_that_were_reported_too_early(tmp_path, monkeypatch, how):
    home = tmp_path / "life"
    home.mkdir()
    lying = how == "a disk that lies"
    synchronous = Synchronous.FULL if lying else Synchronous(how)
    life = await live(home, monkeypatch, 7, lying=lying, synchronous=synchronous, batches=30)
    outcomes = await cut(life, Story({}, frozenset()), tmp_path, 7, cuts=30)
    assert any(what.startswith("lost") for _, _, what in outcomes), failures(outcomes)


async def test_apsw_and_sqlite3_hold_the_same_rows_after_the_same_batches(tmp_path, monkeypatch):
    homes = [tmp_path / "apsw", tmp_path / "sqlite3"]
    for home in homes:
        home.mkdir()
    life = await live(homes[0], monkeypatch, 11)
    store = await Database.open(homes[1] / MAIN)
    for batch in life.sent.values():
        await SqliteJournal(store).commit(batch.commands())
    await store.close()
    assert await rows(homes[0]) == await rows(homes[1])


async def rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that a database holds, its schema and its version too."""
    store = await Database.open(home / MAIN)

    async def all_of(sql: str) -> list[tuple[object, ...]]:
        async with store._writer.execute(sql) as cursor:
            return [tuple(row) for row in await cursor.fetchall()]

    schema = await all_of("SELECT name, type, sql FROM sqlite_master ORDER BY name")
    tables = [str(name) for name, kind, _ in schema if kind == "table"]
    held = {name: await all_of(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables}
    held |= {
        name: await all_of(f"PRAGMA {name}") for name in ("user_version", "application_id", "journal_mode")
    }
    await store.close()
    return held | {"schema": schema}
