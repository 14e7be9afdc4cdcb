import msgspec
import pytest

from engine.domain.errors import StorageError
from engine.storage.database import Database
from engine.storage.sessions import (
    Identity,
    Session,
    claim,
    end_session,
    newest_sessions,
    read_identity,
    start_session,
)


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "engine.db", synchronous="off")
    yield opened
    await opened.close()


async def test_the_birth_is_the_first_starts_and_stays(database):
    async with database.reader() as reader:
        assert await read_identity(reader) is None
    assert await claim(database, 100, "default", "paper") == Identity(100, "default", "paper")
    assert await claim(database, 200, "default", "paper") == Identity(100, "default", "paper")


@pytest.mark.parametrize(("instance", "account"), [("other", "paper"), ("default", "live-1")])
async def test_a_database_is_not_shared_between_instances_or_accounts(database, instance, account):
    await claim(database, 100, "default", "paper")
    with pytest.raises(StorageError, match="belongs to instance 'default' with account 'paper'"):
        await claim(database, 200, instance, account)


async def test_sessions_tell_how_they_ended_or_that_they_never_did(database):
    crashed = Session(id="s1", started=1, mode="paper", record="records/s1")
    ended = Session(id="s2", started=2, mode="paper", record="records/s2")
    await start_session(database, crashed)
    await start_session(database, ended)
    await end_session(database, "s2", 9, 0)
    async with database.reader() as reader:
        assert await newest_sessions(reader, 5) == [
            msgspec.structs.replace(ended, ended=9, exit_code=0),
            crashed,
        ]
        assert len(await newest_sessions(reader, 1)) == 1
