"""A venue's live market is pushed to the core: first the past that is not known yet, then what comes."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.domain.errors import TransientError
from engine.domain.events import Backfill, Event, Fault, FeedChanged, FeedState, Remark
from engine.domain.market import Bar, Depth, Instrument
from engine.ports import Deliver, FeedCondition, FeedFacts
from engine.runtime import drivers
from engine.runtime.drivers import push_live
from engine.runtime.inbox import Inbox
from tests.builders import BTC, ETH, STEP, T0, bar

PAST = (bar(1.0, T0 - STEP), bar(2.0, T0), bar(3.0, T0, ETH))
NEWS: tuple[Event, ...] = (FeedChanged(T0, "bybit", FeedState.CONNECTED), bar(4.0, T0 + STEP))


class StillClock:
    """A clock that stands."""

    def now(self) -> int:
        return T0

    def go_on_from(self, ns: int) -> None:
        """It does not."""


class HandFeed:
    """A push feed of a test: a past, and events that follow."""

    name = "bybit"
    base_step_ns = STEP
    instruments: tuple[Instrument, ...] = ()

    def __init__(self, past: Sequence[Bar] | Exception = PAST, news: Sequence[Event] = NEWS) -> None:
        self._past, self._news = past, news
        self.asked: list[int] = []

    async def history(self, bars: int) -> Sequence[Bar]:
        self.asked.append(bars)
        if isinstance(self._past, Exception):
            raise self._past
        return self._past

    async def run(self, deliver: Deliver) -> None:
        for event in self._news:
            await deliver(event, 0)

    def facts(self) -> FeedFacts:
        return FeedFacts(state=FeedCondition.CONNECTED)

    def depth(self, symbol: str, levels: int) -> Depth | None:
        return None


async def pushed(feed: HandFeed, inbox: Inbox, **how: object) -> list[Event]:
    """Push all of a feed into an inbox, and return what is in there."""
    known = {(BTC, STEP): T0 - STEP}
    await push_live(
        feed,
        inbox,
        StillClock(),
        asyncio.Event(),
        bars=600,
        known=lambda symbol, step_ns: known.get((symbol, step_ns), 0),
        **how,  # type: ignore[arg-type]
    )
    found: list[Event] = []
    while (waiting := inbox.take()) is not None:
        found.append(waiting.event)
    return found


async def test_the_past_that_is_not_known_comes_first():
    feed = HandFeed()
    assert await pushed(feed, Inbox()) == [Backfill(T0, PAST[1:]), *NEWS]
    assert feed.asked == [600]


async def test_without_a_past_the_present_still_comes():
    (remark, *rest) = await pushed(HandFeed(TransientError("bybit does not answer")), Inbox())
    assert isinstance(remark, Remark)
    assert remark.text.endswith("indicators warm up on those to come: bybit does not answer")
    assert rest == list(NEWS)


async def test_what_can_be_taken_at_once_does_not_wait_in_the_inbox():
    taken: list[Event] = []

    async def take(event: Event, _since_ns: int) -> bool:
        taken.append(event)
        return True

    assert await pushed(HandFeed(), Inbox(), take=take) == []
    assert taken == [Backfill(T0, PAST[1:]), *NEWS]


async def test_a_full_inbox_lets_the_feed_wait_and_drops_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drivers, "JAM_S", 0.01)
    inbox = Inbox(lossless_max=2)
    news = [bar(float(number), T0 + number * STEP) for number in range(6)]
    found: list[Event] = []

    async def read() -> None:
        while len([event for event in found if isinstance(event, Bar)]) < len(news):
            await inbox.wait(None)
            await asyncio.sleep(0.02)  # the core is slow
            while (waiting := inbox.take()) is not None:
                found.append(waiting.event)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        await push_live(
            HandFeed((), news), inbox, StillClock(), asyncio.Event(), bars=1, known=lambda _symbol, _step: 0
        )
    assert [event for event in found if isinstance(event, Bar)] == news
    assert [fault.cleared for fault in found if isinstance(fault, Fault)][-1:] in ([], [True])
