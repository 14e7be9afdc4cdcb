"""The venues' published limits as data, and the part of them that is used."""

import pytest

from engine.venues.ratelimits import ARRIVES_LATE_S, CAREFUL, LIMITS, REDUCING, Kind, limits_of


@pytest.mark.parametrize("venue", [*LIMITS, "somewhere"])
def test_a_share_of_each_limit_is_used_and_a_part_of_that_kept_for_reductions(venue):
    published = LIMITS.get(venue, CAREFUL)
    for limit, kept in zip(published, limits_of(venue, share=0.5, reserve=0.2), strict=True):
        assert (kept.name, kept.kinds) == (limit.name, limit.kinds)
        assert kept.window_s == pytest.approx(limit.window_s + ARRIVES_LATE_S)
        assert 1 <= kept.count <= limit.count / 2
        mixed = kept.kinds & REDUCING and kept.kinds - REDUCING
        assert kept.reserve == (max(1, round(kept.count * 0.2)) if mixed else 0)


@pytest.mark.parametrize("venue", [*LIMITS, "somewhere"])
def test_every_kind_of_request_is_limited_and_reductions_have_room_that_others_have_not(venue):
    limits = limits_of(venue)
    for kind in Kind:
        assert [limit for limit in limits if kind in limit.kinds]
    for limit in limits:
        others = {limit.room(kind) for kind in limit.kinds - REDUCING}
        assert all(0 < room <= limit.count - limit.reserve for room in others)
        assert all(limit.room(kind) == limit.count for kind in limit.kinds & REDUCING)


def test_the_smallest_share_still_lets_something_through():
    assert all(limit.count - limit.reserve >= 1 for limit in limits_of("bybit", share=0.05, reserve=0.9))
