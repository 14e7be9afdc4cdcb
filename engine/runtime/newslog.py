"""The log as a listener: notices, reloads, checkpoints and the end of a flatten, in the order they came."""

from engine.domain.commands import NoticeLevel
from engine.domain.news import CheckpointNews, FlattenNews, MissedNews, News, NoticeNews, ReloadNews, Topic
from engine.runtime.logs import Logger
from engine.runtime.newsroom import Listener, Newsroom

TOPICS = frozenset({Topic.NOTICE, Topic.ERROR, Topic.FLATTEN, Topic.RELOAD, Topic.CHECKPOINT})
LINES_MAX = 10_000  # that wait for the disk
_METHOD = {
    NoticeLevel.INFO: "info",
    NoticeLevel.GOOD: "info",
    NoticeLevel.WARNING: "warning",
    NoticeLevel.ERROR: "error",
}


class NewsLog:
    """Writes what it hears."""

    def __init__(self, newsroom: Newsroom, log: Logger) -> None:
        self._log = log
        self._listener: Listener = newsroom.listen("log", TOPICS, waiting_max=LINES_MAX)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._write(await self._listener.next())

    def finish(self) -> None:
        """Write what still waits: nobody else will."""
        for news in self._listener.rest():
            self._write(news)

    def _write(self, news: News) -> None:
        match news:
            case NoticeNews():
                getattr(self._log, _METHOD[news.level])(news.kind, text=news.text, at=news.ts)
            case FlattenNews():
                self._log.warning(
                    "flatten ended", flat=news.flat, residual=news.residual, ms=str(news.elapsed_ms)
                )
            case ReloadNews():
                self._log.info("reload", play=news.play, result=news.result, text=news.text)
            case CheckpointNews():
                self._log.debug("checkpoint", sequence=news.sequence, took_ms=round(news.took_ms, 1))
            case MissedNews():
                self._log.error("lines were lost", count=news.count)
            case _:
                pass  # not listened for
