"""Orders, market events and a venue for tests of the simulated venue, with defaults that do not matter."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.domain.events import Event, OrderAcked, OrderCanceled, OrderReport, VenueReport
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent, Quote, Trade
from engine.domain.orders import OrderKind, OrderRequest, OrderState
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue

SYMBOL = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL


def instrument(symbol: str = SYMBOL, **changes: Any) -> Instrument:
    facts: dict[str, Any] = {
        "tick": Decimal("0.1"),
        "lot": Decimal("0.01"),
        "qty_min": Decimal("0.02"),
        "notional_min": Decimal(5),
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "maker_fee": Decimal("0.0002"),
        "taker_fee": Decimal("0.0005"),
        "price_digits": 1,
        "qty_digits": 2,
    }
    return Instrument(symbol=symbol, **(facts | changes))


def order(client_id: str, side: Side, kind: OrderKind, qty: str = "1", **more: Any) -> OrderRequest:
    facts: dict[str, Any] = {
        name: Decimal(more.pop(name)) for name in ("price", "trigger") if name in more
    } | {
        "cycle_id": "play@1",
        "play": "play",
        "symbol": SYMBOL,
        "role": OrderRole.ENTRY,
        "ts": 0,
    }
    return OrderRequest(client_id=client_id, side=side, kind=kind, qty=Decimal(qty), **(facts | more))


def market(client_id: str, side: Side, qty: str = "1", **more: Any) -> OrderRequest:
    return order(client_id, side, OrderKind.MARKET, qty, **more)


def limit(client_id: str, side: Side, price: str, qty: str = "1", **more: Any) -> OrderRequest:
    return order(client_id, side, OrderKind.LIMIT, qty, price=price, **more)


def stop(client_id: str, side: Side, trigger: str, qty: str = "1", **more: Any) -> OrderRequest:
    return order(client_id, side, OrderKind.STOP, qty, trigger=trigger, **more)


def bar(
    open_: float, high: float, low: float, close: float, volume: float = 1000.0, ts: int = 1, **more: Any
) -> Bar:
    prices = (float(open_), float(high), float(low), float(close))
    return Bar(ts, more.get("symbol", SYMBOL), *prices, float(volume), more.get("step_ns", 60 * NS_PER_S))


def trade(price: float, qty: float = 1000.0, ts: int = 1, **more: Any) -> Trade:
    high, low = float(more.get("high", price)), float(more.get("low", price))
    return Trade(ts, more.get("symbol", SYMBOL), float(price), float(qty), 1, high, low)


def quote(bid: float, ask: float, bid_qty: float = 1000.0, ask_qty: float = 1000.0, ts: int = 1) -> Quote:
    return Quote(ts, SYMBOL, float(bid), float(bid_qty), float(ask), float(ask_qty))


class World:
    """A venue with a memory: it keeps every event and reads them as tests like to."""

    def __init__(
        self, match_on: MatchOn = MatchOn.BARS, rules: Sequence[Instrument] = (instrument(),), **more: Any
    ) -> None:
        self.venue = SimulatedVenue(rules, SimulatedConfig(match_on=match_on, **more))
        self.events: list[Event] = []

    def seen(self, events: Sequence[Event]) -> list[Event]:
        self.events.extend(events)
        return list(events)

    def market(self, event: MarketEvent) -> list[Event]:
        return self.seen(self.venue.on_market(event))

    def submit(self, *requests: OrderRequest, now: int = 0) -> list[Event]:
        return [event for request in requests for event in self.seen(self.venue.submit(request, now))]

    def accept(self, *requests: OrderRequest, now: int = 0) -> None:
        answers = self.submit(*requests, now=now)
        assert [type(answer) for answer in answers] == [OrderAcked] * len(requests), answers

    def report(self, now: int = 0) -> VenueReport:
        (answer,) = self.venue.query(1, now)
        assert isinstance(answer, VenueReport)
        return answer

    def told(self, client_id: str) -> tuple[OrderState | None, list[Decimal]]:
        """Ask about one order: its state and the quantities of its trades."""
        (answer,) = self.venue.query_order(client_id, SYMBOL, 0)
        assert isinstance(answer, OrderReport)
        return answer.order.state if answer.order else None, [fill.qty for fill in answer.fills]

    def restart(self) -> None:
        """Go on in a new venue, from the bytes of the old one."""
        rules = [book.instrument for book in self.venue._books.values()]
        again = SimulatedVenue(rules, self.venue._config)
        again.restore(self.venue.state())
        self.venue = again

    def position(self, symbol: str = SYMBOL) -> Decimal:
        return sum((p.qty for p in self.report().positions if p.symbol == symbol), Decimal(0))

    def open_ids(self) -> list[str]:
        return [order.client_id for order in self.report().orders]

    def hold(self, qty: str) -> None:
        """Bring the position to a signed quantity at 100, whatever the volume of the test's events."""
        signed = Decimal(qty)
        request = market(f"hold{len(self.events)}", BUY if signed > 0 else SELL, str(abs(signed)))
        self.accept(request)
        for event in (bar(100, 100, 100, 100), trade(100), quote(100, 100)):
            self.market(event)
        assert self.position() == signed


def told(events: Sequence[Event]) -> list[str]:
    """Write fills and cancels in short: `id qty@price` and `id REASON`."""
    lines = []
    for event in events:
        match event:
            case Fill():
                lines.append(f"{event.client_id} {event.qty.normalize():f}@{event.price.normalize():f}")
            case OrderCanceled():
                lines.append(f"{event.client_id} {event.reason or 'canceled'}")
            case _:
                lines.append(repr(event))
    return lines
