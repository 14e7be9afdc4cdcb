"""What a start makes of a state folder in whatever condition: each ends in a safe state, and is said."""

import re
import resource
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from engine.api import Phase
from engine.domain.modes import Holder
from engine.runtime.session import decode_state, encode_state
from engine.storage.checkpoints import decode_checkpoint, encode_checkpoint
from engine.storage.schema import MIGRATIONS
from tests.process.harness import House, eventually, one_message
from tests.process.test_bad_input import as_anybody

pytestmark = pytest.mark.process

HOUR_NS = 3_600 * 10**9
DATABASE = "engine.sqlite"


class Left(NamedTuple):
    """What an engine that held a position and was killed left behind."""

    folder: Path
    position: str
    protection: list[tuple[str, str]]


def protection(house: House) -> list[tuple[str, str]]:
    """Return the open orders by venue id."""
    return sorted((o.venue_id, o.client_id) for o in house.snapshot().orders if o.state.is_open)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> list[Left]:
    """The one state folder that each test of this process begins with, once it is made."""
    return []


@pytest.fixture
def left(house: House, kept: list[Left], tmp_path_factory) -> Left:
    """Give the house a state folder that a killed engine left, with a position and its protection."""
    if not kept:
        house.holding()
        found = house.position(), protection(house)
        assert house.run("stop", "--on-stop", "keep").code == 0  # which saves a checkpoint
        engine = house.engine("--play", house.play, "--arm")
        eventually(lambda: house.phase() is Phase.ARMED, "it goes on")
        engine.kill()
        engine.wait()
        folder = tmp_path_factory.mktemp("left") / "state"
        shutil.copytree(house.state_dir, folder, ignore=shutil.ignore_patterns("*.sock"))
        kept.append(Left(folder, *found))
    shutil.rmtree(house.state_dir, ignore_errors=True)
    shutil.copytree(kept[0].folder, house.state_dir)
    return kept[0]


def paper(house: House) -> Path:
    """Return where the mode's files lie."""
    return house.folder() / "paper"


def newest(house: House) -> Path:
    """Return the newest checkpoint."""
    return max((paper(house) / "checkpoints").glob("*.checkpoint"))


def rewrite(house: House, change: Callable[[bytes], bytes]) -> None:
    """Change the newest checkpoint's bytes."""
    newest(house).write_bytes(change(newest(house).read_bytes()))


def aged(data: bytes) -> bytes:
    """Return a checkpoint that says it is two hours older."""
    found = decode_checkpoint(data)
    return encode_checkpoint(found.sequence, found.created - 2 * HOUR_NS, found.payload)


def in_database(house: House, sql: str) -> list[tuple[object, ...]]:
    """Run a statement on the database."""
    connection = sqlite3.connect(paper(house) / DATABASE)
    rows = connection.execute(sql).fetchall()
    connection.commit()
    connection.close()
    return rows


def log_of(house: House) -> str:
    """Return what the engine has logged."""
    return (house.folder() / "logs" / "engine.log").read_text()


def without_database(house: House) -> None:
    """Take the database away."""
    for file in paper(house).glob(f"{DATABASE}*"):
        file.unlink()


def empty_database(house: House) -> None:
    """Leave an empty file where the database was."""
    without_database(house)
    (paper(house) / DATABASE).touch()


def damaged_database(house: House) -> None:
    """Let every page but the first be garbage."""
    in_database(house, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = paper(house) / DATABASE
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


def no_database(house: House) -> None:
    """Put some other file in the database's place."""
    without_database(house)
    (paper(house) / DATABASE).write_bytes(b"dear diary, " * 1_000)


REFUSED = {
    "database of a newer version": (
        lambda house: in_database(house, f"PRAGMA user_version = {len(MIGRATIONS) + 1}"),
        rf"engine\.sqlite: .* version {len(MIGRATIONS) + 1}; .* knows {len(MIGRATIONS)} at most\. Start",
    ),
    "database damaged": (damaged_database, r"engine\.sqlite: .*the database is damaged\. .* restore a copy"),
    "not a database": (no_database, r"engine\.sqlite: .*not a SQLite database\. .* restore a copy"),
    "database of another program": (
        lambda house: in_database(house, "PRAGMA application_id = 1"),
        r"engine\.sqlite: .*another program\. Choose another --state-dir",
    ),
}


@pytest.mark.parametrize("condition", REFUSED)
def test_a_database_that_cannot_be_trusted_is_refused_and_left_as_it_is(house, left, condition):
    spoil, message = REFUSED[condition]
    spoil(house)
    before = (paper(house) / DATABASE).read_bytes()
    done = house.run("run", "--headless", "--play", house.play, "--arm")
    assert done.code == 1
    said = one_message(done)
    assert len(said.splitlines()) == 1
    assert re.search(message, said), said
    assert (paper(house) / DATABASE).read_bytes() == before
    assert house.gone()


GOES_ON = {
    "all as it was": (lambda house: None, "goes on from session"),
    "newest checkpoint damaged": (
        lambda house: rewrite(house, lambda data: data[:-9] + b"\xff" * 9),
        "checksum does not fit",
    ),
    "newest checkpoint truncated": (
        lambda house: rewrite(house, lambda data: data[: len(data) // 2]),
        "bytes",
    ),
    "newest checkpoint of a newer version": (
        lambda house: rewrite(house, lambda data: data[:7] + bytes([data[7] + 1]) + data[8:]),
        "a newer trader-tui wrote it",
    ),
    "newest checkpoint two hours old": (lambda house: rewrite(house, aged), "minutes old"),
    "records lost": (
        lambda house: shutil.rmtree(paper(house) / "records"),
        "record",
    ),
}


@pytest.mark.parametrize("condition", GOES_ON)
def test_an_engine_goes_on_with_its_position_whatever_became_of_checkpoints_and_records(
    house, left, condition
):
    spoil, note = GOES_ON[condition]
    spoil(house)
    house.engine("--play", house.play)
    assert house.phase() is Phase.DISARMED
    assert (house.position(), protection(house)) == (left.position, left.protection)
    assert note in log_of(house)


@pytest.mark.parametrize("spoil", [without_database, empty_database], ids=["missing", "empty"])
def test_a_lost_database_lets_no_entry_out_and_keeps_position_and_ids(house, left, spoil):
    spoil(house)
    house.engine("--play", house.play, "--arm")
    eventually(lambda: house.snapshot().status.risk_mode.value == "reduce", "risk mode REDUCE")
    assert (house.position(), protection(house)) == (left.position, left.protection)
    assert "the database was lost" in log_of(house)
    assert house.run("flatten").code == 0, "reductions pass"


def test_lost_books_begin_anew_let_no_entry_out_and_say_so(house, left):
    for folder in ("records", "checkpoints"):
        shutil.rmtree(paper(house) / folder)
    house.engine("--play", house.play, "--arm")
    eventually(lambda: house.snapshot().status.risk_mode.value == "reduce", "risk mode REDUCE")
    assert "records and checkpoints were lost" in log_of(house)
    assert house.run("flatten").code == 0, "reductions pass"


def test_a_folder_on_a_full_disk_starts_nothing(house, left):
    before = (paper(house) / DATABASE).read_bytes()
    done = house.run("run", "--headless", "--play", house.play, "--arm", before=full(0))
    assert done.code == 1
    assert re.search(r"could not .*: (the disk|the file may not grow)", one_message(done)), done.err
    assert (paper(house) / DATABASE).read_bytes() == before


def test_a_folder_that_became_read_only_starts_nothing(house, left):
    files = [house.state_dir, *house.state_dir.rglob("*")]
    for path in files:
        path.chmod(0o500 if path.is_dir() else 0o400)
    done = house.run("run", "--headless", "--play", house.play, "--arm", before=as_anybody())
    for path in files:
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert done.code == 1
    assert re.search(rf"{house.folder()}: .* cannot be written to\. Make it writable", one_message(done)), (
        done.err
    )


def test_a_disk_that_is_full_during_a_run_lets_reductions_pass_and_no_entry(house, left):
    engine = house.engine("--play", house.play, "--arm")
    before = resource.prlimit(engine.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    assert house.position() == left.position
    assert house.run("flatten").code == 0
    assert not house.position()
    assert fails_to_store(house)
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, before)
    eventually(lambda: not fails_to_store(house), "it writes again")
    assert house.run("stop").code == 0
    house.engine("--play", house.play)
    assert house.phase() is Phase.HALTED
    assert not house.position(), "what was closed while the disk was full stays closed"


def fails_to_store(house: House) -> bool:
    """Tell whether entries are held because the disk fails."""
    return any(hold.holder is Holder.STORAGE for hold in house.snapshot().status.holds)


def full(blocks: int) -> tuple[str, ...]:
    """Return what lets no file grow past some blocks of 1,024 bytes: writes then fail as on a full disk."""
    return ("bash", "-c", f'ulimit -f {blocks}; exec "$@"', "-")


def test_a_clock_set_back_between_two_starts_repeats_no_id_and_delays_no_timer(house, left):
    rewrite(house, later)
    shutil.rmtree(paper(house) / "records")
    house.engine("--play", house.play, "--arm")
    assert "behind the last session: time goes on from there" in log_of(house)
    assert (house.position(), protection(house)) == (left.position, left.protection)
    bars = house.snapshot().feeds[0].events
    eventually(lambda: house.snapshot().feeds[0].events > bars, "the market goes on", timeout_s=10)
    assert house.run("flatten").code == 0
    ids = in_database(house, "SELECT client_id FROM orders")
    assert len(ids) == len(set(ids)) > 3


def later(data: bytes) -> bytes:
    """Return a checkpoint that was saved an hour from now."""
    found = decode_checkpoint(data)
    state = decode_state(found.payload)
    timers = tuple((timer_id, at + HOUR_NS) for timer_id, at in state.loop.timers)
    loop = msgspec.structs.replace(state.loop, timers=timers)
    state = msgspec.structs.replace(state, loop=loop, now=state.now + HOUR_NS)
    return encode_checkpoint(found.sequence, found.created + HOUR_NS, encode_state(state))
