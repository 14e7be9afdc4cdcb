"""However often a fetch is interrupted, and whatever the venue lacks: the file comes out the same."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import RefusedError, TransientError, VenueError
from tests.unit.runtime.fetch_fakes import Clerk, FakeSource, lines_of

LAST = 70  # minutes

gaps = st.lists(st.tuples(st.integers(0, LAST), st.integers(1, 25)), max_size=4)
# Before each interruption: how many pages pass, how many bytes of the part a crash tears off.
interruptions = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200)), max_size=4)


@settings(max_examples=25)
@given(gaps, interruptions, st.integers(0, 12))
def test_a_fetch_in_pieces_is_the_fetch_in_one(
    gaps: list[tuple[int, int]], interruptions: list[tuple[int, int]], since: int
):
    absent = {minute for first, length in gaps for minute in range(first, first + length)}
    there = [minute for minute in range(since, LAST) if minute not in absent]
    with tempfile.TemporaryDirectory() as folder:
        clerk = Clerk(Path(folder) / "bars.csv.gz")
        for pages, torn in interruptions:
            asyncio.run(_interrupted(clerk, there, since, pages))
            if clerk.part.exists():
                content = clerk.part.read_bytes()
                clerk.part.write_bytes(content[: max(0, len(content) - torn)])
        try:
            report = asyncio.run(clerk.fetch(FakeSource(there, now_minute=LAST + 1), since=since))
        except VenueError:
            assert there == []
            return
        assert clerk.lines == lines_of(there)
        assert report.rows == len(there)
        assert not clerk.part.exists()


async def _interrupted(clerk: Clerk, there: list[int], since: int, pages: int) -> None:
    """Fetch until the venue refuses after some pages, with a fault that passes before each."""
    source = FakeSource(there, now_minute=LAST + 1)
    for _ in range(pages):
        source.script += [TransientError("fake is down"), lambda: None]
    source.script.append(RefusedError("fake refuses"))
    try:
        await clerk.fetch(source, since=since)
    except VenueError:
        return
