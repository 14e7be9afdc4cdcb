"""The stream of news: what a batch means, who hears what, and that nobody holds it up."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from engine.domain.commands import (
    FlattenEnded,
    Notice,
    NoticeLevel,
    SaveFill,
    SaveOrder,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SetTimer,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.intents import IntentState
from engine.domain.news import (
    CheckpointNews,
    FillNews,
    FlattenNews,
    MissedNews,
    ModeNews,
    News,
    NoticeNews,
    OrderNews,
    RefusalNews,
    ReloadNews,
    Topic,
    topics_of,
)
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal, SignalKind
from engine.domain.vetoes import veto
from engine.runtime.newslog import LINES_MAX, NewsLog
from engine.runtime.newsroom import Listener, Newsroom
from tests.builders import BTC, T0, fill, request
from tests.unit.runtime.rig import Lines, eventually

CHECKPOINT = CheckpointNews(T0, 7, 100, 1.5)
SIGNAL = Signal(T0, "p", BTC, Side.BUY, SignalKind.ENTRY, 100.0)
REFUSED = veto(Reason.LADDER, ts=T0, cycle_id="p@1", play="p", symbol=BTC, rung="HOLD")


def told(*batch: object) -> list[News]:
    newsroom = Newsroom()
    listener = newsroom.listen("test")
    newsroom.publish_batch(batch, T0)  # type: ignore[arg-type]  # any commands
    return list(listener.rest())


def saved(state: OrderState, **changes: object) -> SaveOrder:
    return SaveOrder(Order(request=request(), state=state, **changes), IntentState.COMMITTED)  # type: ignore[arg-type]


def test_an_order_is_told_when_it_is_asked_for_and_at_each_change() -> None:
    asked = SubmitOrder(request(), increases=True)
    (first, second) = told(asked, saved(OrderState.PENDING), saved(OrderState.ACKNOWLEDGED, venue_id="v1"))
    assert isinstance(first, OrderNews)
    assert isinstance(second, OrderNews)
    assert (first.state, first.client_id, topics_of(first)) == (
        OrderState.PENDING,
        "c1",
        (Topic.SUBMITTED, Topic.ORDER),
    )
    assert (second.state, second.venue_id, topics_of(second)) == (
        OrderState.ACKNOWLEDGED,
        "v1",
        (Topic.ORDER,),
    )


def test_a_refusal_is_one_whoever_refused() -> None:
    news = told(SaveSignal(SIGNAL, veto=REFUSED), SaveVeto(REFUSED), saved(OrderState.REJECTED, reason="X"))
    assert [Topic.REJECTED in topics_of(one) for one in news] == [True] * 3
    first = news[0]
    assert isinstance(first, RefusalNews)
    assert (first.layer.value, first.reason, first.values) == ("risk", "LADDER", {"rung": "HOLD"})
    assert told(SaveSignal(SIGNAL, "c1"), SetTimer("t", 1)) == []


def test_fills_modes_flattens_and_notices_are_told_with_all_they_hold() -> None:
    position = Position(play="p", symbol=BTC, qty=Decimal(2))
    news = told(
        SaveFill(fill(), position),
        SaveTransition(T0, TransitionKind.PHASE, "disarmed", "armed", "me", "go"),
        FlattenEnded(T0, False, ("left",), Decimal(5)),
        Notice(T0, NoticeLevel.ERROR, "alarm", "text", BTC),
        Notice(T0, NoticeLevel.INFO, "order", "text"),
    )
    assert [type(one) for one in news] == [FillNews, ModeNews, FlattenNews, NoticeNews, NoticeNews]
    assert [topics_of(one)[0] for one in news] == [
        Topic.FILLED,
        Topic.MODE,
        Topic.FLATTEN,
        Topic.ERROR,
        Topic.NOTICE,
    ]
    assert isinstance(news[0], FillNews)
    assert (news[0].play, news[0].position_qty) == ("p", Decimal(2))
    assert msgspec.json.decode(msgspec.json.encode(news), type=list[News]) == news


def test_everyone_hears_what_was_listened_for_and_each_once() -> None:
    newsroom = Newsroom()
    orders = newsroom.listen("orders", frozenset({Topic.SUBMITTED, Topic.ORDER}))
    reloads = newsroom.listen("reloads", frozenset({Topic.RELOAD}))
    newsroom.publish_batch((SubmitOrder(request(), increases=True),), T0)
    newsroom.publish(ReloadNews(T0, "p", 2, "swapped", "text"))
    newsroom.publish(CHECKPOINT)
    assert len(list(orders.rest())) == 1
    assert len(list(reloads.rest())) == 1


def test_who_is_too_slow_misses_the_oldest_and_is_told_how_many() -> None:
    newsroom = Newsroom()
    slow = newsroom.listen("slow", waiting_max=2)
    for sequence in range(5):
        newsroom.publish(msgspec.structs.replace(CHECKPOINT, sequence=sequence))
    first, *rest = slow.rest()
    assert first == MissedNews(3)
    assert topics_of(first) == tuple(Topic)
    assert [one.sequence for one in rest if isinstance(one, CheckpointNews)] == [3, 4]


async def test_a_listener_waits_for_what_comes() -> None:
    listener = Listener("one", frozenset(Topic), 10)
    waiting = asyncio.create_task(listener.next())
    await asyncio.sleep(0)
    listener.put(CHECKPOINT)
    assert await waiting == CHECKPOINT
    with pytest.raises(IndexError):
        listener.take()


async def test_the_log_writes_what_it_hears_in_order_and_at_its_level() -> None:
    lines, newsroom = Lines(), Newsroom()
    log = NewsLog(newsroom, lines.logger)
    writing = asyncio.create_task(log.run())
    for level in NoticeLevel:
        newsroom.publish(NoticeNews(T0, level, f"kind {level}", "text"))
    newsroom.publish(FlattenNews(T0, flat=False, residual=("position BTCUSDT 1",), elapsed_ms=Decimal(3)))
    await eventually(lambda: len(lines.events) == 5)
    writing.cancel()
    newsroom.publish(CHECKPOINT)
    newsroom.publish(ReloadNews(T0, "p", 2, "swapped", "text"))
    log.finish()
    assert lines.events == [
        *(f"kind {level}" for level in NoticeLevel),
        "flatten ended",
        "checkpoint",
        "reload",
    ]
    assert lines.facts("flatten ended")["residual"] == ("position BTCUSDT 1",)


def test_lines_that_the_log_could_not_keep_are_counted() -> None:
    lines, newsroom = Lines(), Newsroom()
    log = NewsLog(newsroom, lines.logger)
    for _ in range(LINES_MAX + 3):
        newsroom.publish(CHECKPOINT)
    log.finish()
    assert lines.facts("lines were lost")["count"] == 3
