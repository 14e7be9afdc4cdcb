"""The equity of a backtest, worked out after it from the books after each fill and the tape's prices.

It goes through the same moments as the ledger: after each fill at its own price, and after each row of the
tape at its close. Its last value and its deepest drawdown are the ledger's. Where several prints share one
millisecond, a fill is put to the first of them at its price, or to the first of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.runtime.study.recorder import Fills
from engine.venues.csvcolumns import Floats, Ints
from engine.venues.datafile import BarColumns
from engine.venues.replay import Tape

POINTS_MAX = 5_000  # of the curve that is kept
_STEPS_S = (1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400)


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """Equity at every fill and every row of the tape, in order; `notional` is what is open, signed."""

    ts: Ints
    equity: Floats
    drawdown: Floats  # from the highest equity so far, as a ratio of it
    notional: Floats
    is_open: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """The equity by intervals of one length: the last value of each, its extremes, its deepest drawdown.

    `ts` is the last moment inside an interval. Intervals without a row are left out.
    """

    step_ns: int
    ts: Ints
    equity: Floats
    low: Floats
    high: Floats
    drawdown: Floats
    notional: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Days:
    """The equity at the end of each calendar day (UTC), the day before a gap carried over it.

    `day` counts from 1970. What happens at midnight belongs to the day that ends then.
    """

    day: Ints
    equity: Floats
    returns: Floats


def moments(tapes: Sequence[Tape], fills: Fills, start_equity: float) -> Moments:
    """Work out the equity at every moment of a run."""
    rows = _rows(tapes)
    symbols = [tape.instrument.symbol for tape in tapes]
    slot_symbol = np.array([symbols.index(name) for name in fills.slots], np.int64)
    fill_slot = np.array(fills.slot, np.int64)
    filled = Prices(np.array(fills.ts, np.int64), slot_symbol[fill_slot], np.array(fills.price, np.float64))
    places = _places(filled, rows)
    order = np.argsort(np.concatenate([places * 2, np.arange(rows.ts.size) * 2 + 1]), kind="stable")
    number = np.where(order < len(fills), order, -1)  # of the fill, -1 for a row
    at, of, marks = (np.concatenate(pair)[order] for pair in zip(filled, rows, strict=True))
    cash = _carried(np.array(fills.cash, np.float64), number, start_equity)
    several = len(symbols) > 1
    profit, notional = np.zeros(at.size), np.zeros(at.size)
    is_open = np.zeros(at.size, np.bool_)
    for slot, its_symbol in enumerate(slot_symbol.tolist()):
        its = np.where((number >= 0) & (fill_slot[number] == slot), number, -1)
        qty = _carried(np.array(fills.qty, np.float64), its, 0.0)
        cost = _carried(np.array(fills.cost, np.float64), its, 0.0)
        mark = _carried(marks, np.where(of == its_symbol, np.arange(of.size), -1)) if several else marks
        profit += qty * mark - cost
        notional += qty * mark
        is_open |= qty != 0
    equity = cash + profit
    peak = np.maximum.accumulate(np.concatenate([[start_equity], equity]))[1:]
    drawdown = np.where(peak > 0, 1.0 - equity / np.where(peak > 0, peak, 1.0), 0.0)
    return Moments(at, equity, drawdown, notional, is_open)


class Prices(NamedTuple):
    """Prices by time; `symbol` numbers the tapes."""

    ts: Ints
    symbol: Ints
    price: Floats


def _rows(tapes: Sequence[Tape]) -> Prices:
    """Return the prices of all rows in the order in which the feed tells them."""
    parts = [
        (tape.columns.ts, tape.columns.close, 0)
        if isinstance(tape.columns, BarColumns)
        else (tape.columns.ts, tape.columns.price, 1)
        for tape in tapes
    ]
    if len(parts) == 1:
        ts, price, _ = parts[0]
        return Prices(ts, np.zeros(ts.size, np.int64), price)
    key = np.concatenate([ts * 2 + trades for ts, _, trades in parts])
    order = np.argsort(key, kind="stable")
    symbol = np.repeat(np.arange(len(parts)), [ts.size for ts, _, _ in parts])
    ts, price = (np.concatenate([part[column] for part in parts])[order] for column in (0, 1))
    return Prices(ts, symbol[order], price)


def _places(fills: Prices, rows: Prices) -> Ints:
    """Return before which row each fill belongs: one of its time and symbol, at its price where possible."""
    places = np.empty(fills.ts.size, np.int64)
    for symbol in np.unique(fills.symbol).tolist():
        mine, its = np.flatnonzero(fills.symbol == symbol), np.flatnonzero(rows.symbol == symbol)
        ts, price = rows.ts[its], rows.price[its]
        first = np.searchsorted(ts, fills.ts[mine], "left")
        last = np.searchsorted(ts, fills.ts[mine], "right")
        for several in np.flatnonzero(last - first > 1).tolist():
            low, high = int(first[several]), int(last[several])
            same = np.flatnonzero(price[low:high] == fills.price[mine[several]])
            first[several] = low + (int(same[0]) if same.size else 0)
        places[mine] = np.append(its, rows.ts.size)[first]
    return np.maximum.accumulate(places)


def _carried(values: Floats, number: Ints, start: float = 0.0) -> Floats:
    """Return the value of the last numbered moment so far at each moment, `start` before the first."""
    last = np.maximum.accumulate(number) if number.size else number
    return np.append(values, start)[last]  # -1 is the last place: the start's


def curve(of: Moments, base_step_ns: int) -> Curve:
    """Sum moments up in intervals, the shortest of a round length that gives at most POINTS_MAX of them."""
    step = _step_for(int(of.ts[-1] - of.ts[0]), base_step_ns)
    number = -(-of.ts // step)
    first = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    last = np.append(first[1:], number.size) - 1
    return Curve(
        step_ns=step,
        ts=of.ts[last],
        equity=of.equity[last],
        low=np.minimum.reduceat(of.equity, first),
        high=np.maximum.reduceat(of.equity, first),
        drawdown=np.maximum.reduceat(of.drawdown, first),
        notional=of.notional[last],
    )


def _step_for(span_ns: int, base_step_ns: int) -> int:
    """Return the shortest round length that cuts a span into at most POINTS_MAX parts, else whole days."""
    steps = (seconds * NS_PER_S for seconds in _STEPS_S if seconds * NS_PER_S >= base_step_ns)
    whole_days = -(-max(span_ns // POINTS_MAX, base_step_ns) // NS_PER_DAY) * NS_PER_DAY
    return next((step for step in steps if span_ns // step < POINTS_MAX), whole_days)


def days(of: Moments, start_equity: float) -> Days:
    """Return the equity at the end of each day from the first to the last, and each day's return."""
    number = (of.ts - 1) // NS_PER_DAY
    ends = np.flatnonzero(np.diff(number, append=number[-1:] + 1))
    day = np.arange(number[0], number[-1] + 1)
    equity = of.equity[ends][np.searchsorted(number[ends], day, "right") - 1]
    before = np.concatenate([[start_equity], equity[:-1]])
    returns = np.where(before > 0, equity / np.where(before > 0, before, 1.0) - 1.0, 0.0)
    return Days(day, equity, returns)


def time_in_market(of: Moments) -> float | None:
    """Return the part of the time with a position open, None where no time passed."""
    passed = np.diff(of.ts)
    total = int(passed.sum())
    return float(passed[of.is_open[:-1]].sum()) / total if total else None


def longest_drawdown_ns(of: Moments) -> int:
    """Return the longest time from a high of equity to the next as high one, or to the end.

    Two highs without a fall between them are no drawdown, however far apart.
    """
    if not of.ts.size:
        return 0
    is_high = of.drawdown <= 0
    marks = np.concatenate([[0], np.flatnonzero(is_high), [of.ts.size - 1]])
    fell = (np.diff(marks) > 1) | ~is_high[marks[1:]] | ~is_high[marks[:-1]]
    return int((np.diff(of.ts[marks]) * fell).max())
