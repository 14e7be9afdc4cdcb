"""What an engine tells of itself: one stream of news, with the log and the user's hooks on it."""

import os
from collections.abc import Callable, Coroutine, Iterator

from engine.config.settings import Settings
from engine.domain.events import Event, Remark
from engine.runtime.hooks import Hook, finish_all
from engine.runtime.logs import Logger
from engine.runtime.newslog import NewsLog
from engine.runtime.newsroom import Newsroom

Work = Coroutine[object, object, None]


class Telling:
    """The newsroom of one engine and those who listen."""

    def __init__(
        self, settings: Settings, log: Logger, *, offer: Callable[[Event], bool], now: Callable[[], int]
    ) -> None:
        """`offer` takes what a person should see of a hook that fails."""
        self.newsroom = Newsroom()
        self._offer, self._now = offer, now
        self._log = NewsLog(self.newsroom, log)
        self._hooks = [Hook(hook, self.newsroom, self._report, os.environ) for hook in settings.hooks]

    def listening(self) -> Iterator[tuple[str, Work]]:
        """Yield those who listen, each with its name."""
        yield "log", self._log.run()
        for number, hook in enumerate(self._hooks, start=1):
            yield f"hook {number}", hook.run()

    async def finish(self) -> None:
        """Let everyone hear the end."""
        await finish_all(self._hooks)
        self._log.finish()

    def _report(self, text: str) -> None:
        self._offer(Remark(self._now(), "hook", text))
