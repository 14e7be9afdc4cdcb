"""The numbered cases of market data. Each holds one promise; its number is never given to another."""

from collections.abc import Callable, Sequence

import msgspec

from engine.domain.market import Bar, Instrument, MarketEvent, Quote, Trade
from engine.venues.conformance.ground import CaseError, require
from engine.venues.conformance.running import CaseResult, Verdict


class DataGround(msgspec.Struct, frozen=True):
    """A market to look at: `read` returns its events from an offset on, the same ones each time."""

    instruments: tuple[Instrument, ...]
    read: Callable[[int], Sequence[MarketEvent]]


class DataCase(msgspec.Struct, frozen=True):
    """One case: its number, its promise in a sentence, and what shows it."""

    number: str
    promise: str
    play: Callable[[DataGround], None]


def _in_order(ground: DataGround) -> None:
    events = ground.read(0)
    require(bool(events), "there are no events")
    times = [event.ts for event in events]
    require(times == sorted(times), "an event is earlier than the one before it")


def _plausible(ground: DataGround) -> None:
    known = {instrument.symbol for instrument in ground.instruments}
    for event in ground.read(0):
        require(event.symbol in known, f"{event.symbol} is no instrument of the feed")
        require(event.mark > 0, f"a price of {event.mark}")
        if isinstance(event, Bar):
            require(event.low <= event.close <= event.high and event.volume >= 0, f"a bar of {event}")
        elif isinstance(event, Trade):
            require(event.low <= event.price <= event.high and event.qty > 0, f"a trade of {event}")
        elif isinstance(event, Quote):
            require(event.bid < event.ask, f"a crossed quote of {event}")


def _on_the_tick(ground: DataGround) -> None:
    ticks = {instrument.symbol: instrument for instrument in ground.instruments}
    for event in ground.read(0):
        if isinstance(event, Trade):
            price = ticks[event.symbol].price(event.price)
            require(price % ticks[event.symbol].tick == 0, f"{price} is off the tick")


def _addressable(ground: DataGround) -> None:
    events = ground.read(0)
    middle = len(events) // 2
    require(list(ground.read(middle)) == list(events[middle:]), "the second half is another one")


DATA_CASES: tuple[DataCase, ...] = (
    DataCase("D01", "Events come in the order of their times.", _in_order),
    DataCase("D02", "Prices are positive, closes lie inside their bars, no quote is crossed.", _plausible),
    DataCase("D03", "A trade's price is a multiple of the instrument's tick.", _on_the_tick),
    DataCase("D04", "What is read again from any place on is the same.", _addressable),
)


def run_data_case(case: DataCase, ground: DataGround) -> CaseResult:
    """Run one case."""
    try:
        case.play(ground)
    except CaseError as broken:
        return CaseResult(case.number, case.promise, Verdict.FAIL, str(broken))
    return CaseResult(case.number, case.promise, Verdict.PASS)
