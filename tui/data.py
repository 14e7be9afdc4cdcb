"""What `trader-tui data` does: a file's figures with a chart, and bars fetched from an exchange."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Self

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine.api import data_cache, fetch_bars, load_settings, summarize_data
from tui import formats
from tui.chart import ACROSS, braille
from tui.offline import Span, warn

if TYPE_CHECKING:
    from engine.api import DataSummary, FetchProgress, FetchReport

INTERRUPTED = 130
CHART_ROWS = 12
CHART_CELLS_MIN = 20
CHART_CELLS_MAX = 200
STREAMS_SHOWN = 12
NS_PER_S = 1_000_000_000
QUIRKS = {
    "open_outside": "bars open outside of their own low and high",
    "close_outside": "bars close outside of their own low and high",
    "volume_is_zero": "the volume is 0 everywhere",
    "recv_behind": "rows received before they happened: the recorder's clock was behind",
    "side_unknown": "trades without a side",
    "noisy": "values written from binary floats, read as the decimals they mean",
    "volume_rounded": "volumes with more digits than are kept, rounded",
    "backward": "rows earlier than the row above",
    "crossed": "quotes whose bid is not below the ask",
}


def show(file: Path, *, bar_ts: str | None, as_json: bool) -> int:
    """Print what a file holds."""
    cells = 0 if as_json else _chart_cells()
    points = cells * ACROSS
    summary = summarize_data(file, bar_ts=bar_ts, points=points, settings=load_settings({}), tell=warn)
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
        return 0
    lines = [*_figures(summary), *_gaps(summary), *_quirks(summary), *_instrument(summary)]
    sys.stdout.write("".join(f"{formats.clean(line)}\n" for line in lines))
    if summary.chart:
        sys.stdout.write("\n" + "".join(f"{line}\n" for line in _chart(summary)))
    return 0


def cache(*, clear: bool, as_json: bool) -> int:
    """Print what the cache of data files holds, or remove it."""
    usage = data_cache(load_settings({}), clear=clear)
    if as_json:
        sys.stdout.write(msgspec.json.encode(usage).decode() + "\n")
        return 0
    held = f"{_some(usage.entries, 'file')}, {usage.bytes / 1e6:,.1f} MB"
    bound = f"of at most {usage.bytes_max / 1e6:,.0f} MB" if usage.bytes_max else "switched off"
    sys.stdout.write(f"{usage.directory}: {f'removed {held}' if clear else f'{held} {bound}'}\n")
    return 0


def fetch(
    *,
    venue: str,
    symbol: str,
    timeframe: str,
    since: str,
    until: str | None,
    out: Path | None,
    host: str | None,
    as_json: bool,
) -> int:
    """Fetch bars into a file and print what came of it; a progress bar on a terminal's stderr meanwhile."""
    span = Span.of(since, until, names=("--since", "--until"))
    assert span.since is not None, "the option is required"
    with _Watch() as watch:
        try:
            report = fetch_bars(
                venue=venue,
                symbol=symbol,
                timeframe=timeframe,
                since=span.since,
                until=span.until,
                out=out,
                host=host,
                tell=watch.tell,
            )
        except KeyboardInterrupt:
            watch.close()
            click.echo(f"trader-tui: interrupted{watch.kept()}", err=True)
            return INTERRUPTED
    for note in report.notes:
        warn(note)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _fetched(report)))
    return 0


class _Watch:
    """Shows how far a fetch is: a bar on a terminal; elsewhere only why it waits, a line each time."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._last: FetchProgress | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[rows]} bars  {task.fields[at]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("asking the venue", total=None, rows="0", at="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._progress.stop()

    def tell(self, told: "FetchProgress") -> None:
        """Show how far it is, and why it waits."""
        if told.note:
            # On a terminal the line scrolls above the bar.
            self._console.print(f"trader-tui: {told.note}", markup=False, highlight=False, soft_wrap=True)
        if told.file is None:
            return
        self._last = told
        self._progress.update(
            self._task,
            description=told.file.name,
            total=max(1, told.end_ms - told.start_ms),
            completed=told.at_ms - told.start_ms,
            rows=formats.count(told.rows),
            at=_time(told.at_ms * 1_000_000),
        )

    def kept(self) -> str:
        """Say what an interruption leaves."""
        if self._last is None or not self._last.rows:
            return ""
        return (
            f"; {_some(self._last.rows, 'bar')} kept in {self._last.file}.part,"
            " the same command goes on from there"
        )


def _fetched(report: "FetchReport") -> list[str]:
    """Write what came of a fetch."""
    span = f"{_time(report.first_ns)} .. {_time(report.last_ns)} UTC"
    of = f"{report.symbol} {report.timeframe} from {report.venue}"
    now = "nothing new"
    if report.fetched:
        gaps = (
            f"{_some(report.gaps, 'gap')} lacking {_some(report.missing, 'bar')}"
            if report.gaps
            else "no gaps"
        )
        now = f"{_some(report.fetched, 'bar')}, {gaps} among them"
    return [
        f"{report.file}: {_some(report.rows, 'bar')} of {of}, {span}",
        f"fetched now: {now}",
        f"instrument: {report.instrument_file}",
    ]


def _figures(summary: "DataSummary") -> list[str]:
    step = formats.duration(summary.base_step_ns / NS_PER_S) if summary.base_step_ns else ""
    seconds = (summary.last_ns - summary.first_ns) / NS_PER_S
    named = [
        ("file", summary.file),
        ("kind", summary.kind),
        ("rows", formats.count(summary.rows)),
        ("first", f"{_time(summary.first_ns)} UTC{f' (the {summary.bar_ts})' if summary.bar_ts else ''}"),
        ("last", f"{_time(summary.last_ns)} UTC, {formats.duration(seconds)} later"),
        ("step", step),
        ("price", _prices(summary)),
        ("volume", summary.volume),
    ]
    streams = list(summary.streams.items())
    named += [("stream", f"{formats.count(n)}  {name or '(none)'}") for name, n in streams[:STREAMS_SHOWN]]
    if len(streams) > STREAMS_SHOWN:
        named.append(("", f"and {len(streams) - STREAMS_SHOWN} more streams"))
    return [f"{name:<8}{value}" for name, value in named if value]


def _prices(summary: "DataSummary") -> str:
    if not summary.price_low:
        return ""
    change = float(summary.price_last) / float(summary.price_first) - 1
    return (
        f"{summary.price_low} .. {summary.price_high}, from {summary.price_first} to {summary.price_last}"
        f" ({formats.percent(change)})"
    )


def _gaps(summary: "DataSummary") -> list[str]:
    if summary.base_step_ns:
        count = f"{formats.count(summary.gaps)} lacking {_some(summary.missing, 'bar')}"
        lines = [f"{'gaps':<8}{count if summary.gaps else 'none'}"]
    else:
        lines = ["silence the longest:"] if summary.longest_gaps else []
    for gap in summary.longest_gaps:
        length = _length((gap.until_ns - gap.after_ns) / NS_PER_S)
        missing = f", {_some(gap.missing, 'bar')}" if gap.missing else ""
        lines.append(f"        {_time(gap.after_ns)} .. {_time(gap.until_ns)}  {length}{missing}")
    return lines


def _quirks(summary: "DataSummary") -> list[str]:
    return [
        f"{'quirk':<8}{'' if name == 'volume_is_zero' else formats.count(count) + ' '}{QUIRKS[name]}"
        for name, count in summary.quirks.items()
    ]


def _instrument(summary: "DataSummary") -> list[str]:
    about = summary.instrument
    if about is None:
        return [f"{'note':<8}{summary.kind} can be looked at, not replayed: plays need bars or trades"]
    rules = (
        f"{about.symbol} {about.kind.value}, {about.base}/{about.quote} settled in {about.settle};"
        f" tick {about.tick:f}, lot {about.lot:f}, least {about.qty_min:f} and {about.notional_min:f}"
        f" {about.quote}, fees {about.maker_fee:f} maker {about.taker_fee:f} taker"
    )
    prefix = f"{Path(summary.file).name}: "
    return [
        f"{'rules':<8}{rules}",
        *(f"{'derived':<8}{line.removeprefix(prefix)}" for line in summary.derived),
        *(
            [f"{'note':<8}what is derived wrongly, state in {summary.instrument_file}"]
            if summary.derived
            else ()
        ),
    ]


def _chart(summary: "DataSummary") -> list[str]:
    """Draw the prices over time with their range at the side."""
    known = [value for value in summary.chart if value is not None]
    labels = [f"{value:.10g}" for value in (max(known), min(known))]
    width = max(map(len, labels))
    rows = braille(summary.chart, CHART_ROWS)
    sides = [labels[0], *[""] * (CHART_ROWS - 2), labels[1]]
    lines = [f"{side:>{width}} {row}".rstrip() for side, row in zip(sides, rows, strict=True)]
    first, last = _time(summary.first_ns), _time(summary.last_ns)
    space = max(1, len(summary.chart) // ACROSS - len(first) - len(last))
    return [*lines, f"{'':>{width}} {first}{' ' * space}{last}"]


def _chart_cells() -> int:
    """Return how wide a chart may be: 0 where nobody would see it, or the terminal cannot write braille."""
    if not sys.stdout.isatty():
        return 0
    try:
        "⠿".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return 0
    room = get_terminal_size().columns - 14  # a price of up to 12 cells, a space, and the last column
    return max(CHART_CELLS_MIN, min(room, CHART_CELLS_MAX))


def _time(ns: int) -> str:
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _length(seconds: float) -> str:
    return formats.duration(seconds) if seconds >= 60 else f"{seconds:.3g}s"


def _some(count: int, noun: str) -> str:
    return f"{formats.count(count)} {noun}{'' if count == 1 else 's'}"
