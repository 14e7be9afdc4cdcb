"""An engine beside its console in one event loop."""

import asyncio

import pytest

from engine.core.snapshot import Phase
from engine.domain.errors import LockHeldError
from engine.domain.events import Action
from engine.runtime.inprocess import open_engine
from tests.unit.runtime.rig import eventually, market_settings, tape_settings


async def test_a_console_sees_and_commands_the_engine_beside_it(tmp_path):
    async with asyncio.timeout(20), open_engine(market_settings(tmp_path)) as running:
        link = running.link("me")
        assert link.hello.instance == "default"
        snapshots = link.snapshots()
        first = await anext(snapshots)
        assert first.status.phase is Phase.DISARMED
        reply = await link.command(Action.ARM, argument="restless", timeout_s=15)
        assert reply.ok
        refused = await link.command(Action.ARM, argument="restless", timeout_s=15)
        assert (refused.ok, refused.reason) == (False, "ALREADY_SO")
        async for snapshot in snapshots:
            if snapshot.status.phase is Phase.ARMED:
                break
        report = await running.finish("enough")
        assert (report.exit_code, report.text) == (0, "enough")
        assert link.goodbye is not None
        assert link.goodbye.text == "enough"
        assert await running.finish("again") == report, "one that has ended only says so"


async def test_the_engine_ends_with_the_block(tmp_path):
    settings = tape_settings(tmp_path, bars=20)
    async with asyncio.timeout(20), open_engine(settings) as running:
        link = running.link("me")
    assert link.goodbye is not None
    assert (link.goodbye.exit_code, link.goodbye.text) == (0, "the console ended")
    async with open_engine(settings):
        pass


async def test_the_engine_ends_also_where_the_console_breaks(tmp_path):
    settings = market_settings(tmp_path)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(20), open_engine(settings):
            raise ZeroDivisionError
    async with open_engine(settings):
        pass  # the lock is free


async def test_an_engine_that_cannot_start_says_so_to_its_console(tmp_path):
    settings = tape_settings(tmp_path, bars=20)
    async with asyncio.timeout(20), open_engine(settings):
        with pytest.raises(LockHeldError):
            async with open_engine(settings):
                pytest.fail("nobody may enter")


async def test_panic_flattens_from_any_thread(tmp_path):
    async with asyncio.timeout(20), open_engine(market_settings(tmp_path)) as running:
        link = running.link("me")
        await eventually(lambda: running._engine.snapshot().health.events > 10)
        await asyncio.to_thread(link.panic)
        await eventually(lambda: running._engine.snapshot().status.phase is Phase.HALTED)
