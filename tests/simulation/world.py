"""One seed: an engine that lives and dies, its disk, its venue behind a bad line, a market, an operator."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from engine.config.settings import Settings
from engine.core.machine import Machine
from engine.core.snapshot import Phase
from engine.domain.errors import StorageError
from engine.domain.events import Action, Control, Event, OnStop, PlaySwapped
from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent
from engine.domain.orders import OrderKind, OrderRequest
from engine.domain.play import Rule
from engine.domain.signals import Side
from engine.runtime.binding import PlayFile
from engine.runtime.collector import Collector
from engine.runtime.context import Surroundings, open_session
from engine.runtime.drivers import RealTime
from engine.runtime.engine import Engine, Farewell
from engine.runtime.exitreport import ExitReport
from engine.runtime.factory import Source
from engine.runtime.loop import Batch, Loop
from engine.runtime.session import SessionConfig
from engine.venues.simulated import SimulatedConfig
from tests.builders import BTC, ETH, STEP, T0, bar, instrument, request, rich, setup, spec
from tests.fakes import SilentVenue
from tests.simulation.disk import Disk, Life
from tests.simulation.exchange import Connection, Exchange
from tests.simulation.faults import Chance, Kind
from tests.simulation.virtual_loop import Time, VirtualLoop
from tests.simulation.watch import ViolationError, Watch

SYMBOLS = (BTC, ETH)
BARS = 16
CALM_BARS = 7
STEPS_MAX = 200_000  # a run takes some thousands
FLUSH_S = 20.0
LIFE_STEPS_MAX = 4_000

PLAYS = {
    "plain": (spec(), spec("other")),
    "rich": (rich(), rich("other", against=True, kind=OrderKind.STOP)),
}
CAPS = {"plain": (Decimal(130), Decimal(170)), "rich": (Decimal(5_000), Decimal(9_000))}


@cache
def settings() -> Settings:
    """What every engine here is told."""
    runtime = {"checkpoint_s": 70.0, "shutdown_deadline_s": 20.0}
    return Settings.model_validate({"mode": "paper", "runtime": runtime})


@cache
def config(style: str) -> SessionConfig:
    """What the sessions of a style are built from, but for their birth."""
    order_max, position_max = CAPS[style]
    facts = setup(
        *PLAYS[style],
        instruments=tuple(instrument(symbol, volume_caps_fills=True) for symbol in SYMBOLS),
        armed=False,
        stale_check_ns=50 * NS_PER_S,
        reconcile_ns=25 * NS_PER_S,
        reconcile_positions_ns=50 * NS_PER_S,
        dead_man_ms=40_000,
        stale_after_s=130.0,
        flatten_deadline_s=100.0,
        mode_dwell_s=60.0,
        daily_loss_max=Decimal(60) if style == "plain" else Decimal(600),
        order_notional_max=order_max,
        position_notional_max=position_max,
    )
    return SessionConfig(setup=facts, venue=SimulatedConfig(), data=(), settings="")


class SimulatedSource(Source, frozen=True, kw_only=True):
    """A source whose sessions are configured here."""

    style: str

    def configure(self, birth_s: int) -> SessionConfig:
        """Gather what the session is built from."""
        facts = config(self.style)
        specs = {file.spec.name: file.spec for file in self.plays}
        plays = tuple(msgspec.structs.replace(play, spec=specs[play.spec.name]) for play in facts.setup.plays)
        setup = msgspec.structs.replace(facts.setup, birth_s=birth_s, plays=plays)
        return msgspec.structs.replace(facts, setup=setup)


class Feed:
    """The LiveFeed of one engine: the world's bars from its start on."""

    skipped_ns = 0
    base_step_ns = STEP

    def __init__(
        self, bars: list[Bar], instruments: tuple[Instrument, ...], next_at: Callable[[], int]
    ) -> None:
        self._bars, self._next_at = bars, next_at
        self.instruments = instruments
        self._taken = len(bars)

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the bars that came since."""
        new = self._bars[self._taken :]
        self._taken = len(self._bars)
        return new

    def next_at(self) -> int:
        """Return when the next bar closes."""
        return self._next_at()

    def history(self, bars: int) -> Sequence[Bar]:
        """Return none: plays warm up as they go."""
        return ()


class _Clock:
    def __init__(self, time: Time) -> None:
        self._time = time

    def now(self) -> int:
        """Return the simulation's time."""
        return self._time.now

    def go_on_from(self, ns: int) -> None:
        """Nobody sets this clock back."""
        assert ns <= self._time.now


class _NoConsole:
    async def __aenter__(self) -> Farewell:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def say_goodbye(self, exit_code: int, text: str) -> None:
        """Nobody listens."""


class _TestsCollector(Collector):
    """Leaves garbage to the tests' own collector; that it is called on tells that a start is over."""

    def __init__(self, engine: "SimulatedEngine") -> None:
        super().__init__()
        self._engine = engine

    def calm(self) -> None:
        """Take note that the start is over."""
        self._engine.begun = True

    def let_go(self) -> None:
        """Do nothing: nothing was held."""


class SimulatedEngine(Engine):
    """The engine without sockets, files of its own and the process around it."""

    def __init__(self, context: Any, world: "World") -> None:
        super().__init__(context)
        self._world = world
        self._upkeep.flush_s = FLUSH_S
        self.begun = False
        self._collector = _TestsCollector(self)
        self.checked = False  # its first commands are taken, and it was not freer than before
        self.broken: BaseException | None = None

    def _server(self) -> AbstractAsyncContextManager[Farewell]:
        return _NoConsole()

    def _beside(self) -> Any:
        for name, work in super()._beside():
            if name in ("heartbeat", "lag", "reload", "duration"):
                work.close()
            else:
                yield name, work

    def _real_time(self) -> RealTime:
        driver = super()._real_time()
        driver._worked_s = lambda: 0.0
        return driver

    def _on_batch(self, batch: Batch) -> None:
        self._world.watch.on_batch(batch)
        super()._on_batch(batch)

    def _on_taken(self, event: Event) -> None:
        super()._on_taken(event)
        self._world.watch.on_taken(event)
        if self.begun and not self.checked and type(event) is not Control and not len(self._inbox._queues[0]):
            self.checked = True
            self._world.watch.started(self.machine)

    def _broke(self, error: BaseException) -> tuple[int, str]:
        self.broken = error
        return super()._broke(error)

    @property
    def machine(self) -> Machine:
        """The core."""
        return self.context.loop.machine

    @property
    def disk_fails(self) -> bool:
        """Whether the dispatcher knows that nothing can be stored."""
        return self._dispatcher._failing

    def post(self, action: Action, argument: str = "", reason: str = "") -> None:
        """Let the operator ask for something."""
        self._commands.post(action, "me", reason, argument)


class World:
    """One simulation. `run` raises a ViolationError, or returns when all is calm and right."""

    engine_type: type[SimulatedEngine] = SimulatedEngine
    disk_type: type[Disk] = Disk
    disk_full = 0.08  # how likely it is in each minute
    trades_by_hand = 0.04  # likewise

    def __init__(self, seed: int, *, without: frozenset[Kind] = frozenset()) -> None:
        self.chance = Chance(seed, without)
        self.style = ("plain", "rich")[seed % 2]
        self.trace: list[tuple[int, str]] = []
        self.time = Time(T0)
        self.plays = {play.name: play for play in PLAYS[self.style]}  # as their files are now
        self.disk = self.disk_type(tick=self._tick)
        facts = config(self.style).setup
        self._instruments = facts.instruments
        self.exchange = Exchange(facts.instruments, self.time, self.chance, self.tell)
        self.watch = Watch(self.disk, self.exchange, facts.limits)
        self.bars: list[Bar] = []
        self.lives = 0
        self.crashes = 0
        self.steps = 0
        self.engine: SimulatedEngine | None = None
        self._prices = dict.fromkeys(SYMBOLS, 100.0)
        self._next_bar = T0 + STEP
        self._calm = False
        self._loop: VirtualLoop | None = None
        self._life = Life()
        self._main: Any = None
        self._crash_at = 0
        self._log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))

    def tell(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append((self.time.now, what))

    # the run

    def run(self) -> None:
        """Let everything go wrong for a while, then nothing any more; then all must agree."""
        self.boot()
        self.time.at(self._next_bar, self._on_bar)
        self._until(T0 + BARS * STEP + STEP // 2)
        self._calm_down()
        self._until(T0 + (BARS + CALM_BARS) * STEP + STEP * 3 // 4)
        if self.engine is None:
            raise ViolationError("the engine does not start any more")
        self.watch.at_rest(self.engine.machine, self.tell)
        self._hold_plays(self.engine.machine)

    def _hold_plays(self, machine: Machine) -> None:
        """See that every play runs as it was edited last."""
        for runner in machine.trading.runners:
            name = runner.binding.spec.name
            if runner.binding.spec != self.plays[name]:
                raise ViolationError(f"{name} was edited, and an earlier version runs", name)

    def close(self) -> None:
        """End the last life: nothing is left that the interpreter would have to end."""
        self._end_life()

    def _until(self, ts: int) -> None:
        while True:
            ours, theirs = self.time.next_at(), self._loop.next_at() if self._loop else None
            following = min((at for at in (ours, theirs) if at is not None), default=None)
            if following is None or following > ts:
                self.time.now = ts
                return
            if ours is not None and (theirs is None or ours <= theirs):
                self.time.turn()
            else:
                self._step()

    def _step(self) -> None:
        assert self._loop is not None
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise ViolationError("it turns in circles")
        self._loop.step()
        if not self._life.alive or self._loop.steps == self._crash_at:
            self._crash()
        elif self._main.done():
            self._ended()

    # the engine's lives

    def boot(self) -> None:
        """Start an engine on what is there."""
        self.lives += 1
        self.tell(f"engine: starts ({self.lives})")
        self._life = Life()
        work = self.chance.of("work")
        self._loop = VirtualLoop(self.time, lambda: work.uniform(0.0001, 0.01))
        crash = self.chance.of(Kind.CRASHES)
        at = int(math.exp(crash.uniform(0, math.log(LIFE_STEPS_MAX))))
        self._crash_at = at if self.chance.happens(Kind.CRASHES, 0.8) and not self._calm else 0
        self._main = self._loop.create_task(self._live(self._life, self._loop))

    async def _live(self, life: Life, loop: VirtualLoop) -> ExitReport:
        work = self.chance.of("work")

        async def hop() -> None:
            await loop.run_in_executor(None, lambda: None) if work.random() < 0.5 else None

        stores = self.disk.stores(life, hop)
        engines: list[SimulatedEngine] = []
        connection = self.exchange.connect(life, lambda request: self._on_send(request, engines[0]))
        feed = Feed(self.bars, self._instruments, lambda: self._next_bar)
        plays = tuple(PlayFile(Path(f"{name}.yaml"), play) for name, play in self.plays.items())
        source = SimulatedSource(settings=settings(), plays=plays, files={}, live=feed, style=self.style)
        around = Surroundings(
            settings=settings(), directory=Path("simulated"), clock=_Clock(self.time), log=self._log
        )
        async with AsyncExitStack() as stack:
            context = await open_session(
                stack,
                around,
                source,
                stores,
                build=lambda config: Loop(Machine(config.setup), connection),
                rebuild=lambda config: Loop(Machine(config.setup), SilentVenue()),
            )
            self.engine = self.engine_type(context, self)
            engines.append(self.engine)
            self.watch.begins(self.engine.machine)
            connection.post = partial(self._post, self.engine, connection)
            return await self.engine.run()

    def _post(self, engine: SimulatedEngine, connection: Connection, event: Event) -> None:
        if not engine._offer(event):
            raise ViolationError("the inbox is full")

    def _on_send(self, request: OrderRequest, engine: SimulatedEngine) -> None:
        self.watch.on_send(request, engine.machine, disk_fails=engine.disk_fails)

    def _tick(self, what: str) -> None:
        """Between two steps of a write: the process may end here, or the power."""
        if self._life.alive and not self._calm and self.chance.happens(Kind.CRASHES, 0.003):
            self.tell(f"crash at: {what}")
            self._life.alive = False

    def _crash(self) -> None:
        self.crashes += 1
        power_cut = self.chance.happens(Kind.POWER_CUTS, 0.5)
        self.tell("POWER CUT" if power_cut else "KILL")
        self._end_life()
        self.disk.lose(self.chance.of(Kind.POWER_CUTS), power_cut=power_cut)
        crash = self.chance.of(Kind.CRASHES)
        self.time.after(crash.uniform(0.05, 5.0) + (crash.random() < 0.15) * crash.uniform(0, 200), self.boot)

    def _end_life(self) -> None:
        self._life.alive = False
        if self._loop is not None:
            self._loop.crash()
        self._loop, self.engine = None, None

    def _ended(self) -> None:
        """The engine ended by itself: because it was asked to, or for want of a disk."""
        error, engine = self._main.exception(), self.engine
        if error is not None and not isinstance(error, StorageError):
            raise error
        if error is None:
            report: ExitReport = self._main.result()
            self.tell(f"engine: ends with {report.exit_code}: {report.text}")
            broken = engine.broken if engine else None
            while isinstance(broken, BaseExceptionGroup):
                broken = broken.exceptions[0]
            if broken is not None and not isinstance(broken, StorageError):
                raise broken
        else:
            self.tell(f"engine: does not start: {error}")
        self._end_life()
        self.disk.lose(self.chance.of("work"), power_cut=False)
        self.time.after(3.0, self.boot)

    # the market

    def _on_bar(self) -> None:
        """Close a bar of each symbol, and plan what goes wrong until the next."""
        market = self.chance.of("market")
        for symbol in SYMBOLS:
            opened = self._prices[symbol]
            close = round(min(125.0, max(80.0, opened + market.uniform(-9, 9))), 1)
            volume = market.choice([0.1, 0.5, 2.0, 100.0])
            self._prices[symbol] = close
            closed = bar(close, self.time.now, symbol, open=opened, volume=volume)
            self.bars.append(closed)
            self.exchange.on_market(closed)
        self._look_at_files()  # an edit may have come while no engine ran
        self._next_bar += STEP
        self.time.at(self._next_bar, self._on_bar)
        if not self._calm:
            self._plan()
        self.time.after(market.uniform(1, 50), self._operate)

    # what goes wrong

    def _plan(self) -> None:
        for kind, probability, happen in (
            (Kind.DISCONNECTS, 0.12, self._disconnect),
            (Kind.VENUE_RESTARTS, 0.05, self._restart_venue),
            (Kind.DISK_FULL, self.disk_full, self._fill_disk),
            (Kind.HANDS, self.trades_by_hand, self._trade_by_hand),
            (Kind.RELOADS, 0.05, self._edit_play),
        ):
            if self.chance.happens(kind, probability):
                self.time.after(self.chance.of(kind).uniform(0, 60), happen)

    def _disconnect(self) -> None:
        if self.exchange.connection is not None and not self._calm:
            self.exchange.connection.break_off(self.chance.of(Kind.DISCONNECTS).uniform(0.5, 40))

    def _restart_venue(self) -> None:
        if not self._calm:
            self.exchange.restart(self.chance.of(Kind.VENUE_RESTARTS).uniform(0.5, 30))

    def _fill_disk(self) -> None:
        if self._calm or self.disk.full:
            return
        self.disk.full = True
        self.tell("disk: full")
        self.time.after(self.chance.of(Kind.DISK_FULL).expovariate(1 / 40), self._free_disk)

    def _free_disk(self) -> None:
        if self.disk.full:
            self.disk.full = False
            self.tell("disk: has room again")

    def _trade_by_hand(self) -> None:
        chance = self.chance.of(Kind.HANDS)
        facts = {
            "symbol": chance.choice(SYMBOLS),
            "side": chance.choice(list(Side)),
            "qty": Decimal(chance.choice(["0.2", "1", "7"])),
        }
        if not self._calm:
            self.exchange.trade_by_hand(request(f"by-hand-{len(self.exchange.by_hand) + 1}", **facts))

    def _edit_play(self) -> None:
        if self._calm:
            return
        chance = self.chance.of(Kind.RELOADS)
        name = chance.choice(list(self.plays))
        above, below = chance.choice([107, 110, 112]), chance.choice([88, 90, 94])
        entries = {"long_entry": Rule(f"close > {above}"), "short_entry": Rule(f"close < {below}")}
        self.tell(f"somebody: edits {name}")
        self.plays[name] = msgspec.structs.replace(self.plays[name], **entries)
        self.time.after(chance.uniform(0, 2), self._look_at_files)

    def _look_at_files(self) -> None:
        """Put edited plays in the place of those that run, as the watch over the files does."""
        engine = self.engine
        if engine is None or not engine.checked:
            return
        for runner in engine.machine.trading.runners:
            spec = self.plays[runner.binding.spec.name]
            if runner.binding.spec != spec:
                engine._offer(PlaySwapped(self.time.now, spec, runner.generation + 1))

    def _calm_down(self) -> None:
        self.tell("from here on nothing goes wrong")
        self._calm = True
        self.chance.without = frozenset(Kind)
        self._crash_at = 0
        self._free_disk()

    # the operator

    def _operate(self) -> None:
        """Let the operator do something now and then; he resolves what he sees that the venue never had."""
        engine = self.engine
        if engine is None or not engine.checked:
            return
        self.watch.on_look(engine.machine)
        self._resolve(engine)
        dice = self.chance.of(Kind.OPERATOR).random()
        if Kind.OPERATOR in self.chance.without and not self._calm:
            dice = 0.5
        if self._calm:
            return
        if dice < 0.06:
            if dice < 0.03:
                self.disk.latch = self.disk.latch_before = "somebody else"
            self.tell("operator: flatten")
            engine.flatten("me")
        elif dice < 0.12:
            self.tell("operator: pause or disarm")
            engine.post(Action.PAUSE if dice < 0.09 else Action.DISARM)
        elif dice < 0.15:
            self.tell("operator: risk mode")
            engine.post(Action.RISK_MODE, "reduce" if dice < 0.135 else "observe")
        elif dice < 0.17:
            self.tell("operator: stop")
            engine.stop("asked to", on_stop=list(OnStop)[self.steps % 3])
        elif dice < 0.85:
            engine.post(Action.RESUME)
            engine.post(Action.RISK_MODE, "normal", "seen")
            if engine.machine.authority.operator.phase is not Phase.ARMED:
                self.tell("operator: arm")
            engine.post(Action.ARM, engine.machine.setup.confirm_name, "all is calm")
        elif dice < 0.93:
            self._lay_hand_on(engine, dice)

    def _lay_hand_on(self, engine: SimulatedEngine, dice: float) -> None:
        """Let the operator close a position, or cancel an order."""
        held = [f"{p.play} {p.symbol}" for p in engine.machine.ledger.open_positions()]
        orders = [order.client_id for order in engine.machine.desk.book.open_orders()]
        if held and dice < 0.89:
            self.tell(f"operator: closes {held[self.steps % len(held)]}")
            engine.post(Action.CLOSE_POSITION, held[self.steps % len(held)], "enough")
        elif orders:
            self.tell(f"operator: cancels {orders[self.steps % len(orders)]}")
            engine.post(Action.CANCEL_ORDER, orders[self.steps % len(orders)], "not now")

    def _resolve(self, engine: SimulatedEngine) -> None:
        for order in engine.machine.desk.book.open_orders():
            client_id = order.client_id
            if client_id in self.exchange.on_way or client_id in self.exchange.venue._orders:
                continue
            if engine.machine.reconciler.is_unsettled(client_id):
                self.tell(f"operator: resolves {client_id}")
                engine.post(Action.RESOLVE, f"{client_id} dead", "the venue does not have it")
