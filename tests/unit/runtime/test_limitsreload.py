"""A settings file that changes under a running engine: taken once it is whole, and only what it is about."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.config.layers import load_settings
from engine.config.settings import Settings
from engine.core.snapshot import ReloadRow
from engine.domain.limits import LimitsChanged
from engine.runtime.limitsreload import LimitsReloader


class File:
    """A settings file and the reloader that watches it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0
        self.reloader = LimitsReloader(path, start=self.load(), load=self.load, now=0)

    def load(self) -> Settings:
        return load_settings(env={}, user_file=self.path if self.path.exists() else None)

    def write(self, text: str) -> None:
        self.path.write_text(text, "utf-8")

    async def look(self, times: int = 2) -> list[LimitsChanged]:
        found = []
        for _ in range(times):
            self.now += 1
            changed = await self.reloader.check(self.now)
            found += [changed] if changed else []
        return found

    @property
    def row(self) -> ReloadRow:
        (row,) = self.reloader.rows()
        return row


@pytest.fixture
def file(tmp_path, monkeypatch) -> File:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    return File(tmp_path / "config.yaml")


async def test_where_there_is_no_file_nothing_is_shown_or_asked_for(file):
    assert await file.look(5) == []
    assert file.reloader.rows() == ()


async def test_a_file_that_appears_is_taken(file):
    file.write("limits: {order_notional_max: 500}")
    (changed,) = await file.look(3)
    assert changed.limits.order_notional_max == Decimal(500)
    assert (changed.ts, changed.calendar, len(changed.id)) == (2, (), 8)
    assert (file.row.play, file.row.result, file.row.generation) == ("limits", "swapped", 2)


async def test_a_content_is_taken_once_it_stands_still(file):
    file.write("limits: {order_notional_max: 5")
    assert await file.look(1) == []
    file.write("limits: {order_notional_max: 500}")
    assert await file.look(1) == []
    assert len(await file.look(1)) == 1
    assert await file.look(5) == []


async def test_a_change_of_anything_else_asks_for_nothing(file):
    file.write("limits: {order_notional_max: 500}")
    await file.look()
    file.write("# tighter\nlimits: {order_notional_max: 500}\nconsole: {theme: light}")
    assert await file.look() == []
    assert (file.row.result, file.row.generation) == ("loaded", 2)


async def test_windows_are_handed_on_too(file):
    file.write("blackout: {windows: [{name: cpi, cron: '25 12 12 * *', minutes: 20}]}")
    (changed,) = await file.look()
    assert [(window.name, window.starts) for window in changed.calendar] == [("cpi", (745,))]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "limits: {order_notional_max: -5}",
            "config.yaml:1:30: limits.order_notional_max: it should be greater",
        ),
        ("limits: {ordr_notional_max: 5}", "did you mean 'order_notional_max'?"),
        (
            "blackout: {windows: [{name: w, cron: '* * * * *', minutes: 5}]}",
            "window 'w' lasts 5 minutes and begins again after 1",
        ),
        ("limits: {order_notional_max: 1e99}", "limits.order_notional_max"),
        ("limits: [", "config.yaml"),
    ],
)
async def test_what_makes_no_sense_is_said_once_and_changes_nothing(file, written, told):
    file.write(written)
    assert await file.look(5) == []
    assert file.row.result == "rejected"
    assert told in file.row.text
    assert file.row.text.endswith("limits stay as they are")
    assert file.row.failures == 1
    file.write("limits: {order_notional_max: 500}")
    assert len(await file.look()) == 1


async def test_whatever_breaks_the_limits_in_force_stay(file):
    def broken() -> Settings:
        raise RuntimeError("boom")

    reloader = LimitsReloader(file.path, start=file.load(), load=broken, now=0)
    file.write("limits: {}")
    assert [await reloader.check(at) for at in range(3)] == [None, None, None]
    (row,) = reloader.rows()
    assert "it cannot be read: RuntimeError('boom')" in row.text


async def test_a_file_that_is_gone_or_empty_leaves_limits_as_they_are(file):
    file.write("limits: {order_notional_max: 500}")
    await file.look()
    file.path.unlink()
    assert await file.look() == []
    assert (file.row.result, file.row.text) == (
        "waiting",
        "cannot be read: No such file or directory; limits stay as they are",
    )
    file.write("")
    assert await file.look() == []
    assert "it is empty" in file.row.text
