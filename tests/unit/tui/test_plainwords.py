"""Words that are typed in `--plain`: what they ask for, and how they are answered."""

import os
import pty
import threading

import pytest

from engine.api import REASONS, Action, CommandReply, ControlError, Reason
from tests.console_fakes import FakeLink, snapshot, trouble_snapshot
from tui.operator import refusal_words
from tui.plainwords import Said, Wish, listen, obey, understood


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("arm paper", Wish(Action.ARM, "paper")),
        ("  ARM paper after a look at the venue ", Wish(Action.ARM, "paper", "after a look at the venue")),
        ("disarm", Wish(Action.DISARM)),
        ("pause", Wish(Action.PAUSE)),
        ("resume", Wish(Action.RESUME)),
        ("flatten", Wish(Action.FLATTEN)),
        ("mode reduce", Wish(Action.RISK_MODE, "reduce")),
        ("mode normal all is well", Wish(Action.RISK_MODE, "normal", "all is well")),
        ("stop", Wish(Action.STOP, "", "stop")),
        ("stop keep", Wish(Action.STOP, "keep", "stop")),
        ("quiet", Wish(Action.ACKNOWLEDGE)),
    ],
)
def test_words_are_commands(line, wish):
    assert understood(line) == wish


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("arm", "arm NAME"),
        ("mode", "normal"),
        ("mode fast", "which mode"),
        ("stop now", "stop how"),
        ("flatten all", "not known here"),
        ("buy 3 \x1b[2J", "not known here"),
        ("help", "kill-switch"),
    ],
)
def test_what_is_not_understood_sends_nothing(line, said):
    answer = understood(line)
    assert isinstance(answer, Said)
    assert said in answer.text
    assert not answer.leaves
    assert "\x1b" not in answer.text


def test_quit_leaves_the_engine_running():
    assert understood("quit") == Said("the engine goes on; `trader-tui stop` ends it", leaves=True)


async def test_a_command_is_sent_and_its_answer_told():
    link = FakeLink()
    assert await obey(link, Wish(Action.PAUSE), None) == ["pause: done"]
    link.replies[Action.ARM] = CommandReply(
        1, ok=False, reason="NOT_CONFIRMED", text="typed=x expected=paper"
    )
    (refused,) = await obey(link, Wish(Action.ARM, "x"), snapshot())
    assert refused.startswith("arm REFUSED: ")
    assert "expected=paper" in refused
    assert [sent[0] for sent in link.commands] == [Action.PAUSE, Action.ARM]


async def test_quiet_quiets_every_loud_alarm():
    link = FakeLink()
    trouble = trouble_snapshot()
    await obey(link, Wish(Action.ACKNOWLEDGE), trouble)
    loud = [alarm.id for alarm in trouble.alarms if not alarm.acknowledged]
    assert [(action, argument) for action, _, argument in link.commands] == [
        (Action.ACKNOWLEDGE, name) for name in loud
    ]
    assert await obey(link, Wish(Action.ACKNOWLEDGE), None) == ["there is no alarm to quiet"]


async def test_no_answer_is_no_success():
    link = FakeLink()
    link.command_error = ControlError("no answer within 2 s")
    (told,) = await obey(link, Wish(Action.FLATTEN), None)
    assert "it may still take effect" in told


def test_lines_are_read_from_a_pipe_as_they_come():
    read, write = os.pipe()
    lines, enough = [], threading.Event()

    def take(line):
        lines.append(line)
        if len(lines) == 3:
            enough.set()

    listen(take, read)
    os.write(write, b"pau")
    os.write(write, b"se\n\n  arm paper \nx" + b"y" * 5_000 + b"\n")
    assert enough.wait(10)
    os.close(write)
    assert lines[:2] == ["pause", "arm paper"]
    assert len(lines[2]) <= 1_000


def test_a_terminal_in_the_background_is_not_read():
    """Reading it would stop the process (SIGTTIN)."""
    before = threading.active_count()
    master, slave = pty.openpty()  # not ours: another session's, or nobody's
    listen(lambda _: None, slave)
    assert threading.active_count() == before
    os.close(master)
    os.close(slave)


def test_a_refusal_says_each_thing_once():
    """The engine writes meaning and remedy behind the values."""
    facts = REASONS[Reason.REASON_REQUIRED]
    whole = f"REASON_REQUIRED risk_mode=normal: {facts.meaning} {facts.remedy}"
    told = refusal_words(CommandReply(1, ok=False, reason=Reason.REASON_REQUIRED, text=whole))
    assert told == f"{facts.meaning} {facts.remedy} (REASON_REQUIRED risk_mode=normal)"


@pytest.mark.parametrize("line", ["close canary", "cancel tt0001", "promote", "LIMITS accept", "status"])
def test_what_is_done_in_a_shell_says_so(line):
    """Whoever knows the command line tries its words here."""
    word = line.split()[0].lower()
    assert understood(line) == Said(
        f"{word} is not done here: `trader-tui {word} --help` in a shell tells how."
    )
