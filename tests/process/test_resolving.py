"""An order that got no answer, from the alarm to the operator's word, typed into a second shell."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from engine.core.snapshot import Phase
from engine.domain.events import Action, OrderTimedOut
from engine.domain.orders import OrderState
from tests.unit.runtime.rig import market_settings
from tests.unit.runtime.running import running

pytestmark = pytest.mark.process

ALARM = "unknown:BTCUSDT"


class Swallowing:
    """A venue whose line swallows the first order: nobody there ever hears of it."""

    def __init__(self, venue):
        self._venue = venue
        self.swallowed = []

    def __getattr__(self, name):
        return getattr(self._venue, name)

    def submit(self, request, now):
        """Lose the first order on the way, and give up waiting for its answer."""
        if self.swallowed:
            return self._venue.submit(request, now)
        self.swallowed.append(request)
        return (OrderTimedOut(now, request.client_id),)


async def say(house, client_id, *words):
    """Type a `resolve` into a second shell; return exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *house.words("resolve", client_id, *words),
        cwd=house.root,
        env=house.env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


def alarms(snapshot):
    return {alarm.id: alarm.text for alarm in snapshot.alarms}


def stored(there):
    """Return why an operator ended orders, as the database has it."""
    (path,) = there.engine.context.directory.rglob("*.sqlite")
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT reason FROM transitions WHERE kind = 'order'").fetchall()
    return [reason for (reason,) in rows]


async def test_an_operator_ends_an_order_that_the_venue_never_heard_of(house, tmp_path):
    async with running(market_settings(tmp_path, state_dir=house.state_dir)) as there:
        loop = there.engine.context.loop
        loop.venue = Swallowing(loop.venue)
        await there.done(Action.ARM, "restless")
        snapshot = await there.until(lambda now: now if ALARM in alarms(now) else None)
        (lost,) = loop.venue.swallowed
        client_id = lost.client_id
        assert client_id in alarms(snapshot)[ALARM]

        code, text = await say(house, client_id, "dead", "--confirm", "nope", "--reason", "looked")
        assert (code, "NOT_CONFIRMED" in text) == (4, True), text
        assert ALARM in alarms(there.now)

        confirmed = ("--confirm", client_id[-4:])
        code, text = await say(house, client_id, "dead", *confirmed, "--reason", "not in its history")
        assert code == 0, text
        assert not {ALARM, f"unsettled:{client_id}"} & alarms(there.now).keys()
        shown = {order.client_id: order.state for order in there.now.orders}
        assert shown.get(client_id, OrderState.REJECTED) is OrderState.REJECTED
        assert stored(there) == ["not in its history"]

        await there.until(lambda now: now.account.fills >= 2)
        assert there.now.status.phase is Phase.ARMED, "it trades on"
        code, text = await say(house, client_id, "dead", *confirmed, "--reason", "again")
        assert (code, "ORDER_NOT_UNKNOWN" in text) == (4, True), text
