"""Hot-reload: only a whole, valid, fitting play takes the place of the running one, whatever editors do."""

import os
from decimal import Decimal

import msgspec
import pytest

from engine.config.plays import load_play
from engine.domain.errors import ConfigError
from engine.domain.events import PlaySwapped
from engine.domain.market import NS_PER_S, Bar
from engine.domain.play import PlaySpec, Rule, Sizing, SizingKind
from engine.runtime.hotreload import PlayReloader
from engine.runtime.playfile import PLAY_BYTES_MAX
from engine.runtime.reloadentry import BACKOFF_MAX_S, WatchedPlay

PLAY = """\
name: canary
size: {notional: 100}
long:
  enter: close crosses_above sma(3)
  exit: close crosses_below sma(3)
"""
FASTER = PLAY.replace("sma(3)", "sma(2)")
BROKEN = PLAY.replace("sma(3)", "smma(3)")
START_NS = 1_723_125_731 * NS_PER_S


def bars(count, symbol="BTCUSDT"):
    """A market that goes up and down."""
    step = 60 * NS_PER_S
    closes = [100.0 + (index % 5) for index in range(count)]
    return tuple(
        Bar(START_NS + index * step, symbol, close, close + 1, close - 1, close, 1.0, step)
        for index, close in enumerate(closes)
    )


BARS = bars(20)


class Watch:
    """A reloader of one play file, with a clock that goes a second a check."""

    def __init__(self, path, *, load=load_play, window=BARS, generation=1, spec=None):
        self.path = path
        self.loads: list[str] = []
        self.now_s = 1000.0

        def counted(file):
            self.loads.append(file.read_text())
            return load(file)

        running = spec if spec is not None else load_play(path)
        self.reloader = PlayReloader(
            [WatchedPlay(path, running, generation)], load=counted, window=lambda _: window, now=START_NS
        )

    async def check(self):
        """One second later: look, and return the swaps."""
        self.now_s += 1.0
        changes = await self.reloader.check(self.now_s, int(self.now_s) * NS_PER_S)
        assert all(isinstance(change, PlaySwapped) for change in changes)
        return tuple(change for change in changes if isinstance(change, PlaySwapped))

    async def settle(self):
        """Check until a change must have been taken: two looks."""
        return (*await self.check(), *await self.check())

    @property
    def row(self):
        (row,) = self.reloader.rows()
        return row

    def replace(self, text):
        """Write as most editors do: beside, then rename."""
        beside = self.path.with_name(f".{self.path.name}.swp")
        beside.write_text(text)
        beside.replace(self.path)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "canary.yaml"
    file.write_text(PLAY)
    return file


@pytest.fixture
async def watch(path):
    """A reloader that has seen the file that runs."""
    watch = Watch(path)
    assert await watch.settle() == ()
    assert watch.row.result == "loaded"
    return watch


# taking a change


async def test_an_unchanged_file_stays_loaded(watch):
    loads = len(watch.loads)
    for _ in range(3):
        assert await watch.check() == ()
    assert len(watch.loads) == loads
    row = watch.row
    assert (row.play, row.file, row.generation, row.result) == ("canary", str(watch.path), 1, "loaded")
    assert row.hash == load_play(watch.path).hash
    assert (row.text, row.at, row.failures, row.next_try_s) == ("generation 1 runs", START_NS, 0, 0.0)


async def test_a_changed_play_is_swapped_with_the_next_generation(watch):
    watch.replace(FASTER)
    (swap,) = await watch.settle()
    assert swap.spec == load_play(watch.path)
    assert (swap.generation, swap.ts) == (2, int(watch.now_s) * NS_PER_S)
    row = watch.row
    assert (row.result, row.generation, row.hash, row.text) == (
        "swapped",
        2,
        swap.spec.hash,
        "generation 2 runs",
    )
    assert await watch.settle() == ()
    watch.replace(PLAY)
    (back,) = await watch.settle()
    assert back.generation == 3


async def test_a_file_that_was_changed_while_the_engine_was_down_is_swapped_at_the_start(path):
    running = load_play(path)
    path.write_text(FASTER)
    watch = Watch(path, spec=running, generation=7)
    (swap,) = await watch.settle()
    assert swap.generation == 8


async def test_only_a_settled_file_is_taken(watch):
    """A writer that is slow leaves files that parse and yet are not what was meant."""
    loads = len(watch.loads)
    for end in (30, 60, 90):
        watch.path.write_text(FASTER[:end])
        assert await watch.check() == ()
        assert watch.row.result == "waiting"
        assert "until it is checked" in watch.row.text
    assert len(watch.loads) == loads
    watch.path.write_text(FASTER)
    (swap,) = await watch.settle()
    assert swap.spec == load_play(watch.path)


async def test_comments_and_layout_do_not_count(watch):
    watch.replace("# a better comment\n" + PLAY.replace("size: {notional: 100}", "size:\n  notional: 100.0"))
    assert await watch.settle() == ()
    row = watch.row
    assert (row.result, row.generation) == ("loaded", 1)
    assert row.text == "generation 1 runs; only comments or layout changed"


async def test_a_symlink_that_is_turned_to_another_file_is_a_change(tmp_path):
    for name, text in (("a.yaml", PLAY), ("b.yaml", FASTER)):
        (tmp_path / name).write_text(text)
    link = tmp_path / "canary.yaml"
    link.symlink_to("a.yaml")
    watch = Watch(link)
    assert await watch.settle() == ()
    other = tmp_path / "next"
    other.symlink_to("b.yaml")
    other.replace(link)
    (swap,) = await watch.settle()
    assert swap.spec == load_play(tmp_path / "b.yaml")


async def test_what_editors_leave_beside_the_file_is_not_looked_at(watch):
    for name in (".canary.yaml.swp", "canary.yaml~", "#canary.yaml#", "4913"):
        (watch.path.parent / name).write_text(FASTER)
    assert await watch.settle() == ()
    assert watch.row.result == "loaded"


async def test_a_play_that_needs_more_bars_than_there_are_says_when_it_speaks(path):
    watch = Watch(path, window=bars(20))
    await watch.settle()
    watch.replace(PLAY.replace("sma(3)", "sma(50)"))
    (swap,) = await watch.settle()
    assert swap.generation == 2
    assert watch.row.text.startswith("generation 2 runs; no signal before 3")


async def test_a_play_is_tried_without_any_bars(path):
    watch = Watch(path, window=())
    await watch.settle()
    watch.replace(FASTER)
    assert len(await watch.settle()) == 1


@pytest.mark.parametrize("symbols", ["", "symbols: [BTCUSDT, ETHUSDT]\n"])
@pytest.mark.parametrize("others", [0, 2, 20])
async def test_a_play_is_tried_on_the_bars_of_all_its_legs(path, symbols, others):
    play = f"{PLAY}\nlegs: [btc, eth]\n{symbols}"
    path.write_text(play)
    watch = Watch(path, window=bars(20) + bars(others, "ETHUSDT"))
    await watch.settle()
    watch.replace(play.replace("sma(3)", "sma(eth.close, 30)"))
    assert len(await watch.settle()) == 1
    assert "no signal before" in watch.row.text


async def test_each_file_is_its_own(path, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(PLAY.replace("canary", "other"))
    plays = [WatchedPlay(file, load_play(file)) for file in (path, other)]
    reloader = PlayReloader(plays, load=load_play, window=lambda _: bars(20), now=START_NS)
    for second in (1.0, 2.0):
        await reloader.check(second, START_NS)
    path.write_text("name: [")
    other.write_text(FASTER.replace("canary", "other"))
    swaps = [*await reloader.check(3.0, START_NS), *await reloader.check(4.0, START_NS)]
    assert [(swap.spec and swap.spec.name, swap.generation) for swap in swaps] == [("other", 2)]
    assert [row.result for row in reloader.rows()] == ["rejected", "swapped"]


# rejecting a change


async def test_a_broken_play_is_rejected_once_and_the_old_one_runs_on(watch):
    watch.replace(BROKEN)
    assert await watch.settle() == ()
    row = watch.row
    assert (row.result, row.generation, row.failures, row.next_try_s) == ("rejected", 1, 1, 0.0)
    assert row.hash == load_play_text(PLAY, watch.path).hash
    assert row.text.startswith("canary.yaml:4:30: long.enter: there is no 'smma'")
    assert row.text.endswith("generation 1 runs on")
    assert "\n" not in row.text
    loads = len(watch.loads)
    for _ in range(3):
        assert await watch.check() == ()
    assert len(watch.loads) == loads
    watch.replace(BROKEN + "# and again\n")
    assert await watch.settle() == ()
    assert watch.row.failures == 2


def load_play_text(text, near):
    """Load a text as a play."""
    file = near.with_name("as-text.yaml")
    file.write_text(text)
    return load_play(file)


async def test_going_back_to_what_runs_clears_a_rejection(watch):
    watch.replace(BROKEN)
    await watch.settle()
    watch.replace(PLAY)
    assert await watch.settle() == ()
    row = watch.row
    assert (row.result, row.failures, row.text) == ("loaded", 0, "generation 1 runs; the file says it again")


async def test_a_good_play_after_a_broken_one_is_swapped(watch):
    watch.replace(BROKEN)
    await watch.settle()
    watch.replace(FASTER)
    assert len(await watch.settle()) == 1
    assert (watch.row.result, watch.row.failures) == ("swapped", 0)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("name: canary", "name: parrot", "name changed from canary to parrot, which needs a restart"),
        (
            "size:",
            "symbols: [BTCUSDT, ETHUSDT]\nsize:",
            "symbols changed from none to BTCUSDT, ETHUSDT, which needs a restart",
        ),
        ("size:", "timeframe: 5m\nsize:", "timeframe changed from base to 5m, which needs a restart"),
    ],
)
async def test_what_positions_hang_on_needs_a_restart(watch, old, new, text):
    watch.replace(PLAY.replace(old, new))
    assert await watch.settle() == ()
    assert watch.row.result == "rejected"
    assert watch.row.text == f"{text}; generation 1 runs on"
    assert watch.row.play == "canary"


async def test_a_play_that_fails_on_the_last_bars_is_rejected(path):
    """Its rule is of the right shape, yet no evaluator can be built from it."""
    spec = load_play(path)
    bad = msgspec.structs.replace(spec, long_entry=Rule("close crosses_above nonsense(3)"))
    answers = [spec, bad]
    watch = Watch(path, load=lambda _: answers.pop(0))
    await watch.settle()
    watch.replace(FASTER)
    assert await watch.settle() == ()
    assert watch.row.result == "rejected"
    assert "fails on the last 20 bars" in watch.row.text


async def test_a_loader_that_breaks_is_a_rejection(watch):
    def load(_):
        raise ZeroDivisionError

    other = Watch(watch.path, load=load)
    assert await other.settle() == ()
    assert other.row.result == "rejected"
    assert "cannot be loaded: ZeroDivisionError()" in other.row.text


async def test_a_long_message_is_cut_to_one_line(path):
    def load(_):
        raise ConfigError("first\nsecond " + "x" * 1000)

    watch = Watch(path, load=load, spec=load_play(path))
    await watch.settle()
    assert watch.row.text.startswith("first second x")
    assert watch.row.text.endswith("x; generation 1 runs on")
    assert len(watch.row.text) < 350


# files that are not there for a while


async def test_a_deleted_file_is_waited_for_ever_longer_and_found_at_once(watch):
    watch.path.unlink()
    delays = []
    for _ in range(12):
        assert await watch.check() == ()
        assert watch.row.result == "waiting"
        delays.append(watch.row.next_try_s)
        watch.now_s += delays[-1]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[BACKOFF_MAX_S] * 3]
    assert "cannot be read: No such file or directory; generation 1 runs on" in watch.row.text
    assert watch.row.failures == 12
    watch.path.write_text(FASTER)  # long before the next try
    (swap,) = await watch.settle()
    assert swap.generation == 2
    assert (watch.row.failures, watch.row.next_try_s) == (0, 0.0)


async def test_a_file_that_comes_back_as_it_was_is_loaded(watch):
    watch.path.unlink()
    await watch.check()
    assert watch.row.result == "waiting"
    watch.path.write_text(PLAY)
    loads = len(watch.loads)
    assert await watch.check() == ()
    assert (watch.row.result, watch.row.failures, watch.row.text) == ("loaded", 0, "generation 1 runs")
    assert len(watch.loads) == loads


async def test_a_rejected_file_that_vanishes_and_returns_stays_rejected(watch):
    watch.replace(BROKEN)
    await watch.settle()
    watch.path.unlink()
    await watch.check()
    assert (watch.row.result, watch.row.failures) == ("waiting", 2)
    watch.path.write_text(BROKEN)
    await watch.check()
    assert (watch.row.result, watch.row.failures) == ("rejected", 1)


async def test_waiting_does_not_read_until_it_is_time(watch):
    watch.path.unlink()
    await watch.check()
    watch.now_s += 1
    await watch.check()  # the second failure: two seconds from here
    at = watch.row.at
    watch.now_s -= 0.5
    await watch.check()
    assert watch.row.at == at


async def test_an_emptied_file_is_being_written(watch):
    watch.path.write_text("")
    await watch.check()
    assert watch.row.result == "waiting"
    assert "it is empty" in watch.row.text
    watch.path.write_text(FASTER)
    assert len(await watch.settle()) == 1


async def test_a_huge_file_is_not_read(watch):
    watch.path.write_text("#" * (PLAY_BYTES_MAX + 1))
    await watch.check()
    assert "larger than 256 KiB" in watch.row.text


async def test_what_is_no_file_blocks_nobody(watch):
    watch.path.unlink()
    os.mkfifo(watch.path)
    await watch.check()
    assert "it is not a file" in watch.row.text
    watch.path.unlink()
    watch.path.mkdir()
    await watch.check()
    assert "Is a directory" in watch.row.text
    assert watch.row.next_try_s == 2.0


async def test_a_file_that_cannot_be_opened_is_left_for_its_time(watch):
    watch.path.unlink()
    watch.path.mkdir()
    await watch.check()
    at = watch.row.at
    watch.now_s -= 0.5  # half a second later, and nothing was touched
    await watch.check()
    assert watch.row.at == at
    watch.path.rmdir()
    watch.path.write_text(FASTER)
    assert len(await watch.settle()) == 1


async def test_a_file_that_changes_while_it_is_loaded_is_tried_again(path):
    running = load_play(path)

    def load(file):
        spec = load_play(file)
        if FASTER in file.read_text() and "later" not in file.read_text():
            file.write_text(FASTER + "# later\n")
        return spec

    watch = Watch(path, load=load, spec=running)
    await watch.settle()
    watch.replace(FASTER)
    assert await watch.settle() == ()
    assert (watch.row.result, watch.row.generation) == ("waiting", 1)
    assert "it changed while it was read" in watch.row.text
    (swap,) = await watch.settle()
    assert swap.generation == 2


async def test_a_file_that_vanishes_while_it_is_loaded_is_no_rejection(path):
    running = load_play(path)

    def load(file):
        file.unlink()
        raise ConfigError("gone")

    watch = Watch(path, load=load, spec=running)
    await watch.settle()
    assert watch.row.result == "waiting"
    assert "No such file" in watch.row.text


def test_a_running_play_need_not_come_from_its_file(path):
    spec = PlaySpec(name="made", sizing=Sizing(SizingKind.NOTIONAL, Decimal(1)))
    reloader = PlayReloader([WatchedPlay(path, spec)], load=load_play, window=lambda _: (), now=1)
    (row,) = reloader.rows()
    assert (row.play, row.result) == ("made", "loaded")
