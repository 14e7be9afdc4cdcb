"""Nobody forgets a position at a real venue because another mode of the instance runs."""

import asyncio

import pytest

from engine.domain.commands import NoticeLevel
from engine.domain.ids import OrderRole
from engine.domain.modes import Mode
from engine.runtime.othermodes import open_elsewhere
from engine.runtime.session import EngineState, encode_state
from engine.storage.checkpoints import CheckpointStore
from tests.builders import ENTER_LONG, T0, setup
from tests.fakes import Hand
from tests.unit.runtime.rig import engine_on, eventually, market_settings, tape_settings

REAL = (Mode.DEMO, Mode.LIVE)


def left(folder, world, mode="live"):
    """Leave a session's last checkpoint behind."""
    state = EngineState(
        session="s1",
        shape="x",
        files={},
        birth_s=1,
        sequence=1,
        fingerprint=b"",
        tape_offset=0,
        now=world.now,
        loop=world.loop.state(),
    )
    CheckpointStore(folder / mode / "checkpoints").save(1, world.now, encode_state(state))


@pytest.fixture
def world():
    return Hand(setup())


def test_modes_that_never_ran_left_nothing(tmp_path):
    assert open_elsewhere(tmp_path, REAL, T0) == ()
    (tmp_path / "live" / "checkpoints").mkdir(parents=True)
    assert open_elsewhere(tmp_path, REAL, T0) == ()


def test_a_flat_account_is_not_mentioned(tmp_path, world):
    left(tmp_path, world)
    assert open_elsewhere(tmp_path, REAL, T0) == ()


def test_positions_and_orders_are_named(tmp_path, world):
    world.enter_long()
    left(tmp_path, world)
    (text,) = open_elsewhere(tmp_path, REAL, T0)
    assert "the live account of this instance has positions (1 BTCUSDT) and 2 open orders" in text
    assert "nothing here looks after them. `trader-tui --mode live` does" in text


def test_an_order_alone_is_named_too(tmp_path, world):
    world.bar(ENTER_LONG)
    world.ack(world.order(OrderRole.ENTRY))
    left(tmp_path, world, "demo")
    (text,) = open_elsewhere(tmp_path, REAL, T0)
    assert "the demo account of this instance has 1 open order, as far" in text


def test_a_state_that_cannot_be_read_is_told(tmp_path):
    CheckpointStore(tmp_path / "live" / "checkpoints").save(1, T0, b"\x90")
    (text,) = open_elsewhere(tmp_path, REAL, T0)
    assert "cannot be read" in text


async def test_a_paper_session_says_at_its_start_that_it_does_not_look_after_them(tmp_path, world):
    settings = market_settings(tmp_path)
    world.enter_long()
    left(tmp_path / "state" / "default", world)
    async with asyncio.timeout(20), engine_on(settings) as engine:
        running = asyncio.create_task(engine.run())
        notices = await eventually(lambda: [n for n in engine.snapshot().notices if n.kind == "positions"])
        engine.stop("enough")
        await running
    assert [notice.level for notice in notices] == [NoticeLevel.WARNING]
    assert "the live account of this instance has positions (1 BTCUSDT)" in notices[0].text


async def test_a_tape_has_nothing_to_do_with_them(tmp_path, world):
    settings = tape_settings(tmp_path, bars=5)
    world.enter_long()
    left(tmp_path / "state" / "default", world)
    async with asyncio.timeout(20), engine_on(settings) as engine:
        await engine.run()
        assert [n for n in engine.snapshot().notices if n.kind == "positions"] == []
