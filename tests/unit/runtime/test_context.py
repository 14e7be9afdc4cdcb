"""What an engine is wired from: nothing is written before it can run, and all of it goes back at the end."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from engine.config.settings import DataFile, Settings
from engine.domain.errors import ConfigError, LockHeldError, StorageError
from engine.domain.modes import Mode
from engine.runtime.context import close_session, open_context
from engine.runtime.stores import DatabaseArchive
from engine.storage.lock import holder
from engine.storage.record_reader import RecordReader
from engine.storage.sessions import newest_sessions
from tests.unit.runtime.rig import market_settings, tape_settings, write_tape

NOBODY = 65_534


async def opened(settings):
    """Open a context and let it go again."""
    async with open_context(settings, headless=True) as context:
        return context


async def stored_sessions(context):
    assert isinstance(context.archive, DatabaseArchive)
    async with context.archive.database.reader() as reader:
        return await newest_sessions(reader, 2)


async def test_an_open_context_holds_the_lock_and_a_session_and_gives_the_lock_back(tmp_path):
    async with open_context(tape_settings(tmp_path), headless=True) as context:
        owner = holder(context.directory)
        assert owner is not None
        assert (owner.pid, owner.instance) == (os.getpid(), "default")
        (session,) = await stored_sessions(context)
        assert (session.id, session.ended, session.mode) == (context.session, None, "replay")
        record = Path(session.record)
    assert holder(context.directory) is None
    header = RecordReader(record).header
    assert (header.session, header.birth) == (context.session, context.config.setup.birth_s)
    assert header.files == context.source.files


async def test_only_its_owner_may_look_into_an_instance(tmp_path):
    context = await opened(tape_settings(tmp_path))
    assert context.directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "wrong", [{"data": ()}, {"mode": "live"}, {"plays": (Path("/nowhere/none.yaml"),)}], ids=str
)
async def test_what_the_user_can_mend_is_said_before_anything_is_written(tmp_path, wrong):
    settings = tape_settings(tmp_path)
    settings = type(settings).model_validate(settings.model_dump() | wrong)
    with pytest.raises((ConfigError, StorageError)):
        await opened(settings)
    assert not (tmp_path / "state").exists()


async def test_sessions_are_named_in_their_order_also_when_the_clock_steps_back(tmp_path, monkeypatch):
    settings = tape_settings(tmp_path)
    contexts = [await opened(settings)]
    monkeypatch.setattr("engine.runtime.clock.time.time_ns", lambda: contexts[0].started - 3600 * 10**9)
    contexts += [await opened(settings), await opened(settings)]
    names = [context.session for context in contexts]
    assert names == sorted(set(names))
    assert contexts[1].resumed == names[0], "it never ended in order"


async def test_the_records_of_old_sessions_make_room(tmp_path):
    settings = tape_settings(tmp_path, runtime={"record_max_gb": 0.01})
    first = await opened(settings)
    stuffed = first.recorder.directory / "000009.segment"
    stuffed.write_bytes(b"0" * 9_000_000)
    await opened(settings)
    third = await opened(settings)
    assert not first.recorder.directory.exists()
    assert third.recorder.directory.exists()


async def test_closing_a_session_stores_its_end(tmp_path):
    async with open_context(market_settings(tmp_path), headless=True) as context:
        await context.pump.begin(context.started)
        await close_session(context, 4)
        (session,) = await stored_sessions(context)
    assert session.exit_code == 4
    async with open_context(market_settings(tmp_path), headless=True) as context:
        assert context.resumed == session.id


async def test_a_state_directory_that_is_a_file_is_named(tmp_path):
    (tmp_path / "state").write_text("no directory")
    with pytest.raises(
        StorageError, match=r"the state directory cannot be made: .*Choose another --state-dir"
    ):
        await opened(tape_settings(tmp_path))


@pytest.fixture
def unwritable():
    """A state folder in which an instance may be read and not written, for root too."""
    folder = Path(tempfile.mkdtemp(prefix="trader-tui-unwritable-"))  # another user could not enter tmp_path
    folder.chmod(0o755)
    (folder / "default").mkdir(mode=0o555)
    import_module("concurrent.futures.thread")  # asyncio does on first use, and nobody may not read it
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    yield folder
    if os.getuid() == 0:
        os.seteuid(0)
    shutil.rmtree(folder)


async def test_a_state_directory_that_may_not_be_written_is_named(unwritable):
    settings = Settings(mode=Mode.PAPER, state_dir=unwritable)
    with pytest.raises(StorageError, match="default: the state directory cannot be written to"):
        await opened(settings)


async def test_a_database_of_another_account_is_not_touched(tmp_path):
    settings = market_settings(tmp_path)
    database = (await opened(settings)).directory / "paper" / "engine.sqlite"
    with closing(sqlite3.connect(database)) as stored, stored:
        stored.execute("UPDATE meta SET account = 'EUR'")
    with pytest.raises(StorageError, match="belongs to instance 'default' with account 'EUR'"):
        await opened(settings)


async def test_replays_in_several_currencies_may_follow_each_other(tmp_path):
    assert (await opened(tape_settings(tmp_path))).config.setup.currency == "USDT"
    tape = write_tape(tmp_path, symbol="ETHBTC")
    tape.with_suffix(".instrument.yaml").unlink()
    settings = tape_settings(tmp_path).model_copy(update={"data": (DataFile(path=tape),)})
    assert (await opened(settings)).config.setup.currency == "BTC"


async def test_whatever_keeps_an_engine_from_starting_gives_the_lock_back(tmp_path):
    settings = market_settings(tmp_path)
    (await opened(settings)).directory.joinpath("paper", "engine.sqlite").write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(StorageError) as caught:
            await opened(settings)
        assert not isinstance(caught.value, LockHeldError)
