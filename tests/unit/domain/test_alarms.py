"""Alarms travel to the console as they are."""

import msgspec

from engine.domain.alarms import Alarm, Severity


def test_an_alarm_starts_unacknowledged_and_survives_the_codec():
    alarm = Alarm("feed.btc", Severity.CRITICAL, 1_700_000_000_000_000_000, "no tick for 10 s")
    assert not alarm.acknowledged
    assert msgspec.json.decode(msgspec.json.encode(alarm), type=Alarm) == alarm
