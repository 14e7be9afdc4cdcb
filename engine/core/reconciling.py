"""Reconciliation at work: asks the venue at the start, after a reconnect and at intervals."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.channels import Channels
from engine.core.recalling import adopted, recall, unplanned
from engine.core.trading import Trading
from engine.domain.alarms import Severity
from engine.domain.commands import Command, NoticeLevel, QueryOrder, QueryVenue, SetTimer
from engine.domain.events import Event, OrderReport, OrderTimedOut, Recalled, VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.modes import Holder
from engine.domain.money import ZERO, canonical
from engine.domain.orders import OrderState
from engine.domain.positions import Position
from engine.execution.desk import Desk, describe
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.execution.ledger import Ledger
from engine.execution.reconcile import Difference, diff, flaw, settled, trimmed_to

RECONCILE_TIMER = "reconcile"
PROBE_TIMER = "probe"
PROBE_NS = 2_000_000_000
PROBES_MAX = 5  # in a row; then a person is told, and asking goes on with every reconciliation
FAILURES_MAX = 3
GAP_REPORTS = 2  # a position must differ in so many reports before the books are corrected
FOREIGN_MAX = 100  # remembered, so that each is told once
_STRAY = "stray:"
_SENT = frozenset({OrderState.PENDING, OrderState.SUBMITTED})
_UNSETTLED = frozenset({OrderState.PENDING, OrderState.SUBMITTED, OrderState.UNKNOWN})


class ReconcilingState(msgspec.Struct, frozen=True, kw_only=True):
    """Reconciliation as a checkpoint holds it. `request_id` is negative: a flatten numbers its own upward."""

    request_id: int = 0
    asked: int = 0  # ns UTC
    answered: bool = True
    failures: int = 0  # in a row
    probes: dict[str, int] = {}  # client ids that are asked about, and how often they were
    gaps: dict[str, int] = {}  # symbols whose position differs, and in how many reports in a row
    moved: dict[str, int] = {}  # when (ns) each symbol's position moved last
    foreign: tuple[str, ...] = ()  # venue ids of others' orders that were told
    compared: int = 0  # ns UTC: the question whose answer all positions were held against last


class Reconciler:
    """Compares our books with the venue's. `take` handles an event as if the venue had sent it."""

    def __init__(
        self,
        interval_ns: int,
        positions_ns: int,
        *,
        ids: IdSpace,
        desk: Desk,
        ledger: Ledger,
        trading: Trading,
        authority: Authority,
        channels: Channels,
        board: Board,
        outbox: list[Command],
        take: Callable[[Event, int], None],
    ) -> None:
        self._interval_ns, self._positions_ns = interval_ns, positions_ns
        self._ids, self._desk, self._ledger = ids, desk, ledger
        self._trading, self._authority, self._board = trading, authority, board
        self._channels = channels
        self._outbox, self._take = outbox, take
        self.state = ReconcilingState()

    def begin(self, now: int) -> None:
        """Let nothing in until books and venue were compared: at a start, and when a stream breaks or stands.

        While the stream of our orders is gone, no comparison is enough: it is old as soon as it is made.
        """
        if self._interval_ns:
            self._hold(now, self._channels.unheard or "the books are being compared with the venue")
            self.state = msgspec.structs.replace(self.state, compared=0)
            self._ask(now)

    def on_timer(self, now: int) -> None:
        """Ask again; a venue that has not answered since the last time does not answer."""
        if not self.state.answered:
            self._fail("it did not answer", now)
        self._ask(now)

    def on_moved(self, symbol: str, now: int) -> None:
        """A fill was booked: reports that were asked for before say nothing of this position."""
        if self._interval_ns:
            self.state = msgspec.structs.replace(self.state, moved=self.state.moved | {symbol: now})

    def on_report(self, report: VenueReport, now: int) -> None:
        """Take the venue's word, or say why it cannot be believed; older answers do not count."""
        if report.request_id != self.state.request_id or self.state.answered:
            return
        self.state = msgspec.structs.replace(self.state, answered=True)
        why = flaw(report, self._desk.book)
        if why:
            self._fail(why, now)
            return
        self._adopt(report, now)
        asked = self.state.asked
        difference = diff(self._desk.book, report, asked=asked, owns=self._ids.owns)
        for listed in difference.trimmed:
            self._trim(listed.client_id, listed.qty, now)
        self._take_all(difference.events, now)
        self._tell(difference, now)
        self._clear_strays(report)
        for client_id in difference.uncanceled:
            self._cancel_again(client_id, now)
        for client_id in difference.unexplained:
            self._probe(client_id, now)
        # A difference is looked at again with every report until it is settled.
        if self.state.gaps or asked - self.state.compared >= self._positions_ns:
            self._compare_positions(report, now)
        self._trading.following.reprotect(now)
        self.state = msgspec.structs.replace(self.state, failures=0)
        self._board.clear_alarm("reconcile")
        unheard = self._channels.unheard
        self._authority.hold(Holder.RECONCILING, now, symbol="", detail=unheard, held=bool(unheard))

    def on_recalled(self, event: Recalled, now: int) -> None:
        """Take up what the journal knows and the recovered state does not."""
        following = self._trading.following
        new = recall(event, now, ids=self._ids, desk=self._desk, trading=self._trading, take=self._take)
        if new:
            text = f"{new} orders of the last moments were taken from the journal"
            self._board.notice(now, NoticeLevel.WARNING, "recovery", text)
        following.reprotect(now)
        for position in unplanned(self._ledger, self._trading):
            play, symbol = position.play, position.symbol
            text = f"{symbol} of {play} has no stop: what was planned for it is lost"
            self._board.raise_alarm(f"unprotected:{play}:{symbol}", Severity.CRITICAL, text, now)

    def on_order_report(self, report: OrderReport, now: int) -> None:
        """Take what the venue says of one order.

        That it does not know it is no evidence: an order that was never answered is UNKNOWN then, and every
        other one stays what it is.
        """
        order = self._desk.book.get(report.client_id)
        if order is None or not order.state.is_open:
            self.forget(report.client_id)
            return
        events = settled(order, report, self._desk.book)
        qty = trimmed_to(order, report)
        if qty is not None:
            self._trim(order.client_id, qty, now)
        self._take_all(events, now)
        if events or qty is not None:
            self.forget(report.client_id)
            self._trading.following.reprotect(now)
        elif report.order is None and report.complete and order.state in _SENT:
            self._take(OrderTimedOut(now, report.client_id), now)

    def probe(self, client_id: str, now: int) -> None:
        """Ask about an order that got no answer, or that the venue would not cancel."""
        order = self._desk.book.get(client_id)
        if self._interval_ns and order is not None and order.state.is_open:
            self._probe(client_id, now)

    def on_probe(self, now: int) -> None:
        """Ask again about what is not settled yet, within the budget."""
        for client_id in tuple(self.state.probes):
            order = self._desk.book.get(client_id)
            if order is None or not order.state.is_open:
                self.forget(client_id)
            elif self.state.probes[client_id] < PROBES_MAX:
                self._probe(client_id, now)
            else:
                text = (
                    f"{describe(order.request)} ({client_id}) is {order.state}, and the venue was asked "
                    f"{PROBES_MAX} times: it may be live. "
                    f"Look there; if it is not, `trader-tui resolve {client_id} dead`"
                )
                self._board.raise_alarm(_unsettled(client_id), Severity.CRITICAL, text, now)

    def is_unsettled(self, client_id: str) -> bool:
        """Tell whether the venue was asked about an open order as often as it is, and left it open."""
        order = self._desk.book.get(client_id)
        told = any(alarm.id == _unsettled(client_id) for alarm in self._board.alarms())
        return told and order is not None and order.state.is_open

    # asking

    def _ask(self, now: int) -> None:
        request_id = self.state.request_id - 1
        self.state = msgspec.structs.replace(self.state, request_id=request_id, asked=now, answered=False)
        self._outbox += [QueryVenue(request_id), SetTimer(RECONCILE_TIMER, now + self._interval_ns)]

    def _probe(self, client_id: str, now: int) -> None:
        """Ask about an open order; past the budget only now and not again in a moment."""
        order = self._desk.book.get(client_id)
        assert order is not None, "only orders of the book are asked about"
        self._outbox.append(QueryOrder(client_id, order.request.symbol))
        tries = self.state.probes.get(client_id, 0)
        if tries < PROBES_MAX:
            probes = self.state.probes | {client_id: tries + 1}
            self.state = msgspec.structs.replace(self.state, probes=probes)
            self._outbox.append(SetTimer(PROBE_TIMER, now + PROBE_NS))

    def forget(self, client_id: str) -> None:
        """Ask no more about an order, and end its alarm."""
        left = {key: tries for key, tries in self.state.probes.items() if key != client_id}
        self.state = msgspec.structs.replace(self.state, probes=left)
        self._board.clear_alarm(_unsettled(client_id))

    def _fail(self, why: str, now: int) -> None:
        failures = self.state.failures + 1
        self.state = msgspec.structs.replace(self.state, failures=failures)
        text = f"books and venue could not be compared: {why}"
        self._board.notice(now, NoticeLevel.WARNING, "reconcile", text)
        if failures >= FAILURES_MAX:
            self._hold(now, text)
            self._board.raise_alarm("reconcile", Severity.CRITICAL, text, now)

    def _hold(self, now: int, why: str) -> None:
        self._authority.hold(Holder.RECONCILING, now, symbol="", detail=why)

    # correcting

    def _take_all(self, events: tuple[Event, ...], now: int) -> None:
        following = self._trading.following
        following.suspended = True
        for event in events:
            text = f"the venue tells what did not reach us: {type(event).__name__} {_told(event)}"
            self._board.notice(now, NoticeLevel.WARNING, "reconcile", text)
            self._take(event, now)
        following.suspended = False

    def _trim(self, client_id: str, qty: Decimal, now: int) -> None:
        """Take the venue's quantity of an order that only reduces; its fills may be all of it."""
        order = self._desk.book.get(client_id)
        assert order is not None, "only orders of the book are compared"
        order = self._desk.trim(order, qty, now)
        if not order.state.is_open:
            self._trading.on_unfilled(order, now)
            self._authority.flatten.on_unfilled(order, now)

    def _adopt(self, report: VenueReport, now: int) -> None:
        """Take up what was sent while the disk failed and forgotten by a crash: reductions only."""
        plays = (*(runner.binding.spec.name for runner in self._trading.runners), FLATTEN_PLAY)
        for order in adopted(report, desk=self._desk, ids=self._ids, plays=plays):
            self._desk.book.recall(order)
            text = f"{describe(order.request)} ({order.client_id}) is ours, and only the venue knew of it"
            self._board.notice(now, NoticeLevel.WARNING, "reconcile", text, order.request.symbol)

    def _tell(self, difference: Difference, now: int) -> None:
        for stray in difference.strays:
            text = f"order {stray.client_id} ({stray.venue_id}) is live at the venue and not in our books"
            self._board.raise_alarm(f"{_STRAY}{stray.client_id}", Severity.CRITICAL, text, now)
        known = self.state.foreign
        new = tuple(o.venue_id for o in difference.foreign if o.venue_id not in known)
        for venue_id in new:
            text = f"order {venue_id} at the venue is not ours; it is left alone"
            self._board.notice(now, NoticeLevel.INFO, "foreign", text)
        if new:
            self.state = msgspec.structs.replace(self.state, foreign=(*known, *new)[-FOREIGN_MAX:])

    def _clear_strays(self, report: VenueReport) -> None:
        """End the alarms of strays that are gone, or that our books hold by now."""
        live = {listed.client_id for listed in report.orders} - self._desk.book.open.keys()
        for alarm in self._board.alarms():
            if alarm.id.startswith(_STRAY) and alarm.id.removeprefix(_STRAY) not in live:
                self._board.clear_alarm(alarm.id)

    def _cancel_again(self, client_id: str, now: int) -> None:
        order = self._desk.on_cancel_rejected(client_id, now)
        if order is not None:
            self._desk.cancel(order, now)

    def _compare_positions(self, report: VenueReport, now: int) -> None:
        shown = {position.symbol: position.qty for position in report.positions}
        gaps: dict[str, int] = {}
        waits = False
        for symbol in self._desk.instruments:
            ours, theirs = self._ledger.net_qty(symbol), shown.get(symbol, ZERO)
            if ours == theirs:
                self._board.clear_alarm(f"position:{symbol}")
                if not self._may_move(symbol):
                    self._net(symbol, now)
            elif self._may_move(symbol):
                waits = True
            else:
                gaps[symbol] = self.state.gaps.get(symbol, 0) + 1
                text = f"{symbol}: the venue shows {canonical(theirs)}, our books {canonical(ours)}"
                self._board.raise_alarm(f"position:{symbol}", Severity.CRITICAL, text, now)
                if gaps[symbol] >= GAP_REPORTS:
                    self._correct(symbol, ours, theirs, now, report.ts)
        compared = self.state.compared if waits else self.state.asked
        self.state = msgspec.structs.replace(self.state, gaps=gaps, compared=compared)

    def _may_move(self, symbol: str) -> bool:
        """Tell whether a difference may pass: fills since the question, orders without an answer."""
        if self.state.moved.get(symbol, 0) >= self.state.asked:
            return True
        orders = self._desk.book.open_orders()
        return any(o.request.symbol == symbol and o.state in _UNSETTLED for o in orders)

    def _correct(self, symbol: str, ours: Decimal, theirs: Decimal, now: int, as_of: int) -> None:
        """Write off what the venue does not have; what it has beyond our books is not ours."""
        kept = theirs if ours * theirs > 0 else ZERO
        excess = abs(ours) - abs(kept)
        for position in self._ledger.open_positions():
            if position.symbol == symbol and position.qty * ours > 0 and excess > ZERO:
                qty = min(abs(position.qty), excess)
                excess -= qty
                self._desk.write_off(position, now, as_of, qty.copy_sign(position.qty))
                self._follow(position, now)

    def _net(self, symbol: str, now: int) -> None:
        """Book what a flatten closed beyond a play's books against the play's late fills.

        The venue holds their sum only. What a flatten found there before its fill reached our books it closed
        under its own name.
        """
        closed = self._ledger.position(FLATTEN_PLAY, symbol)
        for position in self._ledger.open_positions():
            if position.symbol != symbol or position.qty * closed.qty >= ZERO:
                continue
            qty = min(abs(position.qty), abs(closed.qty)).copy_sign(position.qty)
            price = self._desk.instruments[symbol].price(self._ledger.mark_of(symbol))
            self._desk.correct(position.play, symbol, -qty, price, now)
            closed = self._desk.correct(FLATTEN_PLAY, symbol, qty, price, now)
            text = (
                f"{canonical(qty)} {symbol} of {position.play}: a flatten closed it before its fill was known"
            )
            self._board.notice(now, NoticeLevel.WARNING, "adjustment", text, symbol)
            self._follow(position, now)

    def _follow(self, position: Position, now: int) -> None:
        """Let the plays follow corrected books; a position that is gone needs its orders no more."""
        self._trading.follow_books()
        if self._ledger.position(position.play, position.symbol).is_flat:
            self._desk.cancel_all(now, *OrderRole, play=position.play, symbol=position.symbol)


def _told(event: Event) -> str:
    return str(getattr(event, "client_id", ""))


def _unsettled(client_id: str) -> str:
    return f"unsettled:{client_id}"
