"""Takes secrets out of what adapters post, before it reaches inbox, record, log and screens."""

from collections.abc import Callable

import msgspec

from engine.config.secrets import Redactor
from engine.domain.events import Event

Post = Callable[[Event], bool]


def redacting(post: Post, redactor: Redactor) -> Post:
    """Return a way to post events without secrets in what they say."""

    def offer(event: Event) -> bool:
        return post(without_secrets(event, redactor))

    return offer


def without_secrets(event: Event, redactor: Redactor) -> Event:
    """Return the event without secrets in its text; most say none, and are returned as they are."""
    text: str = getattr(event, "text", "")
    clean = redactor.text(text) if text else text
    return event if clean == text else msgspec.structs.replace(event, text=clean)
