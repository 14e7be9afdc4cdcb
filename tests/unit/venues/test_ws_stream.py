"""A stream over real sockets on loopback: it breaks, falls silent, ages and is refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from engine.domain.errors import RateLimitedError, RefusedError, TransientError, VenueError
from engine.venues.ws_socket import Socket
from engine.venues.ws_stream import Stream, Timing
from tests.loopback import LIMIT_S, LoopbackVenue

QUICK = Timing(ping_s=0.05, pong_s=0.1, silent_s=60, overlap_s=0.05)


class PlainWire:
    """A wire whose market data are messages that begin with a digit."""

    asks_books = False

    def __init__(self, url: str, *, ping: str = "", greeting: Sequence[str] = ()) -> None:
        self.url, self.ping, self.greeting = url, ping, greeting

    def begin(self) -> None:
        """Nothing to forget."""

    def renew_book(self, _symbol: str) -> Sequence[str]:
        """Nothing to ask."""
        return ()

    def take(self, frame: bytes, _now: int) -> bool:
        """Tell data from the rest."""
        return frame[:1].isdigit()


class Notes:
    """A listener that notes all it hears, and lets a test wait for it."""

    def __init__(self, wire: PlainWire) -> None:
        self._wire = wire
        self.frames: list[bytes] = []
        self.openings: list[bool] = []
        self.errors: list[VenueError] = []
        self._changed = asyncio.Condition()

    def opened(self, *, took_over: bool) -> None:
        self.openings.append(took_over)

    def take(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return self._wire.take(frame, 0)

    async def flush(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def broke(self, error: VenueError) -> None:
        self.errors.append(error)

    async def until(self, true) -> None:
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: bool(true()))


class Pauses:
    """Waits between attempts that a test lets pass one by one, but for those of no length."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self._go = asyncio.Semaphore(0)
        self._changed = asyncio.Condition()

    async def sleep(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        async with self._changed:
            self._changed.notify_all()
        if seconds:
            await self._go.acquire()

    def pass_one(self) -> None:
        self._go.release()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: len(self.asked_s) >= count)


class Desk:
    """A venue, a stream to it, and what is heard."""

    def __init__(self, venue: LoopbackVenue, timing: Timing, wire: PlainWire) -> None:
        self.venue, self.wire = venue, wire
        self.notes, self.pauses = Notes(wire), Pauses()
        self.stream = Stream(wire, self.notes, timing, sleep=self.pauses.sleep, chance=lambda: 0.5)


@asynccontextmanager
async def streaming(timing: Timing = QUICK, **wire: object) -> AsyncIterator[Desk]:
    async with LoopbackVenue() as venue:
        desk = Desk(venue, timing, PlainWire(f"{venue.stream_url}/stream", **wire))  # type: ignore[arg-type]
        task = asyncio.create_task(desk.stream.run())
        try:
            yield desk
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_messages_come_in_order_after_the_greeting():
    async with streaming(greeting=("hello", "there")) as desk:
        await desk.venue.until(lambda: desk.venue.heard == ["hello", "there"])
        await desk.venue.send("1", "2", "3")
        await desk.notes.until(lambda: len(desk.notes.frames) == 3)
        assert desk.notes.frames == [b"1", b"2", b"3"]
        assert (desk.notes.openings, desk.stream.connections) == ([False], 1)


async def test_a_break_is_followed_by_a_new_connection_at_once():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        await desk.venue.cut()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.send("2")
        await desk.notes.until(lambda: len(desk.notes.frames) == 2)
        assert [str(error) for error in desk.notes.errors] == ["the connection broke off"]
        assert desk.pauses.asked_s == [0.0]


async def test_a_close_says_its_code_and_reason():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await desk.venue.sockets[0].close(code=1012, message=b"maintenance")
        await desk.pauses.until(1)
        assert str(desk.notes.errors[0]) == "the connection was closed with code 1012 (maintenance)"


async def test_attempts_that_fail_wait_longer_and_longer_until_data_comes():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        desk.venue.refuses = 503
        await desk.venue.cut()
        for count in (2, 3, 4):
            await desk.pauses.until(count)
            desk.pauses.pass_one()
        await desk.pauses.until(5)
        assert desk.pauses.asked_s == [0.0, 1.0, 2.0, 4.0, 8.0]
        assert all(isinstance(error, TransientError) for error in desk.notes.errors)
        desk.venue.refuses = 0
        desk.pauses.pass_one()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        await desk.venue.cut()
        await desk.pauses.until(6)
        assert desk.pauses.asked_s[-1] == 0.0


async def test_a_connection_without_data_is_no_success():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await desk.venue.send("welcome")
        await desk.venue.cut()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.cut()
        await desk.pauses.until(2)
        assert desk.pauses.asked_s == [0.0, 1.0]


async def test_a_silent_venue_that_answers_pings_keeps_its_connection():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await asyncio.sleep(0.4)  # several pings' time: nothing must happen
        assert len(desk.venue.sockets) == 1
        assert desk.notes.errors == []


async def test_a_venue_with_a_ping_of_its_own_is_sent_that():
    async with streaming(ping="are you there") as desk:
        await desk.venue.until(lambda: "are you there" in desk.venue.heard)
        await desk.notes.until(lambda: True)
        await desk.pauses.until(1)  # nobody answers
        assert "no sign of life" in str(desk.notes.errors[0])


async def test_a_connection_without_market_data_is_made_anew_and_given_longer_each_time():
    timing = Timing(ping_s=0.05, pong_s=0.1, silent_s=0.1, silent_max_s=0.3)
    async with streaming(timing) as desk:
        await desk.pauses.until(2)
        assert "no market data" in str(desk.notes.errors[0])
        assert desk.stream._silent_s == pytest.approx(0.3)  # 0.1, 0.2, and no more than the most
        desk.pauses.pass_one()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 3)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        assert desk.stream._silent_s == pytest.approx(0.1)


async def test_a_fresh_connection_takes_over_without_a_message_lost():
    async with streaming(Timing(ping_s=5, overlap_s=0.1)) as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        desk.stream.renew()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.send("2", "3", to=0)
        await desk.venue.send("2", "3", "4", to=1)
        await desk.notes.until(lambda: b"4" in desk.notes.frames)
        assert desk.notes.frames == [b"1", b"2", b"3", b"2", b"3", b"4"]
        assert (desk.notes.openings, desk.notes.errors) == ([False, True], [])
        await desk.venue.send("5", to=1)
        await desk.notes.until(lambda: desk.notes.frames[-1] == b"5")


async def test_a_connection_is_renewed_before_its_day_ends():
    async with streaming(Timing(ping_s=5, overlap_s=0.01, renew_s=0.05)) as desk:
        await desk.venue.until(lambda: len(desk.venue.sockets) >= 3)
        assert desk.notes.openings[:2] == [False, True]


async def test_a_renewal_that_fails_leaves_the_connection_that_works():
    async with streaming(Timing(ping_s=5, overlap_s=0.05)) as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        desk.venue.refuses = 503
        desk.stream.renew()
        await desk.pauses.until(2)
        await desk.venue.send("1", to=0)
        await desk.notes.until(lambda: desk.notes.frames)
        desk.venue.refuses = 0
        desk.pauses.pass_one()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.send("2", to=1)
        await desk.notes.until(lambda: b"2" in desk.notes.frames)
        assert desk.notes.errors == []


async def test_a_renewal_that_breaks_in_its_overlap_is_tried_again():
    async with streaming(Timing(ping_s=5, overlap_s=0.3)) as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        desk.stream.renew()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.cut(1)
        await desk.venue.until(lambda: len(desk.venue.sockets) == 3)
        assert desk.notes.errors == []


async def test_a_break_during_a_renewal_is_a_break():
    async with streaming(Timing(ping_s=5, overlap_s=30)) as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        desk.stream.renew()
        await desk.venue.until(lambda: len(desk.venue.sockets) == 2)
        await desk.venue.cut(0)
        await desk.venue.until(lambda: len(desk.venue.sockets) == 3)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        assert desk.notes.openings == [False, False]


async def test_what_is_said_goes_out_on_the_connection_there_is():
    async with streaming() as desk:
        await desk.venue.until(lambda: desk.venue.sockets)
        await desk.venue.send("1")
        await desk.notes.until(lambda: desk.notes.frames)
        desk.stream.say("subscribe again")
        await desk.venue.until(lambda: "subscribe again" in desk.venue.heard)


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (429, RateLimitedError, "asks for fewer connections (HTTP 429)"),
        (403, TransientError, "too many, or not served here"),
        (404, RefusedError, "does not know this address (HTTP 404)"),
        (502, TransientError, "answers HTTP 502"),
    ],
)
async def test_a_refused_dial_says_why(status, kind, text):
    async with LoopbackVenue() as venue:
        venue.refuses = status
        with pytest.raises(kind, match=r"127\.0\.0\.1") as caught:
            await Socket.dial(venue.stream_url, ())
        assert text in str(caught.value)
        if isinstance(caught.value, RateLimitedError):
            assert caught.value.retry_after_s == 7.0


async def test_a_port_where_nobody_listens_is_told_in_one_line():
    async with LoopbackVenue() as venue:
        url = venue.stream_url
    with pytest.raises(TransientError, match=r"^127.0.0.1:\d+ cannot be reached: ") as caught:
        await Socket.dial(url, ())
    assert "\n" not in str(caught.value)


async def test_an_address_that_is_none_is_refused():
    with pytest.raises(RefusedError, match="is no address of a WebSocket"):
        await Socket.dial("gopher://x", ())


async def test_a_host_that_does_not_speak_websocket_is_told():
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransientError, match="does not speak WebSocket"):
            await Socket.dial(f"ws://127.0.0.1:{port}", ())


async def test_a_host_that_does_not_answer_is_not_waited_for():
    async def sleep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(sleep, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransientError, match=r"did not answer within 0\.1 s"):
            await Socket.dial(f"ws://127.0.0.1:{port}", (), timeout_s=0.1)
