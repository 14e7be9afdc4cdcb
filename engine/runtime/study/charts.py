"""Charts as inline SVG: no script, no network; a page's own style gives the classes their colours."""

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10

from engine.runtime.study.curve import Curve
from engine.runtime.study.figures import moment_text
from engine.runtime.study.sheet import Kind, text_of

WIDTH, LEFT, RIGHT = 920, 78, 12
EQUITY_TOP, EQUITY_BOTTOM = 12, 252
FALL_TOP, FALL_BOTTOM, EQUITY_HEIGHT = 276, 366, 392
BARS_TOP, BARS_BOTTOM, BARS_HEIGHT = 12, 196, 228
BINS = 41  # odd, so that the middle one lies around zero
OUTER_PART = 0.01  # of the trades on either side is put into the outermost bins
Scale = Callable[[float], float]


def equity_chart(of: Curve, start_equity: float, currency: str) -> str:
    """Draw the equity over time with the drawdown below."""
    times = of.ts.tolist()
    x = _scale(times[0], times[-1], LEFT, WIDTH - RIGHT)
    low, high = min(float(of.low.min()), start_equity), max(float(of.high.max()), start_equity)
    ticks = _ticks(low, high, 5)
    y = _scale(min(low, ticks[0]), max(high, ticks[-1]), EQUITY_BOTTOM, EQUITY_TOP)
    deepest = float(of.drawdown.max())
    falls = _ticks(0.0, deepest or 0.01, 3)
    down = _scale(0.0, max(deepest, falls[-1]), FALL_TOP, FALL_BOTTOM)
    points = list(zip(map(x, times), map(y, of.equity.tolist()), strict=True))
    hollow = list(zip(map(x, times), map(down, of.drawdown.tolist()), strict=True))
    edge = [(hollow[0][0], FALL_TOP), *hollow, (hollow[-1][0], FALL_TOP)]
    return _svg(
        EQUITY_HEIGHT,
        f"Equity in {currency} from {text_of(Kind.MONEY, start_equity)} to"
        f" {text_of(Kind.MONEY, of.equity[-1])}, deepest drawdown {text_of(Kind.SHARE, deepest)}",
        [
            *_grid(ticks, y, lambda value: _short_money(value, high - low)),
            _line("start", y(start_equity)),
            f'<path class="equity" d="{_path(points)}"/>',
            *_grid(falls, down, lambda value: f"{-value * 100:.4g}%" if value else "0%"),
            f'<path class="fall" d="{_path(edge)}Z"/>',
            *_dates(times[0], times[-1], x, FALL_BOTTOM + 18),
        ],
    )


def histogram(ratios: Sequence[float]) -> str:
    """Draw how many trades gained or lost how much, in percent of what was entered."""
    ordered = sorted(ratios)
    cut = floor(len(ordered) * OUTER_PART)
    reach = max(abs(ordered[cut]), abs(ordered[-1 - cut]), 1e-6)
    width = 2 * reach / BINS
    counts = [0] * BINS
    for ratio in ordered:
        counts[min(BINS - 1, max(0, floor((ratio + reach) / width)))] += 1
    x = _scale(-reach, reach, LEFT, WIDTH - RIGHT)
    ticks = _ticks(0.0, float(max(counts)), 4)
    y = _scale(0.0, max(float(max(counts)), ticks[-1]), BARS_BOTTOM, BARS_TOP)
    bars = [_bar(number, count, reach, x, y) for number, count in enumerate(counts) if count]
    below = [
        _text(x(at), BARS_BOTTOM + 18, "middle", f"{at * 100:+.3g}%" if at else "0%")
        for at in _ticks(-reach * 0.97, reach * 0.97, 6)
    ]
    whole = [tick for tick in ticks if tick == int(tick)]
    return _svg(
        BARS_HEIGHT,
        f"Distribution of {len(ordered)} trades by their result in percent of what was entered",
        [*_grid(whole, y, "{:,.0f}".format), *bars, *below],
    )


def _bar(number: int, count: int, reach: float, x: Scale, y: Scale) -> str:
    low = -reach + number * 2 * reach / BINS
    high = low + 2 * reach / BINS
    kind = "even" if low < 0 < high else "gain" if low >= 0 else "loss"
    ends = f"{'under' if number == 0 else f'{low * 100:+.3f} to'} {high * 100:+.3f}%"
    if number == BINS - 1:
        ends = f"over {low * 100:+.3f}%"
    left, top = x(low) + 1, y(count)
    size = f'width="{x(high) - x(low) - 2:.1f}" height="{BARS_BOTTOM - top:.1f}"'
    title = f"<title>{count:,} trades, {escape(ends)}</title>"
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" {size} rx="1">{title}</rect>'


def _svg(height: int, about: str, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(about)}">'
    return "\n".join([head, *parts, "</svg>"])


def _grid(ticks: Sequence[float], y: Scale, label: Callable[[float], str]) -> list[str]:
    lines = []
    for tick in ticks:
        at = y(tick)
        lines += [_line("grid", at), _text(LEFT - 8, at + 4, "end", label(tick))]
    return lines


def _line(kind: str, y: float) -> str:
    return f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _dates(first: int, last: int, x: Scale, y: int) -> list[str]:
    """Write the ends of a time axis and three moments between, to the minute where the span is short."""
    chars = 10 if last - first > 3 * 86_400 * 10**9 else 16
    lines = []
    for part, anchor in ((0, "start"), (1, "middle"), (2, "middle"), (3, "middle"), (4, "end")):
        ts = first + (last - first) * part // 4
        lines.append(_text(x(ts), y, anchor, moment_text(ts)[:chars].replace("T", " ")))
    return lines


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    """Return the straight line from [low, high] to [start, end]; the middle where there is no length."""
    if high <= low:
        return lambda _value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round values inside [low, high], the ends where none is."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    size = 10.0 ** floor(log10(raw))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= raw * 0.999)
    return [number * step for number in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)] or [
        low,
        high,
    ]


def _short_money(value: float, span: float) -> str:
    digits = max(0, min(10, 2 - floor(log10(span)))) if span > 0 else 2
    return f"{value:,.{digits}f}"
