"""What a file of market data holds, in the figures somebody looks for before trusting it."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from engine.domain.market import Instrument
from engine.domain.money import canonical, exact
from engine.venues.csvcolumns import Floats, Ints
from engine.venues.datafile import BarColumns, DataFile
from engine.venues.instruments import BarTime, describe, instrument_path
from engine.venues.keptdata import ColumnStore, read_kept
from engine.venues.recordings import file_form, read_quotes, read_recording

GAPS_SHOWN = 5
CHART_POINTS_MAX = 4_000


class Gap(msgspec.Struct, frozen=True):
    """A stretch without rows: the times of the rows around it, and how many bars it lacks."""

    after_ns: int
    until_ns: int
    missing: int = 0  # where rows come in steps


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A file in figures. Times in ns UTC as the file gives them, prices as decimal text, "" where none."""

    file: str
    kind: str  # bars, trades, quotes or recording
    rows: int
    first_ns: int
    last_ns: int
    base_step_ns: int = 0
    gaps: int = 0  # steps other than the base step
    missing: int = 0  # bars that the gaps lack
    longest_gaps: tuple[Gap, ...] = ()  # for rows without a step: the longest silences
    quirks: dict[str, int] = {}  # counts by name, only what is there
    price_low: str = ""
    price_high: str = ""
    price_first: str = ""
    price_last: str = ""
    volume: str = ""
    streams: dict[str, int] = {}  # messages of a recording
    instrument: Instrument | None = None
    bar_ts: str = ""
    derived: tuple[str, ...] = ()  # what was not stated but found, a line each
    instrument_file: str = ""  # where it can be stated; the file need not exist
    chart: tuple[float | None, ...] = ()  # the last price of each of as many equal times


def summarize(
    path: Path, *, bar_ts: str | None = None, points: int = 0, store: ColumnStore | None = None
) -> DataSummary:
    """Read a file, through `store` where there is one, and sum it up, with a chart of at most `points`.

    Raises ConfigError.
    """
    points = min(points, CHART_POINTS_MAX)
    match file_form(path):
        case "recording":
            return _of_recording(path)
        case "quotes":
            return _of_quotes(path, points)
        case _:
            return _of_tape(read_kept(path, store), None if bar_ts is None else BarTime(bar_ts), points)


def _of_tape(data: DataFile, bar_ts: BarTime | None, points: int) -> DataSummary:
    about = describe(data, bar_ts=bar_ts)
    columns, quirks = data.columns, data.quirks
    is_bars = isinstance(columns, BarColumns)
    if isinstance(columns, BarColumns):
        prices, low, high, volume = columns.close, columns.low, columns.high, columns.volume
    else:
        prices, low, high, volume = columns.price, columns.price, columns.price, columns.qty
    digits = data.price_digits
    return DataSummary(
        file=str(data.path),
        kind=data.kind.value,
        rows=quirks.rows,
        first_ns=quirks.first,
        last_ns=quirks.last,
        base_step_ns=quirks.base_step_ns if is_bars else 0,
        gaps=quirks.gaps,
        missing=_missing(columns.ts, quirks.base_step_ns) if is_bars else 0,
        longest_gaps=_longest(columns.ts, quirks.base_step_ns if is_bars else 0),
        quirks=_present(
            {
                "open_outside": quirks.open_outside,
                "close_outside": quirks.close_outside,
                "volume_is_zero": int(quirks.volume_is_zero),
                "recv_behind": quirks.recv_behind,
                "side_unknown": quirks.side_unknown,
                "noisy": quirks.noisy,
                "volume_rounded": quirks.volume_rounded,
            }
        ),
        price_low=_price(low.min(), digits),
        price_high=_price(high.max(), digits),
        price_first=_price(prices[0], digits),
        price_last=_price(prices[-1], digits),
        volume=_plain(volume.sum()),
        instrument=about.instrument,
        bar_ts=about.bar_ts.value if is_bars else "",
        derived=about.derived,
        instrument_file=str(instrument_path(data.path)),
        chart=_chart(columns.ts, prices, points, quirks.base_step_ns if is_bars else 0),
    )


def _of_quotes(path: Path, points: int) -> DataSummary:
    quotes = read_quotes(path)
    middle = (quotes.bid + quotes.ask) / 2
    return DataSummary(
        file=str(path),
        kind="quotes",
        rows=quotes.ts.size,
        first_ns=int(quotes.ts[0]),
        last_ns=int(quotes.ts[-1]),
        longest_gaps=_longest(quotes.ts, 0),
        quirks=_present(
            {
                "backward": int(np.count_nonzero(np.diff(quotes.ts) < 0)),
                "crossed": int(np.count_nonzero(quotes.bid >= quotes.ask)),
                "recv_behind": int(np.count_nonzero(quotes.recv < quotes.ts)),
            }
        ),
        price_low=_plain(quotes.bid.min()),
        price_high=_plain(quotes.ask.max()),
        price_first=_plain(middle[0]),
        price_last=_plain(middle[-1]),
        chart=_chart(quotes.ts, middle, points),
    )


def _of_recording(path: Path) -> DataSummary:
    recording = read_recording(path)
    ts = recording.ts
    return DataSummary(
        file=str(path),
        kind="recording",
        rows=ts.size,
        first_ns=int(ts[0]),
        last_ns=int(ts[-1]),
        longest_gaps=_longest(ts, 0),
        quirks=_present({"backward": int(np.count_nonzero(np.diff(ts) < 0))}),
        streams=recording.streams,
    )


def _chart(ts: Ints, prices: Floats, points: int, step_ns: int = 0) -> tuple[float | None, ...]:
    """Return the last price of each of `points` equal stretches of time.

    Bars leave a hole where there are none, and are not cut finer than their step; between trades or quotes
    the last price stands.
    """
    span_ns = int(ts[-1] - ts[0])
    points = min(points, span_ns // step_ns + 1) if step_ns else points
    if points < 1:
        return ()
    # Bars fill their step: the last one's ends a step after its time.
    edges = ts[0] + np.arange(1, points) * ((span_ns + step_ns) / points)
    ends = np.append(np.searchsorted(ts.astype(np.float64), edges, side="left"), ts.size)
    begins = np.concatenate(([0], ends[:-1]))
    return tuple(
        float(prices[end - 1]) if end > begin or not step_ns else None
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def _longest(ts: Ints, step_ns: int) -> tuple[Gap, ...]:
    """Return the longest stretches without rows, longest first, of those longer than a step."""
    steps = np.diff(ts)
    order = np.argsort(-steps, kind="stable")[:GAPS_SHOWN]
    return tuple(
        Gap(int(ts[row]), int(ts[row + 1]), int(steps[row] // step_ns - 1) if step_ns else 0)
        for row in order.tolist()
        if steps[row] > step_ns
    )


def _missing(ts: Ints, step_ns: int) -> int:
    steps = np.diff(ts)
    return int(np.sum(steps[steps > step_ns] // step_ns - 1))


def _present(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _price(value: float, digits: int) -> str:
    return canonical(exact(float(value), digits))


def _plain(value: float) -> str:
    """Write a float that was computed, without an exponent: twelve digits of it mean something."""
    return canonical(Decimal(f"{float(value):.12g}"))
