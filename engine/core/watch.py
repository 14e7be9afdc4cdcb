"""How well orders, venue and clock do: what is measured of them, and the risk mode that it latches."""

from collections import deque
from math import fsum

import msgspec

from engine.core.authority import Authority
from engine.core.market import Market
from engine.core.policy import Policy
from engine.domain.events import CallOutcome, Channel, ChannelReport, ClockChecked
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.orders import Order, OrderKind, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.execution.book import OrderBook
from engine.execution.ledger import Ledger
from engine.risk.causes import RiskCause

SAMPLES_KEPT = 100  # fills and answers; as many as a limit may look back on
RETRIES_KEPT = 1_000
_BPS = 10_000.0
_MARKET = OrderKind.MARKET
_NOT_THE_VENUES_FAULT = frozenset(
    {
        Reason.POST_ONLY_WOULD_TAKE,
        Reason.POSITION_CLOSED,
        Reason.REDUCE_ONLY_WOULD_INCREASE,
        Reason.LATCHED,
        Reason.NOT_JOURNALED,
        Reason.IOC_REMAINDER,
        Reason.FOK_UNFILLED,
    }
)
_FAILED = frozenset({CallOutcome.TRANSIENT, CallOutcome.RATE_LIMITED})


class WatchState(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured as a checkpoint holds it, oldest first; `compared` is 0 before the first look."""

    slips_bps: tuple[float, ...] = ()
    refused: tuple[bool, ...] = ()
    failed: tuple[int, ...] = ()
    compared: int = 0
    clock_offset_ms: float = 0.0
    expected: dict[str, float] = {}


class Watch:
    """Measures, and latches a risk mode where a limit is reached.

    `compares` tells whether books and venue are compared at intervals at all: not on a tape.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        market: Market,
        ledger: Ledger,
        book: OrderBook,
        authority: Authority,
        compares: bool,
    ) -> None:
        self._policy, self._market, self._ledger, self._book = policy, market, ledger, book
        self._authority, self._compares = authority, compares
        self._expected: dict[str, float] = {}  # marks at which orders at market left, until they end
        self._slips: deque[float] = deque(maxlen=SAMPLES_KEPT)
        self._refused: deque[bool] = deque(maxlen=SAMPLES_KEPT)
        self._failed: deque[int] = deque(maxlen=RETRIES_KEPT)
        self._compared = 0
        self.clock_offset_ms = 0.0

    # what happens

    def on_sent(self, client_id: str) -> None:
        """An order leaves for the venue: one at market is expected to trade at the mark."""
        order = self._book.get(client_id)
        if order is not None and order.request.kind is _MARKET and order.state.is_open:
            self._expected[client_id] = self._ledger.mark_of(order.request.symbol)

    def on_ended(self, order: Order) -> None:
        """An order ended without all of its fills."""
        self._expected.pop(order.client_id, None)

    def on_fill(self, order: Order, fill: Fill, now: int) -> None:
        """Measure how much worse than expected an order traded that takes what it finds."""
        request = order.request
        expected = float(request.trigger or 0) or self._expected.get(order.client_id, 0.0)
        if not order.state.is_open:
            self.on_ended(order)
        if not expected or request.role is OrderRole.FLATTEN:
            return
        self._slips.append((float(fill.price) / expected - 1.0) * _BPS * fill.side.sign)
        most, slip = self._policy.limits.slippage_max_bps, self.slippage_bps()
        if most is not None and slip is not None and slip >= most:
            text = f"slippage={slip:.1f}bps over {self._policy.limits.slippage_fills} fills limit={most:g}bps"
            self._authority.latch_risk(RiskCause.SLIPPAGE, now, text)

    def on_ack(self) -> None:
        """The venue took an order."""
        self._refused.append(False)

    def on_reject(self, reason: Reason, now: int) -> None:
        """The venue refused an order."""
        if reason in _NOT_THE_VENUES_FAULT:
            return
        self._refused.append(True)
        most, part = self._policy.limits.reject_max_percent, self.reject_percent()
        if most is not None and part is not None and part >= most:
            text = f"rejects={part:.0f}% of {self._policy.limits.reject_orders} orders limit={most:g}%"
            self._authority.latch_risk(RiskCause.REJECTS, now, text)

    def on_channel(self, report: ChannelReport, now: int) -> None:
        """Count a call that failed and is tried again."""
        if report.channel is not Channel.MARKET and report.outcome in _FAILED:
            self.on_failed(now)

    def on_failed(self, now: int) -> None:
        """Count a call that failed, or that got no answer."""
        self._failed.append(now)
        most, count = self._policy.limits.retries_max, self.retries(now)
        if most is not None and count >= most:
            text = f"retries={count} in {self._policy.limits.retries_window_s:g}s limit={most}"
            self._authority.latch_risk(RiskCause.RETRIES, now, text)

    def on_compared(self, now: int, *, whole: bool) -> None:
        """Books and venue were compared."""
        if whole:
            self._compared = now

    def on_clock(self, event: ClockChecked, now: int) -> None:
        """Take what the venue's clock says of ours."""
        self.clock_offset_ms = event.offset_ms
        most = self._policy.limits.clock_offset_max_ms
        if most is not None and abs(event.offset_ms) >= most:
            text = f"offset={event.offset_ms:+.0f}ms limit={most:g}ms: set the clock of this machine"
            self._authority.latch_risk(RiskCause.CLOCK_OFFSET, now, text)

    def look(self, now: int) -> None:
        """Look at what no event tells of: how old silence, unknown orders and the last comparison are."""
        self._compared = self._compared or now
        limits = self._policy.limits
        ages = (
            (RiskCause.STALE_DATA, self.silence_s(now), limits.data_silence_max_s),
            (RiskCause.UNKNOWN_ORDER, self.unknown_s(now), limits.unknown_order_max_s),
            (RiskCause.RECONCILE_LAG, self.lag_s(now), limits.reconcile_lag_max_s),
        )
        for cause, age_s, most_s in ages:
            if most_s is not None and age_s >= most_s:
                self._authority.latch_risk(cause, now, f"age={age_s:.0f}s limit={most_s:g}s")

    # what is measured

    def slippage_bps(self) -> float | None:
        """Return the mean of the last fills, None before there are enough of them."""
        count = self._policy.limits.slippage_fills
        if len(self._slips) < count:
            return None
        return fsum(self._slips[number] for number in range(-count, 0)) / count

    def reject_percent(self) -> float | None:
        """Return which part of the last orders was refused, None before there are enough of them."""
        count = self._policy.limits.reject_orders
        if len(self._refused) < count:
            return None
        return 100.0 * sum(self._refused[number] for number in range(-count, 0)) / count

    def retries(self, now: int) -> int:
        """Return how many calls failed within the window."""
        since = now - round(self._policy.limits.retries_window_s * NS_PER_S)
        return sum(at > since for at in self._failed)

    def silence_s(self, now: int) -> float:
        """Return how long the most silent symbol that ever spoke has had no data."""
        ages = (self._market.age_ns(symbol, now) for symbol in self._market.symbols())
        return max((age for age in ages if age is not None), default=0) / NS_PER_S

    def unknown_s(self, now: int) -> float:
        """Return the age of the oldest order that is UNKNOWN."""
        orders = self._book.open.values()
        ages = (now - order.updated for order in orders if order.state is OrderState.UNKNOWN)
        return max(ages, default=0) / NS_PER_S

    def lag_s(self, now: int) -> float:
        """Return the time since books and venue were compared as a whole, or since somebody looked first."""
        return (now - self._compared) / NS_PER_S if self._compared and self._compares else 0.0

    # the person and the checkpoint

    def forgive(self) -> None:
        """Measure anew: a person has set the risk mode back and said why."""
        self._slips.clear()
        self._refused.clear()
        self._failed.clear()

    def begin_anew(self) -> None:
        """Forget what a run that ended measured of venue and clock."""
        self._failed.clear()
        self._compared, self.clock_offset_ms = 0, 0.0

    def state(self) -> WatchState:
        """Return all that a checkpoint needs."""
        return WatchState(
            slips_bps=tuple(self._slips),
            refused=tuple(self._refused),
            failed=tuple(self._failed),
            compared=self._compared,
            clock_offset_ms=self.clock_offset_ms,
            expected=dict(self._expected),
        )

    def restore(self, state: WatchState) -> None:
        """Take up a checkpoint's state."""
        self._slips.extend(state.slips_bps)
        self._refused.extend(state.refused)
        self._failed.extend(state.failed)
        self._expected = dict(state.expected)
        self._compared, self.clock_offset_ms = state.compared, state.clock_offset_ms
