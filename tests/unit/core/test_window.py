"""A window keeps the newest bars, however they came."""

from engine.core.window import BarWindow
from engine.venues.stretch import TapeStretch
from tests.builders import BTC, STEP, T0, bar
from tests.property.test_skim import tape_of

STRETCH = TapeStretch(BTC, STEP, tape_of(seed=1, count=20), 20)


def test_bars_and_parts_of_stretches_are_kept_in_their_order():
    window = BarWindow(6, [bar(1.0), bar(2.0)])
    window.append(bar(3.0))
    window.extend(STRETCH, 0, 2)
    assert window.bars() == (bar(1.0), bar(2.0), bar(3.0), STRETCH.bar(0), STRETCH.bar(1))
    window.append(bar(4.0, T0))
    window.extend(STRETCH, 2, 5)
    assert window.bars() == (STRETCH.bar(0), STRETCH.bar(1), bar(4.0), *STRETCH.bars(2, 5))
    assert window.bars(2) == tuple(STRETCH.bars(3, 5))
    assert window.bars(50) == window.bars()


def test_no_more_bars_are_kept_than_asked_for():
    window = BarWindow(3)
    assert window.bars() == ()
    for first in range(0, 20, 4):
        window.extend(STRETCH, first, first + 4)
    assert window.bars() == tuple(STRETCH.bars(17, 20))
