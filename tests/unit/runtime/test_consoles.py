"""Consoles on a control socket: each has an id, and the engine hears of one that is gone."""

import pytest

from engine.core.operator import InControl
from engine.domain.events import Action
from engine.runtime.commands import CommandDesk
from tests.builders import T0
from tests.unit.runtime.control_fakes import serving


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.sock"


async def test_a_console_sends_its_id_with_every_command(path):
    async with serving(path) as desk:
        link = await desk.link(console="c1")
        assert link.console == "c1"
        await link.command(Action.PAUSE)
        assert [request.console for request in desk.engine.requests] == ["c1"]
        await link.close()


async def test_a_console_that_is_gone_is_told_of_once(path):
    gone: list[str] = []
    async with serving(path, left=gone.append) as desk:
        link = await desk.link(console="c1")
        await link.command(Action.PAUSE)
        await link.close()
    assert gone == ["c1"]


async def test_nobody_is_told_of_one_that_has_no_id(path):
    gone: list[str] = []
    async with serving(path, left=gone.append) as desk:
        first, second = await desk.link(), await desk.link(console="c2")
        await first.command(Action.PAUSE)
        await first.close()
        await second.command(Action.PAUSE)
        await second.close()
    assert gone == ["c2"]


@pytest.mark.parametrize(("holder", "posted"), [("c1", [Action.RELEASE_CONTROL]), ("c2", []), (None, [])])
def test_control_goes_back_only_where_the_console_that_left_had_it(holder, posted):
    line = []

    def offer(event):
        line.append(event)
        return True

    desk = CommandDesk(offer, lambda: T0, 0)
    desk.left("c1", InControl(holder, "me@pts/1", T0) if holder else None)
    assert [event.action for event in line] == posted
    assert all((event.console, event.actor) == ("c1", "me@pts/1") for event in line)
