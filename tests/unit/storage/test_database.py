import asyncio
import sqlite3
from collections import deque

import pytest

from engine.domain.errors import StorageError
from engine.storage.database import Database, open_reader
from engine.storage.schema import MIGRATIONS, Migration
from engine.storage.transaction import JOINED_MAX, Batch, BatchConnection

INSERT = "INSERT INTO sessions (id, started, mode, record) VALUES (?, 0, 'paper', '')"


async def _pragma(database, name):
    async with database._writer.execute(f"PRAGMA {name}") as cursor:
        return (await cursor.fetchone())[0]


async def _session_ids(database):
    async with database.reader() as reader:
        return [row[0] for row in await reader.execute_fetchall("SELECT id FROM sessions ORDER BY id")]


@pytest.mark.parametrize(("setting", "level"), [("full", 2), ("normal", 1), ("off", 0)])
async def test_a_new_database_has_a_write_ahead_log_and_the_asked_for_synchronous(tmp_path, setting, level):
    database = await Database.open(tmp_path / "deep" / "engine.db", synchronous=setting)
    assert await _pragma(database, "journal_mode") == "wal"
    assert await _pragma(database, "synchronous") == level
    assert await _pragma(database, "foreign_keys") == 1
    assert await _pragma(database, "user_version") == len(MIGRATIONS)
    await database.close()


async def test_what_was_written_is_there_after_opening_again(tmp_path):
    path = tmp_path / "engine.db"
    database = await Database.open(path)
    await database.write([(INSERT, ("a",)), (INSERT, ("b",))])
    await database.close()
    database = await Database.open(path)
    assert await _session_ids(database) == ["a", "b"]
    await database.close()


async def test_a_failing_statement_takes_its_whole_batch_back(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    with pytest.raises(StorageError, match=r"engine\.db: could not store"):
        await database.write([(INSERT, ("a",)), ("INSERT INTO nothing VALUES (1)", ())])
    with pytest.raises(StorageError, match="could not store"):
        await database.write([(INSERT, ("b",)), ("UPDATE sessions SET started = ?", (2**70,))])
    assert await _session_ids(database) == []
    await database.write([(INSERT, ("c",))])
    assert await _session_ids(database) == ["c"]
    await database.close()


async def test_a_bad_batch_does_not_fail_those_it_was_joined_with(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    batches = [[(INSERT, (f"{n}",))] for n in range(9)]
    batches[4] = [(INSERT, ("0",))]  # the same key again
    outcomes = await asyncio.gather(*map(database.write, batches), return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, StorageError)] == [4]
    assert await _session_ids(database) == ["0", "1", "2", "3", "5", "6", "7", "8"]
    await database.close()


async def test_waiting_batches_share_transactions_and_each_returns_with_its_rows_durable(tmp_path):
    path = tmp_path / "engine.db"
    database = await Database.open(path)
    seen = []

    async def write(n):
        await database.write([(INSERT, (f"{n}",))])
        with sqlite3.connect(path) as other:
            seen.append(other.execute("SELECT count(*) FROM sessions WHERE id = ?", (f"{n}",)).fetchone()[0])
        other.close()

    await asyncio.gather(*(write(n) for n in range(JOINED_MAX + 40)))
    assert seen == [1] * (JOINED_MAX + 40)
    await database.close()


def test_one_commit_takes_a_bounded_number_of_waiting_batches(tmp_path):
    waiting = deque(Batch([("INSERT INTO t VALUES (?)", (n,))]) for n in range(JOINED_MAX + 1))
    connection = BatchConnection(waiting, tmp_path / "x.db", isolation_level=None)
    connection.execute("CREATE TABLE t (n)")
    first, *_, last = waiting
    connection.commit()
    assert first.done
    assert not last.done
    connection.commit()
    assert last.done
    connection.commit()  # nothing waits: nothing happens
    connection.close()


def test_a_bug_inside_a_batch_is_raised_and_leaves_no_open_transaction(tmp_path):
    batch = Batch([("INSERT INTO t VALUES (1)", ()), ("INSERT INTO t VALUES (?)", (_Unadaptable(),))])
    connection = BatchConnection(deque([batch]), tmp_path / "x.db", isolation_level=None)
    connection.execute("CREATE TABLE t (n)")
    with pytest.raises(RuntimeError, match="a bug"):
        connection.commit()
    assert not batch.done
    assert not connection.in_transaction
    assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()


async def test_a_batch_that_a_bug_took_down_with_it_is_not_taken_for_durable(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    bug = database.write([(INSERT, (_Unadaptable(),))])
    innocent = database.write([(INSERT, ("a",))])
    outcomes = await asyncio.gather(bug, innocent, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError, StorageError]
    assert await _session_ids(database) == []
    await database.close()


class _Unadaptable:
    def __conform__(self, protocol):
        raise RuntimeError("a bug in an adapter")


async def test_a_reader_sees_what_is_committed_and_cannot_write(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    await database.write([(INSERT, ("a",))])
    async with database.reader() as reader:
        await reader.execute_fetchall("SELECT * FROM sessions")
        await database.write([(INSERT, ("b",))])  # the reader is not in the writer's way
    with pytest.raises(StorageError, match="read-only"):
        async with database.reader() as reader:
            await reader.execute(INSERT, ("c",))
    await database.close()


async def test_reading_a_database_that_is_not_there_names_it(tmp_path):
    with pytest.raises(StorageError, match=r"absent\.db: could not open"):
        async with open_reader(tmp_path / "absent.db"):
            pass


async def test_a_path_with_odd_characters_can_be_read(tmp_path):
    path = tmp_path / "50% of #1?" / "engine.db"
    database = await Database.open(path)
    async with database.reader() as reader:
        assert await reader.execute_fetchall("SELECT * FROM sessions") == []
    await database.close()


async def test_a_closed_database_stores_nothing(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    await database.close()
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        await database.write([(INSERT, ("a",))])


async def test_closing_first_writes_what_waits(tmp_path):
    path = tmp_path / "engine.db"
    database = await Database.open(path)
    writing = asyncio.ensure_future(database.write([(INSERT, ("a",))]))
    await asyncio.sleep(0)
    await database.close()
    await writing
    async with open_reader(path) as reader:
        assert len(list(await reader.execute_fetchall("SELECT id FROM sessions"))) == 1


async def test_an_older_database_is_brought_up_to_date_and_keeps_its_rows(tmp_path):
    path = tmp_path / "engine.db"
    database = await Database.open(path)
    await database.write([(INSERT, ("a",))])
    await database.close()
    later = (
        *MIGRATIONS,
        Migration("notes", ("ALTER TABLE sessions ADD COLUMN note TEXT NOT NULL DEFAULT 'x'",)),
    )
    database = await Database.open(path, migrations=later)
    async with database.reader() as reader:
        assert list(await reader.execute_fetchall("SELECT id, note FROM sessions")) == [("a", "x")]
    assert await _pragma(database, "user_version") == len(later)
    await database.close()


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
async def test_a_database_of_any_older_version_becomes_the_same_as_a_new_one(tmp_path, version):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    await (await Database.open(old, migrations=MIGRATIONS[:version])).close()
    for path in (old, new):
        await (await Database.open(path)).close()
    schemas = []
    for path in (old, new):
        with sqlite3.connect(path) as connection:
            schemas.append(
                connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
            )
            schemas.append(connection.execute("PRAGMA user_version").fetchall())
        connection.close()
    assert schemas[:2] == schemas[2:]


async def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path):
    path = tmp_path / "engine.db"
    await (await Database.open(path)).close()
    broken = (*MIGRATIONS, Migration("bad", ("CREATE TABLE extra (x)", "CREATE TABLE extra (x)")))
    with pytest.raises(StorageError, match="extra"):
        await Database.open(path, migrations=broken)
    database = await Database.open(path)
    assert await _pragma(database, "user_version") == len(MIGRATIONS)
    await database.close()


@pytest.mark.parametrize("version", [-1, len(MIGRATIONS) + 1, 99])
async def test_a_database_of_a_version_that_is_not_known_is_refused_with_a_remedy(tmp_path, version):
    path = tmp_path / "engine.db"
    await (await Database.open(path)).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StorageError, match=rf"version {version}; .* knows {len(MIGRATIONS)} .*newer"):
        await Database.open(path)


async def test_another_programs_database_is_refused(tmp_path):
    path = tmp_path / "engine.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StorageError, match="another program"):
        await Database.open(path)


async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "engine.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match=r"engine\.db.*not a SQLite database.*move it aside and keep it"):
        await Database.open(path)
    assert path.read_bytes().startswith(b"not a database")


async def test_a_damaged_database_is_found_at_the_start_and_left_alone(tmp_path):
    path = tmp_path / "engine.db"
    database = await Database.open(path)
    await database.write([(INSERT, (f"session {n:05d}",)) for n in range(3_000)])
    await database.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 2048] = b"\xa5" * 2048
    path.write_bytes(data)
    with pytest.raises(StorageError, match=r"engine\.db.*damaged.*restore a copy"):
        await Database.open(path)
    assert path.read_bytes() == data


async def test_a_full_disk_fails_the_batch_keeps_the_rest_and_passes(tmp_path):
    database = await Database.open(tmp_path / "engine.db")
    await database.write([(INSERT, ("before",))])
    pages = await _pragma(database, "page_count")
    await _pragma(database, f"max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match=r"the disk is full\. Free disk space"):
        await database.write([(INSERT, (f"{n}" * 200,)) for n in range(200)])
    assert await _session_ids(database) == ["before"]
    await _pragma(database, "max_page_count = 100000")
    await database.write([(INSERT, ("after",))])
    assert await _session_ids(database) == ["after", "before"]
    await database.close()


async def test_a_file_that_may_not_grow_fails_the_batch(tmp_path, file_size_limit):
    database = await Database.open(tmp_path / "engine.db")
    with file_size_limit(64 * 1024), pytest.raises(StorageError, match="could not store: the disk"):
        await database.write([(INSERT, (f"{n}" * 200,)) for n in range(2_000)])
    await database.write([(INSERT, ("after",))])
    assert await _session_ids(database) == ["after"]
    await database.close()


async def test_a_read_only_directory_is_named_at_the_start(read_only):
    directory = read_only.make()
    with (
        read_only(directory),
        pytest.raises(StorageError, match=r"engine\.db.*could not open.*Make it writable"),
    ):
        await Database.open(directory / "engine.db")
    with read_only(directory), pytest.raises(StorageError, match=r"create the directory: permission denied"):
        await Database.open(directory / "deep" / "engine.db")


async def test_a_database_that_became_read_only_is_found_at_the_start(read_only):
    directory = read_only.make()
    await (await Database.open(directory / "engine.db")).close()
    (directory / "engine.db").chmod(0o444)
    with read_only(directory), pytest.raises(StorageError, match="Make it writable"):
        await Database.open(directory / "engine.db")


async def test_a_program_that_holds_the_database_is_told(tmp_path):
    path = tmp_path / "engine.db"
    await (await Database.open(path)).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="another program holds the database"):
        await Database.open(path, busy_timeout_s=0.01)
    other.close()
