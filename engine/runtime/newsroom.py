"""One stream of what happened, for whoever listens beside the engine; none of them can hold it up."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from engine.domain.commands import (
    Command,
    FlattenEnded,
    Notice,
    SaveFill,
    SaveOrder,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SubmitOrder,
)
from engine.domain.news import (
    FillNews,
    FlattenNews,
    MissedNews,
    ModeNews,
    News,
    NoticeNews,
    OrderNews,
    RefusalNews,
    Topic,
    topics_of,
)
from engine.domain.orders import Order, OrderState
from engine.domain.vetoes import Veto
from engine.runtime.loop import Batch

WAITING_MAX = 1_000  # news that wait for one listener


class Listener:
    """What one listener has not heard yet. Bounded: the oldest go, and it is told how many."""

    def __init__(self, name: str, topics: frozenset[Topic], waiting_max: int) -> None:
        self.name = name
        self.topics = topics
        self._waiting: deque[News] = deque(maxlen=waiting_max)
        self._missed = 0
        self._more = asyncio.Event()

    def put(self, news: News) -> None:
        """Let a piece of news wait; never waits itself."""
        if len(self._waiting) == self._waiting.maxlen:
            self._missed += 1
        self._waiting.append(news)
        self._more.set()

    async def next(self) -> News:
        """Return the next piece of news, first of all how many were missed."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self.take()

    def take(self) -> News:
        """Return what waits longest. Raises IndexError where nothing does."""
        if self._missed:
            missed, self._missed = self._missed, 0
            return MissedNews(missed)
        return self._waiting.popleft()

    def rest(self) -> Iterator[News]:
        """Yield what still waits: at the end nothing more comes."""
        while self._waiting:
            yield self.take()


class Newsroom:
    """Hands every piece of news to those who listen for its topic."""

    def __init__(self) -> None:
        self._listeners: dict[Topic, list[Listener]] = {topic: [] for topic in Topic}

    def listen(
        self, name: str, topics: frozenset[Topic] = frozenset(Topic), *, waiting_max: int = WAITING_MAX
    ) -> Listener:
        """Return a new listener for some topics."""
        listener = Listener(name, topics, waiting_max)
        for topic in topics:
            self._listeners[topic].append(listener)
        return listener

    def publish(self, news: News) -> None:
        """Tell a piece of news, once to each."""
        told: list[Listener] = []
        for topic in topics_of(news):
            for listener in self._listeners[topic]:
                if listener not in told:
                    told.append(listener)
                    listener.put(news)

    def publish_batch(self, batch: Batch, now: int) -> None:
        """Tell what a batch of commands means, in their order."""
        for command in batch:
            make = _NEWS.get(type(command))
            news = None if make is None else make(command, now)
            if news is not None:
                self.publish(news)


def _submitted(command: SubmitOrder, now: int) -> News:
    return _order(Order(request=command.request, updated=now), now)


def _changed(command: SaveOrder, now: int) -> News | None:
    """A stored order is news but for one that was told when it was asked for."""
    return None if command.order.state is OrderState.PENDING else _order(command.order, now)


def _order(order: Order, now: int) -> News:
    request = order.request
    return OrderNews(
        ts=now,
        client_id=request.client_id,
        venue_id=order.venue_id,
        play=request.play,
        symbol=request.symbol,
        side=request.side,
        role=request.role,
        kind=request.kind,
        state=order.state,
        qty=order.qty,
        filled_qty=order.filled_qty,
        price=request.trigger or request.price,
        reason=order.reason,
    )


def _filled(command: SaveFill, _now: int) -> News:
    fill, position = command.fill, command.position
    return FillNews(
        ts=fill.ts,
        client_id=fill.client_id,
        trade_id=fill.trade_id,
        play=position.play,
        symbol=fill.symbol,
        side=fill.side,
        price=fill.price,
        qty=fill.qty,
        fee=fill.fee,
        liquidity=fill.liquidity,
        position_qty=position.qty,
    )


def _signal(command: SaveSignal, _now: int) -> News | None:
    return None if command.veto is None else _refusal(command.veto)


def _vetoed(command: SaveVeto, _now: int) -> News:
    return _refusal(command.veto)


def _refusal(veto: Veto) -> News:
    return RefusalNews(
        veto.ts, veto.cycle_id, veto.layer, veto.reason.value, veto.values, veto.play, veto.symbol
    )


def _mode(command: SaveTransition, _now: int) -> News:
    return ModeNews(command.ts, command.kind, command.before, command.after, command.actor, command.reason)


def _flatten(command: FlattenEnded, _now: int) -> News:
    return FlattenNews(command.ts, command.flat, command.residual, command.elapsed_ms)


def _notice(command: Notice, _now: int) -> News:
    return NoticeNews(command.ts, command.level, command.kind, command.text, command.symbol)


_NEWS: dict[type[Command], Callable[..., News | None]] = {
    SubmitOrder: _submitted,
    SaveOrder: _changed,
    SaveFill: _filled,
    SaveSignal: _signal,
    SaveVeto: _vetoed,
    SaveTransition: _mode,
    FlattenEnded: _flatten,
    Notice: _notice,
}
