"""Line output: everything once, and the exit code of the engine."""

import io

import msgspec

from engine.api import Action, Goodbye, NoticeLevel
from tests.console_fakes import NOTICES, FakeLink, notice, snapshot, status
from tui.plain import Typed, run_plain


class Clock:
    """Five seconds later at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 5.0
        return self.now


async def lines_of(*moments: object, goodbye: Goodbye | None = None) -> tuple[list[str], int]:
    link = FakeLink(moments)  # type: ignore[arg-type]  # snapshots
    link.end(goodbye)
    out = io.StringIO()
    code = await run_plain(link, out, now=Clock())
    return out.getvalue().splitlines(), code


async def test_notices_are_printed_once() -> None:
    """Those that were there, then the new one."""
    more = (*NOTICES[1:], notice(0, NoticeLevel.GOOD, "fill", "bought 1\nfor x", "BTCUSDT"))
    lines, code = await lines_of(
        snapshot(), snapshot(notices=more), snapshot(notices=more), goodbye=Goodbye(0, "bye")
    )
    assert sum("checkpoint 12" in line for line in lines) == 1
    assert lines.count("14:02:11Z GOOD    BTCUSDT bought 1·for x") == 1
    assert lines[-1] == "bye"
    assert code == 0


async def test_the_status_comes_on_change_and_every_ten_seconds() -> None:
    """Whole, in words, with the sentence when it changed."""
    paused = snapshot(status=status(paused=True), notices=())
    calm = snapshot(notices=())
    lines, code = await lines_of(calm, paused, paused, paused, paused)
    assert [line for line in lines if line.startswith("PAPER")][1].split()[:3] == ["PAPER", "ARMED", "PAUSED"]
    assert sum(line.startswith("PAPER") for line in lines) == 3
    assert lines[1].strip().startswith("Armed and free")
    assert lines[-1] == "the engine vanished without a word"
    assert code == 1


async def test_a_wordless_goodbye_is_said() -> None:
    """With the engine's code."""
    lines, code = await lines_of(snapshot(), goodbye=Goodbye(4, ""))
    assert lines[-1] == "the engine has ended"
    assert code == 4


async def test_notices_that_all_scrolled_away_are_all_new() -> None:
    """Better twice than never."""
    other = tuple(msgspec.structs.replace(item, text=f"{item.text}!") for item in NOTICES[:2])
    lines, _ = await lines_of(snapshot(), snapshot(notices=other))
    assert sum(line.endswith("!") for line in lines) == 2


async def test_typed_lines_are_obeyed_and_answered() -> None:
    """And `quit` leaves an engine that goes on, with 0."""
    link = FakeLink([snapshot()])
    typed = Typed()
    for line in ("pause", "nonsense", "quit"):
        typed.put_nowait(line)
    out = io.StringIO()
    assert await run_plain(link, out, now=Clock(), typed=typed) == 0
    lines = out.getvalue().splitlines()
    assert link.commands[0][0] is Action.PAUSE
    assert "pause: done" in lines
    assert any("'nonsense' is not known here" in line for line in lines)
    assert lines[-1].startswith("the engine goes on")
