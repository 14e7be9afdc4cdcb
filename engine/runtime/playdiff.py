"""What a new version of a play changes: its fields, and the signals of the last bars."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.core.setup import CoreSetup, PlayBinding
from engine.core.twin import Twin, TwinFacts
from engine.domain.market import Bar
from engine.domain.money import ONE
from engine.domain.play import PlaySpec
from engine.strategy.model import Models
from engine.venues.simulated import SimulatedConfig, SimulatedVenue

VALUE_MAX = 80  # characters of a rule that are shown
NONE = "none"


class PlayDiff(msgspec.Struct, frozen=True):
    """`changes` are fields, old and new; signals are counted over the last `bars` by who gives them."""

    changes: tuple[str, ...] = ()
    bars: int = 0
    both: int = 0
    only_before: int = 0
    only_after: int = 0

    @property
    def signals(self) -> str:
        """What the last bars say, in words."""
        if not self.bars:
            return "no bar is kept to compare signals on"
        if not self.only_before + self.only_after:
            return f"the last {self.bars} bars: {self.both} signals, all the same"
        return (
            f"the last {self.bars} bars: {self.both} signals the same, {self.only_before} no more, "
            f"{self.only_after} new"
        )

    @property
    def text(self) -> str:
        """All of it on one line."""
        return "; ".join((*self.changes, self.signals))


def compare(
    before: PlayBinding, after: PlaySpec, setup: CoreSetup, bars: Sequence[Bar], models: Models
) -> PlayDiff:
    """Compare a version that runs with another one; both are run over the bars, from flat.

    Orders meet bars as in a backtest, so that positions, stops and targets count, too.
    """
    old = _signals(before, setup, bars, models)
    new = _signals(msgspec.structs.replace(before, spec=after), setup, bars, models)
    return PlayDiff(
        changes=changes(before.spec, after),
        bars=len(bars),
        both=len(old & new),
        only_before=len(old - new),
        only_after=len(new - old),
    )


def _signals(
    binding: PlayBinding, setup: CoreSetup, bars: Sequence[Bar], models: Models
) -> set[tuple[int, str, str]]:
    """Return when a version signals on bars, and what."""
    facts = TwinFacts(
        label=binding.spec.name,
        of="",
        binding=binding,
        generation=0,
        since=0,
        equity=setup.start_equity if setup.start_equity > 0 else ONE,
        running_pnl=0.0,
    )
    twin = Twin(facts, setup, lambda instruments: SimulatedVenue(instruments, SimulatedConfig()), models)
    twin.begin((), bars[0].ts if bars else 0)
    found: set[tuple[int, str, str]] = set()
    for bar in bars:
        for signal in twin.on_market(bar, bar.ts):
            found.add((signal.ts, signal.side.value, signal.kind.value))
    return found


def changes(before: PlaySpec, after: PlaySpec) -> tuple[str, ...]:
    """Return each field that changed, old and new."""
    old, new = (dict(_flat(msgspec.to_builtins(spec), "")) for spec in (before, after))
    names = dict.fromkeys((*old, *new))
    return tuple(
        f"{name}: {_short(old.get(name, NONE))} -> {_short(new.get(name, NONE))}"
        for name in names
        if old.get(name, NONE) != new.get(name, NONE)
    )


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the plain values inside a written spec, each under its dotted name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            # A rule is a text in a struct of its own: the struct's name says enough.
            yield from _flat(inner, name if key == "text" else f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{name}[{number}]")
    elif value is not None and value != "":
        yield name, str(value)


def _short(text: str) -> str:
    return text if len(text) <= VALUE_MAX else text[: VALUE_MAX - 1] + "…"
