"""What the endpoints and sockets share: the exchange, its clock, faults, limits, and who listens to what."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.domain.errors import StorageError
from engine.venues.bybit_server import wire_account
from engine.venues.bybit_server.clock import VenueClock
from engine.venues.bybit_server.dcp import Dcp
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.faultrules import Do, FaultFile
from engine.venues.bybit_server.faults import Faults
from engine.venues.bybit_server.hub import Hub
from engine.venues.bybit_server.limits import Limits
from engine.venues.bybit_server.market import Market
from engine.venues.bybit_server.orders import (
    Change,
    Executed,
    OrderChanged,
    PositionChanged,
    Submitted,
    WalletChanged,
)
from engine.venues.bybit_server.publictape import PublicTape

Json = dict[str, Any]
Keep = Callable[[Iterable[Change]], None]


class Core:
    """One running exchange without its sockets and its market."""

    def __init__(
        self, exchange: Exchange, market: Market, clock: VenueClock, faults: Faults, limits: Limits
    ) -> None:
        self.exchange, self.clock, self.faults, self.limits = exchange, clock, faults, limits
        self.hub = Hub(faults, clock.now)
        self.dcp = Dcp()
        self.tape = PublicTape(exchange, market, clock.now())
        self.calls: Counter[str] = Counter()  # by endpoint: what came in, whatever became of it
        self.keep: Keep = lambda _: None  # writes down what changed before anybody is told
        self.refused: Counter[str] = Counter()  # by retCode
        self.broken: StorageError | None = None  # what changed cannot be written down: the end
        self._pushed = 0

    def add_faults(self, file: FaultFile) -> list[int]:
        """Put faults in force, the lasting ones at once."""
        added = self.faults.add(file, self.clock.now())
        for rule in file.faults:
            if rule.do is Do.DISCONNECT:
                self.hub.break_off(rule.on)
            elif rule.do is Do.MAINTENANCE:
                self.hub.break_off("*")
        return added

    def in_maintenance(self) -> bool:
        """Tell whether the exchange is closed."""
        return self.faults.standing(Do.MAINTENANCE, "", self.clock.now())

    def shown_ms(self) -> int:
        """Return the time the exchange claims, ms UTC."""
        self.clock.skew_ms = self.faults.skew_ms(self.clock.now())
        return self.clock.shown_ms()

    def commit(self) -> None:
        """Write down what changed, then tell the private streams. Raises StorageError."""
        changes = self.exchange.blotter.drain()
        if not changes:
            return
        try:
            self.keep(changes)
        except StorageError as error:
            self.broken = error
            raise
        if self.hub.has_private():
            for topic, data in self._grouped(changes):
                self._push(topic, data)

    def _grouped(self, changes: Iterable[Change]) -> list[tuple[str, list[Json]]]:
        """Put what changed into one list a topic: executions first, for they explain the rest."""
        executions: list[Json] = []
        orders: list[Json] = []
        positions: dict[str, Json] = {}
        wallets: list[Json] = []
        for change in changes:
            match change:
                case Executed(execution):
                    executions.append(wire_account.execution(execution))
                case OrderChanged(order):
                    orders.append(wire_account.order(order))
                case PositionChanged(symbol):
                    positions[symbol] = wire_account.pushed_position(self.exchange, symbol)
                case Submitted():
                    pass
                case WalletChanged():
                    wallets = [wire_account.wallet(self.exchange)]
        groups = (
            ("execution", executions),
            ("order", orders),
            ("position", [*positions.values()]),
            ("wallet", wallets),
        )
        return [(topic, data) for topic, data in groups if data]

    def _push(self, topic: str, data: list[Json]) -> None:
        self._pushed += 1
        told = {"id": f"local-{self._pushed}", "topic": topic, "creationTime": self.shown_ms(), "data": data}
        self.hub.publish(topic, msgspec.json.encode(told).decode(), private=True)
