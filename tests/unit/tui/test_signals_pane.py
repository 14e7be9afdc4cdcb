"""The signals pane says of each signal what it does."""

import pytest

from engine.api import Side, SignalKind
from tests.console_fakes import signal, snapshot
from tui.panes.pane import Frame
from tui.panes.signals import SignalsPane
from tui.theme import Palette, ThemeLibrary


@pytest.mark.parametrize(
    ("kind", "word"),
    [(SignalKind.ENTRY, "open"), (SignalKind.EXIT, "close"), (SignalKind.SCALE_IN, "add")],
)
def test_each_kind_of_signal_has_its_word(kind: SignalKind, word: str):
    moment = snapshot(signals=(signal(5, "canary", "BTCUSDT", Side.BUY, kind, 61_180.2),))
    (row,) = SignalsPane(Palette(ThemeLibrary().load("dark"))).content(moment, Frame(moment), 120).rows
    assert f"BUY  {word}" in "".join(text for text, _ in row)
