"""What a venue says may hold our keys; what the engine consumes does not."""

from engine.config.secrets import HIDDEN, Redactor, Secret
from engine.domain.events import (
    CallOutcome,
    Channel,
    ChannelReport,
    Event,
    FeedChanged,
    FeedState,
    OrderAcked,
)
from engine.runtime.redacting import redacting, without_secrets

REDACTOR = Redactor([Secret("k3y-of-ours"), Secret("pa55-of-ours")])


def said(text):
    return ChannelReport(1, "v", Channel.ORDERS, CallOutcome.AUTH, text)


def test_our_keys_leave_what_an_adapter_posts():
    posted: list[Event] = []

    def offer(event: Event) -> bool:
        posted.append(event)
        return True

    post = redacting(offer, REDACTOR)
    assert post(said("invalid key k3y-of-ours"))
    assert post(FeedChanged(1, "f", FeedState.DISCONNECTED, "GET /x?signature=abcdef"))
    assert posted == [
        said(f"invalid key {HIDDEN}"),
        FeedChanged(1, "f", FeedState.DISCONNECTED, f"GET /x?signature={HIDDEN}"),
    ]


def test_an_event_that_says_no_secret_is_the_same_event():
    for event in (said("timed out"), said(""), OrderAcked(1, "tt1", "v1")):
        assert without_secrets(event, REDACTOR) is event
