"""What was acknowledged before a kill -9 is there after it."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.storage.codec import Consumed
from engine.storage.database import Database
from engine.storage.orders import OrderRepository
from engine.storage.record_reader import RecordReader

REPOSITORY = Path(__file__).parents[3]

COMMIT_ON_AND_ON = """
import asyncio, itertools, sys
from pathlib import Path
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal
from tests.unit.storage import samples

async def main():
    journal = SqliteJournal(await Database.open(Path(sys.argv[1])))
    for sequence in itertools.count(1):
        await journal.commit([samples.submit(sequence)])
        print(sequence, flush=True)

asyncio.run(main())
"""

RECORD_ON_AND_ON = """
import itertools, sys
from pathlib import Path
from engine.storage.record_writer import RecordWriter
from tests.unit.storage import samples

writer = RecordWriter(
    Path(sys.argv[1]), samples.header(), bytes_max=10**9, segment_bytes=5_000, free_bytes_min=0
)
for sequence in itertools.count(1):
    writer.consumed(sequence, 0, samples.trade(sequence))
    if sequence % 7 == 0:
        writer.flush()
        print(sequence, flush=True)
"""


def last_acknowledged_before_kill(script, path, lines):
    """Run a script that prints what is durable, kill it after some lines, return the last number it gave."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        whole = [line for line in process.stdout if line.endswith(b"\n")]
    return int(whole[-1]) if whole else 0


@pytest.mark.parametrize("lines", [1, 90])
async def test_every_acknowledged_intent_survives_a_kill(tmp_path, lines):
    acknowledged = last_acknowledged_before_kill(COMMIT_ON_AND_ON, tmp_path / "engine.db", lines)
    database = await Database.open(tmp_path / "engine.db")
    async with database.reader() as reader:
        orders = OrderRepository(reader)
        assert await orders.highest_sequence() >= max(acknowledged, lines)
        counts = await orders.counts()
        assert counts.orders == counts.unsettled_intents == await orders.highest_sequence()
    await database.close()


def test_every_flushed_entry_survives_a_kill(tmp_path):
    acknowledged = last_acknowledged_before_kill(RECORD_ON_AND_ON, tmp_path / "s", 100)
    entries = list(RecordReader(tmp_path / "s").entries())
    assert [entry.sequence for entry in entries if isinstance(entry, Consumed)] == list(
        range(1, len(entries) + 1)
    )
    assert len(entries) >= max(acknowledged, 700)
