"""Layouts on the screen: chosen, changed by hand, saved, remembered and read again."""

from pathlib import Path

from textual.widgets import Input, OptionList

from tests.screens.console import Desk, console
from tui.panes.pane import NUMBERS_MAX
from tui.panes.registry import PANES
from tui.rereading import Rereading
from tui.screens.layouts import LayoutsDialog, SaveLayoutDialog
from tui.settings import ConsoleSettings

SIZES = ((80, 24), (120, 40), (200, 50))


def own(folder: Path) -> ConsoleSettings:
    return ConsoleSettings(
        layouts_file=folder / "layouts.yaml", memory_file=folder / "state" / ".console.json"
    )


def fronts(desk: Desk) -> list[str]:
    return desk.app.desk.coming()


async def test_a_layout_is_chosen_for_the_width(tmp_path: Path) -> None:
    """Another width keeps its own; the next console remembers both."""
    async with console(settings=own(tmp_path)) as desk:
        await desk.press("L")
        assert isinstance(desk.app.screen, LayoutsDialog)
        await desk.press("down", "down", "enter")
        assert desk.app.arranging.arranger.name_at(desk.app.arranging.size_class) == "watch"
        assert fronts(desk)[0] == "events"
        await desk.until((tmp_path / "state" / ".console.json").is_file)
        await desk.pilot.resize_terminal(80, 24)
        await desk.settle()
        assert fronts(desk)[0] == "market"
    async with console(settings=own(tmp_path)) as desk:
        assert fronts(desk)[0] == "events"


async def test_the_focus_is_always_on_a_pane_that_shows() -> None:
    """In whatever layout, at whatever size."""
    async with console() as desk:
        for size in SIZES:
            await desk.pilot.resize_terminal(*size)
            for name in ("trade", "watch", "default"):
                desk.app.arranging.chosen(name)
                await desk.settle()
                assert desk.focused in fronts(desk)


async def test_every_pane_is_reached_in_every_layout() -> None:
    """By its number or the palette; where it has no place it is maximised, and the next one is not."""
    async with console(size=(120, 40)) as desk:
        for name in ("trade", "watch"):
            desk.app.arranging.chosen(name)
            for pane in PANES:
                desk.app.navigator.choose(pane.name_id)
                await desk.settle()
                assert pane.name_id in fronts(desk)
        assert len(fronts(desk)) > 1


async def test_a_hidden_pane_comes_back_by_its_number(tmp_path: Path) -> None:
    """Or with all of them; the focus goes on meanwhile."""
    async with console(size=(200, 50), settings=own(tmp_path)) as desk:
        before = fronts(desk)
        await desk.press("6", "-")
        assert "reload" not in desk.app.desk.order()
        assert "Reload is hidden; 6 or = brings it back." in desk.toasts()[-1]
        assert desk.focused in fronts(desk)
        await desk.press("6")
        assert desk.focused == "reload"
        assert sorted(fronts(desk)) == sorted(before)
        await desk.press("-", "5", "-", "=")
        assert sorted(fronts(desk)) == sorted(before)
        await desk.press("=")
        assert "No pane is hidden" in desk.toasts()[-1]


async def test_the_last_pane_stays() -> None:
    """An empty screen would help nobody."""
    async with console(size=(80, 24)) as desk:
        for _ in range(len(PANES) + 1):
            await desk.press("-")
        assert len(fronts(desk)) == 1
        assert "last pane" in desk.toasts()[-1]


async def test_a_pane_that_had_no_place_stands_in_the_layout_once_it_has_one() -> None:
    """It was alone on a tiny screen; what somebody maximised stays maximised."""
    async with console(size=(50, 14)) as desk:
        assert "risk" not in fronts(desk)
        await desk.press("5")
        assert fronts(desk) == ["risk"]
        await desk.pilot.resize_terminal(120, 40)
        await desk.settle()
        assert len(fronts(desk)) > 3
        assert desk.focused == "risk"
        assert "risk" in fronts(desk)
        await desk.press("z")
        await desk.pilot.resize_terminal(200, 50)
        await desk.settle()
        assert fronts(desk) == ["risk"]


async def test_hiding_a_maximised_pane_shows_the_others() -> None:
    """It is gone, so nothing is maximised."""
    async with console() as desk:
        await desk.press("3", "z", "-")
        assert "orders" not in fronts(desk)
        assert len(fronts(desk)) > 1


async def test_panes_move_and_grow_by_keys(tmp_path: Path) -> None:
    """To the next place as a tab, then to one of its own; a layout undoes it."""
    async with console(size=(120, 40), settings=own(tmp_path)) as desk:
        before = desk.app.desk.plan
        await desk.press("4", "<")
        assert desk.focused == "signals"
        await desk.until(lambda: desk.app.desk.plan != before)
        height = desk.app.desk.panes["signals"].slot.box.height
        await desk.press("}", "}")
        await desk.until(lambda: desk.app.desk.panes["signals"].slot.box.height > height)
        await desk.press("{", "L", "enter")
        await desk.until(lambda: desk.app.desk.plan.slots == before.slots)
        await desk.press("1", "<", "<")
        assert "no place further" in desk.toasts()[-1]


async def test_the_panes_are_saved_under_a_name(tmp_path: Path) -> None:
    """And that layout is in force from then on, here and in the next console."""
    file = tmp_path / "layouts.yaml"
    file.write_text("# mine\nday:\n  small:\n    - market: 3\n")
    async with console(size=(200, 50), settings=own(tmp_path)) as desk:
        await desk.press("6", "-")
        desk.app.action_act("save-layout")
        await desk.settle()
        assert isinstance(desk.app.screen, SaveLayoutDialog)
        field = desk.app.screen.query_one("#name", Input)
        field.value = "two words"
        await desk.press("enter")
        assert isinstance(desk.app.screen, SaveLayoutDialog)
        field.value = ""
        await desk.press(*"night", "enter")
        await desk.until(lambda: any("Layout saved" in toast for toast in desk.toasts()))
        assert file.read_text().startswith("# mine\nday:\n  small:\n    - market: 3\n")
        assert "reload" not in desk.app.desk.order()
        await desk.until((tmp_path / "state" / ".console.json").is_file)
        desk.app.navigator.choose("reload")
        await desk.settle()
        assert fronts(desk) == ["reload"]
        desk.app.navigator.choose("orders")
        await desk.settle()
        assert len(fronts(desk)) > 1
    async with console(size=(200, 50), settings=own(tmp_path)) as desk:
        assert "reload" not in desk.app.desk.order()
        await desk.press("L")
        options = desk.app.screen.query_one(OptionList)
        assert [option.id for option in options.options] == ["default", "trade", "watch", "day", "night"]


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing changes on the screen."""
    (tmp_path / "layouts.yaml").mkdir()
    async with console(settings=own(tmp_path)) as desk:
        desk.app.arranging.save("night")
        await desk.until(lambda: any("Layout not saved" in toast for toast in desk.toasts()))
        assert "night" not in desk.app.arranging.arranger.layouts


async def test_without_a_folder_nothing_is_saved() -> None:
    """And that is said."""
    async with console() as desk:
        desk.app.arranging.save("night")
        await desk.until(lambda: any("no folder for files" in toast for toast in desk.toasts()))


async def test_the_file_is_read_again_while_the_console_runs(tmp_path: Path) -> None:
    """Also one that was not there before; a broken one is told, and the old layouts stay."""
    file = tmp_path / "layouts.yaml"
    async with console(settings=own(tmp_path)) as desk:
        rereading = Rereading(desk.app)

        async def look_twice() -> None:
            await rereading.look()
            await rereading.look()
            await desk.settle()

        await look_twice()
        file.write_text("default:\n  medium:\n    - events: 1\n    - orders: 1\n")
        await look_twice()
        assert fronts(desk) == ["events", "orders"]
        assert "layouts.yaml was read again" in desk.toasts()[-1]
        file.write_text("default:\n  medium:\n    - evnts: 1\n")
        await look_twice()
        assert fronts(desk) == ["events", "orders"]
        assert "did you mean events?" in desk.toasts()[-1]


async def test_a_broken_file_keeps_nobody_from_his_console(tmp_path: Path) -> None:
    """It is told at the start, and the layouts that ship are there."""
    (tmp_path / "layouts.yaml").write_text("night: 3\n")
    async with console(settings=own(tmp_path)) as desk:
        assert "expected one or more of small, medium, large" in desk.toasts()[0]
        assert len(fronts(desk)) > 1


async def test_a_layout_that_is_gone_is_the_default_one(tmp_path: Path) -> None:
    """What was remembered may have been deleted since."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / ".console.json").write_text('{"layouts": {"medium": "gone", "wide": 3}}')
    async with console(settings=own(tmp_path)) as desk:
        assert desk.app.arranging.arranger.name_at(desk.app.arranging.size_class) == "default"
    (folder / ".console.json").write_text('{"layouts": {"medium": "gone"}}')
    async with console(settings=own(tmp_path)) as desk:
        assert fronts(desk)[0] == "market"


async def test_h_and_l_go_between_columns_and_tabs() -> None:
    """To the pane beside, at the edge nowhere; in one column to the next tab."""
    async with console(size=(200, 50)) as desk:
        await desk.press("1", "h")
        assert desk.focused == "market"
        first = desk.app.desk.panes["market"].slot.box.x
        await desk.press("l")
        second = desk.app.desk.panes[desk.focused].slot.box.x
        assert second > first
        await desk.press("l", "l", "left", "left")
        assert desk.app.desk.panes[desk.focused].slot.box.x == first
    async with console(size=(80, 24)) as desk:
        await desk.press("7", "l")
        assert desk.focused == "signals"
        await desk.press("h", "z", "l")
        assert len(fronts(desk)) == 1


async def test_a_number_without_a_pane_says_so() -> None:
    """There are ten digits."""
    async with console() as desk:
        for number in range(len(PANES) + 1, NUMBERS_MAX + 1):
            await desk.press(str(number % 10))
            assert f"There is no pane {number}" in desk.toasts()[-1]
