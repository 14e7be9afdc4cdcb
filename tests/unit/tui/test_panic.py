"""The double key: twice within the window, in a row, on one key; nothing else counts."""

import threading

import pytest

from tui.panic import PanicWatch, Press


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> PanicWatch:
    return PanicWatch(("f12", "ctrl+backslash"), clock, window_s=2.0)


def test_the_second_press_fires(watch: PanicWatch, clock: Clock) -> None:
    """Within two seconds."""
    assert watch.press("f12") is Press.FIRST
    clock.now += 2.0
    assert watch.press("f12") is Press.FIRE


def test_a_late_second_press_is_a_first_one(watch: PanicWatch, clock: Clock) -> None:
    """It opens a new window."""
    watch.press("f12")
    clock.now += 2.1
    assert watch.press("f12") is Press.FIRST
    assert watch.press("f12") is Press.FIRE


def test_a_third_press_starts_anew(watch: PanicWatch) -> None:
    """Firing uses the pair up."""
    assert [watch.press("f12") for _ in range(4)] == [Press.FIRST, Press.FIRE, Press.FIRST, Press.FIRE]


def test_two_different_panic_keys_are_no_pair(watch: PanicWatch) -> None:
    """One key, twice."""
    assert watch.press("f12") is Press.FIRST
    assert watch.press("ctrl+backslash") is Press.FIRST


def test_any_key_in_between_breaks_the_pair(watch: PanicWatch) -> None:
    """Two presses in a row are meant; a text that holds the key twice is not."""
    watch.press("f12")
    assert watch.press("x") is Press.OTHER
    assert watch.press("f12") is Press.FIRST


def test_a_paste_breaks_the_pair(watch: PanicWatch) -> None:
    """Pasted text never counts."""
    watch.press("f12")
    watch.reset()
    assert watch.press("f12") is Press.FIRST


def test_waiting_ends_with_the_window(watch: PanicWatch, clock: Clock) -> None:
    """The screen shows the consequences as long as a second press would fire."""
    assert not watch.waiting
    watch.press("f12")
    assert watch.waiting
    clock.now += 2.1
    assert not watch.waiting


def test_two_threads_fire_once(watch: PanicWatch) -> None:
    """The input thread and the screen may press at once."""
    seen: list[Press] = []
    threads = [threading.Thread(target=lambda: seen.append(watch.press("f12"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [Press.FIRE, Press.FIRST]
