"""A link that plays snapshots, and builders for them: the console's whole world in tests and pictures."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from engine.api import (
    AccountSection,
    Action,
    Alarm,
    BreakerRow,
    BreakerState,
    BudgetRow,
    Channel,
    CommandReply,
    EarlierVersion,
    FeedRow,
    FeeRow,
    FlattenSection,
    GateRow,
    GateStatus,
    Goodbye,
    HealthSection,
    Hello,
    Hold,
    Holder,
    LookReply,
    Mode,
    Notice,
    NoticeLevel,
    OrderKind,
    OrderRole,
    OrderRow,
    OrderState,
    Phase,
    ReloadRow,
    RiskMode,
    Rung,
    Severity,
    Side,
    SignalKind,
    SignalRow,
    Snapshot,
    StatusSection,
    TickRow,
    TwinRow,
    VenueSection,
    WhyReply,
    Wish,
)
from tests import console_positions

S, NOW = console_positions.S, console_positions.NOW
POSITIONS, OPEN_RISK = console_positions.POSITIONS, console_positions.OPEN_RISK
SYMBOLS = (
    ("BTCUSDT", 61_234.5, 1),
    ("ETHUSDT", 2_684.31, 2),
    ("SOLUSDT", 162.407, 3),
    ("XRPUSDT", 0.61234, 5),
)
FEES = tuple(FeeRow(symbol, Decimal("0.0002"), Decimal("0.0005")) for symbol, _, _ in SYMBOLS)


def status(**changes: Any) -> StatusSection:
    """An armed paper engine."""
    base = StatusSection(
        mode=Mode.PAPER,
        instance="default",
        phase=Phase.ARMED,
        paused=False,
        risk_mode=RiskMode.NORMAL,
        rung=Rung.FULL,
        holds=(),
        now=NOW,
        plays=("ema_cross", "canary"),
        confirm_name="paper",
        data_ended=False,
        earlier=(EarlierVersion("canary", 16, "5e1c" * 16, 17, "3fa0" * 16),),
    )
    return msgspec.structs.replace(base, **changes)


def disarmed(**changes: Any) -> StatusSection:
    """The same engine before anybody armed it."""
    hold = Hold(Holder.DISARMED, "", NOW - 95 * S)
    return status(phase=Phase.DISARMED, rung=Rung.REDUCE, holds=(hold,), **changes)


def account(**changes: Any) -> AccountSection:
    """An account that is a little ahead."""
    base = AccountSection(
        currency="USDT",
        start_equity=Decimal(10_000),
        equity=Decimal("10124.22"),
        realized=Decimal("38.10"),
        unrealized=Decimal("98.44"),
        fees=Decimal("12.32"),
        day_pnl=Decimal("124.22"),
        drawdown=0.0041,
        fills=37,
        trades=18,
        signals=52,
    )
    return msgspec.structs.replace(base, **changes)


def history(base: float, length: int = 60, phase: float = 0.0) -> tuple[float, ...]:
    """A smooth path that looks like a market."""
    return tuple(
        base * (1 + 0.004 * math.sin(i / 7 + phase) + 0.002 * math.sin(i / 2.3 + phase * 2))
        for i in range(length)
    )


def ticks(step: int = 0) -> tuple[TickRow, ...]:
    """Four symbols; `step` moves them."""
    rows = []
    for index, (symbol, base, digits) in enumerate(SYMBOLS):
        price = base * (1 + 0.001 * math.sin(step / 3 + index))
        half = base * 0.00004 * (index + 1)
        change = (0.0123, -0.0087, 0.0, 0.0411)[index] + 0.0001 * (step % 7)
        rows.append(
            TickRow(
                symbol=symbol,
                ts=NOW + step * S // 10 - index * 130_000_000,
                price=round(price, digits),
                bid=round(price - half, digits),
                ask=round(price + half, digits),
                change=change,
                volume=1234.5 * (index + 1),
                price_digits=digits,
                history=(*history(base, phase=index), price),
            )
        )
    return tuple(rows)


def signal(
    age_s: int, play: str, symbol: str, side: Side, kind: SignalKind, price: float, why: str = ""
) -> SignalRow:
    """One signal, `age_s` ago."""
    ts = NOW - age_s * S
    reason = why.split(" ", 1)[0] if why else ""
    return SignalRow(ts, play, symbol, side, kind, price, 0.75, f"{play}@{ts // 1_000_000}", reason, why)


SIGNALS = (
    signal(422, "canary", "BTCUSDT", Side.BUY, SignalKind.ENTRY, 61_180.2),
    signal(
        391, "ema_cross", "ETHUSDT", Side.SELL, SignalKind.ENTRY, 2_690.1, "LADDER rung=REDUCE holder=PAUSED"
    ),
    signal(330, "canary", "BTCUSDT", Side.SELL, SignalKind.EXIT, 61_222.0),
    signal(271, "canary", "SOLUSDT", Side.BUY, SignalKind.ENTRY, 162.113),
    signal(
        240,
        "ema_cross",
        "XRPUSDT",
        Side.BUY,
        SignalKind.ENTRY,
        0.61102,
        "ORDER_NOTIONAL_MAX notional=6110.20 limit=5000",
    ),
    signal(180, "canary", "ETHUSDT", Side.BUY, SignalKind.ENTRY, 2_680.44),
    signal(61, "ema_cross", "BTCUSDT", Side.BUY, SignalKind.ENTRY, 61_210.9),
    signal(32, "canary", "SOLUSDT", Side.SELL, SignalKind.EXIT, 162.377, "DATA_STALE age_s=14.2 limit_s=10"),
)


def order(
    number: int, state: OrderState, symbol: str, side: Side, role: OrderRole, **changes: Any
) -> OrderRow:
    """One order; the number makes its ids and its age."""
    base = OrderRow(
        client_id=f"tt0s0me0dflt0cnry{number:04d}",
        venue_id=f"v{70_000 + number}",
        play="canary",
        symbol=symbol,
        side=side,
        role=role,
        kind=OrderKind.LIMIT,
        state=state,
        qty=Decimal("0.25"),
        filled_qty=Decimal(0),
        price=Decimal("61100.0"),
        average_price=None,
        created=NOW - number * 7 * S,
        updated=NOW - number * 6 * S,
        reason="",
    )
    return msgspec.structs.replace(base, **changes)


ORDERS = (
    order(
        1,
        OrderState.SUBMITTED,
        "SOLUSDT",
        Side.SELL,
        OrderRole.EXIT,
        kind=OrderKind.MARKET,
        price=None,
        qty=Decimal(12),
    ),
    order(2, OrderState.ACKNOWLEDGED, "BTCUSDT", Side.BUY, OrderRole.ENTRY, play="ema_cross"),
    order(
        3,
        OrderState.PARTIALLY_FILLED,
        "ETHUSDT",
        Side.BUY,
        OrderRole.ENTRY,
        qty=Decimal("1.50"),
        filled_qty=Decimal("0.60"),
        price=Decimal("2680.44"),
        average_price=Decimal("2680.40"),
    ),
    order(
        4,
        OrderState.ACKNOWLEDGED,
        "BTCUSDT",
        Side.SELL,
        OrderRole.STOP,
        kind=OrderKind.STOP,
        price=Decimal("60500.0"),
    ),
    order(
        5,
        OrderState.FILLED,
        "BTCUSDT",
        Side.BUY,
        OrderRole.ENTRY,
        filled_qty=Decimal("0.25"),
        average_price=Decimal("61099.8"),
    ),
    order(
        6,
        OrderState.CANCELED,
        "XRPUSDT",
        Side.BUY,
        OrderRole.ENTRY,
        qty=Decimal(5000),
        price=Decimal("0.60900"),
    ),
    order(
        7,
        OrderState.REJECTED,
        "SOLUSDT",
        Side.BUY,
        OrderRole.ENTRY,
        price=Decimal("162.5"),
        reason="POST_ONLY_WOULD_TAKE",
    ),
)
UNKNOWN_ORDER = order(
    9, OrderState.UNKNOWN, "ETHUSDT", Side.SELL, OrderRole.ENTRY, venue_id="", reason="NO_ANSWER"
)


GATES = (
    GateRow("venue_takes_orders", GateStatus.PASS, "simulated", ""),
    GateRow("lock_held", GateStatus.PASS, "pid 4711", ""),
    GateRow("ladder", GateStatus.PASS, "FULL", "FULL"),
    GateRow("data_fresh", GateStatus.PASS, "0.4 s", "10 s"),
    GateRow("breaker", GateStatus.PASS, "working", "working"),
    GateRow("daily_loss", GateStatus.PASS, "+124.22", "-500"),
    GateRow("open_orders", GateStatus.PASS, "4", "200"),
    GateRow("order_notional", GateStatus.PASS, "", "5,000"),
    GateRow("position_notional", GateStatus.PASS, "15,308", "20,000"),
    GateRow("play_approved", GateStatus.NOT_BUILT, "", ""),
)


def notice(age_s: int, level: NoticeLevel, kind: str, text: str, symbol: str = "") -> Notice:
    """One line, `age_s` ago."""
    return Notice(NOW - age_s * S, level, kind, text, symbol)


NOTICES = (
    notice(640, NoticeLevel.INFO, "start", "engine started in paper mode; 2 plays, 4 symbols"),
    notice(612, NoticeLevel.INFO, "arm", "armed by trader on pts/3"),
    notice(422, NoticeLevel.GOOD, "fill", "bought 0.25 at 61,099.8 for canary, fee 1.53", "BTCUSDT"),
    notice(
        391,
        NoticeLevel.WARNING,
        "veto",
        "entry of ema_cross vetoed: LADDER rung=REDUCE holder=PAUSED",
        "ETHUSDT",
    ),
    notice(352, NoticeLevel.INFO, "resume", "resumed by trader on pts/3"),
    notice(
        300,
        NoticeLevel.GOOD,
        "reload",
        "canary swapped to generation 17 (3fa09b1c), 2 of the last 40 signals differ",
    ),
    notice(181, NoticeLevel.GOOD, "fill", "sold 1.5 at 2,735.11 for ema_cross, fee 1.02", "ETHUSDT"),
    notice(120, NoticeLevel.ERROR, "reject", "venue refused an entry: POST_ONLY_WOULD_TAKE", "SOLUSDT"),
    notice(
        32, NoticeLevel.WARNING, "veto", "exit of canary vetoed: DATA_STALE age_s=14.2 limit_s=10", "SOLUSDT"
    ),
    notice(4, NoticeLevel.INFO, "checkpoint", "checkpoint 12 written in 3.1 ms"),
)
RELOADS = (
    ReloadRow(
        "canary", "configs/plays/canary.yaml", 17, "3fa09b1c77d2", "swapped", "", NOW - 300 * S, 0, 0.0
    ),
    ReloadRow(
        "ema_cross",
        "configs/plays/ema_cross.yaml",
        2,
        "9d1e44aa01bc",
        "rejected",
        "ema_cross.yaml:14: entry: unknown indicator 'emma'; did you mean ema?",
        NOW - 41 * S,
        3,
        7.0,
    ),
)
TWIN = TwinRow(
    label="canary",
    of="canary",
    play="canary",
    symbol="BTCUSDT",
    hash="ab" * 32,
    running_hash="cd" * 32,
    generation=2,
    since=1,
    bars=10,
    bars_missing=3,
    qty=Decimal("0.5"),
    entry_price=Decimal(100),
    pnl=1.25,
    running_pnl=-2.5,
    trades=1,
    signals=4,
    both=1,
    only_running=2,
    only_twin=3,
    differing=(),
    waits=True,
)
FEEDS = (FeedRow("synthetic", "connected", 104.0, 120_344, ""),)
VENUE = VenueSection(
    name="bybit",
    clock_offset_ms=-14.0,
    budgets=(BudgetRow("requests", 12, 540, 5.0, 108), BudgetRow("orders", 1, 9, 1.0, 2)),
)
ALARM = Alarm("UNPROTECTED:SOLUSDT", Severity.WARNING, NOW - 64 * S, "SOLUSDT position of canary has no stop")
HEALTH = HealthSection(
    pid=4711,
    uptime_s=642.0,
    events=641_220,
    events_per_s=1003.0,
    latency_p50_ms=0.11,
    latency_p99_ms=1.92,
    latency_p999_ms=7.4,
    loop_lag_ms=0.8,
    inbox_depth=3,
    inbox_bound=8192,
    conflated=214,
    commit_p99_ms=4.2,
    record_mb=18.4,
    checkpoint_age_s=4.0,
    rss_mb=61.0,
    session="20240808T135129Z",
    version="0.1.0",
)


def snapshot(**changes: Any) -> Snapshot:
    """A busy, healthy moment."""
    sections: dict[str, Any] = {
        "status": status(),
        "account": account(),
        "ticks": ticks(),
        "signals": SIGNALS,
        "orders": ORDERS,
        "positions": POSITIONS,
        "gates": GATES,
        "notices": NOTICES,
        "reloads": RELOADS[:1],
        "feeds": FEEDS,
        "fees": FEES,
        "health": HEALTH,
        "open_risk": OPEN_RISK,
    }
    return Snapshot(**(sections | changes))


def empty_snapshot(**changes: Any) -> Snapshot:
    """The first moment: disarmed, nothing happened."""
    flat = account(
        equity=Decimal(10_000),
        realized=Decimal(0),
        unrealized=Decimal(0),
        fees=Decimal(0),
        day_pnl=Decimal(0),
        drawdown=0.0,
        fills=0,
        trades=0,
        signals=0,
    )
    sections: dict[str, Any] = {
        "status": disarmed(),
        "account": flat,
        "ticks": ticks(),
        "feeds": FEEDS,
        "gates": GATES,
        "health": HEALTH,
        "reloads": RELOADS[:1],
    }
    return Snapshot(**(sections | changes))


def trouble_snapshot() -> Snapshot:
    """All that can be wrong at once."""
    holds = (
        Hold(Holder.PAUSED, "", NOW - 20 * S, "by trader on pts/3"),
        Hold(Holder.UNKNOWN_ORDER, "ETHUSDT", NOW - 63 * S),
        Hold(Holder.STALE, "SOLUSDT", NOW - 14 * S, "no tick for 14 s"),
        Hold(Holder.BREAKER, "", NOW - 9 * S, "bybit/orders bybit/private"),
    )
    gates = (
        GATES[0],
        GATES[1],
        GateRow("ladder", GateStatus.VETO, "REDUCE", "FULL"),
        GateRow("data_fresh", GateStatus.VETO, "14.2 s", "10 s"),
        GateRow("breaker", GateStatus.VETO, "not working", "working"),
        *GATES[5:],
    )
    return snapshot(
        status=status(
            mode=Mode.LIVE,
            paused=True,
            rung=Rung.REDUCE,
            risk_mode=RiskMode.REDUCE,
            holds=holds,
            confirm_name="main-account",
        ),
        orders=(UNKNOWN_ORDER, *ORDERS),
        open_risk=msgspec.structs.replace(OPEN_RISK, unknown=1, unknown_since=UNKNOWN_ORDER.created),
        gates=gates,
        alarms=(ALARM, Alarm("STALL", Severity.CRITICAL, NOW - 3 * S, "engine loop stalled for 2.1 s")),
        reloads=RELOADS,
        feeds=(
            FeedRow(
                *("bybit", "disconnected", 14_200.0, 120_344, ""),
                reconnects=3,
                error="connection reset",
                offset_ms=212.0,
            ),
        ),
        breakers=(
            breaker(Channel.ORDERS, BreakerState.OPEN, 5, "no answer within 30 s"),
            breaker(Channel.QUERIES),
            breaker(Channel.PRIVATE, BreakerState.HALF_OPEN, 5, "connection reset"),
        ),
        venue=msgspec.structs.replace(
            VENUE,
            clock_offset_ms=1_240.0,
            last_error="no answer within 30 s",
            budgets=(BudgetRow("requests", 530, 540, 5.0, 108), BudgetRow("orders", 9, 9, 1.0, 2)),
        ),
        health=msgspec.structs.replace(HEALTH, latency_p99_ms=31.0, inbox_depth=7900, loop_lag_ms=2100.0),
    )


def breaker(
    channel: Channel, state: BreakerState = BreakerState.CLOSED, failures: int = 0, text: str = ""
) -> BreakerRow:
    """A channel of bybit, as it has been for nine seconds."""
    since = NOW - 9 * S
    return BreakerRow("bybit", channel, state, since, failures, since if failures else 0, text)


def venue_snapshot() -> Snapshot:
    """A sound desk on a real venue."""
    return snapshot(
        status=status(mode=Mode.DEMO),
        feeds=(FeedRow("bybit", "connected", 104.0, 120_344, "", reconnects=1, offset_ms=-12.0),),
        breakers=tuple(breaker(channel) for channel in Channel),
        venue=VENUE,
    )


def flattening_snapshot() -> Snapshot:
    """In the middle of a flatten."""
    hold = Hold(Holder.FLATTENING, "", NOW - 2 * S)
    return snapshot(
        status=status(phase=Phase.FLATTENING, rung=Rung.FLATTEN, holds=(hold,)),
        flatten=FlattenSection("closing positions", NOW - 2 * S, 1, 2, ()),
    )


class FakeLink:
    """Plays the snapshots it is given; answers commands as told; remembers everything asked of it."""

    def __init__(
        self, snapshots: Iterable[Snapshot] = (), *, pid: int = 4711, interval_s: float = 0.0
    ) -> None:
        self.hello = Hello(1, "0.1.0", pid, "default", "20240808T135129Z")
        self.console = ""  # a test that needs control gives it an id
        self.commands: list[tuple[Action, str, str]] = []
        self.asked: list[tuple[str, int, int]] = []
        self.whys: dict[str, WhyReply] = {}
        self.looked: list[Wish] = []
        self.look_error: Exception | None = None
        self.sights: dict[type[Wish], LookReply] = {}
        self.panics = 0
        self.closed = False
        self.replies: dict[Action, CommandReply] = {}
        self.panic_error: Exception | None = None
        self.why_error: Exception | None = None
        self.command_error: Exception | None = None
        self._goodbye: Goodbye | None = None
        self._queue: asyncio.Queue[Snapshot | None] = asyncio.Queue()
        self._interval_s = interval_s
        for item in snapshots:
            self._queue.put_nowait(item)

    def play(self, item: Snapshot) -> None:
        """Send one more snapshot."""
        self._queue.put_nowait(item)

    def end(self, goodbye: Goodbye | None) -> None:
        """End the stream, with a goodbye or without a word."""
        self._goodbye = goodbye
        self._queue.put_nowait(None)

    @property
    def goodbye(self) -> Goodbye | None:
        """What the engine said at its end."""
        return self._goodbye

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield what was played, until the end."""
        while (item := await self._queue.get()) is not None:
            yield item
            if self._interval_s:
                await asyncio.sleep(self._interval_s)

    async def command(self, action: Action, *, reason: str = "", argument: str = "") -> CommandReply:
        """Remember a command and answer it."""
        self.commands.append((action, reason, argument))
        if self.command_error is not None:
            raise self.command_error
        return self.replies.get(action, CommandReply(len(self.commands), True))

    async def why(self, *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
        """Remember what was asked and answer with the bars that were set."""
        self.asked.append((play, last, at))
        if self.why_error is not None:
            raise self.why_error
        return self.whys.get(play, WhyReply(1, text="no bars"))

    async def look(self, wish: Wish) -> LookReply:
        """Remember what was looked at and answer with what was set."""
        self.looked.append(wish)
        if self.look_error is not None:
            raise self.look_error
        return self.sights.get(type(wish), LookReply(1, text="nothing to see"))

    def panic(self) -> None:
        """Remember a panic."""
        self.panics += 1
        if self.panic_error is not None:
            raise self.panic_error

    async def close(self) -> None:
        """Remember that the console let go."""
        self.closed = True


async def connected(link: FakeLink) -> FakeLink:
    """Return the link, as a connect function would."""
    return link
