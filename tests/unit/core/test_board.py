"""Notices, signals and alarms: kept as long as a person needs them, and no longer."""

from engine.core.board import ROWS_MAX, Board
from engine.domain.alarms import Alarm, Severity
from engine.domain.commands import Command, Notice, NoticeLevel
from tests.builders import T0


def made() -> tuple[Board, list[Command]]:
    outbox: list[Command] = []
    return Board(outbox), outbox


def test_notices_are_said_and_the_newest_are_remembered():
    board, outbox = made()
    for number in range(ROWS_MAX + 5):
        board.notice(T0 + number, NoticeLevel.INFO, "feed", str(number))
    assert len(outbox) == ROWS_MAX + 5
    assert len(board.notices) == ROWS_MAX
    assert board.notices[-1] == Notice(T0 + ROWS_MAX + 4, NoticeLevel.INFO, "feed", str(ROWS_MAX + 4))


def test_an_alarm_is_said_once_and_keeps_its_beginning():
    board, outbox = made()
    board.raise_alarm("a", Severity.WARNING, "first", T0)
    board.raise_alarm("a", Severity.WARNING, "first", T0 + 1)
    board.raise_alarm("a", Severity.WARNING, "second", T0 + 2)
    assert outbox == [Notice(T0, NoticeLevel.ERROR, "alarm", "first")]
    assert board.alarms() == (Alarm("a", Severity.WARNING, T0, "second"),)


def test_an_alarm_stands_until_it_is_cleared():
    board, _ = made()
    board.raise_alarm("a", Severity.INFO, "text", T0)
    board.clear_alarm("b")
    assert len(board.alarms()) == 1
    board.clear_alarm("a")
    assert board.alarms() == ()


def test_a_person_acknowledges_one_alarm_or_all():
    board, _ = made()
    for name in ("a", "b", "c"):
        board.raise_alarm(name, Severity.INFO, name, T0)
    assert board.acknowledge("b")
    assert [alarm.acknowledged for alarm in board.alarms()] == [False, True, False]
    assert board.acknowledge("")
    assert all(alarm.acknowledged for alarm in board.alarms())
    assert not board.acknowledge("x")


def test_a_restored_board_shows_the_same():
    board, _ = made()
    board.raise_alarm("a", Severity.CRITICAL, "text", T0)
    again, _ = made()
    again.restore(board.state())
    assert again.state() == board.state()
