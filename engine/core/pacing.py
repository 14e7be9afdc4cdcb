"""How fast and how often entries are sent: what the limits on rate, cycle and repetition look back on."""

from bisect import bisect_right
from decimal import Decimal

import msgspec

from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S
from engine.domain.money import ZERO
from engine.domain.signals import Side, Signal

ENTRIES_KEPT = 1_000  # as many as a limit may allow within its window
REPEATS_KEPT = 100  # likewise
Key = tuple[str, str, Side]


class PaceState(msgspec.Struct, frozen=True, kw_only=True):
    """The pace as a checkpoint holds it. Times are ns UTC, keys of repeats `PLAY SYMBOL SIDE`."""

    entries: tuple[int, ...] = ()
    cycle_ts: int = 0
    cycle_notional: Decimal = ZERO
    repeats: dict[str, tuple[int, ...]] = {}
    stopped: dict[str, int] = {}


class Pace:
    """Remembers when entries were sent. Asking changes nothing; each entry that is sent is told once."""

    def __init__(self) -> None:
        self._entries: list[int] = []
        self._cycle_ts, self._cycle_notional = 0, ZERO
        self._repeats: dict[Key, list[int]] = {}
        self.stopped: dict[Key, int] = {}  # what entered too often, and since when it is stopped

    def recent(self, now: int, limits: Limits) -> int:
        """Return how many entries were sent within the window of the rate."""
        return _within(self._entries, now, limits.order_rate_window_s)

    def repeats(self, key: Key, now: int, limits: Limits) -> int:
        """Return how many entries of a play, symbol and side were sent within their window."""
        sent = self._repeats.get(key)
        return _within(sent, now, limits.repeat_entries_window_s) if sent else 0

    def of_cycle(self, ts: int) -> Decimal:
        """Return what was asked for at a close time; an earlier one counts with the newest."""
        return self._cycle_notional if ts <= self._cycle_ts else ZERO

    def sent(self, signal: Signal, notional: Decimal, now: int, limits: Limits) -> Key | None:
        """Take an entry into account; return what is stopped by it, None where nothing is."""
        _note(self._entries, now, ENTRIES_KEPT)
        self._cycle_notional = self.of_cycle(signal.ts) + notional
        self._cycle_ts = max(self._cycle_ts, signal.ts)
        key = (signal.play, signal.symbol, signal.side)
        _note(self._repeats.setdefault(key, []), now, REPEATS_KEPT)
        most = limits.repeat_entries_max
        if most is None or self.repeats(key, now, limits) < most:
            return None
        self.stopped[key] = now
        return key

    def enable(self, play: str) -> tuple[Key, ...]:
        """Let a play go on that entered too often; return what was stopped."""
        freed = tuple(key for key in self.stopped if key[0] == play)
        for key in freed:
            del self.stopped[key]
            self._repeats.pop(key, None)
        return freed

    # checkpoint

    def state(self) -> PaceState:
        """Return all that a checkpoint needs."""
        return PaceState(
            entries=tuple(self._entries),
            cycle_ts=self._cycle_ts,
            cycle_notional=self._cycle_notional,
            repeats={" ".join(key): tuple(times) for key, times in self._repeats.items()},
            stopped={" ".join(key): since for key, since in self.stopped.items()},
        )

    def restore(self, state: PaceState) -> None:
        """Take up a checkpoint's state."""
        self._entries = list(state.entries)
        self._cycle_ts, self._cycle_notional = state.cycle_ts, state.cycle_notional
        self._repeats = {_key(name): list(times) for name, times in state.repeats.items()}
        self.stopped = {_key(name): since for name, since in state.stopped.items()}


def _within(times: list[int], now: int, window_s: float) -> int:
    return len(times) - bisect_right(times, now - round(window_s * NS_PER_S))


def _note(times: list[int], now: int, kept: int) -> None:
    times.append(now)
    if len(times) > kept:
        del times[0]


def _key(name: str) -> Key:
    play, symbol, side = name.rsplit(" ", 2)
    return play, symbol, Side(side)
