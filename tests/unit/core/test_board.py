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


def test_an_acknowledged_alarm_is_loud_again_when_it_becomes_graver():
    board, outbox = made()
    board.raise_alarm("a", Severity.WARNING, "slow", T0)
    board.acknowledge("a")
    board.raise_alarm("a", Severity.WARNING, "still slow", T0 + 1)
    assert board.alarms()[0].acknowledged, "other words are no news"
    board.raise_alarm("a", Severity.CRITICAL, "gone", T0 + 2)
    assert board.alarms() == (Alarm("a", Severity.CRITICAL, T0, "gone"),)
    assert outbox[-1] == Notice(
        T0 + 2, NoticeLevel.ERROR, "alarm", "graver than when it was acknowledged: gone"
    )


def test_a_further_cause_is_graver_even_where_the_severity_stays():
    board, outbox = made()
    board.raise_alarm("a", Severity.CRITICAL, "one", T0, graver=True)
    board.acknowledge("a")
    board.raise_alarm("a", Severity.CRITICAL, "one; two", T0 + 1, graver=True)
    assert not board.alarms()[0].acknowledged
    assert len(outbox) == 2
    board.raise_alarm("a", Severity.CRITICAL, "one; two; three", T0 + 2, graver=True)
    assert len(outbox) == 2, "it was loud already"
