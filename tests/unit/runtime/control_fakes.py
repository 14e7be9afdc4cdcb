"""A small engine for the control socket's tests: it shows what a test tells it to and answers commands."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import structlog
from structlog.testing import CapturingLogger
from websockets.asyncio.client import ClientConnection, unix_connect

from engine.core.snapshot import (
    AccountSection,
    FlattenSection,
    OrderRow,
    Phase,
    Snapshot,
    StatusSection,
    TickRow,
)
from engine.domain.commands import Notice, NoticeLevel
from engine.domain.ids import OrderRole
from engine.domain.modes import Mode, RiskMode, Rung
from engine.domain.orders import OrderKind, OrderState
from engine.domain.signals import Side
from engine.runtime.control import ControlServer
from engine.runtime.link import SocketLink
from engine.runtime.protocol import (
    PROTOCOL_VERSION,
    CommandReply,
    CommandRequest,
    Hello,
    LookReply,
    LookRequest,
    WhyReply,
    WhyRequest,
)
from engine.runtime.wire import SNAPSHOT_BYTES_MAX

HELLO = Hello(protocol=PROTOCOL_VERSION, version="0.1.0", pid=4711, instance="night", session="s1")
WAIT_S = 5.0  # no test waits so long unless it fails
RATE_HZ = 100.0


def snapshot(**sections: Any) -> Snapshot:
    """An engine that has just started."""
    status = StatusSection(
        mode=Mode.PAPER,
        instance="night",
        phase=Phase.DISARMED,
        paused=False,
        risk_mode=RiskMode.NORMAL,
        rung=Rung.REDUCE,
        holds=(),
        now=1,
        plays=("canary",),
        confirm_name="canary",
        data_ended=False,
    )
    account = AccountSection(
        currency="USDT",
        start_equity=Decimal(1000),
        equity=Decimal(1000),
        realized=Decimal(0),
        unrealized=Decimal(0),
        fees=Decimal(0),
        day_pnl=Decimal(0),
        drawdown=0.0,
        fills=0,
        trades=0,
        signals=0,
    )
    return Snapshot(**{"status": status, "account": account, **sections})


def notices(count: int, text: str = "canary enters BTCUSDT long at 60000.1") -> tuple[Notice, ...]:
    """Lines for the event pane."""
    return tuple(Notice(number, NoticeLevel.INFO, "order", text) for number in range(count))


def busy_snapshot() -> Snapshot:
    """A screen full of things: 60 orders, 60 notices, 3 symbols with 40 points of history."""
    ticks = tuple(
        TickRow(
            symbol, 1, 60_000.1, 60_000.0, 60_000.2, 0.01, 12.5, 1, tuple(60_000.0 + i for i in range(40))
        )
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    )
    orders = tuple(
        OrderRow(
            client_id=f"1abcdefdefault0canary{number:06d}",
            venue_id=f"sim-{number}",
            play="canary",
            symbol="BTCUSDT",
            side=Side.BUY,
            role=OrderRole.ENTRY,
            kind=OrderKind.LIMIT,
            state=OrderState.ACKNOWLEDGED,
            qty=Decimal("0.015"),
            filled_qty=Decimal("0.005"),
            price=Decimal("60000.1"),
            average_price=Decimal("60000.0"),
            created=1_723_125_731_000_000_000 + number,
            updated=1_723_125_731_000_000_000 + number,
            reason="",
        )
        for number in range(60)
    )
    return snapshot(ticks=ticks, orders=orders, notices=notices(60))


class FakeEngine:
    """Holds what the server asks for. `gate` keeps commands waiting while it is cleared."""

    def __init__(self) -> None:
        self.now = snapshot()
        self.built = 0
        self.requests: list[CommandRequest] = []
        self.asked: list[WhyRequest] = []
        self.looked: list[LookRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._moved = asyncio.Event()
        self.reply = CommandReply(0, ok=True, text="done")
        self.failure: Exception | None = None

    def snapshot(self) -> Snapshot:
        """What the core would show."""
        self.built += 1
        self.moved()
        if self.failure is not None:
            raise self.failure
        return self.now

    async def command(self, request: CommandRequest) -> CommandReply:
        """What the pump would do with a command."""
        self.requests.append(request)
        self.moved()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.reply

    async def why(self, request: WhyRequest) -> WhyReply:
        """What the machine would tell of its bars."""
        self.asked.append(request)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return WhyReply(request.id, text=f"no bars of {request.play}")

    async def look(self, request: LookRequest) -> LookReply:
        """What the machine would show."""
        self.looked.append(request)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return LookReply(request.id, text=f"nothing of {type(request.wish).__name__}")

    def moved(self) -> None:
        """Wake whoever waits in `until`."""
        self._moved.set()

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until something holds that a snapshot, a command or a line of the log brings about."""
        while not met():
            self._moved.clear()
            await self._moved.wait()

    async def heard(self, count: int) -> None:
        """Wait until so many commands came in."""
        await self.until(lambda: len(self.requests) >= count)

    async def builds(self, count: int) -> None:
        """Wait until so many more snapshots were built."""
        before = self.built
        await self.until(lambda: self.built >= before + count)

    def show(self, **sections: Any) -> None:
        """Change sections of the snapshot."""
        self.now = msgspec.structs.replace(self.now, **sections)

    def phase(self, phase: Phase, step: str = "") -> None:
        """Move the operator's phase and the flatten's step."""
        status = msgspec.structs.replace(self.now.status, phase=phase)
        self.show(status=status, flatten=FlattenSection(step=step, cancels_left=2, positions_left=1))


class Desk:
    """An engine with its server; `log` holds what the server wrote."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.engine = FakeEngine()
        self.log = CapturingLogger()
        self.server = ControlServer(
            path,
            hello=options.pop("hello", HELLO),
            snapshot=self.engine.snapshot,
            command=self.engine.command,
            why=self.engine.why,
            look=self.engine.look,
            log=structlog.wrap_logger(
                self.log,
                wrapper_class=structlog.make_filtering_bound_logger(0),
                processors=[self._notice],
            ),
            **{"rate_hz": RATE_HZ, **options},
        )

    def _notice(self, _logger: Any, _name: str, line: Any) -> Any:
        self.engine.moved()
        return line

    def logged(self) -> list[str]:
        """The names of what was logged."""
        return [call.kwargs["event"] for call in self.log.calls]

    async def link(self, **options: Any) -> SocketLink:
        """Attach a console."""
        return await SocketLink.connect(self.path, actor="test", instance="night", **options)


@asynccontextmanager
async def serving(path: Path, **options: Any):
    """Run a server, and let nothing take forever."""
    desk = Desk(path, **options)
    async with asyncio.timeout(WAIT_S), desk.server:
        yield desk


@asynccontextmanager
async def raw_client(path: Path, **options: Any):
    """A client that says what the test tells it to."""
    async with unix_connect(
        str(path),
        compression=None,
        ping_interval=None,
        max_size=SNAPSHOT_BYTES_MAX,
        close_timeout=0.2,
        **options,
    ) as connection:
        yield connection


async def receive(connection: ClientConnection, kind: Any) -> Any:
    """Read the next message and check what it is."""
    return msgspec.json.decode(await connection.recv(decode=False), type=kind)
