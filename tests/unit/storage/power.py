"""What a disk may hold after the power went: all that was synced, and of the rest whatever it likes."""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never

from tests.unit.storage.recording import Created, Cut, Deleted, Reported, Step, Synced, Written

SECTOR = 512


class Fate(StrEnum):
    """What becomes of that which was never synced."""

    LOST = "lost"
    KEPT = "kept"  # as by a kill -9
    PART = "part"  # the first of it
    TORN = "torn"  # the first of it, and the next write up to some byte in the middle of a sector
    REORDERED = "reordered"  # some writes, whichever
    SECTORS = "sectors"  # some sectors of some writes
    HOLLOW = "hollow"  # files have grown, and hold zeros there


class PowerCut:
    """A disk on which a recording is played step by step."""

    def __init__(self, standing: Mapping[str, bytes]) -> None:
        """`standing` is what the disk held before, by name."""
        self._durable: dict[int, bytearray] = {}
        self._waiting: dict[int, list[Written | Cut]] = {}
        self._names: dict[str, int] = {}
        self._waiting_names: list[Created | Deleted] = []
        self.reported: set[int] = set()
        for name in sorted(standing):
            self._names[name] = len(self._names)
            self._durable[self._names[name]] = bytearray(standing[name])
            self._waiting[self._names[name]] = []

    def play(self, step: Step) -> None:
        """Let a step happen."""
        match step:
            case Created(file):
                self._durable[file], self._waiting[file] = bytearray(), []
                self._waiting_names.append(step)
            case Written() | Cut():
                self._waiting[step.file].append(step)
            case Synced(file, names):
                for waiting in self._waiting[file]:
                    _apply(self._durable[file], waiting)
                self._waiting[file].clear()
                if names:
                    self._sync_names()
            case Deleted(_, durable):
                self._waiting_names.append(step)
                if durable:
                    self._sync_names()
            case Reported(batch):
                self.reported.add(batch)
            case _:
                assert_never(step)

    def image(self, fate: Fate, rng: random.Random) -> dict[str, bytes]:
        """Return the files that are there when the power comes back, by name."""
        names = dict(self._names)
        _rename(names, self._waiting_names[: _some(len(self._waiting_names), fate, rng)])
        return {name: self._content(file, fate, rng) for name, file in names.items()}

    def _sync_names(self) -> None:
        _rename(self._names, self._waiting_names)
        self._waiting_names.clear()

    def _content(self, file: int, fate: Fate, rng: random.Random) -> bytes:
        content, waiting = bytearray(self._durable[file]), self._waiting[file]
        for step in _survivors(waiting, fate, rng):
            _apply(content, step)
        if fate is Fate.HOLLOW:
            ends = [step.offset + len(step.data) for step in waiting if isinstance(step, Written)]
            content.extend(bytes(max(0, max(ends, default=0) - len(content))))
        return bytes(content)


def _rename(names: dict[str, int], steps: Sequence[Created | Deleted]) -> None:
    for step in steps:
        if isinstance(step, Created):
            names[step.name] = step.file
        else:
            names.pop(step.name, None)


def _some(count: int, fate: Fate, rng: random.Random) -> int:
    if fate is Fate.LOST:
        return 0
    return count if fate is Fate.KEPT else rng.randint(0, count)


def _survivors(waiting: list[Written | Cut], fate: Fate, rng: random.Random) -> list[Written | Cut]:
    """Return what of the unsynced steps has reached the disk."""
    kept = _some(len(waiting), fate, rng)
    match fate:
        case Fate.LOST | Fate.KEPT | Fate.PART:
            return waiting[:kept]
        case Fate.TORN:
            kept = rng.choice((kept, len(waiting) - 1)) if waiting else 0
            return [*waiting[:kept], *(_torn(step, rng) for step in waiting[kept : kept + 1])]
        case Fate.REORDERED:
            return [step for step in waiting if rng.random() < 0.5]
        case Fate.SECTORS:
            return [part for step in waiting for part in _sectors(step, rng)]
        case Fate.HOLLOW:
            return [step for step in waiting if rng.random() < 0.3]
        case _:
            assert_never(fate)


def _torn(step: Written | Cut, rng: random.Random) -> Written | Cut:
    """Return a write that ended somewhere."""
    if isinstance(step, Cut):
        return step
    return Written(step.file, step.offset, step.data[: rng.randint(0, len(step.data))])


def _sectors(step: Written | Cut, rng: random.Random) -> list[Written | Cut]:
    """Return some of the sectors of a write."""
    if isinstance(step, Cut):
        return [step] if rng.random() < 0.5 else []
    first = SECTOR - step.offset % SECTOR
    starts = [0, *range(first, len(step.data), SECTOR)]
    ends = [*starts[1:], len(step.data)]
    return [
        Written(step.file, step.offset + start, step.data[start:end])
        for start, end in zip(starts, ends, strict=True)
        if rng.random() < 0.5
    ]


def _apply(content: bytearray, step: Written | Cut) -> None:
    if isinstance(step, Cut):
        del content[step.size :]
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data
