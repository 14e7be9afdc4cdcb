"""The venue's clock as its messages show it."""

from engine.venues.ws_time import WINDOW_NS, VenueTime

NOW = 10**18


def test_before_the_first_message_it_is_our_own_time():
    time = VenueTime()
    assert (time.offset_ns, time.at(NOW)) == (None, NOW)


def test_the_fastest_message_counts():
    time = VenueTime()
    for offset in (-900, -400, -700):
        time.heard(NOW + offset, NOW)
    assert (time.offset_ns, time.at(NOW + 5)) == (-400, NOW - 395)


def test_a_venue_ahead_of_us_is_ahead():
    time = VenueTime()
    time.heard(NOW + 1_270, NOW)
    assert time.at(NOW) == NOW + 1_270


def test_what_is_old_is_forgotten():
    time = VenueTime()
    time.heard(NOW, NOW)
    for turn in range(1, 4):
        now = NOW + turn * WINDOW_NS
        time.heard(now - 5_000, now)
    assert time.offset_ns == -5_000
