"""What ccxt answers to a feed's questions: rules of markets, past bars and the trades of late, no keys."""

import re
from collections.abc import Awaitable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, TypeVar

import ccxt.async_support as steps
import ccxt.pro as ccxt

from engine.domain.errors import ConfigError, RateLimitedError, RefusedError, TransientError, VenueError
from engine.domain.market import NS_PER_MS, Bar, Instrument, InstrumentKind, Trade
from engine.domain.money import decimals_of
from engine.strategy.timeframes import is_timeframe, step_of, timeframe_of
from engine.venues.ccxt_markets import Market, Steps, find_market, hint, stated_by
from engine.venues.instruments import InstrumentFile
from engine.venues.ws_source import Fees, Snapshot
from engine.venues.ws_trades import Named, TradeId

TRADES_MAX = 1_000
BARS_MAX = 1_000  # a page
PAGES_MAX = 20
TIMEOUT_MS = 10_000
SHOWN_MAX = 160  # characters of an answer that a message repeats
SIDES = {"buy": 1, "sell": -1}
TICK, LOT = Decimal("1e-8"), Decimal("1e-8")  # where a venue tells its digits only, finer than any of them
STEPS = {
    steps.TICK_SIZE: Steps.TICKS,
    steps.DECIMAL_PLACES: Steps.DECIMALS,
    steps.SIGNIFICANT_DIGITS: Steps.DIGITS,
}

T = TypeVar("T")


def client_of(venue: str, *, testnet: bool = False) -> Any:
    """Return ccxt's own client of a venue. Raises ConfigError for one that streams no trades there."""
    if venue not in ccxt.exchanges:
        raise ConfigError(f"{venue!r} is no venue; {hint(venue, ccxt.exchanges)}", field="--venue")
    client: Any = getattr(ccxt, venue)({"timeout": TIMEOUT_MS, "enableRateLimit": True})
    if not client.has.get("watchTrades"):
        raise ConfigError(f"{venue} streams no trades through ccxt; choose another", field="--venue")
    if testnet:
        if not client.urls.get("test"):
            raise ConfigError(f"{venue} has no testnet that ccxt knows", field="orders.demo_site")
        client.set_sandbox_mode(True)
    return client


class CcxtSource:
    """The Source of a venue over ccxt. `names` are ccxt's symbols by ours, which `instruments` learns."""

    def __init__(self, venue: str, client: Any, names: Mapping[str, str] | None = None) -> None:
        self.venue, self.client = venue, client
        self.names: dict[str, str] = dict(names or {})
        self.steps_ns: Sequence[int] = tuple(
            step_of(text) for text in (client.timeframes or ()) if is_timeframe(text)
        )

    async def instruments(self, symbols: Sequence[str], fees: Fees) -> tuple[Instrument, ...]:
        """Return the rules of some markets. Raises ConfigError for one that is not there."""
        await self.asked(self.client.load_markets())
        found: dict[str, Instrument] = {}
        for symbol in symbols:
            market = find_market(self.client.markets or {}, symbol, self.venue)
            instrument = _instrument(market, self.venue, STEPS[self.client.precisionMode], fees)
            found[instrument.symbol] = instrument
            self.names[instrument.symbol] = market["symbol"]
        return tuple(found.values())

    async def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars that close in [since, until], oldest first."""
        bars: dict[int, Bar] = {}
        at_ms = (since - step_ns) // NS_PER_MS
        for _ in range(PAGES_MAX):
            asked = self.client.fetch_ohlcv(
                self.names[symbol], timeframe_of(step_ns), since=at_ms, limit=BARS_MAX
            )
            rows = await self.asked(asked)
            page = [_bar(symbol, step_ns, row) for row in rows]
            bars.update({bar.ts: bar for bar in page if since <= bar.ts <= until})
            if not page or page[-1].ts >= until:
                break
            at_ms = page[-1].ts // NS_PER_MS
        return [bars[ts] for ts in sorted(bars)]

    async def trades(self, symbol: str, _after: TradeId | None) -> list[Named]:
        """Return the trades of late, oldest first, as many as the venue tells."""
        if not self.client.has.get("fetchTrades"):
            return []
        rows = await self.asked(self.client.fetch_trades(self.names[symbol], limit=TRADES_MAX))
        return sorted((named_of(symbol, row) for row in rows), key=_ts)

    async def snapshot(self, _symbol: str) -> Snapshot | None:
        """Nothing: ccxt keeps books itself."""
        return None

    async def close(self) -> None:
        """Let go of the connections."""
        await self.client.close()

    async def asked(self, answer: Awaitable[T]) -> T:
        """Wait for an answer; whatever goes wrong becomes a VenueError."""
        try:
            with localcontext():  # ccxt changes how the context it runs in rounds
                return await answer
        except ccxt.BaseError as error:
            raise told(self.venue, error) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # ccxt trusts the form of what a venue sends.
            raise TransientError(f"{self.venue} sent what ccxt cannot read: {error!r}") from error


def told(venue: str, error: Exception) -> VenueError:
    """Sort an error of ccxt by whether asking again may help."""
    line = " ".join(re.sub(r"[^\x20-\x7e]", " ", str(error).removeprefix(venue)).split())
    text = (line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 3]}...") or type(error).__name__
    if isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        return RateLimitedError(f"{venue} asks for fewer requests: {text}", 0.0)
    if isinstance(error, ccxt.OperationFailed):
        return TransientError(f"{venue} cannot be reached: {text}")
    return RefusedError(f"{venue} refuses: {text}")


def named_of(symbol: str, row: Mapping[str, Any]) -> Named:
    """Return a trade of ccxt's as ours; one without a name is told by what it says of itself."""
    ts, price, qty = int(row["timestamp"]) * NS_PER_MS, float(row["price"]), float(row["amount"])
    side = SIDES.get(row.get("side") or "", 0)
    name = row.get("id") or f"{ts}:{price!r}:{qty!r}:{side}"
    return Named(str(name), Trade(ts, symbol, price, qty, side, price, price))


def _ts(named: Named) -> int:
    return named.trade.ts if named.trade is not None else 0


def _bar(symbol: str, step_ns: int, row: Sequence[Any]) -> Bar:
    open_ms, *numbers = row[:6]
    opened, high, low, close, volume = (float(number or 0) for number in numbers)
    return Bar(int(open_ms) * NS_PER_MS + step_ns, symbol, opened, high, low, close, volume, step_ns)


def _instrument(market: Market, venue: str, steps: Steps, fees: Fees) -> Instrument:
    stated: InstrumentFile = stated_by(market, venue, "1m", steps)
    tick, lot = stated.tick or TICK, stated.lot or LOT
    quote = stated.quote or ""
    return Instrument(
        symbol=stated.symbol or str(market["symbol"]),
        tick=tick,
        lot=lot,
        qty_min=stated.qty_min or lot,
        notional_min=stated.notional_min or Decimal(0),
        base=stated.base or "",
        quote=quote,
        settle=stated.settle or quote,
        maker_fee=fees.maker if stated.maker_fee is None else stated.maker_fee,
        taker_fee=fees.taker if stated.taker_fee is None else stated.taker_fee,
        price_digits=decimals_of(tick),
        qty_digits=decimals_of(lot),
        kind=stated.kind or InstrumentKind.SPOT,
    )
