"""The shadow store: signals as they end, and for how long versions have run."""

from decimal import Decimal

import msgspec
import pytest

from engine.domain.shadow import Role, SaveShadow, SaveStage, ShadowSignal
from engine.domain.signals import Side, SignalKind
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal
from engine.storage.schema import MIGRATIONS
from engine.storage.shadows import ShadowRepository, prune_shadows
from tests.unit.risk.test_promotion import stage

OPEN = ShadowSignal(
    ts=100,
    label="canary",
    play="canary",
    hash="ab",
    symbol="BTCUSDT",
    side=Side.BUY,
    kind=SignalKind.ENTRY,
    price=100.0,
)
ENDED = msgspec.structs.replace(
    OPEN,
    resolved=200,
    exit_price=101.0,
    return_percent=1.0,
    mae_percent=-0.5,
    mfe_percent=2.0,
    pnl=Decimal("1.5"),
)


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "engine.sqlite")
    yield opened
    await opened.close()


async def read(database) -> tuple[list[ShadowSignal], list]:
    async with database.reader() as reader:
        shadows = ShadowRepository(reader)
        return await shadows.newest(10), await shadows.stages()


async def test_a_signal_is_stored_and_ends_and_never_opens_again(database):
    journal = SqliteJournal(database)
    await journal.commit([SaveShadow(OPEN)])
    assert (await read(database))[0] == [OPEN]
    await journal.commit([SaveShadow(ENDED)])
    await journal.commit([SaveShadow(OPEN)])
    assert (await read(database))[0] == [ENDED]


async def test_a_stage_grows_and_never_shrinks(database):
    journal = SqliteJournal(database)
    early, late = stage(Role.TWIN, "demo", 1.0), stage(Role.TWIN, "demo", 2.0)
    await journal.commit([SaveStage(late)])
    await journal.commit([SaveStage(early)])
    assert (await read(database))[1] == [late]


async def test_old_signals_are_pruned(database):
    newer = msgspec.structs.replace(OPEN, ts=500)
    await SqliteJournal(database).commit([SaveShadow(OPEN), SaveShadow(newer)])
    await prune_shadows(database, 300)
    assert (await read(database))[0] == [newer]


async def test_a_database_of_an_earlier_release_has_none(tmp_path):
    old = await Database.open(tmp_path / "old.sqlite", migrations=MIGRATIONS[:3])
    assert await read(old) == ([], [])
    await old.close()
