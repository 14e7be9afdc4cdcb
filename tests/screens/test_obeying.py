"""Text of an exchange, a play or a person is shown, never obeyed: every door of the screen cleans it."""

from engine.api import Action, CommandReply
from tests.console_fakes import snapshot
from tests.screens.console import console
from tui.formats import clean_lines
from tui.messages import CommandDone
from tui.screens.choose import ChooseDialog
from tui.screens.confirm import ConfirmDialog
from tui.screens.flatten import FlattenBar

EVIL = "sell\x1b[2J\x1b]0;title\x07 \u202eall\r\x9b31m [b]now[/b]"
SHOWN = "sell·[2J·]0;title· ·all··31m [b]now[/b]"


def test_lines_stay_and_what_a_terminal_obeys_goes() -> None:
    """And markup of Textual is text."""
    assert clean_lines(f"one\n{EVIL}") == f"one\n{SHOWN}"


async def test_dialogs_show_it_as_text() -> None:
    """In titles, words, deeds and answers."""
    async with console() as desk:
        desk.app.push_screen(ConfirmDialog(EVIL, (EVIL,), EVIL))
        await desk.settle()
        box = desk.app.screen.query_one("#box")
        assert box.border_title == SHOWN.replace("[b", "\\[b").replace("[/b", "\\[/b")
        assert str(desk.app.screen.query("Static").first().render()) == SHOWN
        answers = desk.app.screen.query_one("#answers")
        assert str(answers.get_option("do").prompt) == SHOWN  # type: ignore[attr-defined]  # an OptionList
        desk.app.push_screen(ChooseDialog("Choose", EVIL, [EVIL]))
        await desk.settle()
        choices = desk.app.screen.query_one("#choices")
        assert str(choices.get_option_at_index(1).prompt) == SHOWN  # type: ignore[attr-defined]  # likewise


async def test_what_the_engine_answers_is_told_as_text() -> None:
    """A refusal carries values that somebody else wrote."""
    async with console() as desk:
        desk.app.post_message(CommandDone(EVIL, CommandReply(1, ok=True, text=EVIL)))
        await desk.settle()
        assert desk.toasts()[-1] == f"{SHOWN}|{SHOWN}"


async def test_rows_show_it_as_text() -> None:
    """Whatever pane it is in."""
    async with console(snapshot()) as desk:
        bar = FlattenBar(desk.app.palette, [(((EVIL, "text"),), "panel")])
        await desk.app.screen.mount(bar)
        await desk.settle()
        assert SHOWN in bar.render_line(0).text


async def test_a_mark_of_the_engine_stays() -> None:
    """Cleaning takes nothing that is meant."""
    async with console() as desk:
        await desk.press("p")
        assert desk.link.commands == [(Action.PAUSE, "", "")]
        assert clean_lines("▲ +1.5 % · 9→10 é 中") == "▲ +1.5 % · 9→10 é 中"
