"""The drills: what goes wrong in each, and what is promised then."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from engine.api import Action, OrderState, TraderError
from tui.drills.promises import Report
from tui.drills.stage import SYMBOL, DrillError, Stage, a_stage

STALE_S = 2.0  # how old data may be in drills: the default of 10 s makes them longer, not different
TIMEOUT_S = 2.0  # likewise, instead of 30 s
RESTART_S = 5.0
GONE_S = 4.0  # how long a line or an exchange says nothing
NOTHING_DOUBLED = "no order reached the exchange twice"


class Drill(NamedTuple):
    """One drill."""

    name: str
    about: str
    run: Callable[[Stage], None]


def feed_drop(stage: Stage) -> None:
    """The line to the market data breaks off for some seconds."""
    stage.start_engine(limits__stale_after_s=str(STALE_S))
    stage.hold_position()
    stage.fault(on="public", do="disconnect", for_s=GONE_S)
    since = time.monotonic()
    stage.promise("the engine says that its feed is gone", 1.0, lambda: not _connected(stage), since)
    stage.promise(
        "entries are held back once data is stale", STALE_S + 2, lambda: stage.held_by("stale"), since
    )
    stage.promise("position and stop stay as they were", 1.0, stage.is_protected)
    stage.promise("data comes again after the line is back", GONE_S + 5, lambda: _connected(stage), since)
    stage.promise("what was held back for it is free again", 3.0, lambda: not stage.held_by("stale"))
    _books_agree(stage)


def stale(stage: Stage) -> None:
    """The market data stops without a word: the line stands, and nothing comes."""
    stage.start_engine(limits__stale_after_s=str(STALE_S))
    stage.hold_position()
    stage.fault(on="public", do="silent", for_s=GONE_S + 1)
    since = time.monotonic()
    stage.promise("entries are held back", STALE_S + 2, lambda: stage.held_by("stale"), since)
    stage.promise("position and stop stay as they were", 1.0, stage.is_protected)
    stage.promise(
        "it ends by itself when data comes again", GONE_S + 10, lambda: not stage.held_by("stale"), since
    )
    _books_agree(stage)


def stream_drop(stage: Stage) -> None:
    """The stream of our own orders and fills breaks off for some seconds; market data goes on."""
    stage.start_engine(breaker__cooldown_s="2")
    stage.fault(on="private", do="disconnect", for_s=GONE_S)
    since = time.monotonic()
    stage.promise("entries are held back", 1.0, lambda: stage.held_by("reconciling"), since)
    stage.arm()
    seen = _last_tick(stage)
    stage.keep("no order is sent meanwhile", GONE_S - 2, lambda: not stage.ledger()["orders"])
    stage.promise("market data went on", 0.5, lambda: _last_tick(stage) > seen)
    stage.promise(
        "the hold ends by itself once the stream stands and the books were compared",
        GONE_S + 8,
        stage.is_reconciled,
        since,
    )
    stage.promise("the play enters then", 10.0, stage.is_protected)
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())
    _books_agree(stage)


def timeout_after_submit(stage: Stage) -> None:
    """The exchange takes an order, its answer never comes, and the stream of our own orders says nothing."""
    stage.start_engine(orders__submit_timeout_s=str(TIMEOUT_S), orders__query_timeout_s=str(TIMEOUT_S))
    stage.fault(on="order.create", do="hang", effect="done", count=1)
    for topic in ("order", "execution"):
        stage.fault(on=topic, do="drop", for_s=TIMEOUT_S + 3)
    stage.arm()
    stage.promise("the order reaches the exchange", 15.0, lambda: stage.ledger()["orders"])
    since = time.monotonic()
    for question in ("order.realtime", "order.history", "execution.list"):
        stage.fault(on=question, do="status", status=503, for_s=TIMEOUT_S + 2)
    stage.promise(
        "without an answer it is UNKNOWN, and holds back entries on its symbol",
        TIMEOUT_S + 2,
        lambda: _in_state(stage, OrderState.UNKNOWN) and stage.held_by("unknown_order"),
        since,
    )
    stage.promise("the exchange's word settles it", TIMEOUT_S + 15, lambda: _holds(stage), since)
    stage.promise("the position gets its stop", 5.0, stage.is_protected)
    stage.promise("nothing is left unknown", 5.0, lambda: not _in_state(stage, OrderState.UNKNOWN))
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())
    _books_agree(stage)


def storm(stage: Stage) -> None:
    """The exchange refuses everything for its rate for some seconds, while a position is open."""
    stage.start_engine(breaker__cooldown_s="2", runtime__reconcile_s="1")
    stage.hold_position()
    stage.fault(on="*", do="status", status=429, via="rest", for_s=GONE_S + 1)
    since = time.monotonic()
    stage.promise("a breaker opens, and entries are held back", 8.0, lambda: stage.held_by("breaker"), since)
    stage.command(Action.FLATTEN, reason="a drill")
    stage.promise("a flatten asked for meanwhile begins at once", 1.0, lambda: _flattening(stage))
    stage.promise("it says FLAT once the exchange answers again", GONE_S + 25, stage.is_halted, since)
    stage.promise("the exchange holds nothing any more", 1.0, lambda: _is_flat_there(stage))
    stage.promise("the breaker closes by itself", 20.0, lambda: not stage.held_by("breaker"))
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())


def venue_restart(stage: Stage) -> None:
    """The exchange ends without a word, and comes back after a while with what it held."""
    stage.start_engine()
    stage.hold_position()
    stage.kill_exchange()
    since = time.monotonic()
    stage.promise("the engine says that it lost the exchange", 2.0, lambda: not _connected(stage), since)
    stage.keep("and goes on itself", 2.0, stage.snapshot)
    stage.open_exchange()
    back = time.monotonic()
    stage.promise("it is connected again", 20.0, lambda: _connected(stage), back)
    stage.promise("books are compared again before anything enters", 20.0, stage.is_reconciled, back)
    _books_agree(stage)
    stage.promise("the stop still rests there", 1.0, stage.is_protected)
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())


def kill9(stage: Stage) -> None:
    """The engine is killed while it holds a position, and started again."""
    stage.start_engine()
    stage.hold_position()
    before = stage.open_there()
    stage.kill_engine()
    stage.promise(
        "the stop rests at the exchange while nobody runs", 1.0, lambda: stage.open_there() == before
    )
    since = time.monotonic()
    with suppress(DrillError):
        stage.start_engine()
    stage.promise("a new start has compared its books", RESTART_S, stage.is_reconciled, since)
    _books_agree(stage)
    stage.promise("it is not armed by itself", 1.0, lambda: stage.snapshot().status.phase.value == "disarmed")
    stage.promise("position and stop are what they were", 1.0, lambda: stage.open_there() == before)
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())


def flatten(stage: Stage) -> None:
    """The kill-switch, with a position, its stop and its target."""
    stage.start_engine()
    stage.hold_position()
    since = time.monotonic()
    stage.command(Action.FLATTEN, reason="a drill")
    stage.promise("the engine is flat and halted", 5.0, stage.is_halted, since)
    stage.promise("the exchange holds no position and no order", 1.0, lambda: _is_flat_there(stage))
    stage.keep("nothing enters afterwards", 2.0, lambda: _is_flat_there(stage))
    stage.promise("arming again without a reason is refused", 1.0, lambda: _refuses_to_arm(stage))
    stage.promise(NOTHING_DOUBLED, 1.0, lambda: not stage.doubled())


DRILLS = {
    drill.name: drill
    for drill in (
        Drill("feed-drop", "the line to the market data breaks off for some seconds", feed_drop),
        Drill("stream-drop", "the stream of our own orders and fills breaks off", stream_drop),
        Drill("timeout-after-submit", "an order is taken, and its answer never comes", timeout_after_submit),
        Drill("429-storm", "everything is refused for its rate, while a position is open", storm),
        Drill("stale", "the market data stops without a word", stale),
        Drill("venue-restart", "the exchange ends and comes back", venue_restart),
        Drill("kill9", "the engine is killed with a position open", kill9),
        Drill("flatten", "the kill-switch", flatten),
    )
}


def carry_out(drill: Drill) -> Report:
    """Carry out a drill on a stage of its own."""
    with a_stage() as stage:
        error = ""
        try:
            drill.run(stage)
        except (DrillError, TraderError, OSError) as problem:
            error = str(problem)
        return Report(drill.name, drill.about, tuple(stage.promises), error)


def _holds(stage: Stage) -> bool:
    return any(position.symbol == SYMBOL and position.qty for position in stage.snapshot().positions)


def _connected(stage: Stage) -> bool:
    return all(feed.state == "connected" for feed in stage.snapshot().feeds)


def _last_tick(stage: Stage) -> int:
    return max((tick.ts for tick in stage.snapshot().ticks), default=0)


def _books_agree(stage: Stage) -> None:
    stage.promise("the engine's books are the exchange's", 5.0, stage.books_agree)


def _in_state(stage: Stage, state: OrderState) -> bool:
    return any(order.state is state for order in stage.snapshot().orders)


def _flattening(stage: Stage) -> bool:
    return stage.snapshot().status.phase.value in ("flattening", "halted")


def _is_flat_there(stage: Stage) -> bool:
    return not stage.ledger()["positions"] and not stage.open_there()


def _refuses_to_arm(stage: Stage) -> bool:
    stage.command(Action.ARM, argument=stage.snapshot().status.confirm_name)
    return stage.is_halted()
