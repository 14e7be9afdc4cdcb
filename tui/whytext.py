"""Why a bar led to an order or to none, in lines of text: for the `w` key and for a shell."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from engine.api import ChainLink, LinkStatus, Miss, Reading, Why
from tui.formats import NS_PER_S, left, right

MARKS = {True: "yes", False: "no", None: "n/a"}
NAME_CELLS, STATUS_CELLS = 18, 9
MEANINGS = {
    LinkStatus.PASS: "pass",
    LinkStatus.VETO: "VETO",
    LinkStatus.NOT_ASKED: "-",
}


def why_lines(why: Why, width: int = 100) -> list[str]:
    """Return all that is known of one bar."""
    return [head_of(why), f"  {why.outcome}", *_misses(why), *_rules(why, width), *_chain(why, width)]


def head_of(why: Why) -> str:
    """Name the bar."""
    version = f"generation {why.generation}"
    return f"{why.play} {why.symbol}  {moment(why.ts)}  close {number(why.close)}  {version}"


def _rules(why: Why, width: int) -> Iterator[str]:
    if why.recomputed_bars:
        yield f"  rules, evaluated anew on the {why.recomputed_bars} bars before that are kept"
    else:
        yield "  rules, with the numbers that the play has"
    if why.bars < why.warmup_bars:
        yield f"    no signal yet: {why.bars} of the {why.warmup_bars} bars that the first one takes"
    for rule in why.rules:
        yield _row(rule.name, rule.reading, 4, width, whole=True)
        yield from _parts(rule.reading, 6, width)


def _parts(reading: Reading, indent: int, width: int) -> Iterator[str]:
    """Yield what a condition is made of; one that is not made of others shows its own numbers."""
    for part in reading.parts or (reading,):
        if part.parts and part is not reading:
            yield _row(part.joined_by, part, indent, width, whole=True)
            yield from _parts(part, indent + 2, width)
        else:
            yield _row(part.text, part, indent, width)


def _row(name: str, reading: Reading, indent: int, width: int, *, whole: bool = False) -> str:
    """Write one condition: its text, whether it was true, its numbers and how far it is from turning."""
    room = max(20, min(56, width - indent - 40))
    facts = "" if whole else _numbers(reading)
    return f"{'':<{indent}}{left(name, room)} {MARKS[reading.truth]:<4}{facts}".rstrip()


def _numbers(reading: Reading) -> str:
    if reading.left is None and reading.right is None:
        return ""
    sides = f"{_or_missing(reading.left)} : {_or_missing(reading.right)}"
    if reading.truth is not False:
        return sides
    return f"{sides}  {'did so before' if reading.gap is None else away(reading.gap)}"


def _or_missing(value: float | None) -> str:
    return "missing" if value is None else number(value)


def _chain(why: Why, width: int) -> Iterator[str]:
    if not why.chain:
        yield "  gates: none was asked"
        return
    if why.as_of_now:
        yield f"  what a {why.asked} would meet now, had the rules asked for it"
    else:
        yield f"  what the {why.asked or 'signal'} met"
    for link in why.chain:
        yield f"    {_link(link, width)}".rstrip()


def _link(link: ChainLink, width: int) -> str:
    limit = f" (limit {link.limit})" if link.limit and link.limit != "none" else ""
    reason = f"  {link.reason}" if link.reason else ""
    text = f"{left(link.name, NAME_CELLS)}{MEANINGS[link.status]:<{STATUS_CELLS}}{link.value}{limit}{reason}"
    return text if len(text) <= width else left(text, width)


def _misses(why: Why) -> Iterator[str]:
    if why.signal is None and why.misses:
        yield f"  nearest miss: {miss_text(why.misses[0])}"


def miss_text(miss: Miss) -> str:
    """Write what a rule lacked."""
    lacks = " and ".join(f"{lack.text} [{_numbers(lack) or MARKS[lack.truth]}]" for lack in miss.lacking)
    return f"{miss.rule} lacked {lacks}"


def nearest(bars: Sequence[Why]) -> Why | None:
    """Return the bar without a signal on which an entry rule came nearest, the newest of equals."""
    missed = [why for why in bars if why.signal is None and why.misses]
    return min(reversed(missed), key=lambda why: why.misses[0].rank, default=None)


def summary_lines(bars: Sequence[Why]) -> list[str]:
    """Return a line a bar, and the nearest miss of them."""
    lines = [f"{moment(why.ts)}  {right(number(why.close), 12)}  {_short(why)}" for why in bars]
    near = nearest(bars)
    if near is not None:
        lines.append(f"nearest miss: {moment(near.ts)}  {miss_text(near.misses[0])}")
    return lines


def _short(why: Why) -> str:
    if why.signal is not None or not why.misses:
        return why.outcome
    miss = why.misses[0]
    far = f", {away(miss.gap)}" if miss.gap is not None else ""
    return f"{miss.rule} lacked {len(miss.lacking)}{far}"


def away(gap: float | None) -> str:
    """Write how far a condition is from turning."""
    return "" if gap is None else f"{gap * 100:.3g}% away"


def number(value: float) -> str:
    """Write a number of a rule with the digits that matter."""
    return f"{value:,.8g}"


def moment(ts: int) -> str:
    """Write ns UTC as a date and a time."""
    return datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")
