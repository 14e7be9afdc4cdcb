"""What consoles ask for while they show it, asked over both links."""

import asyncio
from collections.abc import Sequence
from typing import cast

import msgspec
import pytest

from engine.core.sights import Blotted, BookView, BookWish, Chart, ChartWish, Curve, EquityWish, TradesWish
from engine.domain.errors import ControlError
from engine.domain.market import Depth
from engine.domain.play import Rule
from engine.ports import PushFeed
from engine.runtime.link import SocketLink
from engine.runtime.lookdesk import BEST_ONLY, NOT_KEPT, PLOTTERS_MAX, LookDesk
from engine.runtime.protocol import CommandReply, LookReply, LookRequest
from engine.runtime.wire import encode
from tests.builders import BTC, ENTER_LONG, ETH, PLAY, World, setup, spec
from tests.unit.runtime.control_fakes import HELLO, FakeEngine, serving
from tests.unit.runtime.test_link import attached, direct, path, scripted

__all__ = ["path"]  # the fixture


class Books:
    """A feed of which only its books are asked."""

    def __init__(self, depth: Depth | None) -> None:
        self._depth = depth
        self.asked: list[tuple[str, int]] = []

    def depth(self, symbol: str, levels: int) -> Depth | None:
        self.asked.append((symbol, levels))
        return self._depth


def desk(world: World, depth: Depth | None = None, *, stream: bool = True) -> LookDesk:
    feed = cast("PushFeed", Books(depth)) if stream else None
    return LookDesk(world.machine, feed, lambda: world.now)


async def test_trades_and_equity_are_answered_at_once():
    world = World()
    world.bars(ENTER_LONG, 112.0, 150.0, 150.0)
    looking = desk(world)
    trades = await looking.look(LookRequest(3, TradesWish()))
    assert trades.id == 3
    assert isinstance(trades.sight, Blotted)
    assert isinstance((await looking.look(LookRequest(4, EquityWish()))).sight, Curve)


async def test_a_chart_follows_the_bars_and_another_version_of_the_play():
    world = World()
    looking = desk(world)
    assert "no closed bar" in (await looking.look(LookRequest(1, ChartWish(BTC)))).text
    world.bars(100.0, 101.0)
    chart = (await looking.look(LookRequest(2, ChartWish(BTC)))).sight
    assert isinstance(chart, Chart)
    assert (chart.play, len(chart.bars)) == (PLAY, 2)
    runner = world.machine.trading.runners[0]
    changed = msgspec.structs.replace(runner.binding.spec, long_entry=Rule("close > sma(2)"))
    runner.binding = msgspec.structs.replace(runner.binding, spec=changed)
    again = (await looking.look(LookRequest(3, ChartWish(BTC)))).sight
    assert isinstance(again, Chart)
    assert [series.name for series in again.series] == ["sma(2)"]


async def test_the_indicators_of_few_plays_are_kept():
    plays = [spec(name=f"p{number}") for number in range(PLOTTERS_MAX + 2)]
    world = World(setup(*plays, symbols=[BTC, *(f"S{number}USDT" for number in range(9))]))
    world.bars(100.0, 101.0)
    looking = desk(world)
    for play in plays:
        runner = next(r for r in world.machine.trading.runners if r.binding.spec.name == play.name)
        world.bar(100.0, runner.binding.symbol)
        await looking.look(LookRequest(1, ChartWish(runner.binding.symbol)))
    assert len(looking._plotters) == PLOTTERS_MAX


async def test_a_symbol_without_a_play_has_no_plotter():
    world = World()
    world.bars(50.0, symbol=ETH)
    chart = (await desk(world).look(LookRequest(1, ChartWish(ETH)))).sight
    assert isinstance(chart, Chart)
    assert chart.series == ()


@pytest.mark.parametrize(
    ("depth", "stream", "said"),
    [
        (None, False, BEST_ONLY),
        (None, True, NOT_KEPT),
        (Depth(((1.0, 2.0),), ((3.0, 4.0),)), True, NOT_KEPT),
        (Depth(((1.0, 2.0), (0.5, 1.0)), ((3.0, 4.0),)), True, ""),
    ],
)
async def test_a_book_is_told_or_why_there_is_none(depth: Depth | None, stream: bool, said: str):
    view = (await desk(World(), depth, stream=stream).look(LookRequest(1, BookWish(BTC)))).sight
    assert isinstance(view, BookView)
    assert (view.text, view.depth) == (said, depth)


async def test_a_whole_book_is_not_taken_for_a_best_price_where_one_level_is_asked_for():
    whole = Depth(((1.0, 2.0), (0.5, 1.0)), ((3.0, 4.0), (3.5, 1.0)))
    view = (await desk(World(), whole).look(LookRequest(1, BookWish(BTC, levels=1)))).sight
    assert view == BookView(BTC, Depth(((1.0, 2.0),), ((3.0, 4.0),)))


async def test_both_links_ask_and_carry_what_is_seen(path):
    async with attached(path) as (server, link):
        reply = await link.look(ChartWish(BTC))
        assert reply.text == "nothing of ChartWish"
        server.engine.failure = ValueError("bug")
        assert "failed to show" in (await link.look(TradesWish())).text
        assert "look_failed" in server.logged()
    assert (await direct(FakeEngine()).look(EquityWish())).text == "nothing of EquityWish"


async def test_a_look_that_takes_too_long_is_told(path, monkeypatch):
    async with serving(path, answer_timeout_s=0.05) as server:
        link = await server.link()
        server.engine.gate.clear()
        assert "no answer within" in (await link.look(TradesWish())).text
        server.engine.gate.set()
        await link.close()
    monkeypatch.setattr("engine.runtime.link.WHY_TIMEOUT_S", 0.05)
    async with attached(path) as (server, link):
        server.engine.gate.clear()
        with pytest.raises(ControlError, match="does not answer"):
            await link.look(TradesWish())
        server.engine.gate.set()


async def test_an_engine_that_knows_no_looks_says_so(path):
    async with scripted(path, encode(HELLO), encode(CommandReply(1, ok=False, text="not understood"))):
        link = await SocketLink.connect(path, actor="me", latch_dir=None)
        reply = await link.look(TradesWish())
        assert (reply.sight, reply.text) == (None, "not understood")
        await link.close()


def test_every_sight_comes_back_as_it_was_sent():
    world = World()
    world.bars(ENTER_LONG, 112.0, 150.0, 150.0)
    looking = desk(world, Depth(((1.0, 2.0), (0.5, 1.0)), ((3.0, 4.0),)))
    wishes: Sequence[ChartWish | BookWish | TradesWish | EquityWish] = (
        ChartWish(BTC),
        BookWish(BTC),
        TradesWish(),
        EquityWish(),
    )

    async def all_of_them() -> list[LookReply]:
        return [await looking.look(LookRequest(1, wish)) for wish in wishes]

    for reply in asyncio.run(all_of_them()):
        assert msgspec.json.decode(encode(reply), type=LookReply) == reply


async def test_a_look_that_nobody_waits_for_leaves_no_plotter_that_still_computes():
    """Its thread goes on; the next look must not follow the same plotter beside it."""
    world = World()
    world.bars(*[100.0 + n for n in range(40)])
    looking = desk(world)
    whole = (await looking.look(LookRequest(1, ChartWish(BTC)))).sight
    given_up = asyncio.create_task(looking.look(LookRequest(2, ChartWish(BTC))))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert len(looking._plotters) == 0
    assert (await looking.look(LookRequest(3, ChartWish(BTC)))).sight == whole
    assert len(looking._plotters) == 1
