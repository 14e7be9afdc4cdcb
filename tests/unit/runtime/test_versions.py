"""New versions that are held back, what they change, and what is known of files over a restart."""

from pathlib import Path

import msgspec
import pytest

from engine.config.plays import load_play
from engine.config.settings import Settings
from engine.core.setup import PlayBinding
from engine.domain.errors import ConfigError
from engine.domain.events import PlaySwapped
from engine.domain.market import NS_PER_S
from engine.domain.modes import Mode
from engine.domain.play import PlaySpec, Rule
from engine.domain.versions import TwinChanged
from engine.runtime.hotreload import PlayReloader
from engine.runtime.lastgood import load_start
from engine.runtime.playdiff import PlayDiff, changes, compare
from engine.runtime.reloadentry import RunningPlay, WatchedPlay
from engine.runtime.reloadmemory import ReloadMemory
from engine.strategy.model import NO_MODELS
from tests.builders import BTC, STEP, bar, setup

PLAY = """\
name: canary
size: {notional: 100}
long:
  enter: close crosses_above sma(3)
  exit: close crosses_below sma(3)
"""
FASTER = PLAY.replace("above sma(3)", "above sma(2)")
BROKEN = PLAY.replace("sma(3)", "smma(3)")
BARS = tuple(bar(100.0 + (7 * n) % 5, n * STEP) for n in range(1, 60))


class Held:
    """A reloader of one file beside a core that runs what it is told."""

    def __init__(self, path: Path, memory: ReloadMemory | None = None, *, holds_back: bool = True) -> None:
        self.path, self.now_s = path, 1000.0
        spec = (memory.of(path).good if memory else None) or load_play(path)
        self.running = RunningPlay(spec, 1)
        self.reloader = PlayReloader(
            [WatchedPlay(path, spec)],
            load=load_play,
            window=lambda _: BARS,
            now=0,
            running=lambda _: self.running,
            compare=self.compare,
            memory=memory,
            holds_back=holds_back,
        )

    def compare(self, spec, bars) -> PlayDiff:
        binding = PlayBinding(self.running.spec, BTC, STEP)
        return compare(binding, spec, setup(symbols=(BTC,)), bars, NO_MODELS)

    async def settle(self, text: str = "") -> tuple[PlaySwapped | TwinChanged, ...]:
        """Write the file where there is a text, and let it be looked at until it must have been taken."""
        if text:
            self.path.write_text(text)
        found: tuple[PlaySwapped | TwinChanged, ...] = ()
        for _ in range(2):
            self.now_s += 1.0
            found += await self.reloader.check(self.now_s, int(self.now_s) * NS_PER_S)
        return found

    async def beside(self, text: str = "") -> TwinChanged:
        """Let the file be looked at, and return the one twin that comes of it."""
        (change,) = await self.settle(text)
        assert isinstance(change, TwinChanged)
        return change

    async def watched(self, text: str) -> PlaySpec:
        """Return the version that is watched from now on."""
        spec = (await self.beside(text)).spec
        assert spec is not None
        return spec

    def row(self):
        return self.reloader.rows()[0]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "canary.yaml"
    file.write_text(PLAY)
    return file


async def test_a_change_is_watched_beside_the_running_version(path):
    held = Held(path)
    assert await held.settle() == ()
    (twin,) = await held.settle(FASTER)
    assert isinstance(twin, TwinChanged)
    assert (twin.label, twin.of, twin.generation) == ("canary", "canary", 2)
    row = held.row()
    assert (row.result, row.generation, row.hash) == ("shadow", 1, held.running.spec.hash)
    assert row.changes == ("long_entry: close crosses_above sma(3) -> close crosses_above sma(2)",)
    assert "the last 59 bars" in row.signals
    assert twin.why == f"{row.changes[0]}; {row.signals}"


async def test_a_change_that_is_taken_back_ends_its_twin(path):
    held = Held(path)
    await held.settle()
    version = await held.watched(FASTER)
    held.running = RunningPlay(held.running.spec, 1, twin=version.hash, twin_generation=2)
    ended = await held.beside(PLAY + "# as before\n")
    assert (ended.label, ended.spec) == ("canary", None)
    assert held.row().result == "loaded"


async def test_a_promotion_is_followed(path):
    held = Held(path)
    await held.settle()
    version = await held.watched(FASTER)
    held.running = RunningPlay(version, 2, twin=load_play(path).hash, twin_generation=1)
    assert await held.settle() == ()
    assert (held.row().generation, held.row().hash) == (2, version.hash)
    (again,) = await held.settle(FASTER.replace("sma(2)", "sma(5)"))
    assert again.generation == 3


async def test_a_restart_leaves_a_twin_that_runs_and_a_version_that_was_rolled_back_alone(path):
    path.write_text(FASTER)
    faster = load_play(path)
    path.write_text(PLAY)
    spec = load_play(path)
    for running, result in (
        (RunningPlay(spec, 1, twin=faster.hash, twin_generation=2), "shadow"),
        (RunningPlay(spec, 1, rolled_back=faster.hash), "loaded"),
    ):
        path.write_text(PLAY)
        held = Held(path)
        held.running = running
        path.write_text(FASTER)
        assert await held.settle() == ()
        assert held.row().result == result


async def test_what_was_refused_is_known_after_a_restart(path, tmp_path):
    memory = ReloadMemory(tmp_path / "state")
    held = Held(path, memory)
    await held.settle()
    assert await held.settle(BROKEN) == ()
    assert held.row().result == "rejected"
    again = Held(path, ReloadMemory(tmp_path / "state"))
    assert again.row().result == "rejected"
    assert await again.settle() == ()
    assert (again.row().result, again.row().failures) == ("rejected", 1)
    assert "smma" in again.row().text
    assert isinstance((await again.settle(FASTER))[0], TwinChanged)


async def test_a_swap_at_once_carries_what_changed(path):
    held = Held(path, holds_back=False)
    await held.settle()
    (swap,) = await held.settle(FASTER)
    assert isinstance(swap, PlaySwapped)
    assert swap.why.startswith("long_entry: ")


def test_a_broken_file_leaves_the_last_good_version_where_an_account_goes_on(path, tmp_path):
    settings = Settings(plays=(path,), state_dir=tmp_path / "state")
    memory = ReloadMemory(tmp_path / "state" / "default" / "paper")
    path.write_text(BROKEN)
    with pytest.raises(ConfigError, match="smma"):
        load_start(settings)
    path.write_text(PLAY)
    memory.good(path, load_play(path))
    path.write_text(BROKEN)
    (file,) = load_start(settings)
    assert file.spec.name == "canary"
    assert "smma" in file.flaw
    with pytest.raises(ConfigError, match="smma"):
        load_start(settings.model_copy(update={"mode": Mode.REPLAY}))


def test_a_memory_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "reload.json").write_text("{")
    assert ReloadMemory(tmp_path).of(Path("x")).good is None


def test_changes_name_each_field_and_cut_long_rules(path):
    spec = load_play(path)
    path.write_text(PLAY + "stop_loss: {percent: 2}\ntake_profit: {percent: 4}\n")
    other = load_play(path)
    told = changes(spec, other)
    assert "stop_loss.value: none -> 2.0" in told
    assert "take_profit.kind: none -> percent" in told
    assert changes(spec, spec) == ()
    long = msgspec.structs.replace(spec, long_entry=Rule("x" * 200))
    assert changes(spec, long)[0].endswith("…")


def test_signals_are_compared_from_flat_on_what_is_kept(path):
    binding = PlayBinding(load_play(path), BTC, STEP)
    facts = setup(symbols=(BTC,))
    same = compare(binding, binding.spec, facts, BARS, NO_MODELS)
    assert same.both > 5
    assert same.only_before == same.only_after == 0
    assert "all the same" in same.signals
    assert compare(binding, binding.spec, facts, (), NO_MODELS).signals.startswith("no bar")
    path.write_text(PLAY.replace("above sma(3)", "above sma(9)"))
    other = compare(binding, load_play(path), facts, BARS, NO_MODELS)
    assert other.only_before + other.only_after > 0
