"""Whatever comes and however it is taken: only ticks conflate, and a merged one stands for all it holds."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.events import Action, Control, Event
from engine.domain.market import Bar, Quote, Trade
from engine.domain.priorities import Priority, priority_of
from engine.runtime.inbox import Inbox
from tests.builders import BTC, ETH, bar, control, fill, quote, trade

LOSSLESS_MAX = 6


KINDS = ["trade"] * 5 + ["quote"] * 3 + ["bar", "fill", "control", "take", "take"]


@st.composite
def steps(draw):
    """Events to offer, numbered by their time, and takes (None) in between."""
    return [made(draw, number) for number in range(draw(st.integers(0, 40)))]


def made(draw, number) -> Event | None:
    """Draw one step."""
    symbol, price = draw(st.sampled_from([BTC, ETH])), float(draw(st.integers(90, 110)))
    match draw(st.sampled_from(KINDS)):
        case "trade":
            return trade(price, number, symbol, float(draw(st.integers(1, 9))))
        case "quote":
            return quote(price, price + 1, number, symbol)
        case "bar":
            return bar(price, number, symbol)
        case "fill":
            return fill(f"c{number}", ts=number)
        case "control":
            return control(Action.PAUSE, ts=number, sequence=number)
        case _:
            return None


def run(offers, conflate_above):
    """Offer and take as told, then take the rest; return what was accepted and what came out."""
    inbox = Inbox(conflate_above=conflate_above, lossless_max=LOSSLESS_MAX)
    accepted, taken = [], []
    for event in offers:
        if event is not None:
            if inbox.offer(event, event.ts):
                accepted.append(event)
        elif (waiting := inbox.take()) is not None:
            taken.append(waiting.event)
    while (waiting := inbox.take()) is not None:
        taken.append(waiting.event)
    return inbox, accepted, taken


@given(steps(), st.integers(0, 5))
def test_nothing_but_ticks_is_lost_and_a_merged_one_stands_for_all_it_holds(offers, conflate_above):
    inbox, accepted, taken = run(offers, conflate_above)
    for priority in Priority:
        went_in = [e for e in accepted if priority_of(e) is priority and not isinstance(e, Trade | Quote)]
        came_out = [e for e in taken if priority_of(e) is priority and not isinstance(e, Trade | Quote)]
        assert came_out == went_in
    assert len(accepted) - len(taken) == inbox.conflated
    assert sums(taken) == sums(accepted)
    assert newest_quotes(taken) == newest_quotes(accepted)


@given(steps(), st.integers(0, 5))
def test_a_full_queue_refuses_all_but_control(offers, conflate_above):
    inbox = Inbox(conflate_above=conflate_above, lossless_max=LOSSLESS_MAX)
    for event in offers:
        if event is None:
            inbox.take()
        elif not inbox.offer(event, 0):
            assert not isinstance(event, Control)
    rest = []
    while (waiting := inbox.take()) is not None:
        rest.append(priority_of(waiting.event))
    assert max(rest.count(Priority.FILL), rest.count(Priority.MARKET)) <= LOSSLESS_MAX


def sections(events):
    """Split each symbol's market events at its bars."""
    parts: defaultdict[str, list[list[Trade | Quote]]] = defaultdict(lambda: [[]])
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
