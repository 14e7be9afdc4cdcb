"""Whole transactions for one hop to the connection's thread, joined where several wait."""

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

Statement = tuple[str, tuple[Any, ...]]

JOINED_MAX = 256  # batches in one transaction: bounds how long the first of them waits for the last


class Batch:
    """Statements that become durable together or not at all; `done` or `error` tells which."""

    __slots__ = ("done", "error", "statements")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements
        self.done = False
        self.error: Exception | None = None


class BatchConnection(sqlite3.Connection):
    """A sqlite3 connection whose `commit` takes the waiting batches and makes them durable.

    aiosqlite runs `commit` on the connection's thread, so a whole transaction costs one hop there and back
    (0.1 ms) however many statements it has. Callers append to `waiting` and then await commit: the first
    commit to run takes all that waits, and the others find their batch done. That is the group commit.
    """

    def __init__(self, waiting: deque[Batch], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting = waiting

    def commit(self) -> None:
        """Write what waits: in one transaction, or one by one where the joined one fails."""
        joined = [self._waiting.popleft() for _ in range(min(len(self._waiting), JOINED_MAX))]
        error = self._write(joined)
        if error is None:
            for batch in joined:
                batch.done = True
        elif len(joined) == 1:
            joined[0].error = error
        else:
            for batch in joined:  # one bad batch must not fail the others
                batch.error = self._write([batch])
                batch.done = batch.error is None

    def _write(self, joined: Sequence[Batch]) -> Exception | None:
        """Run the statements of several batches as one transaction; return why it was rolled back."""
        try:
            self.execute("BEGIN IMMEDIATE")
            for batch in joined:
                for sql, values in batch.statements:
                    self.execute(sql, values)
            self.execute("COMMIT")
        except (sqlite3.Error, OverflowError, ValueError) as error:
            self._roll_back()
            return error
        except BaseException:
            self._roll_back()
            raise
        return None

    def _roll_back(self) -> None:
        """End the transaction where SQLite has not done so itself, as it does when the disk is full."""
        if self.in_transaction:
            self.execute("ROLLBACK")
