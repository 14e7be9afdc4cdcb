"""The venue's channels and feeds as they are: breakers, outages, and what both hold, alarm and latch."""

import msgspec

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.snapshot import BreakerRow
from engine.domain.alarms import Severity
from engine.domain.commands import Command, NoticeLevel, SetTimer
from engine.domain.events import CallOutcome, Channel, ChannelReport, FeedChanged, FeedState
from engine.domain.market import NS_PER_S
from engine.domain.modes import Holder
from engine.risk.breaker import Breaker, BreakerPolicy, BreakerState
from engine.risk.causes import RiskCause

_ORDERS, _CLOSED = Channel.ORDERS, BreakerState.CLOSED  # bound once: every entry asks
REST_TIMER = "breaker."  # and the venue and channel that rest

_NOT_THERE = frozenset({FeedState.CONNECTING, FeedState.DISCONNECTED})

# The adapter tries these again by itself, so they hold until one of its calls went well. Submits wait for
# an entry, and market data for the feed: the first is tried by one order, the second has its own holder.
_SELF_PROBING = frozenset({Channel.PRIVATE, Channel.QUERIES})


class FeedOutage(msgspec.Struct, frozen=True):
    """A feed that is not connected, since when (ns UTC) and why."""

    feed: str
    since: int
    text: str = ""
    channel: Channel = Channel.MARKET


class ChannelsState(msgspec.Struct, frozen=True):
    """Channels and feeds as a checkpoint holds them."""

    breakers: tuple[Breaker, ...] = ()
    outages: tuple[FeedOutage, ...] = ()


class Channels:
    """Follows what adapters report of their calls and streams."""

    def __init__(
        self, policy: BreakerPolicy, authority: Authority, board: Board, outbox: list[Command]
    ) -> None:
        self._policy, self._authority, self._board, self._outbox = policy, authority, board, outbox
        self._breakers: dict[str, Breaker] = {}
        self._outages: dict[str, FeedOutage] = {}

    def on_report(self, report: ChannelReport, now: int) -> None:
        """Take in how a call went."""
        name = f"{report.venue} {report.channel}"
        before = self._breakers.get(name) or Breaker(venue=report.venue, channel=report.channel, since=now)
        match report.outcome:
            case CallOutcome.OK:
                self._change(name, before, before.after_success(now), now)
            case CallOutcome.TRANSIENT | CallOutcome.RATE_LIMITED:
                text = report.text or report.outcome.value.replace("_", " ")
                self._change(name, before, before.after_failure(now, text, self._policy), now)
                self._look_at_outage(name, self._breakers[name], now)
            case CallOutcome.AUTH:
                self._breakers[name] = before
                text = f"{report.venue} refuses our keys on {report.channel}: {report.text}".rstrip(": ")
                self._authority.latch_risk(RiskCause.AUTH, now, text)

    def on_rested(self, timer_id: str, now: int) -> None:
        """A breaker's cool-down is over: one call may tell, or calls that went well meanwhile have."""
        name = timer_id.removeprefix(REST_TIMER)
        before = self._breakers.get(name)
        if before is not None:
            self._change(name, before, before.after_rest(now), now)

    def on_feed(self, event: FeedChanged, now: int) -> None:
        """Say how a feed is, and remember since when it is gone."""
        level = NoticeLevel.WARNING if event.state is FeedState.DISCONNECTED else NoticeLevel.INFO
        text = " ".join(part for part in (event.feed, event.state, event.text) if part)
        self._board.notice(now, level, "feed", text)
        if event.state in _NOT_THERE:
            outage = FeedOutage(event.feed, now, event.text, event.channel)
            self._outages.setdefault(event.feed, outage)
        elif self._outages.pop(event.feed, None) is not None:
            self._board.clear_alarm(_gone(event.feed))

    def look(self, now: int) -> None:
        """Look at what no event tells of: how long channels and feeds have been gone."""
        for outage in self._outages.values():
            self._weigh(outage.feed, outage.since, outage.text, now)
        for name, breaker in self._breakers.items():
            if breaker.state is BreakerState.OPEN and breaker.broken_since:
                self._weigh(name, breaker.broken_since, breaker.text, now)

    def gone_since(self, now: int) -> int:
        """Return since when the channel or feed that is gone longest has been so, now where none is."""
        feeds = [outage.since for outage in self._outages.values()]
        broken = (b for b in self._breakers.values() if b.state is BreakerState.OPEN and b.broken_since)
        return min((*feeds, *(breaker.broken_since for breaker in broken)), default=now)

    @property
    def unheard(self) -> str:
        """Why nobody tells what becomes of our orders, empty where the stream that does so stands."""
        gone = [outage for outage in self._outages.values() if outage.channel is Channel.PRIVATE]
        return f"orders and fills are not heard: {gone[0].text}".rstrip(": ") if gone else ""

    @property
    def orders(self) -> BreakerState:
        """The breaker of the channel that orders go by."""
        for breaker in self._breakers.values():
            if breaker.channel is _ORDERS:
                return breaker.state
        return _CLOSED

    def rows(self) -> tuple[BreakerRow, ...]:
        """Return each channel that was heard of, for the screen."""
        return tuple(_row(breaker) for breaker in self._breakers.values())

    def _change(self, name: str, before: Breaker, after: Breaker, now: int) -> None:
        self._breakers[name] = after
        if not after.broken_since:
            self._board.clear_alarm(_gone(name))
        if after.state is before.state:
            return
        rest_s = self._policy.cooldown_s
        match after.state:
            case BreakerState.OPEN:
                self._outbox.append(SetTimer(f"{REST_TIMER}{name}", now + round(rest_s * NS_PER_S)))
                text = (
                    f"{name} is not working, rests {rest_s:g} s; {len(after.failures)} failures, the last: "
                )
                self._board.notice(now, NoticeLevel.WARNING, "breaker", text + after.text)
            case BreakerState.HALF_OPEN:
                self._board.notice(now, NoticeLevel.INFO, "breaker", f"{name} is tried again")
            case BreakerState.CLOSED:
                self._board.notice(now, NoticeLevel.GOOD, "breaker", f"{name} works again")
        self._hold(now)

    def _hold(self, now: int) -> None:
        """Hold for as long as a channel that orders depend on is not to be trusted."""
        held = " ".join(
            f"{b.venue}/{b.channel}"
            for b in self._breakers.values()
            if (b.channel in _SELF_PROBING and b.state is not BreakerState.CLOSED)
            or (b.channel is Channel.ORDERS and b.state is BreakerState.OPEN)
        )
        self._authority.hold(Holder.BREAKER, now, symbol="", detail=held, held=bool(held))

    def _look_at_outage(self, name: str, breaker: Breaker, now: int) -> None:
        if breaker.state is BreakerState.OPEN:
            self._weigh(name, breaker.broken_since, breaker.text, now)

    def _weigh(self, name: str, since: int, why: str, now: int) -> None:
        """Alarm and latch where something has been gone for too long."""
        gone_s = (now - since) / NS_PER_S
        tail = f": {why}" if why else ""
        if gone_s >= self._policy.alarm_after_s:
            text = f"{name} has been gone for more than {self._policy.alarm_after_s:g} s{tail}"
            self._board.raise_alarm(_gone(name), Severity.CRITICAL, text, now)
        if gone_s >= self._policy.outage_latch_s:
            text = f"{name} was gone for more than {self._policy.outage_latch_s:g} s{tail}"
            self._authority.latch_risk(RiskCause.OUTAGE, now, text)

    # checkpoint

    def state(self) -> ChannelsState:
        """Return all that a checkpoint needs."""
        return ChannelsState(tuple(self._breakers.values()), tuple(self._outages.values()))

    def restore(self, state: ChannelsState) -> None:
        """Take up a checkpoint's state."""
        self._breakers = {f"{b.venue} {b.channel}": b for b in state.breakers}
        self._outages = {outage.feed: outage for outage in state.outages}

    def begin_anew(self) -> None:
        """Forget what ended with the run before: channels and feeds are looked at afresh."""
        for name in (*self._breakers, *self._outages):
            self._board.clear_alarm(_gone(name))
        self._breakers.clear()
        self._outages.clear()


def _gone(name: str) -> str:
    return f"gone:{name}"


def _row(breaker: Breaker) -> BreakerRow:
    return BreakerRow(
        venue=breaker.venue,
        channel=breaker.channel,
        state=breaker.state,
        since=breaker.since,
        failures=len(breaker.failures),
        broken_since=breaker.broken_since,
        text=breaker.text,
    )
