"""Measures a venue's feed: recorded messages from bytes through decoding, feed, core and record.

The messages are in memory before the clock starts; all else is as in `run --headless` on a venue's live
market: books and best prices, trades in order, bars, core with a play, simulated fills, record and journal.
Run as a process of its own: `python -m benchmarks.stream FILE` prints JSON.
"""

import asyncio
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

from engine.domain.market import Bar, Instrument
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.venues.ws_binance import BinanceWire
from engine.venues.ws_feed import VenueFeed
from engine.venues.ws_source import Fees, Snapshot
from engine.venues.ws_trades import Named, NumberedTrades, TradeId
from engine.venues.ws_wire import Listener

SLICE_S = 0.004  # as long as a socket is read without a pause
FLAGS = {"plays": ("ema_cross",), "arm": True, "synthetic.symbols": "BTCUSDT", "venue": "simulated"}


def frames_of(path: Path) -> Iterator[bytes]:
    """Yield the recorded messages as they were on the wire; the depth stream by the name it is asked for."""
    with gzip.open(path) as lines:
        for line in lines:
            message = line[line.index(b'"msg": ') + 7 :].rstrip()[:-1]
            yield message.replace(b"@depth@0ms", b"@depth@100ms", 1)


def is_book(frame: bytes) -> bool:
    """Tell whether a message is the answer to a query: the whole book."""
    return frame.startswith(b'{"lastUpdateId"')


class Recorded:
    """What the recording tells beside the stream: one book."""

    steps_ns: Sequence[int] = ()

    def __init__(self, frames: Sequence[bytes]) -> None:
        raw = next(frame for frame in frames if is_book(frame))
        book = msgspec.json.decode(raw)
        sides = ([(float(price), float(qty)) for price, qty in book[side]] for side in ("bids", "asks"))
        self.book = Snapshot(book["lastUpdateId"], *sides)

    async def instruments(self, _symbols: Sequence[str], _fees: Fees) -> tuple[Instrument, ...]:
        """Nothing: the caller knows."""
        return ()

    async def bars(self, _symbol: str, _step_ns: int, _since: int, _until: int) -> list[Bar]:
        """Nothing was recorded."""
        return []

    async def trades(self, _symbol: str, _after: TradeId | None) -> list[Named]:
        """Nothing is missing."""
        return []

    async def snapshot(self, _symbol: str) -> Snapshot | None:
        """Return the recorded book."""
        return self.book

    async def close(self) -> None:
        """Nothing to close."""


class Played:
    """A stream that plays messages as fast as they are taken, the way a socket's are read."""

    connections = 1

    def __init__(self, frames: Sequence[bytes], listener: Listener[bytes]) -> None:
        self._frames, self._listener = frames, listener
        self.wall_s = 0.0
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Play all messages once."""
        listener = self._listener
        listener.opened(took_over=False)
        started_s = time.perf_counter()
        slice_end_s = started_s + SLICE_S
        for frame in self._frames:
            listener.take(frame)
            await listener.flush()
            if time.perf_counter() > slice_end_s:
                await asyncio.sleep(0)
                slice_end_s = time.perf_counter() + SLICE_S
        self.wall_s = time.perf_counter() - started_s
        self.ended.set()
        await asyncio.Event().wait()

    def renew(self) -> None:
        """There is no other connection."""

    def say(self, text: str) -> None:
        """Nobody listens."""


def feed_of(
    recorded: Recorded, frames: Sequence[bytes], instrument: Instrument, step_ns: int
) -> tuple[VenueFeed[bytes], list[Played]]:
    """Return a feed that plays messages, and its stream."""
    streams: list[Played] = []

    def play(_wire: object, listener: Listener[bytes]) -> Played:
        streams.append(Played(frames, listener))
        return streams[0]

    feed = VenueFeed[bytes](
        "binanceusdm",
        [instrument],
        [step_ns],
        source=recorded,
        make_wire=lambda lines, at, hear: BinanceWire("wss://x", lines, at, hear, depth=True),
        make_stream=play,
        make_trades=NumberedTrades,
        now=time.time_ns,
    )
    return feed, streams


async def measure(path: Path, folder: str) -> dict[str, float]:
    """Return messages a second, whole and without the core."""
    messages = list(frames_of(path))
    recorded, frames = Recorded(messages), [each for each in messages if not is_book(each)]
    async with open_context(load_settings({**FLAGS, "state_dir": folder}), headless=True) as context:
        assert context.feed is not None, "the embedded market lends its instrument"
        (instrument,), step_ns = context.feed.instruments, context.feed.base_step_ns
        feed, streams = feed_of(recorded, frames, instrument, step_ns)
        source = msgspec.structs.replace(context.source, live=None, stream=feed)
        engine = Engine(replace(context, source=source))
        run = asyncio.create_task(engine.run())
        await streams[0].ended.wait()
        health = engine.snapshot().health
        engine.stop("measured")
        await run
    assert health is not None, "an engine tells its health"
    return {
        "messages": len(frames),
        "per_s": len(frames) / streams[0].wall_s,
        "events": health.events,
        "conflated": health.conflated,
        "feed_per_s": await feed_alone(recorded, frames, instrument, step_ns),
    }


async def feed_alone(
    recorded: Recorded, frames: Sequence[bytes], instrument: Instrument, step_ns: int
) -> float:
    """Return how many messages a second the feed alone takes."""
    feed, _ = feed_of(recorded, frames, instrument, step_ns)
    feed.opened(took_over=False)
    book = recorded.book
    started_s = time.perf_counter()
    for at, frame in enumerate(frames):
        feed.take(frame)
        if at == 1_000:
            feed.line(instrument.symbol).book.snapshot(book.last, book.bids, book.asks)
        await feed.flush()  # to nobody
    return len(frames) / (time.perf_counter() - started_s)


def main() -> int:
    """Print what was measured."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        print(json.dumps(asyncio.run(measure(Path(sys.argv[1]), folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
