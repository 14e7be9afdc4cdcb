"""Old versions are garbage: a thousand reloads and twins leave nothing behind."""

import gc
import weakref

from engine.core.twin import Twin
from engine.domain.events import PlaySwapped
from engine.domain.play import PlaySpec, Rule
from engine.domain.versions import TwinChanged
from engine.strategy.evaluator import Evaluator
from tests.builders import PLAY, World, spec

RELOADS = 1_000


def version(number: int) -> PlaySpec:
    return spec(long_entry=Rule(f"close > {110 + number % 7}"))


def reload(world: World, times: int) -> list[weakref.ref[Twin]]:
    """Swap and watch so many versions; return what there was of twins."""
    twins = []
    for number in range(times):
        world.take(PlaySwapped(world.now, version(number), number + 2))
        world.take(TwinChanged(world.now, PLAY, PLAY, version(number + 1), number + 2))
        twins.append(weakref.ref(world.machine.twins.by_label[PLAY]))
    world.commands.clear()
    gc.collect()
    return twins


def test_old_evaluators_and_twins_are_let_go():
    world = World()
    world.bars(*[100.0 + n % 3 for n in range(20)])
    gc.collect()
    others = sum(isinstance(kept, Evaluator) for kept in gc.get_objects())
    twins = reload(world, RELOADS)
    assert sum(ref() is not None for ref in twins) == 1
    assert sum(isinstance(kept, Evaluator) for kept in gc.get_objects()) == others + 1  # the twin's


def test_objects_do_not_grow_with_reloads():
    world = World()
    world.bars(*[100.0 + n % 3 for n in range(20)])
    reload(world, 300)
    before = len(gc.get_objects())
    reload(world, 300)
    assert len(gc.get_objects()) - before < 300
