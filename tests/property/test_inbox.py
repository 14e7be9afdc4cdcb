"""Whatever comes and however it is taken: nothing but ticks is lost, and a merged tick stands for all it holds."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.events import Action, Event, Priority, priority_of
from engine.domain.market import Bar, Quote, Trade
from engine.runtime.inbox import Inbox
from tests.builders import BTC, ETH, bar, control, fill, quote, trade

LOSSLESS_MAX = 6


@st.composite
def steps(draw):
    """Events to offer, numbered by their time, and takes (None) in between."""
    made: list[Event | None] = []
    for number in range(draw(st.integers(0, 60))):
        symbol = draw(st.sampled_from([BTC, ETH]))
        price = float(draw(st.integers(90, 110)))
        kinds = {
            "trade": lambda: trade(price, number, symbol, float(draw(st.integers(1, 9)))),
            "quote": lambda: quote(price, price + 1, number, symbol),
            "bar": lambda: bar(price, number, symbol),
            "fill": lambda: fill(f"c{number}", ts=number),
            "control": lambda: control(Action.PAUSE, ts=number, sequence=number),
            "take": lambda: None,
        }
        weights = ["trade"] * 5 + ["quote"] * 3 + ["bar", "fill", "control", "take", "take"]
        made.append(kinds[draw(st.sampled_from(weights))]())
    return made


def run(made, conflate_above):
    """Offer and take as told, then take the rest; return what was accepted and what came out."""
    inbox = Inbox(conflate_above=conflate_above, lossless_max=LOSSLESS_MAX)
    accepted, taken = [], []
    for event in made:
        if event is not None:
            if inbox.offer(event, event.ts):
                accepted.append(event)
        elif (waiting := inbox.take()) is not None:
            taken.append(waiting.event)
    while (waiting := inbox.take()) is not None:
        taken.append(waiting.event)
    return inbox, accepted, taken


@given(steps(), st.integers(0, 5))
def test_only_ticks_conflate_and_every_class_keeps_its_order(made, conflate_above):
    inbox, accepted, taken = run(made, conflate_above)
    for priority in Priority:
        went_in = [e for e in accepted if priority_of(e) is priority and not isinstance(e, Trade | Quote)]
        came_out = [e for e in taken if priority_of(e) is priority and not isinstance(e, Trade | Quote)]
        assert came_out == went_in
    assert len(accepted) - len(taken) == inbox.conflated


@given(steps(), st.integers(0, 5))
def test_conflated_trades_conserve_volume_count_and_extremes_between_bars(made, conflate_above):
    _, accepted, taken = run(made, conflate_above)
    assert sums(taken) == sums(accepted)


@given(steps(), st.integers(0, 5))
def test_the_newest_quote_before_a_bar_is_never_lost(made, conflate_above):
    _, accepted, taken = run(made, conflate_above)
    assert newest_quotes(taken) == newest_quotes(accepted)


@given(steps(), st.integers(0, 5))
def test_a_full_queue_refuses_all_but_control(made, conflate_above):
    inbox = Inbox(conflate_above=conflate_above, lossless_max=LOSSLESS_MAX)
    for event in made:
        if event is None:
            inbox.take()
        elif not inbox.offer(event, 0):
            assert not isinstance(event, type(control(Action.PAUSE)))
    for priority in (Priority.FILL, Priority.MARKET):
        assert sum(1 for e in _rest(inbox) if priority_of(e) is priority) <= LOSSLESS_MAX


def _rest(inbox):
    rest = []
    while (waiting := inbox.take()) is not None:
        rest.append(waiting.event)
    return rest


def sections(events):
    """Split each symbol's market events at its bars."""
    parts = defaultdict(lambda: [[]])
    for event in events:
        if isinstance(event, Bar):
            parts[event.symbol].append([])
        elif isinstance(event, Trade | Quote):
            parts[event.symbol][-1].append(event)
    return parts


def sums(events):
    """Return volume, count, high and low of the trades between the bars of each symbol."""
    return {
        symbol: [
            (
                sum(trade.qty for trade in trades),
                sum(trade.count for trade in trades),
                max((trade.high for trade in trades), default=None),
                min((trade.low for trade in trades), default=None),
                trades[-1].price if trades else None,
            )
            for part in parts
            for trades in [[event for event in part if isinstance(event, Trade)]]
        ]
        for symbol, parts in sections(events).items()
        if any(part for part in parts)
    }


def newest_quotes(events):
    """Return the last quote between the bars of each symbol."""
    return {
        symbol: [next((e for e in reversed(part) if isinstance(e, Quote)), None) for part in parts]
        for symbol, parts in sections(events).items()
        if any(part for part in parts)
    }
