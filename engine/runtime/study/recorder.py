"""Looks on while a backtest runs and keeps what its report needs: fills as columns, trades, slippage."""

from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.domain.commands import Command, SaveFill, SaveSignal, SubmitOrder
from engine.domain.ids import OrderRole
from engine.domain.market import Instrument
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderRequest
from engine.runtime.loop import Batch, Loop
from engine.runtime.session import SessionConfig
from engine.runtime.study.roundtrips import RoundTrips
from engine.venues.replay import Tape

KEPT_MAX = 60_000  # commands, some 30 MB: what is worked out within a run counts as its time
_WANTED = frozenset({SubmitOrder, SaveSignal, SaveFill})


class Fills:
    """What the books said after each fill, as columns: cash, and the one position that it changed.

    `slot` numbers the positions by play and symbol in the order of their first fill; `slots` holds the symbol
    of each.
    """

    def __init__(self) -> None:
        self.slots: list[str] = []
        self.ts = array("q")
        self.slot = array("l")
        self.price = array("d")
        self.qty = array("d")  # of the position after the fill, signed
        self.cost = array("d")  # of that quantity
        self.cash = array("d")  # start equity plus realised profit minus fees

    def __len__(self) -> int:
        return len(self.ts)


class Recorder:
    """A watch (see engine.runtime.backtest). Orders without a decided price, as a flatten's, slip nothing.

    While the run goes on it keeps references and no more: the loop should not wait for a report.

    `begun` is called with it when all is read and the run begins.
    """

    def __init__(self, begun: "Callable[[Recorder], None] | None" = None) -> None:
        self._begun = begun
        self.fills = Fills()
        self.trips = RoundTrips()
        self.turnover = ZERO  # sum of price times quantity over all fills
        self.slippage = ZERO
        self.tapes: tuple[Tape, ...] = ()
        self._config: SessionConfig | None = None
        self._loop: Loop | None = None
        self._instruments: dict[str, Instrument] = {}
        self._money = ZERO  # cash, exact
        self._booked: dict[tuple[str, str], Decimal] = {}  # realised profit by position
        self._slots: dict[tuple[str, str], int] = {}
        self._kept: list[Command] = []
        self._orders: dict[str, OrderRequest] = {}
        self._decided: dict[str, Decimal] = {}  # the price a market order was decided at

    def begins(self, tapes: Sequence[Tape], config: SessionConfig, loop: Loop) -> None:
        """Take note of what runs."""
        self.tapes, self._config, self._loop = tuple(tapes), config, loop
        self._instruments = {instrument.symbol: instrument for instrument in config.setup.instruments}
        self._money = config.setup.start_equity
        if self._begun is not None:
            self._begun(self)

    @property
    def config(self) -> SessionConfig:
        """What the run was built from."""
        assert self._config is not None, "a run has begun"
        return self._config

    @property
    def loop(self) -> Loop:
        """The loop that was watched."""
        assert self._loop is not None, "a run has begun"
        return self._loop

    @property
    def rows(self) -> int:
        """How many rows the tapes have."""
        return sum(int(tape.columns.ts.size) for tape in self.tapes)

    def progress(self) -> float:
        """Return how much of the tapes' time the run has seen, 0 to 1. Any thread may ask, at any time."""
        first = min(int(tape.columns.ts[0]) for tape in self.tapes)
        last = max(int(tape.columns.ts[-1]) for tape in self.tapes)
        market = self.loop.machine.market
        ages = [market.age_ns(symbol, last) for symbol in self._instruments]
        age = min((age for age in ages if age is not None), default=last - first)
        return max(0.0, 1.0 - age / (last - first)) if last > first else 1.0

    def takes(self, batch: Batch) -> None:
        """Keep what tells of orders, decisions and fills; what it means is worked out by `settle`."""
        kept = self._kept
        for command in batch:
            if type(command) in _WANTED:
                kept.append(command)
        if len(kept) > KEPT_MAX:
            self.settle()

    def settle(self) -> None:
        """Work out what was kept: once a run is over, `fills`, `trips` and the sums hold all of it."""
        for command in self._kept:
            if type(command) is SaveFill:
                self._fill(command)
            elif type(command) is SubmitOrder:
                self._orders[command.request.client_id] = command.request
            elif type(command) is SaveSignal and command.client_id:
                signal = command.signal
                self._decided[command.client_id] = self._instruments[signal.symbol].price(signal.price)
        self._kept.clear()
        alive = {order.client_id for order in self.loop.machine.desk.book.open_orders()}
        self._orders = {name: order for name, order in self._orders.items() if name in alive}
        self._decided = {name: price for name, price in self._decided.items() if name in alive}

    def _fill(self, saved: SaveFill) -> None:
        fill, after = saved.fill, saved.position
        key = after.play, after.symbol
        slot = self._slots.setdefault(key, len(self._slots))
        columns = self.fills
        if slot == len(columns.slots):
            columns.slots.append(after.symbol)
        self._money += after.realized - self._booked.get(key, ZERO) - fill.fee
        self._booked[key] = after.realized
        columns.ts.append(fill.ts)
        columns.slot.append(slot)
        columns.price.append(float(fill.price))
        columns.qty.append(float(after.qty))
        columns.cost.append(float(after.entry_notional))
        columns.cash.append(float(self._money))
        order = self._orders.get(fill.client_id)
        decided = self._reference(order)
        slipped = ZERO if decided is None else (fill.price - decided) * fill.qty * fill.side.sign
        self.turnover += fill.price * fill.qty
        self.slippage += slipped
        self.trips.add(saved, _role(order), slipped)

    def _reference(self, order: OrderRequest | None) -> Decimal | None:
        """Return the price an order was decided at: of the signal, else its own trigger or limit."""
        if order is None:
            return None
        match order.kind:
            case OrderKind.MARKET:
                return self._decided.get(order.client_id)
            case OrderKind.STOP:
                return order.trigger
            case OrderKind.LIMIT:
                return order.price


def _role(order: OrderRequest | None) -> OrderRole | None:
    return None if order is None else order.role
