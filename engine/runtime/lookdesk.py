"""Answers what consoles ask for while they show it: charts, books, trades and equity."""

import asyncio
from collections.abc import Callable

from engine.core.looking import ChartFacts, Plotter, blotted, chart_facts, curve, draw
from engine.core.machine import Machine
from engine.core.sights import BookView, BookWish, Chart, ChartWish, EquityWish, Sight, TradesWish, Wish
from engine.domain.market import Depth
from engine.ports import PushFeed
from engine.runtime.protocol import LookReply, LookRequest

LEVELS_MAX = 100
PLOTTERS_MAX = 8  # plays whose indicators are kept between two looks
BEST_ONLY = "best bid and offer only: this market has no order book"
NOT_KEPT = "best bid and offer only; whole books: `stream: {book: depth}`"


class LookDesk:
    """Looks at a machine for consoles; what is long to compute is computed in a thread, once a bar."""

    def __init__(self, machine: Machine, stream: PushFeed | None, now: Callable[[], int]) -> None:
        self._machine, self._stream, self._now = machine, stream, now
        self._plotters: dict[tuple[str, str], Plotter] = {}
        self._drawing = asyncio.Lock()

    async def look(self, request: LookRequest) -> LookReply:
        """Return what was asked for, or in words why there is none."""
        sight = await self._see(request.wish)
        return LookReply(request.id, text=sight) if isinstance(sight, str) else LookReply(request.id, sight)

    async def _see(self, wish: Wish) -> Sight | str:
        match wish:
            case ChartWish():
                return await self._chart(wish)
            case BookWish():
                return self._book(wish)
            case TradesWish():
                return blotted(self._machine, self._now())
            case EquityWish():
                return curve(self._machine)

    async def _chart(self, wish: ChartWish) -> Chart | str:
        facts = chart_facts(self._machine, wish)
        if facts is None:
            return f"no closed bar of {wish.symbol} yet: they come with the market"
        if facts.binding is None:
            return await asyncio.to_thread(draw, facts, None)
        key = (facts.binding.spec.name, facts.binding.symbol)
        async with self._drawing:  # a plotter is followed by one at a time
            plotter = self._plotters.pop(key, None)
            if plotter is None or plotter.binding.spec != facts.binding.spec:
                plotter = Plotter(facts.binding, facts.models)  # another version ran before
            chart = await asyncio.to_thread(_followed, facts, plotter)
            self._keep(key, plotter)
            return chart

    def _keep(self, key: tuple[str, str], plotter: Plotter) -> None:
        """Keep a plotter for the next look; one whose thread nobody waited for is not: it still computes."""
        self._plotters[key] = plotter
        while len(self._plotters) > PLOTTERS_MAX:
            del self._plotters[next(iter(self._plotters))]

    def _book(self, wish: BookWish) -> BookView:
        stream = self._stream
        if stream is None:
            return BookView(wish.symbol, None, BEST_ONLY)
        levels = max(1, min(wish.levels, LEVELS_MAX))
        depth = stream.depth(wish.symbol, max(2, levels))  # a second level tells a book from a best price
        if depth is None or len(depth.bids) + len(depth.asks) <= 2:
            return BookView(wish.symbol, depth, NOT_KEPT)
        return BookView(wish.symbol, Depth(depth.bids[:levels], depth.asks[:levels]))


def _followed(facts: ChartFacts, plotter: Plotter) -> Chart:
    """Draw with all that is new computed."""
    plotter.follow(facts.window)
    return draw(facts, plotter)
