"""How old what feeds bring is, and which of them is worst: one that never brought anything is not fresh."""

from collections.abc import Sequence

from engine.api import FeedRow
from tui.formats import age

STALE_AFTER_S = 5.0
CONNECTED = "connected"


def feed_age(feed: FeedRow) -> str:
    """Write the age of a feed's newest data, with a tenth of a second while it counts."""
    if feed.age_ms < 0:
        return "no data"
    seconds = feed.age_ms / 1000
    return f"{seconds:.1f}s" if seconds < 100 else age(seconds)


def is_late(feed: FeedRow) -> bool:
    """Tell whether a feed brings nothing, connected or not."""
    return feed.age_ms < 0 or feed.age_ms > STALE_AFTER_S * 1000


def worst(feeds: Sequence[FeedRow]) -> FeedRow:
    """Return the feed to speak of: one that is not connected, then one without data, then the oldest."""
    return max(feeds, key=lambda feed: (feed.state != CONNECTED, feed.age_ms < 0, feed.age_ms))
