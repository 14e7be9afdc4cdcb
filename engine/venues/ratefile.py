"""Times of requests in a small file that several processes map into their memory."""

import fcntl
import mmap
import os
from pathlib import Path
from typing import Final

_WORD: Final = 8  # bytes of one number


class RateFile:
    """An array of int64 in a file, with a lock that the kernel frees when its holder ends, however it ends.

    Where the file cannot be had (a full or read-only disk) the array is this process' alone: whoever counts
    by itself still counts, and nothing waits for a disk.
    """

    def __init__(self, path: Path, words: int) -> None:
        self._descriptor = -1
        self.flaw = ""  # why the array is not shared
        try:
            self._map = self._shared(path, words * _WORD)
        except OSError as error:
            self.flaw = f"{path}: {error.strerror}"
            self._let_go()
            self._map = mmap.mmap(-1, words * _WORD)
        self.words = memoryview(self._map).cast("q")

    def _shared(self, path: Path, size: int) -> mmap.mmap:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._descriptor).st_size < size:
            os.posix_fallocate(self._descriptor, 0, size)  # a hole would kill us once the disk is full
        return mmap.mmap(self._descriptor, size)

    def lock(self) -> bool:
        """Take the lock if it is free; never wait."""
        if self._descriptor < 0:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of file and memory."""
        self.words.release()
        self._map.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Ring:
    """The times of the last requests under one limit; the first of its words says how many there were."""

    def __init__(self, words: memoryview, count: int, window_ns: int) -> None:
        assert len(words) == ring_words(count)
        self._words, self._count, self._window_ns = words, count, window_ns

    def wait_ns(self, now: int, room: int, cost: int) -> int:
        """Return how long it takes until `cost` more requests leave the window at `room` or fewer."""
        behind = max(0, room - cost)  # so many may have passed within the window
        at = self._at(behind)
        # A time to come is of before the last boot, when the clock began anew: it says nothing.
        return 0 if at == 0 or at > now else max(0, at + self._window_ns - now)

    def record(self, now: int, cost: int) -> None:
        """Write down that so many requests were let through."""
        words, count = self._words, self._count
        for _ in range(cost):
            done = words[0]
            words[1 + done % count] = now
            words[0] = done + 1

    def used(self, now: int) -> int:
        """Return how many requests were let through within the window that ends now."""
        earliest = now - self._window_ns
        return sum(1 for at in self._words[1:] if earliest < at <= now)

    def _at(self, behind: int) -> int:
        """Return when the request was let through that so many came after, 0 where there was none."""
        done = self._words[0]
        return self._words[1 + (done - 1 - behind) % self._count] if done > behind else 0


def ring_words(count: int) -> int:
    """Return how many words a ring of so many requests needs."""
    return count + 1
