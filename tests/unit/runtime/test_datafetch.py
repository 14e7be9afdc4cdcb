"""Fetching bars into a file: page by page, checked, without the open bar, and taken up where it was left."""

import asyncio
import gzip
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import ConfigError, RefusedError, StorageError, TransientError, VenueError
from engine.runtime.datafetch import FetchRequest, fetch, run_fetch
from engine.runtime.fetchedfile import default_name
from engine.venues.barpages import HEADER, RawBar
from engine.venues.datafile import read_data
from engine.venues.instruments import describe
from tests.unit.runtime.fetch_fakes import (
    MINUTE_MS,
    PAGE_ROWS,
    SERIES,
    START_MS,
    Clerk,
    FakeSource,
    bar,
    lines_of,
    other,
)

DAY = 1_440  # minutes


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    return Clerk(tmp_path / "bars.csv.gz")


async def test_all_closed_bars_come_in_pages_and_the_open_one_does_not(clerk: Clerk):
    source = FakeSource(range(26), now_minute=25.5)
    report = await clerk.fetch(source)
    assert clerk.lines == lines_of(range(25))
    assert source.asked == [0, 10, 20]
    assert (report.rows, report.fetched, report.gaps, report.notes) == (25, 25, 0, ())
    assert (report.first_ns, report.last_ns) == (START_MS * 10**6, (START_MS + 24 * MINUTE_MS) * 10**6)
    assert [told.rows for told in clerk.told] == [0, 10, 20, 25]
    assert not clerk.part.exists()


@pytest.mark.parametrize(("now_minute", "last"), [(20.0, 18), (20.08, 18), (20.09, 19), (20.99, 19)])
async def test_a_bar_counts_as_closed_a_moment_after_its_end(clerk: Clerk, now_minute: float, last: int):
    await clerk.fetch(FakeSource(range(30), now_minute=now_minute))
    assert clerk.lines[-1] == bar(last).line


async def test_where_the_venue_tells_no_time_our_clock_does(clerk: Clerk):
    source = FakeSource(range(30), now_minute=0)
    source.now = None
    await clerk.fetch(source, clock_minute=13)
    assert clerk.lines == lines_of(range(12))


@pytest.mark.parametrize(("since", "until"), [(0, 10), (0, 11), (1, 10), (5, 6), (10, 20), (9, 21)])
async def test_the_ends_are_those_that_were_asked_for(clerk: Clerk, since: int, until: int):
    await clerk.fetch(FakeSource(range(100), now_minute=99), since=since, until=until)
    assert clerk.lines == lines_of(range(since, until))


async def test_rows_that_a_venue_sends_besides_are_left_out(clerk: Clerk):
    source = FakeSource(range(40), now_minute=39)
    source.script.append([bar(minute) for minute in range(2, 9)])
    await clerk.fetch(source, since=4, until=7)
    assert clerk.lines == lines_of(range(4, 7))


async def test_missing_minutes_stay_missing_and_are_counted(clerk: Clerk):
    there = [*range(3), *range(5, 17), *range(48, 60)]  # the second gap is longer than two pages
    report = await clerk.fetch(FakeSource(there, now_minute=70))
    assert clerk.lines == lines_of(there)
    assert (report.gaps, report.missing) == (2, 33)


async def test_an_empty_page_is_believed_when_it_comes_twice(clerk: Clerk):
    source = FakeSource(range(30), now_minute=40)
    source.script += [[bar(n) for n in range(10)], []]
    await clerk.fetch(source)
    assert clerk.lines == lines_of(range(30))
    assert source.asked[:4] == [0, 10, 10, 20]


async def test_years_before_the_first_bar_are_skipped_by_days(clerk: Clerk):
    source = FakeSource(range(25 * DAY + 7, 25 * DAY + 20), now_minute=25 * DAY + 30)
    report = await clerk.fetch(source)
    assert report.rows == 13
    assert report.first_ns == (START_MS + (25 * DAY + 7) * MINUTE_MS) * 10**6
    assert source.days_asked == 3
    assert len(source.asked) <= 10


async def test_without_days_and_for_days_the_way_goes_page_by_page(clerk: Clerk):
    series = msgspec.structs.replace(SERIES, has_days=False)
    source = FakeSource(range(45, 50), now_minute=60, series=series)
    await clerk.fetch(source)
    assert source.days_asked == 0
    assert clerk.lines == lines_of(range(45, 50))


async def test_faults_that_may_pass_are_asked_away(clerk: Clerk):
    source = FakeSource(range(15), now_minute=14)
    source.script += [TransientError("fake is down"), TransientError("fake is down"), [bar(1), bar(0)]]
    await clerk.fetch(source)
    assert clerk.lines == lines_of(range(13))
    assert clerk.pauses == [1, 2, 4]
    assert clerk.notes == [
        "fake is down; asking again in 1.0 s",
        "fake is down; asking again in 2.0 s",
        "fake sent bars out of order at 2024-10-04 00:00; asking again in 4.0 s",
    ]


BAD_PAGES = {
    "descending": ([bar(1), bar(0)], "fake sent bars out of order"),
    "two of one time": ([bar(0), other(bar(0), close="100.7")], "fake sent two different bars for"),
    "no number": ([other(bar(0), high="nan")], "with a number that is none"),
    "another timeframe": ([bar(0), RawBar(START_MS + 1_000, "1", "1", "1", "1", "1")], "between two steps"),
}


@pytest.mark.parametrize("name", BAD_PAGES)
async def test_a_page_that_stays_wrong_ends_the_fetch_and_nothing_of_it_is_kept(clerk: Clerk, name: str):
    page, message = BAD_PAGES[name]
    source = FakeSource(range(30), now_minute=30)
    source.script += [[bar(n) for n in range(10)], *[page] * 6]
    with pytest.raises(VenueError) as caught:
        await clerk.fetch(source)
    assert message in str(caught.value)
    assert str(caught.value).endswith("; 10 bars are kept, the same command goes on from there")
    assert not clerk.out.exists()
    report = await clerk.fetch(FakeSource(range(30), now_minute=30))
    assert clerk.lines == lines_of(range(29))
    assert (report.rows, report.fetched) == (29, 19)


async def test_a_refusal_ends_the_fetch_at_once_and_leaves_nothing(clerk: Clerk):
    source = FakeSource(range(30), now_minute=30)
    source.script.append(RefusedError("fake refuses: no"))
    with pytest.raises(VenueError, match=r"^fake refuses: no$"):
        await clerk.fetch(source)
    assert (clerk.pauses, list(clerk.out.parent.iterdir())) == ([], [])


@pytest.mark.parametrize(("since", "until"), [(0, 20), (500, None), (50, 45)])
async def test_an_answer_without_bars_is_told_and_leaves_nothing(clerk: Clerk, since: int, until: int | None):
    with pytest.raises(
        VenueError, match=r"fake has no closed bars of BTC/USDT:USDT 1m between 2024-10-04 0\d:\d\d and"
    ):
        await clerk.fetch(FakeSource(range(30, 40), now_minute=60), since=since, until=until)
    assert list(clerk.out.parent.iterdir()) == []


async def test_a_file_is_continued_from_its_last_bar(clerk: Clerk):
    await clerk.fetch(FakeSource(range(15), now_minute=15))
    source = FakeSource(range(40), now_minute=33)
    report = await clerk.fetch(source)
    assert clerk.lines == lines_of(range(32))
    assert source.asked[0] == 13  # the last bar is asked for again, and compared
    assert (report.rows, report.fetched) == (32, 18)


async def test_a_file_that_is_whole_is_left_as_it_is(clerk: Clerk):
    await clerk.fetch(FakeSource(range(15), now_minute=15))
    before = clerk.out.read_bytes()
    report = await clerk.fetch(FakeSource(range(15), now_minute=15))
    assert (report.rows, report.fetched) == (14, 0)
    assert clerk.out.read_bytes() == before
    source = FakeSource(range(15), now_minute=15)
    assert (await clerk.fetch(source, until=5)).fetched == 0
    assert source.asked == []


async def test_a_gap_at_the_seam_is_counted(clerk: Clerk):
    await clerk.fetch(FakeSource(range(12), now_minute=12))
    report = await clerk.fetch(FakeSource(range(30, 40), now_minute=40))  # what was held is served no more
    assert clerk.lines == lines_of([*range(11), *range(30, 39)])
    assert (report.gaps, report.missing) == (1, 19)


async def test_another_last_bar_than_the_file_has_is_refused(clerk: Clerk):
    await clerk.fetch(FakeSource(range(12), now_minute=12))
    before = clerk.out.read_bytes()
    source = FakeSource(range(40), now_minute=30)
    source.bars[bar(10).ts_ms] = other(bar(10), close="104.4")
    with pytest.raises(StorageError, match="fake now tells another bar for 2024-10-04 00:10"):
        await clerk.fetch(source)
    assert clerk.out.read_bytes() == before


async def test_a_cancelled_fetch_keeps_its_pages(clerk: Clerk):
    source = FakeSource(range(40), now_minute=40)

    def cancel() -> None:
        raise asyncio.CancelledError

    source.script += [[bar(n) for n in range(10)], cancel]
    with pytest.raises(asyncio.CancelledError):
        await clerk.fetch(source)
    assert clerk.part.exists()
    await clerk.fetch(FakeSource(range(40), now_minute=40))
    assert clerk.lines == lines_of(range(39))


async def test_what_was_fetched_is_a_data_file_with_its_instrument(clerk: Clerk):
    await clerk.fetch(FakeSource(range(30), now_minute=30))
    beside = clerk.out.with_name("bars.instrument.yaml")
    assert beside.read_text().splitlines() == [
        "# What fake said of BTC/USDT:USDT at 2024-10-04 00:30 UTC, by way of ccxt.",
        "# The fees are its standard ones, not those of an account.",
        "symbol: BTCUSDT",
        "tick: 0.1",
        "kind: linear",
        "venue: fake",
        "timeframe: 1m",
    ]
    about = describe(read_data(clerk.out))
    assert (about.instrument.symbol, str(about.instrument.tick)) == ("BTCUSDT", "0.1")


async def test_a_users_own_instrument_file_is_kept_and_what_the_venue_says_else_is_told(clerk: Clerk):
    beside = clerk.out.with_name("bars.instrument.yaml")
    beside.write_text("symbol: BTCUSDT\nvenue: fake\ntimeframe: 1m\ntick: 0.5\nmaker_fee: 0\n")
    before = beside.read_text()
    report = await clerk.fetch(FakeSource(range(12), now_minute=12))
    assert beside.read_text() == before
    assert report.notes == ("bars.instrument.yaml keeps tick 0.5; fake now says 0.1",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol: ETHUSDT\nvenue: fake\ntimeframe: 1m\n", "symbol: it is of ETHUSDT, not of BTCUSDT; choose"),
        ("symbol: BTCUSDT\nvenue: other\ntimeframe: 1m\n", "venue: it is of other, not of fake"),
        ("symbol: BTCUSDT\nvenue: fake\ntimeframe: 5m\n", "timeframe: it is of 5m, not of 1m"),
        ("symbol: BTCUSDT\n", "venue: it is of unknown origin, not of fake"),
    ],
)
async def test_a_file_of_something_else_is_not_continued(clerk: Clerk, text: str, message: str):
    clerk.out.with_name("bars.instrument.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        await clerk.fetch(FakeSource(range(12), now_minute=12))
    assert message in str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".part"])
async def test_a_file_that_nothing_speaks_for_is_not_continued(clerk: Clerk, suffix: str):
    clerk.out.with_name(clerk.out.name + suffix).write_bytes(b"")
    with pytest.raises(ConfigError, match=r"no bars.instrument.yaml beside it says what it holds"):
        await clerk.fetch(FakeSource(range(12), now_minute=12))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("ts_ms,price,qty,side\n1,1,1,buy\n", "is no bar"),
        (f"{HEADER},trades\n1,1,1,1,1,1\n", "its columns are ts_ms,open,high,low,close,volume,trades"),
    ],
)
async def test_a_file_of_other_columns_is_not_continued(clerk: Clerk, rows: str, message: str):
    clerk.out.with_name("bars.instrument.yaml").write_text("symbol: BTCUSDT\nvenue: fake\ntimeframe: 1m\n")
    clerk.out.write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(StorageError, match="cannot be continued") as caught:
        await clerk.fetch(FakeSource(range(12), now_minute=12))
    assert message in str(caught.value)


async def test_an_instrument_file_that_cannot_be_written_is_told(clerk: Clerk):
    clerk.out.with_name("bars.instrument.yaml.tmp").mkdir()
    with pytest.raises(StorageError, match=r"bars.instrument.yaml cannot be written"):
        await clerk.fetch(FakeSource(range(12), now_minute=12))


async def test_only_a_csv_gz_is_written(tmp_path: Path):
    clerk = Clerk(tmp_path / "bars.csv")
    with pytest.raises(ConfigError, match=r"--out: .*bars.csv must end in .csv.gz"):
        await clerk.fetch(FakeSource(range(12), now_minute=12))


async def test_a_file_has_a_name_without_being_given_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    request = FetchRequest(venue="fake", symbol="BTCUSDT", timeframe="1m", since=START_MS * 10**6)
    report = await fetch(FakeSource(range(PAGE_ROWS), now_minute=10), request, tell=lambda _: None)
    assert report.file == "fake_linear_btcusdt_1m.csv.gz" == default_name(SERIES)
    assert (tmp_path / report.file).exists()


def test_an_unknown_venue_is_told_without_asking_anybody():
    request = FetchRequest(venue="bybitt", symbol="BTCUSDT", timeframe="1m", since=0)
    with pytest.raises(ConfigError, match="did you mean bybit"):
        run_fetch(request, lambda _: None)
