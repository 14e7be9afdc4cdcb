"""What must hold at every step, whatever went wrong: the watch over a simulation."""

from collections.abc import Callable
from decimal import Decimal

from engine.core.machine import Machine
from engine.core.operator import FREEDOM
from engine.core.snapshot import Phase
from engine.domain.commands import FlattenEnded, SaveFill, TransitionKind
from engine.domain.events import Channel, Event, FeedChanged, FeedState
from engine.domain.ids import OrderRole
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S
from engine.domain.modes import RiskMode, Rung
from engine.domain.money import ZERO, canonical
from engine.domain.orders import OrderRequest, OrderState
from engine.execution.desk import ADJUSTMENT
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.runtime.loop import Batch
from tests.simulation.disk import Disk
from tests.simulation.exchange import Exchange

# A cap is held against the price of the decision; this much may a market move until the order leaves.
MOVED = Decimal("1.3")
COMPARED_NS = 130 * NS_PER_S  # within which positions were held against two reports
_CLOSING = frozenset({Phase.FLATTENING, Phase.HALTED})


class ViolationError(AssertionError):
    """Something happened that must never happen; `about` names the order or symbol it is about."""

    def __init__(self, what: str, about: str = "") -> None:
        super().__init__(what)
        self.about = about


class Watch:
    """Holds what the engine does against the truth of disk and venue, over all of its lives."""

    def __init__(self, disk: Disk, exchange: Exchange, limits: Limits) -> None:
        self._disk, self._exchange, self._limits = disk, exchange, limits
        self.sent: dict[str, OrderRequest] = {}
        self.flats = 0
        self._deaf = False  # the engine took word that nobody tells what becomes of its orders
        self._booked: set[tuple[str, str, str]] = set()

    # a life of the engine

    def begins(self, machine: Machine) -> None:
        """An engine goes on from a state: what it has booked it must not book again."""
        ids = machine.desk.book.state().trade_ids
        self._booked = {(symbol, trade, order) for symbol, trade, order in (key.split("/") for key in ids)}
        self._deaf = False

    def started(self, machine: Machine) -> None:
        """An engine has taken its first commands: it must not be freer than what was stored."""
        operator = machine.authority.operator
        stored = {kind: row.after for kind, row in self._disk.rows.standing().items()}
        if stored.get(TransitionKind.PAUSE) == "paused" and not operator.paused:
            raise ViolationError("it was paused before the restart, and is not any more")
        mode = RiskMode(stored.get(TransitionKind.RISK_MODE, RiskMode.NORMAL))
        if FREEDOM[operator.risk_mode] > FREEDOM[mode]:
            raise ViolationError(f"the risk mode was {mode} before the restart, and is {operator.risk_mode}")
        halted = stored.get(TransitionKind.PHASE) in _CLOSING
        if (halted or self._disk.latch is not None) and operator.phase not in _CLOSING:
            raise ViolationError(f"it was halted or latched before the restart, and is {operator.phase}")
        if operator.phase is Phase.ARMED:
            raise ViolationError("it is armed after a restart, and nobody armed it")

    def on_taken(self, event: Event) -> None:
        """An engine has taken an event."""
        if type(event) is FeedChanged and event.channel is Channel.PRIVATE:
            self._deaf = event.state is not FeedState.CONNECTED

    def on_batch(self, batch: Batch) -> None:
        """Hold a batch against the truth at the moment when it is decided."""
        for command in batch:
            if type(command) is SaveFill and command.fill.trade_id != ADJUSTMENT:
                self._on_booked(command)
            elif type(command) is FlattenEnded and command.flat:
                self._on_flat()

    def _on_booked(self, saved: SaveFill) -> None:
        fill = saved.fill
        key = (fill.symbol, fill.trade_id, fill.client_id)
        if key in self._booked:
            raise ViolationError(f"a fill is booked twice: {key}", fill.client_id)
        self._booked.add(key)
        true = self._exchange.fills.get(key)
        if true is None or (true.qty, true.price, true.side) != (fill.qty, fill.price, fill.side):
            raise ViolationError(f"a fill is booked that never was: {key}", fill.client_id)

    def _on_flat(self) -> None:
        self.flats += 1
        truth = self._exchange.truth()
        if truth.orders:
            raise ViolationError("FLAT is said with an order open", truth.orders[0].client_id)
        if truth.positions:
            raise ViolationError("FLAT is said with a position open", truth.positions[0].symbol)
        if self._exchange.on_way:
            raise ViolationError("FLAT is said with an order on its way", next(iter(self._exchange.on_way)))

    # the wire

    def on_send(self, request: OrderRequest, machine: Machine, *, disk_fails: bool) -> None:
        """Look at an order that leaves for the venue; `disk_fails`: the engine knows of a failing disk."""
        client_id = request.client_id
        if client_id in self.sent:
            raise ViolationError(f"client id {client_id} is sent twice", client_id)
        self.sent[client_id] = request
        durable = client_id in self._disk.client_ids
        if not durable and not (request.reduce_only and disk_fails):
            raise ViolationError(f"{client_id} is sent before its intent is on disk", client_id)
        if request.reduce_only:
            return
        if self._disk.latch is not None:
            raise ViolationError(f"entry {client_id} is sent although the latch is set", client_id)
        if machine.authority.holds.rung(request.symbol) is not Rung.FULL:
            raise ViolationError(f"entry {client_id} is sent below FULL", client_id)
        if self._deaf:
            raise ViolationError(f"entry {client_id} is sent while orders and fills are not heard", client_id)
        self._hold_caps(request, machine)

    def _hold_caps(self, request: OrderRequest, machine: Machine) -> None:
        symbol, side = request.symbol, request.side
        price = request.price or request.trigger or Decimal(repr(machine.ledger.mark_of(symbol)))
        order_max, position_max = self._limits.order_notional_max, self._limits.position_notional_max
        assert order_max is not None
        assert position_max is not None
        if request.qty * price > order_max * MOVED:
            raise ViolationError(f"entry {request.client_id} is over the order cap", request.client_id)
        truth = self._exchange.truth()
        after = request.qty * side.sign
        after += sum((p.qty for p in truth.positions if p.symbol == symbol), ZERO)
        open_ids = {o.client_id for o in truth.orders} | set(self._exchange.on_way)
        for client_id in open_ids:
            order = self.sent[client_id]
            if order.symbol == symbol and not order.reduce_only and order.side is side:
                after += order.qty * side.sign
        if symbol in self._exchange.by_hand.values():
            return  # what others trade there is no exposure of ours, and reduces it unseen
        if abs(after) * price > position_max * MOVED:
            text = f"entry {request.client_id} may bring the position to {canonical(after)} {symbol}"
            raise ViolationError(text, request.client_id)

    # what is open

    def on_look(self, machine: Machine) -> None:
        """Somebody looks at the engine: a position has its stop, or an alarm says that it has none."""
        if machine.authority.operator.phase in _CLOSING:
            return
        alarms = {alarm.id for alarm in machine.board.alarms()}
        for position in machine.ledger.open_positions():
            play, symbol = position.play, position.symbol
            if play == FLATTEN_PLAY:
                continue  # no play's: what a flatten closed that nobody owned
            stops = machine.desk.book.select(OrderRole.STOP, play=play, symbol=symbol)
            if next(stops, None) is None and f"unprotected:{play}:{symbol}" not in alarms:
                raise ViolationError(f"{symbol} of {play} has no stop, and nobody says so", symbol)

    # the end

    def at_rest(self, machine: Machine, tell: Callable[[str], None]) -> None:
        """Nothing is on its way and nothing goes wrong any more: books, disk and venue must agree."""
        truth = self._exchange.truth()
        held = {position.symbol: position.qty for position in truth.positions}
        for symbol in machine.desk.instruments:
            ours, theirs = machine.ledger.net_qty(symbol), held.get(symbol, ZERO)
            if ours != theirs:
                self._hold_by_hand(machine, symbol, ours, theirs)
            signs = {p.qty > ZERO for p in machine.ledger.open_positions() if p.symbol == symbol}
            if len(signs) > 1 and symbol not in self._exchange.by_hand.values():
                raise ViolationError(f"{symbol}: plays hold positions against each other", symbol)
        open_there = {order.client_id for order in truth.orders}
        for order in machine.desk.book.open_orders():
            if order.client_id not in open_there:
                text = f"{order.client_id} is {order.state} in the books and not open at the venue"
                raise ViolationError(text, order.client_id)
            if order.state is OrderState.UNKNOWN:
                raise ViolationError(
                    f"{order.client_id} is UNKNOWN although the venue has it", order.client_id
                )
        for client_id in open_there:
            known = machine.desk.book.get(client_id)
            if known is None or not known.state.is_open:
                raise ViolationError(f"{client_id} is open at the venue and not in the books", client_id)
        for key in self._exchange.fills:
            if key not in self._booked:
                raise ViolationError(f"a fill is lost: {key}", key[2])
        self.on_look(machine)
        self._hold_disk(machine)

    def _hold_by_hand(self, machine: Machine, symbol: str, ours: Decimal, theirs: Decimal) -> None:
        """What others traded is not ours: the books hold no more than the venue, and an alarm says so."""
        text = f"{symbol}: the venue has {theirs}, the books {ours}"
        if symbol not in self._exchange.by_hand.values():
            raise ViolationError(text, symbol)
        if self._exchange.time.now - machine.reconciler.state.moved.get(symbol, 0) < COMPARED_NS:
            return  # two reports must show it before the books follow
        if ours and (ours * theirs < ZERO or abs(ours) > abs(theirs)):
            raise ViolationError(f"{text}: they were not corrected", symbol)
        if f"position:{symbol}" not in {alarm.id for alarm in machine.board.alarms()}:
            raise ViolationError(f"{text}, and no alarm says so", symbol)

    def _hold_disk(self, machine: Machine) -> None:
        rows = self._disk.rows
        for key in self._booked:
            if key not in rows.fills:
                raise ViolationError(f"a fill is not on disk: {key}", key[2])
        for symbol in machine.desk.instruments:
            fills = [fill for fill in rows.fills.values() if fill.symbol == symbol]
            held, total = machine.ledger.net_qty(symbol), sum((f.qty * f.side.sign for f in fills), ZERO)
            if total != held:
                raise ViolationError(
                    f"{symbol}: the fills on disk come to {total}, the books to {held}", symbol
                )
        for position in machine.ledger.positions():
            stored = rows.positions.get((position.play, position.symbol))
            if stored != position:
                raise ViolationError(f"{position} is stored as {stored}", position.symbol)
        for order in machine.desk.book.open_orders():
            if order.client_id not in rows.orders or not rows.orders[order.client_id].state.is_open:
                raise ViolationError(f"{order.client_id} is open and not so on disk", order.client_id)
