"""Facts for tests of the core, with defaults that do not matter, and a world that drives it."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from engine.core.setup import CoreSetup, PlayBinding
from engine.core.snapshot import Phase
from engine.core.twinned import TwinnedMachine
from engine.domain.commands import Command, Notice, SaveVeto, SubmitOrder
from engine.domain.events import Action, Control, Event, OnStop
from engine.domain.ids import OrderRole
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_DAY, NS_PER_S, Bar, Instrument, MarketEvent, Quote, Trade
from engine.domain.modes import Mode, Rung
from engine.domain.money import canonical
from engine.domain.orders import Order, OrderKind, OrderRequest
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    DrawdownStop,
    EntryOrder,
    LadderStep,
    Level,
    LossGuard,
    LowProfit,
    PlaySpec,
    Protections,
    Rule,
    ScaleIn,
    Sizing,
    SizingKind,
    StopLevel,
    TimeStop,
    Trailing,
)
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.ports import Venue
from engine.runtime.loop import Loop, LoopState, Refusals, Steps
from engine.strategy.model import NO_MODELS, Models
from engine.strategy.timeframes import step_of
from engine.venues.simulated import SimulatedConfig, SimulatedVenue

DAY0 = 19_700 * NS_PER_DAY  # 00:00 UTC of a day in 2023
T0 = DAY0 + 12 * 3600 * NS_PER_S
STEP = 60 * NS_PER_S
BTC, ETH = "BTCUSDT", "ETHUSDT"
BUY, SELL = Side.BUY, Side.SELL
PLAY = "levels"
C = TypeVar("C")

# Closes that make the play below act: it buys over 110 and sells what it has under 105, and the mirror image.
ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT, QUIET = 111.0, 104.0, 89.0, 96.0, 100.0


def instrument(symbol: str = BTC, **changes: Any) -> Instrument:
    """Return an instrument without fees whose volume caps nothing."""
    facts: dict[str, Any] = {
        "tick": Decimal("0.1"),
        "lot": Decimal("0.01"),
        "qty_min": Decimal("0.01"),
        "notional_min": Decimal(1),
        "base": symbol[:3],
        "quote": "USDT",
        "settle": "USDT",
        "maker_fee": Decimal(0),
        "taker_fee": Decimal(0),
        "price_digits": 1,
        "qty_digits": 2,
        "volume_caps_fills": False,
    }
    return Instrument(symbol=symbol, **(facts | changes))


def percent(value: float) -> Distance:
    """Return a distance of so many percent."""
    return Distance(DistanceKind.PERCENT, value)


def spec(name: str = PLAY, **changes: Any) -> PlaySpec:
    """Return a play that acts on plain levels of the close, worth 111 an entry: one unit at ENTER_LONG."""
    facts: dict[str, Any] = {
        "sizing": Sizing(SizingKind.NOTIONAL, Decimal(111)),
        "long_entry": Rule("close > 110"),
        "long_exit": Rule("close < 105"),
        "short_entry": Rule("close < 90"),
        "short_exit": Rule("close > 95"),
        "stop_loss": percent(10.0),
        "take_profit": percent(20.0),
    }
    return PlaySpec(name=name, **(facts | changes))


def rich(
    name: str = PLAY, *, against: bool = False, kind: OrderKind = OrderKind.LIMIT, **changes: Any
) -> PlaySpec:
    """Return a play with all that follows a position, an entry and the trades, on the levels of `spec`."""
    facts: dict[str, Any] = {
        "sizing": Sizing(SizingKind.RISK_PERCENT, Decimal(2), Decimal(5_000)),
        "entry": EntryOrder(kind, percent(1.0), valid_bars=3, replace=True),
        "stop_loss": None,
        "stop_level": StopLevel(Level("lowest(2)", "highest(2)"), percent(5.0)),
        "take_profit": None,
        "ladder": (
            LadderStep(percent(5.0), Decimal(30)),
            LadderStep(Distance(DistanceKind.ATR, 3.0, 2), Decimal(70)),
        ),
        "trailing": Trailing(percent(8.0), percent(2.0)),
        "break_even": BreakEven(percent(3.0), 0.5),
        "time_stop": TimeStop(bars=8),
        "scale_in": ScaleIn(3, every=percent(1.0), against=against, size_factor=Decimal("0.5")),
        "protections": Protections(
            cooldown_bars=1,
            trades_per_day_max=20,
            stop_loss_guard=LossGuard(2, 20 * STEP, 5 * STEP),
            low_profit=LowProfit(3, 30 * STEP, -5.0, 4 * STEP),
            drawdown=DrawdownStop(2.0, 30 * STEP, 3 * STEP),
        ),
    }
    return spec(name, **(facts | changes))


def setup(*plays: PlaySpec, symbols: Sequence[str] = (BTC, ETH), **changes: Any) -> CoreSetup:
    """Return the facts of an armed run: each play has an instrument of its own."""
    specs = plays or (spec(),)
    bindings = tuple(
        PlayBinding(s, symbol, step_of(s.timeframe, STEP)) for s, symbol in zip(specs, symbols, strict=False)
    )
    limits = {name: changes.pop(name) for name in Limits.__struct_fields__ if name in changes}
    facts: dict[str, Any] = {
        "mode": Mode.PAPER,
        "instance": "test",
        "birth_s": 1_700_000_000,
        "confirm_name": PLAY,
        "instruments": tuple(instrument(symbol) for symbol in symbols),
        "plays": bindings,
        "limits": Limits(**({"stale_after_s": 120.0} | limits)),
        "currency": "USDT",
        "start_equity": Decimal(10_000),
        "armed": True,
    }
    return CoreSetup(**(facts | changes))


def bar(close: float, ts: int = T0, symbol: str = BTC, **changes: Any) -> Bar:
    """Return a bar that opened, ended and stayed at one price, unless told otherwise."""
    facts = {"open": close, "high": close, "low": close, "volume": 1000.0, "step_ns": STEP} | changes
    facts["high"] = max(facts["high"], close, facts["open"])
    facts["low"] = min(facts["low"], close, facts["open"])
    return Bar(ts=ts, symbol=symbol, close=close, **facts)


def trade(price: float, ts: int = T0, symbol: str = BTC, qty: float = 1.0) -> Trade:
    """Return a print."""
    return Trade(ts, symbol, price, qty, 1, price, price)


def quote(bid: float, ask: float, ts: int = T0, symbol: str = BTC) -> Quote:
    """Return a best bid and offer."""
    return Quote(ts, symbol, bid, 10.0, ask, 10.0)


def request(client_id: str = "c1", **changes: Any) -> OrderRequest:
    """Return a market entry of one unit."""
    facts: dict[str, Any] = {
        "cycle_id": f"{PLAY}@1",
        "play": PLAY,
        "symbol": BTC,
        "side": BUY,
        "role": OrderRole.ENTRY,
        "kind": OrderKind.MARKET,
        "qty": Decimal(1),
        "ts": T0,
    }
    return OrderRequest(client_id=client_id, **(facts | changes))


def fill(
    client_id: str = "c1", qty: str | Decimal = "1", price: str | Decimal = "100", **changes: Any
) -> Fill:
    """Return a buy of one unit at 100 without a fee."""
    facts: dict[str, Any] = {"ts": T0, "trade_id": "t1", "symbol": BTC, "side": BUY, "fee": Decimal(0)}
    return Fill(client_id=client_id, price=Decimal(price), qty=Decimal(qty), **(facts | changes))


def control(action: Action, argument: str = "", reason: str = "", ts: int = T0, sequence: int = 1) -> Control:
    """Return an operator's command."""
    return Control(ts, sequence, action, "me", reason, argument)


def machine_of(facts: CoreSetup, models: Models = NO_MODELS) -> TwinnedMachine:
    """Return a core that shadow twins may run beside, on a venue that matches bars at once."""
    return TwinnedMachine(facts, lambda instruments: SimulatedVenue(instruments, SimulatedConfig()), models)


def recode(state: LoopState) -> LoopState:
    """Return a state as it comes back from a checkpoint's bytes."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=LoopState)


def _look_away(_batch: Sequence[Command]) -> None:
    """Nobody watches."""


class World:
    """A loop that is driven by hand: time goes on as told, and every command is kept.

    `watch` sees each batch of commands before it is carried out.
    """

    def __init__(
        self,
        facts: CoreSetup | None = None,
        venue: Venue | None = None,
        now: int = T0,
        *,
        models: Models = NO_MODELS,
    ) -> None:
        self.setup, self.models = facts or setup(), models
        self.venue: Venue = venue or SimulatedVenue(self.setup.instruments, SimulatedConfig())
        self.loop = Loop(machine_of(self.setup, self.models), self.venue)
        self.now = now
        self.commands: list[Command] = []
        self.refusals: Refusals = {}
        self.watch: Callable[[Sequence[Command]], None] = _look_away
        self._controls = 0
        self._run(self.loop.start(now))

    # driving

    def take(self, *events: Event) -> list[Command]:
        """Hand in events at the present time; return the commands that followed."""
        seen = len(self.commands)
        for event in events:
            self._run(self.loop.take(event, self.now))
        return self.commands[seen:]

    def market(self, event: MarketEvent) -> list[Command]:
        """Let a market event happen at its own time."""
        seen = len(self.commands)
        self.until(event.ts)
        steps = self.loop.market(event, self.now)
        if steps is not None:
            self._run(steps)
        return self.commands[seen:]

    def bar(self, close: float, symbol: str = BTC, **changes: Any) -> list[Command]:
        """Let a minute pass and its bar close."""
        return self.market(bar(close, self.now + STEP, symbol, **changes))

    def bars(self, *closes: float, symbol: str = BTC) -> list[Command]:
        """Let some minutes pass."""
        return [command for close in closes for command in self.bar(close, symbol)]

    def until(self, ts: int) -> list[Command]:
        """Let time pass; take what falls due."""
        seen = len(self.commands)
        self._run(self.loop.due(ts))
        self.now = ts
        return self.commands[seen:]

    def wait(self, seconds: float) -> list[Command]:
        """Let so many seconds pass."""
        return self.until(self.now + int(seconds * NS_PER_S))

    def ask(self, action: Action, argument: str = "", reason: str = "") -> list[Command]:
        """Let the operator ask for something."""
        self._controls += 1
        return self.take(control(action, argument, reason, self.now, self._controls))

    def arm(self, reason: str = "") -> list[Command]:
        """Arm with the right name."""
        return self.ask(Action.ARM, self.setup.confirm_name, reason)

    def flatten(self) -> list[Command]:
        """Flatten."""
        return self.ask(Action.FLATTEN)

    def stop(self, how: OnStop) -> list[Command]:
        """Ask for the end of the run."""
        return self.ask(Action.STOP, how.value)

    def restart(self, *, new_run: bool = False) -> None:
        """Go on in a new loop, from the bytes of a checkpoint; with the same run, or with a new one."""
        state = recode(self.loop.state())
        if isinstance(self.venue, SimulatedVenue):
            self.venue = SimulatedVenue(self.setup.instruments, SimulatedConfig())
        self.loop = Loop(machine_of(self.setup, self.models), self.venue)
        self.loop.restore(state)
        if new_run:
            self.machine.begin_anew()

    def _run(self, steps: Steps) -> None:
        try:
            batch = next(steps)
            while True:
                self.commands.extend(batch)
                self.watch(batch)
                batch = steps.send(self.refusals)
        except StopIteration:
            return

    # reading

    @property
    def machine(self) -> TwinnedMachine:
        """The core."""
        machine = self.loop.machine
        assert isinstance(machine, TwinnedMachine)
        return machine

    def phase(self) -> Phase:
        """The operator's phase."""
        return self.machine.authority.operator.phase

    def rung(self, symbol: str = "") -> Rung:
        """Return the rung in force."""
        return self.machine.authority.holds.rung(symbol)

    def qty(self, symbol: str = BTC, play: str = PLAY) -> Decimal:
        """Return a play's position."""
        return self.machine.ledger.position(play, symbol).qty

    def orders(self, *roles: OrderRole) -> list[Order]:
        """Return the open orders of these roles, of all without any."""
        return list(self.machine.desk.book.select(*(roles or OrderRole)))

    def order(self, role: OrderRole) -> Order:
        """Return the one open order of a role."""
        (order,) = self.orders(role)
        return order

    def alarms(self) -> dict[str, str]:
        """Return the alarms that stand, by id."""
        return {alarm.id: alarm.text for alarm in self.machine.board.alarms()}


def of(kind: type[C], commands: Iterable[Command]) -> list[C]:
    """Return the commands of one kind."""
    return [command for command in commands if isinstance(command, kind)]


def submitted(commands: Iterable[Command]) -> list[tuple[str, str, str]]:
    """Return role, side and quantity of every order that was asked for, in words."""
    return [
        (c.request.role.value, c.request.side.value, canonical(c.request.qty))
        for c in of(SubmitOrder, commands)
    ]


def vetoes(commands: Iterable[Command]) -> list[str]:
    """Return the codes of the vetoes that no signal led to."""
    return [command.veto.reason.value for command in of(SaveVeto, commands)]


def notices(commands: Iterable[Command], kind: str) -> list[str]:
    """Return the texts of the notices of one kind."""
    return [command.text for command in of(Notice, commands) if command.kind == kind]
