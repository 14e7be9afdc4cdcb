"""A made-up market for trying things out: several linear perpetuals with trades, quotes and bars.

The market is a pure function of seed and time: the same seed shows the same prices at the same moment,
whenever it is started, so a restart needs no stored state and goes on where the market is by then. Trading
comes in bursts, volatility in clusters, the spread widens with it; now and then a symbol falls silent for
some seconds and goes on at another price.
"""

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from heapq import merge
from random import Random

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_DAY, NS_PER_MS, NS_PER_S, Bar, Instrument, MarketEvent, Quote, Trade
from engine.domain.money import decimals_of
from engine.venues.barbuilder import BarBuilder
from engine.venues.cascade import CascadePath, derive_bits
from engine.venues.instruments import DEFAULT_MAKER_FEE, DEFAULT_TAKER_FEE

SLOT_NS = 200 * NS_PER_MS  # events are drawn slot by slot
CATCH_UP_NS = 5 * NS_PER_S  # after a longer stall the rest is skipped, a gap like any other
DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
DEFAULT_STEP_NS = 5 * NS_PER_S
DEFAULT_EVENTS_PER_S = 30.0
EVENTS_PER_S_MAX = 20_000.0

_SLOT_MS = SLOT_NS // NS_PER_MS
_QUOTE_SHARE = 0.6  # of arrivals; the others are trades
_SWEEP = 0.35  # chance that a trade goes on to the next level
_EVENTS_PER_ARRIVAL = _QUOTE_SHARE + (1 - _QUOTE_SHARE) / (1 - _SWEEP)
_TRADES_PER_EVENT = (1 - _QUOTE_SHARE) / (1 - _SWEEP) / _EVENTS_PER_ARRIVAL
_ACTIVITY_FLOOR, _WEIGHT_MEAN, _WEIGHT_MAX = 0.6, 0.8, 5.0
_QTY_SPREAD = 1.1  # standard deviation of the log of a trade's size
_DRIFT_LEAN = 0.25  # how much more often trades follow the price than oppose it
_SAMPLES_PER_BAR = 8
_KNUTH_MAX = 30.0


class _Market(msgspec.Struct, frozen=True):
    """What sets a symbol apart. `lots` is the mean size of a trade, `volatility` that of a day."""

    base: str
    price: float
    tick: Decimal
    lot: Decimal
    lots: float
    spread_bps: float
    volatility: float
    share: float  # of all events, relative to the other symbols'


_MARKETS = {
    "BTCUSDT": _Market("BTC", 61_800.0, Decimal("0.1"), Decimal("0.001"), 25.0, 0.05, 0.025, 4.0),
    "ETHUSDT": _Market("ETH", 2_680.0, Decimal("0.01"), Decimal("0.001"), 400.0, 0.08, 0.032, 3.0),
    "SOLUSDT": _Market("SOL", 154.0, Decimal("0.01"), Decimal("0.1"), 60.0, 0.7, 0.042, 2.0),
    "BNBUSDT": _Market("BNB", 512.0, Decimal("0.01"), Decimal("0.01"), 90.0, 0.3, 0.028, 1.0),
    "XRPUSDT": _Market("XRP", 0.61, Decimal("0.0001"), Decimal("0.1"), 9_000.0, 1.7, 0.038, 1.0),
    "DOGEUSDT": _Market("DOGE", 0.103, Decimal("0.00001"), Decimal(1), 6_000.0, 1.0, 0.045, 1.0),
}
_NOTIONAL_MIN = Decimal(5)


class SyntheticFeed:
    """A seeded market that starts at `start` (ns UTC) and tells bars of `base_step_ns` and of `steps_ns`."""

    has_trades = True
    has_quotes = True

    def __init__(
        self,
        seed: int,
        start: int,
        *,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        base_step_ns: int = DEFAULT_STEP_NS,
        steps_ns: Iterable[int] = (),
        events_per_s: float = DEFAULT_EVENTS_PER_S,
    ) -> None:
        steps = sorted({base_step_ns, *steps_ns})
        _require_usable(symbols, steps, base_step_ns, events_per_s)
        self.start = start
        self.base_step_ns = base_step_ns
        self.skipped_ns = 0  # market time never handed out because nobody asked in time
        shares = sum(_MARKETS[symbol].share for symbol in symbols)
        self._streams = [
            _Stream(symbol, seed, steps, events_per_s * _MARKETS[symbol].share / shares) for symbol in symbols
        ]
        self.instruments = tuple(stream.instrument for stream in self._streams)
        self._events, self._head = self._from(start)

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the events up to `now` that were not handed out before, oldest first.

        After a stall of more than 5 s what is older than that is skipped and counted in `skipped_ns`.
        """
        if now - self._head.ts > CATCH_UP_NS:
            resumed = now - CATCH_UP_NS
            self.skipped_ns += resumed - self._head.ts
            self._events, self._head = self._from(resumed)
        events: list[MarketEvent] = []
        while self._head.ts <= now:
            events.append(self._head)
            self._head = next(self._events)
        return events

    def next_at(self) -> int:
        """Return when (ns UTC) the next event is due."""
        return self._head.ts

    def history(self, bars: int) -> list[Bar]:
        """Return so many closed bars of each symbol and step from before the start, oldest first.

        They are sampled from the same path that the live prices follow, a few prices a bar.
        """
        past = [bar for stream in self._streams for bar in stream.history(self.start, bars)]
        return sorted(past, key=lambda bar: (bar.ts, bar.step_ns))

    def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars of any step that lie inside [since, until), ns UTC, sampled as `history` is."""
        stream = next(stream for stream in self._streams if stream.instrument.symbol == symbol)
        return list(stream.between(step_ns, since, until))

    def _from(self, ts: int) -> tuple[Iterator[MarketEvent], MarketEvent]:
        """Return the events after the first one at or past a time, and that first one."""
        events = merge(*(stream.events(ts) for stream in self._streams), key=_order)
        return events, next(events)


def _order(event: MarketEvent) -> int:
    """Sort by time; at one time bars first, since they hold only what came before."""
    return event.ts * 2 + (not isinstance(event, Bar))


class _Stream:
    """One symbol's part of the market."""

    def __init__(self, symbol: str, seed: int, steps: Sequence[int], events_per_s: float) -> None:
        market = _MARKETS[symbol]
        self.instrument = _instrument(symbol, market)
        self._market, self._symbol, self._steps = market, symbol, steps
        self._key, _ = derive_bits(zlib.crc32(symbol.encode()), 0, seed)
        sigma = market.volatility * math.sqrt(SLOT_NS / NS_PER_DAY)
        self._path = CascadePath(self._key, sigma)
        self._sigma = sigma
        self._random = Random()  # noqa: S311 - a made-up market, seeded anew for every slot
        self._arrivals = events_per_s / _EVENTS_PER_ARRIVAL * SLOT_NS / NS_PER_S
        self._trades_per_ns = events_per_s * _TRADES_PER_EVENT / NS_PER_S
        self._ticks_per_unit = _per_unit(market.tick)
        self._lots_per_unit = _per_unit(market.lot)

    def events(self, start: int) -> Iterator[MarketEvent]:
        """Yield everything from `start` on, without end."""
        base, *coarser = [self._builder(step, start) for step in self._steps]
        slot = start // SLOT_NS
        while True:
            for event in self._slot(slot):
                if event.ts >= start:
                    if isinstance(event, Trade):
                        base.add_trade(event)
                    yield event
            slot += 1
            yield from _closed(base, coarser, slot * SLOT_NS)

    def history(self, until: int, bars: int) -> Iterator[Bar]:
        """Yield the last closed bars of every step."""
        for step in self._steps:
            last = until // step * step
            for end in range(last - (bars - 1) * step, last + 1, step):
                if bar := self._sampled(end - step, end, step):
                    yield bar

    def between(self, step: int, since: int, until: int) -> Iterator[Bar]:
        """Yield the bars of a step that lie inside [since, until)."""
        for begin in range(since, until - step + 1, step):
            if bar := self._sampled(begin, begin + step, step):
                yield bar

    def _builder(self, step: int, now: int) -> BarBuilder:
        """Return a builder that already holds what happened since its bar began."""
        builder = BarBuilder(self._symbol, step, decimals_of(self._market.lot))
        begun = now // step * step
        if now > begun and (bar := self._sampled(begun, now, step)):
            builder.add_bar(bar)
        return builder

    def _slot(self, slot: int) -> Iterator[MarketEvent]:
        """Draw the events of one slot, in order of time."""
        here, there = self._path.at(slot), self._path.at(slot + 1)
        if here.halted:
            return
        draw = self._random
        draw.seed(self._key ^ slot)
        drift = there.log_price - here.log_price
        lean = 0.5 + _DRIFT_LEAN * math.tanh(drift / self._sigma)
        count = _poisson(draw, self._arrivals * _activity(here.weight))
        for ms in sorted(int(draw.random() * _SLOT_MS) for _ in range(count)):
            ts = slot * SLOT_NS + ms * NS_PER_MS
            log_price = here.log_price + (drift * ms / _SLOT_MS if not there.halted else 0.0)
            bid, ask = self._touch(log_price, here.weight)
            if draw.random() < _QUOTE_SHARE:
                yield self._quote(draw, ts, bid, ask)
            else:
                yield from self._sweep(draw, ts, bid, ask, 1 if draw.random() < lean else -1)

    def _touch(self, log_price: float, weight: float) -> tuple[int, int]:
        """Return best bid and offer in ticks; the spread grows with volatility and is one tick at least."""
        price = self._market.price * math.exp(log_price)
        ticks = price * self._ticks_per_unit
        spread = max(1, round(ticks * self._market.spread_bps * 1e-4 * weight))
        bid = max(1, math.floor(ticks - spread / 2))
        return bid, bid + spread

    def _quote(self, draw: Random, ts: int, bid: int, ask: int) -> Quote:
        scale = self._ticks_per_unit
        return Quote(ts, self._symbol, bid / scale, self._size(draw, 6.0), ask / scale, self._size(draw, 6.0))

    def _sweep(self, draw: Random, ts: int, bid: int, ask: int, side: int) -> Iterator[Trade]:
        """Trade at the touch, and sometimes through it into the next levels at the same moment."""
        ticks = ask if side > 0 else bid
        while True:
            price = max(1, ticks) / self._ticks_per_unit
            yield Trade(ts, self._symbol, price, self._size(draw, 1.0), side, price, price)
            if draw.random() >= _SWEEP:
                return
            ticks += side

    def _size(self, draw: Random, multiple: float) -> float:
        lots = self._market.lots * multiple * draw.lognormvariate(-(_QTY_SPREAD**2) / 2, _QTY_SPREAD)
        return max(1, round(lots)) / self._lots_per_unit

    def _sampled(self, begin: int, end: int, step: int) -> Bar | None:
        """Make the bar of [begin, end) from a few prices of the path; None where all of it was silent."""
        first, last = begin // SLOT_NS, max(begin // SLOT_NS, (end - 1) // SLOT_NS)
        stride = max(1, (last - first) // _SAMPLES_PER_BAR)
        points = [self._path.at(slot) for slot in (*range(first, last, stride), last)]
        heard = [point for point in points if not point.halted]
        if not heard:
            return None
        prices = [self._touch(point.log_price, point.weight)[0] / self._ticks_per_unit for point in heard]
        activity = sum(_activity(point.weight) for point in heard) / len(points)
        draw = Random(self._key ^ begin ^ step)  # noqa: S311
        count = max(1, _poisson(draw, self._trades_per_ns * (end - begin) * activity))
        lots = max(1, round(self._market.lots * count * draw.uniform(0.7, 1.3)))
        return Bar(
            end,
            self._symbol,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            lots / self._lots_per_unit,
            step,
            count,
        )


def _closed(base: BarBuilder, coarser: Sequence[BarBuilder], now: int) -> Iterator[Bar]:
    """Close what ends now, the base bar first."""
    if bar := base.close_at(now):
        yield bar
        for builder in coarser:
            builder.add_bar(bar)
    for builder in coarser:
        if bar := builder.close_at(now):
            yield bar


def _instrument(symbol: str, market: _Market) -> Instrument:
    return Instrument(
        symbol=symbol,
        tick=market.tick,
        lot=market.lot,
        qty_min=market.lot,
        notional_min=_NOTIONAL_MIN,
        base=market.base,
        quote="USDT",
        settle="USDT",
        maker_fee=DEFAULT_MAKER_FEE,
        taker_fee=DEFAULT_TAKER_FEE,
        price_digits=decimals_of(market.tick),
        qty_digits=decimals_of(market.lot),
    )


def _require_usable(symbols: Sequence[str], steps: Sequence[int], base: int, events_per_s: float) -> None:
    if unknown := next((symbol for symbol in symbols if symbol not in _MARKETS), None):
        raise ConfigError(f"the synthetic market has no {unknown!r}; it has {', '.join(_MARKETS)}")
    if not symbols or len(set(symbols)) < len(symbols):
        raise ConfigError("the synthetic market needs one symbol at least, and each once")
    for step in steps:
        if step < base or step % base or base % SLOT_NS or base <= 0:
            raise ConfigError(
                f"the synthetic market cannot make bars of {step / NS_PER_S:g} s from {base / NS_PER_S:g} s:"
                f" the base must be a multiple of {SLOT_NS / NS_PER_S:g} s, the others of the base"
            )
    if not 0 < events_per_s <= EVENTS_PER_S_MAX:
        raise ConfigError(f"events_per_s must be above 0 and at most {EVENTS_PER_S_MAX:g}")


def _activity(weight: float) -> float:
    """Return how busy a market is, 1 on average: volatile ones trade more."""
    return _ACTIVITY_FLOOR + (1 - _ACTIVITY_FLOOR) * min(weight, _WEIGHT_MAX) / _WEIGHT_MEAN


def _per_unit(step: Decimal) -> float:
    """Return how many steps one unit has: dividing a count of steps by it is exact for powers of ten."""
    assert step.normalize().as_tuple().digits == (1,), "steps of this market are powers of ten"
    return 10.0 ** decimals_of(step)


def _poisson(draw: Random, mean: float) -> int:
    """Draw a Poisson number: Knuth's product for small means, a rounded normal one for large."""
    if mean > _KNUTH_MAX:
        return max(0, round(draw.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count
