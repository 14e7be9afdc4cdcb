"""A backtest as one page of HTML that needs nothing else: figures, plots, months, trades, origin."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from engine.domain.money import canonical
from engine.domain.signals import Side
from engine.runtime.study.charts import equity_chart, histogram
from engine.runtime.study.figures import moment_text
from engine.runtime.study.roundtrips import RoundTrip
from engine.runtime.study.sheet import NONE, SHEET, Kind, Line, text_of, write_figure
from engine.runtime.study.study import Study

TILES = (
    "net_profit",
    "total_return",
    "max_drawdown",
    "sharpe",
    "profit_factor",
    "trades",
    "win_rate",
    "exposure",
)
LARGEST = 10  # trades that are shown at either end
HEAT_FULL = 0.10  # a month of this change has the full colour
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINES = {line.name: line for group in SHEET for line in group.lines}
_SIGNED = (Kind.PROFIT, Kind.CHANGE)
NOTE = (
    "Equity is marked at every fill and every row of the data. Rates a year take 365 days and daily returns"
    " in UTC; the risk-free rate is 0; n/a is what does not exist. Fills are simulated: no market impact"
    " beyond a share of the traded volume, no funding, no margin."
)

STYLE = """\
:root { color-scheme: light dark; --paper: #fcfcfb; --card: #f4f3f0; --ink: #1b1b19; --dim: #5e5d58;
  --line: #dedcd5; --equity: #1f5fa8; --gain: #14784f; --loss: #b93a1d; --even: #85837b; }
@media (prefers-color-scheme: dark) { :root { --paper: #151514; --card: #201f1e; --ink: #ecebe8;
  --dim: #a6a49c; --line: #383733; --equity: #76aeec; --gain: #4fc191; --loss: #f28a63; --even: #8d8b83; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; font: 15px/1.5 system-ui, sans-serif;
  background: var(--paper); color: var(--ink); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
p { margin: .2rem 0; color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem;
  margin-top: 1.2rem; }
.tile { background: var(--card); border-radius: .4rem; padding: .55rem .75rem; }
.tile span { display: block; color: var(--dim); font-size: .8rem; }
.tile b { font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 36rem; height: auto; font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); } .tick { fill: var(--dim); }
.start { stroke: var(--dim); stroke-dasharray: 4 4; }
.equity { fill: none; stroke: var(--equity); stroke-width: 1.6; stroke-linejoin: round; }
.fall { fill: var(--loss); fill-opacity: .3; stroke: var(--loss); stroke-width: 1; }
rect.gain { fill: var(--gain); } rect.loss { fill: var(--loss); } rect.even { fill: var(--even); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .22rem .5rem; text-align: right; white-space: nowrap; }
th { color: var(--dim); font-weight: 500; } tr + tr td, tbody th { border-top: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.sheets { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0 2.2rem; }
.sheets h2 { margin-bottom: .2rem; }
td.gain, b.gain { color: var(--gain); } td.loss, b.loss { color: var(--loss); }
.heat td { text-align: center; padding: .22rem .15rem; } .heat td:first-child { text-align: left; }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
.facts td:first-child { color: var(--dim); width: 9rem; }
"""


def page(study: Study) -> str:
    """Write the page."""
    facts = study.summary()
    data = ", ".join(each.symbol for each in study.origin.data)
    title = f"{study.run.play} on {data}"
    span = f"{_day(facts['since'])} to {_day(facts['until'])} UTC, {text_of(Kind.DAYS, facts['days'])}"
    closed = [trade for trade in study.trades if trade.closed]
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(span)}; {facts['bars']:,} bars; money in {escape(study.currency)}</p>",
        f'<div class="tiles">{"".join(_tile(_LINES[name], facts) for name in TILES)}</div>',
        "<h2>Equity, and drawdown below</h2>",
        f'<div class="wide">{equity_chart(study.curve, float(study.run.start_equity), study.currency)}</div>',
        "<h2>Return by month</h2>",
        _heat(study),
        "<h2>Trades by result, in percent of what was entered</h2>",
        f'<div class="wide">{histogram([trade.ratio for trade in closed])}</div>'
        if closed
        else "<p>No trade was closed.</p>",
        f'<div class="sheets">{"".join(_sheet(group.title, group.lines, facts) for group in SHEET)}</div>',
        *_largest(closed),
        "<h2>Where it comes from</h2>",
        _origin(study),
        f"<p>{NOTE}</p>",
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _tile(line: Line, facts: dict[str, Any]) -> str:
    value = f"<b{_class(line, facts)}>{write_figure(line, facts.get(line.name))}</b>"
    return f'<div class="tile"><span>{escape(line.label)}</span>{value}</div>'


def _class(line: Line, facts: dict[str, Any]) -> str:
    """Return the class that colours a gain or a loss; most figures are neither."""
    value = facts.get(line.name)
    if value is None or line.kind not in _SIGNED or line.rises is None or not float(value):
        return ""
    return f' class="{"gain" if (float(value) > 0) is line.rises else "loss"}"'


def _sheet(title: str, lines: Iterable[Line], facts: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.label)}</td>"
        f"<td{_class(line, facts)}>{escape(write_figure(line, facts.get(line.name)))}</td></tr>"
        for line in lines
    )
    return f"<section><h2>{escape(title)}</h2><table>{rows}</table></section>"


def _heat(study: Study) -> str:
    """Return the months as a table of years, each cell coloured by its change."""
    by_month = {month.month: month for month in study.months}
    rows = []
    for year in sorted({name[:4] for name in by_month}):
        cells, grown = [], 1.0
        for number in range(1, 13):
            month = by_month.get(f"{year}-{number:02d}")
            if month is None:
                cells.append("<td></td>")
                continue
            grown *= 1.0 + month.change
            title = f"{month.trades:,} trades, {text_of(Kind.PROFIT, month.net)} {study.currency}"
            cells.append(_warm(month.change, title))
        rows.append(f"<tr><td>{year}</td>{''.join(cells)}{_warm(grown - 1.0, year)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("", *MONTH_NAMES, "year"))
    return f'<div class="wide"><table class="heat"><tr>{head}</tr>{"".join(rows)}</table></div>'


def _warm(change: float, title: str) -> str:
    share = min(1.0, abs(change) / HEAT_FULL) * 55
    colour = "--gain" if change > 0 else "--loss"
    style = f"background: color-mix(in srgb, var({colour}) {share:.0f}%, transparent)"
    text = f"{change * 100:+.1f}"
    shown = text if text.strip("+-0.") else "0.0"
    return f'<td style="{style}" title="{escape(title)}">{shown}</td>'


def _largest(closed: Sequence[RoundTrip]) -> list[str]:
    ordered = sorted(closed, key=lambda trade: trade.net)
    worst = [trade for trade in ordered[:LARGEST] if trade.net < 0]
    best = [trade for trade in reversed(ordered[-LARGEST:]) if trade.net > 0]
    parts = []
    for title, trades in (("Best trades", best), ("Worst trades", worst)):
        if trades:
            rows = "".join(map(_trade, trades))
            parts.append(f'<h2>{title}</h2><div class="wide"><table>{_TRADE_HEAD}{rows}</table></div>')
    return parts


_TRADE_HEAD = (
    "<tr>"
    + "".join(
        f"<th>{name}</th>"
        for name in (
            "opened",
            "symbol",
            "side",
            "qty",
            "entry",
            "exit",
            "net",
            "of entry",
            "held",
            "ended by",
        )
    )
    + "</tr>"
)


def _trade(trade: RoundTrip) -> str:
    held = text_of(Kind.SECONDS, (trade.closed - trade.opened) / 1e9)
    exit_price = trade.exit_price
    cells = (
        moment_text(trade.opened)[:19].replace("T", " "),
        trade.symbol,
        "long" if trade.side is Side.BUY else "short",
        canonical(trade.qty),
        f"{trade.entry_price:.10g}",
        NONE if exit_price is None else f"{exit_price:.10g}",
        text_of(Kind.PROFIT, trade.net),
        text_of(Kind.CHANGE, trade.ratio),
        held,
        trade.ended_by,
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _origin(study: Study) -> str:
    """Return what must be the same for a run to come out the same."""
    source = study.origin
    rows = [(f"play {play.name}", play.hash) for play in source.plays]
    rows += [
        (f"data {each.symbol}", f"{each.file}, {each.rows:,} rows, sha256 {each.sha256}")
        for each in source.data
    ]
    rows += [("signals", study.run.signal_hash), ("trades", study.run.trade_hash)]
    rows += [(name, _flat(value)) for name, value in source.settings.items()]
    rows += [("versions", _flat(source.versions))]
    rows += [("note", note) for note in study.notes]
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in rows)
    return f'<table class="facts">{cells}</table>'


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(map(_flat, value))
    return "none" if value is None else str(value)


def _day(text: str) -> str:
    return text[:16].replace("T", " ")
