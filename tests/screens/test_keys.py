"""Every key: what it sends, what it shows and what it asks first."""

import msgspec
import pytest
from textual import events
from textual.widgets import Input, OptionList, Static

from engine.api import (
    COMMANDS_TABLE,
    Action,
    CommandReply,
    ControlError,
    FlattenSection,
    Mode,
    Phase,
    RiskMode,
    Rung,
)
from tests.console_fakes import (
    ALARM,
    NOW,
    FakeLink,
    S,
    disarmed,
    empty_snapshot,
    flattening_snapshot,
    snapshot,
    status,
)
from tests.screens.console import Desk, console
from tests.why_fakes import why_reply
from tui.actions import ACTIONS
from tui.screens.arm import ArmDialog
from tui.screens.choice import LeaveDialog, RiskModeDialog
from tui.screens.help import HelpDialog
from tui.screens.why import WhyDialog


async def test_arm_needs_the_typed_name() -> None:
    """A wrong name arms nothing and says so; the right one arms."""
    async with console(empty_snapshot()) as desk:
        await desk.press("a")
        assert isinstance(desk.app.screen, ArmDialog)
        await desk.press(*"live", "enter")
        assert desk.link.commands == []
        assert isinstance(desk.app.screen, ArmDialog)
        desk.app.screen.query_one("#name", Input).value = ""
        await desk.press(*"paper", "enter")
        assert desk.link.commands == [(Action.ARM, "", "paper")]
        assert desk.toasts()[-1] == "Arm|Done."


async def test_keys_that_arrive_all_at_once_count_in_their_order() -> None:
    """What was typed ahead over a slow line arms, with its correction in its place."""
    async with console(empty_snapshot()) as desk:
        await desk.press("a")
        for key in (*"papx", "backspace", *"erx", "ctrl+u", *"paper", "enter"):
            desk.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await desk.pilot.pause()
        assert desk.link.commands == [(Action.ARM, "", "paper")]


async def test_arm_after_a_halt_needs_a_reason() -> None:
    """Both fields must be filled."""
    halted = empty_snapshot(status=status(phase=Phase.HALTED, rung=Rung.HOLD))
    async with console(halted) as desk:
        await desk.press("a", "enter")
        assert isinstance(desk.app.screen, ArmDialog)
        await desk.press(*"checked", "tab", *"paper", "enter")
        assert desk.link.commands == [(Action.ARM, "checked", "paper")]


@pytest.mark.parametrize("keys", [("escape",), ("p", "d", "escape"), ("enter", "escape")])
async def test_the_arm_dialog_leaves_everything_as_it_is(keys: tuple[str, ...]) -> None:
    """Letters go into the field, not to the engine."""
    async with console(empty_snapshot()) as desk:
        await desk.press("a", *keys)
        assert not isinstance(desk.app.screen, ArmDialog)
        assert desk.link.commands == []


async def test_arming_twice_is_not_asked() -> None:
    """An armed engine says that it is."""
    async with console() as desk:
        await desk.press("a")
        assert "armed already" in desk.toasts()[-1]


async def test_disarm_and_pause_are_instant() -> None:
    """Toward safety nothing is asked."""
    async with console() as desk:
        await desk.press("d", "p")
        assert [action for action, _, _ in desk.link.commands] == [Action.DISARM, Action.PAUSE]


async def test_pause_means_what_is_on_screen() -> None:
    """A terminal that is behind shows an engine that runs: the key must not resume what somebody paused."""
    async with console() as desk:
        unread = desk.app._painter
        unread.paint = lambda *_, **__: None  # type: ignore[method-assign]  # nothing reaches the terminal
        await desk.play(snapshot(status=status(paused=True)))
        await desk.press("p")
        assert desk.link.commands == [(Action.PAUSE, "", "")]


async def test_whatever_breaks_while_commanding_is_told() -> None:
    """Silence would read as done."""
    async with console() as desk:
        desk.link.command_error = RuntimeError("the line is in a knot")
        await desk.press("d")
        assert "No answer: the line is in a knot" in desk.toasts()[-1]


async def test_pause_becomes_resume() -> None:
    """The same key, and the footer says which."""
    async with console(snapshot(status=status(paused=True))) as desk:
        assert "p Resume" in desk.text("footer")
        await desk.press("p")
        assert desk.link.commands == [(Action.RESUME, "", "")]


async def test_a_refusal_names_reason_and_remedy() -> None:
    """Not only a code."""
    link = FakeLink([snapshot()])
    link.replies[Action.DISARM] = CommandReply(1, ok=False, reason="FLATTEN_RUNNING", text="since 4 s")
    async with console(link=link) as desk:
        await desk.press("d")
        assert desk.toasts()[-1] == (
            "Disarm refused|A flatten is running; nothing may be freed before it ends. "
            "Wait for FLAT or the residual. (since 4 s)"
        )


async def test_a_refusal_with_an_unknown_code_is_still_told() -> None:
    """A newer engine may have codes this console does not know."""
    link = FakeLink([snapshot()])
    link.replies[Action.DISARM] = CommandReply(1, ok=False, reason="NEW_CODE")
    async with console(link=link) as desk:
        await desk.press("d")
        assert desk.toasts()[-1] == "Disarm refused|NEW_CODE"


async def test_no_answer_is_told_as_such() -> None:
    """The command may still take effect."""
    link = FakeLink([snapshot()])
    link.command_error = ControlError("no answer within 2 s")
    async with console(link=link) as desk:
        await desk.press("d")
        assert "No answer: no answer within 2 s. It may still take effect" in desk.toasts()[-1]


@pytest.mark.parametrize("key", ["f12", "ctrl+backslash"])
async def test_flatten_takes_two_presses(key: str) -> None:
    """The first shows the consequences, the second sends."""
    async with console() as desk:
        await desk.press(key)
        bar = desk.text("flatten-bar")
        assert "4 open orders" in bar
        assert "3 positions, about 21,289.14 USDT" in bar
        assert "sell 0.25 BTCUSDT (canary)" in bar
        assert desk.link.panics == 0
        await desk.press(key)
        await desk.until(lambda: not desk.app.screen.query("#flatten-bar"))
        await desk.until(lambda: "FLATTEN|Flatten sent." in desk.toasts())
        assert desk.link.panics == 1


async def test_a_late_second_press_flattens_nothing() -> None:
    """The window is two seconds."""
    async with console() as desk:
        await desk.press("f12")
        desk.clock.now += 2.5
        await desk.press("f12")
        assert desk.link.panics == 0


@pytest.mark.parametrize("between", ["j", "paste"])
async def test_anything_in_between_flattens_nothing(between: str) -> None:
    """The bar goes too: it would promise what the key no longer does."""
    async with console() as desk:
        await desk.press("f12")
        if between == "paste":
            desk.app.post_message(events.Paste("\x1c\x1c"))
        else:
            await desk.press(between)
        await desk.until(lambda: not desk.app.screen.query("#flatten-bar"))
        await desk.press("f12")
        assert desk.link.panics == 0


async def test_flatten_works_inside_a_dialog() -> None:
    """Nothing on the screen stands in its way."""
    async with console(empty_snapshot()) as desk:
        await desk.press("a", "f12", "f12")
        assert desk.link.panics == 1


async def test_flatten_that_fails_names_the_shell_command() -> None:
    """The other way is on the screen."""
    link = FakeLink([snapshot()])
    link.panic_error = OSError("broken pipe")
    async with console(link=link) as desk:
        await desk.press("f12", "f12")
        assert desk.toasts()[-1].startswith("FLATTEN NOT CONFIRMED|broken pipe. Run `trader-tui flatten`")


async def test_flatten_without_an_engine_says_so() -> None:
    """From the first press on."""
    async with console(link=FakeLink()) as desk:
        await desk.press("f12")
        assert "waiting" in desk.text("flatten-bar") or "trader-tui flatten" in desk.text("flatten-bar")
        await desk.press("f12")


async def test_an_unheard_flatten_is_told_after_half_a_second() -> None:
    """Unless the engine shows that it began."""
    async with console() as desk:
        desk.app.kill.check()
        await desk.settle()
        assert desk.toasts()[-1].startswith("FLATTEN NOT CONFIRMED|the engine does not show it after 0.5 s")
        told = len(desk.toasts())
        await desk.play(flattening_snapshot())
        desk.app.kill.check()
        await desk.settle()
        assert len(desk.toasts()) == told


async def test_a_doubt_that_the_engine_settles_is_taken_away() -> None:
    """A red message over a desk that is flat would be believed."""
    link = FakeLink([snapshot()])
    link.panic_error = OSError("FLATTEN IS NOT CONFIRMED: it hangs. `trader-tui flatten --direct` closes.")
    async with console(link=link) as desk:
        await desk.press("f12", "f12")
        stuck = "FLATTEN NOT CONFIRMED|it hangs. `trader-tui flatten --direct` closes."
        await desk.until(lambda: desk.toasts() == [stuck])
        await desk.play(flattening_snapshot())
        await desk.until(lambda: desk.toasts() == ["FLATTEN|The engine took the flatten after all."])


async def test_an_earlier_flatten_settles_no_doubt() -> None:
    """An engine that was halted before looks as if it had heard."""
    ended = FlattenSection("flat", NOW - 60 * S)
    halted = snapshot(status=status(phase=Phase.HALTED), flatten=ended)
    link = FakeLink([halted])
    link.panic_error = OSError("FLATTEN IS NOT CONFIRMED: it hangs. `trader-tui flatten --direct` closes.")
    async with console(link=link) as desk:
        await desk.press("f12", "f12")
        await desk.play(msgspec.structs.replace(halted, notices=()))
        assert desk.toasts()[-1].startswith("FLATTEN NOT CONFIRMED")
        await desk.play(msgspec.structs.replace(halted, flatten=FlattenSection("flat", NOW)))
        await desk.until(lambda: desk.toasts() == ["FLATTEN|The engine took the flatten after all."])


async def test_risk_mode_toward_safety_needs_no_reason() -> None:
    """Down is free, up is not."""
    async with console() as desk:
        await desk.press("m", "down", "enter")
        assert desk.link.commands == [(Action.RISK_MODE, "", "reduce")]


async def test_risk_mode_toward_freedom_needs_a_reason() -> None:
    """The dialog stays until it has one."""
    observing = snapshot(status=status(risk_mode=RiskMode.OBSERVE, rung=Rung.HOLD))
    async with console(observing) as desk:
        await desk.press("m", "up", "enter")
        assert isinstance(desk.app.screen, RiskModeDialog)
        assert desk.link.commands == []
        await desk.press(*"calm", "enter")
        assert desk.link.commands == [(Action.RISK_MODE, "calm", "reduce")]


async def test_risk_mode_can_be_left_alone() -> None:
    """Esc sends nothing."""
    async with console() as desk:
        await desk.press("m", "escape")
        assert desk.link.commands == []


async def test_acknowledge_quiets_each_alarm() -> None:
    """By its id; without alarms it says so."""
    async with console(snapshot(alarms=(ALARM,))) as desk:
        await desk.press("x")
        assert desk.link.commands == [(Action.ACKNOWLEDGE, "", "UNPROTECTED:SOLUSDT")]
        await desk.play(snapshot())
        await desk.press("x")
        assert "no alarm" in desk.toasts()[-1]


@pytest.mark.parametrize(
    ("mode", "moves", "command"),
    [
        (Mode.PAPER, (), []),
        (Mode.LIVE, (), []),
        (Mode.PAPER, ("down", "down"), [(Action.STOP, "", "cancel_entries")]),
        (Mode.PAPER, ("down", "down", "down"), [(Action.STOP, "", "keep")]),
        (Mode.LIVE, ("down", "down", "down", "down"), [(Action.STOP, "", "flatten")]),
    ],
)
async def test_leaving_asks_what_becomes_of_the_engine(
    mode: Mode, moves: tuple[str, ...], command: list[tuple[Action, str, str]]
) -> None:
    """The default is to stay, whatever is at stake."""
    async with console(snapshot(status=status(mode=mode))) as desk:
        await desk.press("ctrl+q")
        assert isinstance(desk.app.screen, LeaveDialog)
        await desk.press(*moves, "enter")
        assert desk.link.commands == command
        assert desk.app.return_code is None


async def test_detach_leaves_the_engine_alone() -> None:
    """And says how to come back."""
    async with console(snapshot(status=status(mode=Mode.DEMO))) as desk:
        await desk.press("ctrl+q")
        await desk.pilot.press("down", "enter")
        await desk.pilot.pause()
        assert desk.link.commands == []
        assert desk.app.return_code == 0
        assert "Detached. The engine goes on" in desk.app.last_words
        assert "Hand-over at 2024-08-08 14:02:11 UTC: demo, armed" in desk.app.last_words
        assert "protected: stop sell 0.25 at 60500.0, v70004 at the venue" in desk.app.last_words


async def test_an_engine_in_this_process_cannot_be_detached_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that is not offered."""
    monkeypatch.setattr("os.getpid", lambda: 4711)
    async with console(snapshot(status=status(mode=Mode.LIVE))) as desk:
        await desk.press("ctrl+q", "down", "enter")
        assert desk.link.commands == [(Action.STOP, "", "cancel_entries")]


async def test_ctrl_c_twice_takes_the_default() -> None:
    """The first press says what the second will do; a late second one is a first."""
    async with console() as desk:
        await desk.press("ctrl+c")
        assert "Ctrl-C again within 2 s shuts the engine down" in desk.toasts()[-1]
        desk.clock.now += 3
        await desk.press("ctrl+c")
        assert desk.link.commands == []
        await desk.press("ctrl+c")
        assert desk.link.commands == [(Action.STOP, "", "cancel_entries")]


async def test_help_shows_every_key() -> None:
    """And closes with the key that opened it."""
    async with console() as desk:
        await desk.press("question_mark")
        assert isinstance(desk.app.screen, HelpDialog)
        await desk.press("j", "k", "question_mark")
        assert not isinstance(desk.app.screen, HelpDialog)


async def test_help_is_searched() -> None:
    """While one types; Enter goes to the page, the first Esc shows all of it again."""
    async with console(size=(80, 24)) as desk:
        await desk.press("question_mark", "slash", *"risk MODE")
        shown = desk.app.screen.query_one("#page", Static)
        assert "Set NORMAL, REDUCE or OBSERVE" in str(shown.content)
        assert "Let plays open positions" not in str(shown.content)
        await desk.press(*" zz")
        assert "Nothing here has" in str(shown.content)
        await desk.press("ctrl+u", *"flatten", "enter", "j", "k")
        assert "Kill-switch" in str(shown.content)
        await desk.press("escape")
        assert isinstance(desk.app.screen, HelpDialog)
        assert "Let plays open positions" in str(shown.content)
        await desk.press("escape")
        assert not isinstance(desk.app.screen, HelpDialog)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
async def test_help_leaves_no_word_out_at_any_width(width: int) -> None:
    """Every action, rung, holder and command."""
    async with console(size=(width, 24)) as desk:
        await desk.press("question_mark")
        text = " ".join(str(desk.app.screen.query_one("#page", Static).content).split())
        for spec in ACTIONS:
            assert spec.id.startswith("pane-") or spec.title in text
        for row in COMMANDS_TABLE:
            assert row.name in text


async def test_the_palette_runs_actions() -> None:
    """By a part of their name."""
    async with console() as desk:
        await desk.press("ctrl+p", *"disarm")
        await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count == 1)
        await desk.press("enter")
        await desk.until(lambda: desk.link.commands)
        assert desk.link.commands == [(Action.DISARM, "", "")]


@pytest.mark.parametrize("key", ["d", "p", "m", "x", "a"])
async def test_before_the_engine_answers_keys_say_so(key: str) -> None:
    """Nothing is queued for later."""
    link = FakeLink()
    async with console(link=link) as desk:
        desk.app.link = None
        await desk.press(key)
        assert link.commands == []
        assert desk.toasts()


async def test_leaving_before_the_engine_answers_just_leaves() -> None:
    """There is nothing to ask."""
    async with console(link=FakeLink()) as desk:
        desk.app.link = None
        await desk.pilot.press("ctrl+q")
        await desk.pilot.pause()
        assert desk.app.return_code == 0


async def test_disarmed_footer_offers_arm() -> None:
    """Keys that do nothing now are not shown."""
    async with console(empty_snapshot(status=disarmed())) as desk:
        assert "a Arm" in desk.text("footer")
        assert "Disarm" not in desk.text("footer")


async def test_a_click_on_the_footer_does_what_the_key_does() -> None:
    """For those who use a mouse."""
    async with console() as desk:
        await desk.pilot.click("#footer", offset=(2, 0))
        await desk.settle()
        assert desk.link.commands == [(Action.DISARM, "", "")]


def _page(desk: Desk) -> str:
    return str(desk.app.screen.query_one("#why", Static).content)


async def test_why_goes_from_bar_to_bar_and_to_the_nearest_miss() -> None:
    """The newest bar first; keys of the desk do nothing behind the dialog."""
    link = FakeLink([snapshot()])
    link.whys = {play: why_reply() for play in snapshot().status.plays}
    async with console(link=link) as desk:
        await desk.press("w")
        assert isinstance(desk.app.screen, WhyDialog)
        await desk.until(lambda: "bar 3 of 3" in _page(desk))
        assert "what a buy entry would meet now" in _page(desk)
        await desk.press("left", "left", "h")
        assert "bar 1 of 3" in _page(desk)
        await desk.press("n")
        assert "bar 2 of 3" in _page(desk)
        await desk.press("l", "l", "j", "k", "end")
        assert "bar 3 of 3" in _page(desk)
        await desk.press("w")
        assert not isinstance(desk.app.screen, WhyDialog)
        assert link.commands == []


async def test_why_asks_for_each_play_and_says_what_it_is_told() -> None:
    """Tab goes round the plays; an engine that does not answer is said to be so."""
    link = FakeLink([snapshot(status=status(plays=("one", "two")))])
    async with console(link=link) as desk:
        await desk.press("w")
        await desk.until(lambda: "no bars" in _page(desk))
        await desk.press("n", "left", "tab")
        await desk.until(lambda: len(link.asked) == 2)
        assert [asked[0] for asked in link.asked] == ["one", "two"]
        link.why_error = ControlError("no answer")
        await desk.press("r")
        await desk.until(lambda: "no answer" in _page(desk))


async def test_why_without_an_engine_says_so() -> None:
    """There is nobody to ask."""
    async with console(link=FakeLink()) as desk:
        await desk.press("w")
        assert desk.toasts()[-1].endswith("There is no engine to ask yet.")
