"""Public queries: typed answers, and errors sorted by what asking again does."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from engine.domain.errors import RateLimitedError, RefusedError, TransientError
from engine.venues.publicrest import PublicRest
from tests.loopback import LoopbackVenue


class Price(msgspec.Struct):
    """An answer."""

    price: float


class HandBudget:
    """A budget that notes what is asked of it."""

    def __init__(self) -> None:
        self.weights: list[int] = []
        self.held_s: list[float] = []
        self.closed = 0

    async def take(self, weight: int) -> None:
        self.weights.append(weight)

    def hold_back(self, seconds: float) -> None:
        self.held_s.append(seconds)

    def close(self) -> None:
        self.closed += 1


async def ask(answer: object, **how: object) -> Price:
    async with LoopbackVenue({"/price": lambda _: answer}) as venue:
        rest = PublicRest("bybit", venue.query_url, **how)  # type: ignore[arg-type]
        try:
            return await rest.get("/price", {"symbol": "BTCUSDT", "limit": 5}, Price)
        finally:
            assert venue.queries == [("/price", {"symbol": "BTCUSDT", "limit": "5"})]
            await rest.close()
            await rest.close()


async def test_an_answer_has_its_form_and_text_is_read_as_a_number():
    assert (await ask({"price": "61800.10", "more": 1})).price == 61800.1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, RateLimitedError) for status in (418, 429)),
        *((status, RefusedError) for status in (400, 451)),
        *((status, TransientError) for status in (403, 500, 502)),
    ],
)
async def test_a_status_says_what_asking_again_does(status, kind):
    answer = web.Response(status=status, text="<html>\n nope\x1b[31m</html>", headers={"Retry-After": "7"})
    with pytest.raises(kind) as caught:
        await ask(answer)
    assert str(caught.value) == f"bybit answered /price with HTTP {status}: <html> nope [31m</html>"
    if isinstance(caught.value, RateLimitedError):
        assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize("body", ["", "<html>maintenance</html>", '{"price": {}}', "[]", "\x80"])
async def test_an_answer_in_another_form_is_not_taken(body):
    answer = web.Response(body=body.encode("latin-1"))
    with pytest.raises(TransientError, match="bybit answered /price in an unknown form"):
        await ask(answer)


async def test_a_long_answer_is_cut_where_it_is_told():
    with pytest.raises(TransientError) as caught:
        await ask(web.Response(status=500, text="x" * 9_999))
    assert len(str(caught.value)) < 220


async def test_nobody_there_is_told_in_one_line():
    async with LoopbackVenue() as venue:
        url = venue.query_url
    rest = PublicRest("bybit", url)
    with pytest.raises(TransientError) as caught:
        await rest.get("/price", {}, Price)
    await rest.close()
    assert str(caught.value) == f"bybit cannot be reached at {url}: nobody listens there"


async def test_an_address_that_is_none_is_refused():
    rest = PublicRest("bybit", "http://")
    with pytest.raises(RefusedError, match="is no address"):
        await rest.get("/price", {}, Price)
    await rest.close()


async def test_silence_is_not_waited_for():
    async def sleep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(sleep, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        rest = PublicRest("bybit", f"http://127.0.0.1:{port}", timeout_s=0.1)
        with pytest.raises(TransientError, match=r"did not answer within 0\.1 s"):
            await rest.get("/price", {}, Price)
        await rest.close()


async def test_a_connection_that_breaks_off_is_told():
    async def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(leave, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        rest = PublicRest("bybit", f"http://127.0.0.1:{port}")
        with pytest.raises(TransientError, match=r"cannot be reached at .*: "):
            await rest.get("/price", {}, Price)
        await rest.close()


async def test_a_budget_is_asked_for_the_weight_of_each_query():
    budget = HandBudget()
    assert (await ask({"price": 1}, budget=budget)).price == 1.0
    assert (budget.weights, budget.held_s, budget.closed) == ([1], [], 1)


async def test_a_venue_that_asks_to_wait_holds_all_back():
    budget = HandBudget()
    for headers in ({"Retry-After": "7"}, {}):
        with pytest.raises(RateLimitedError):
            await ask(web.Response(status=429, headers=headers), budget=budget)
    assert budget.held_s == [7.0]
