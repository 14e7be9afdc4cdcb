"""Why, asked of a running machine and of a recorded session: the same answer."""

import asyncio

import pytest

from engine.domain.errors import StorageError
from engine.runtime.protocol import WhyReply, WhyRequest
from engine.runtime.whydesk import answer_why
from engine.runtime.whyrecord import why_recorded
from engine.storage.record_reader import RecordReader
from tests.builders import ENTER_LONG, STEP, World
from tests.unit.runtime.rig import market_settings, run_engine, tape_settings


def ask(world, **wish):
    return asyncio.run(answer_why(world.machine, WhyRequest(7, **wish), world.now))


def test_an_answer_carries_the_number_of_its_question():
    world = World()
    world.bar(ENTER_LONG)
    reply = ask(world)
    assert (reply.id, [why.close for why in reply.bars], reply.text) == (7, [ENTER_LONG], "")


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"play": "nix"}, "no play 'nix' runs; there are: levels"),
        ({}, "levels has seen no closed bar yet"),
    ],
)
def test_no_bar_is_told_with_its_cause(wish, text):
    assert ask(World(), **wish) == WhyReply(7, text=text)


def test_a_bar_that_is_not_kept_any_more_is_told_of():
    world = World()
    world.bar(ENTER_LONG)
    assert "older than the 1 bars" in ask(world, at=world.now - 2 * STEP).text


def record_of(settings):
    return max((settings.state_dir / settings.instance / settings.mode.value / "records").iterdir())


def answers(settings, at_offset):
    """Run a tape, ask in the middle; return that answer, the one at the end, and the session's record."""
    told = []

    def look(engine):
        told.append(asyncio.ensure_future(engine.why(WhyRequest(1, last=3))))

    def keep(engine):
        told.append(asyncio.ensure_future(engine.why(WhyRequest(1, last=3))))

    async def run():
        report = await run_engine(settings, {at_offset: look, at_offset + 40: keep})
        return report.exit_code, [await one for one in told]

    code, (middle, later) = asyncio.run(run())
    assert code == 0
    return middle, later, record_of(settings)


def test_a_recorded_session_answers_as_the_engine_did(tmp_path):
    settings = tape_settings(tmp_path)
    middle, later, record = answers(settings, 60)
    for live in (middle, later):
        then = live.bars[-1].ts
        again = why_recorded(record, last=3, at=then)
        assert [why.ts for why in again.bars] == [why.ts for why in live.bars]
        assert again.bars[-1].rules == live.bars[-1].rules
        assert [link.name for link in again.bars[-1].chain] == [link.name for link in live.bars[-1].chain]
    assert why_recorded(record).bars[-1].ts >= later.bars[-1].ts
    assert why_recorded(record, at=1).text.startswith("no bar of that play")
    assert why_recorded(record, play="nix", at=middle.bars[-1].ts).text.startswith("no bar of that play")


def test_a_session_of_a_live_market_answers_too(tmp_path):
    settings = market_settings(tmp_path, duration_s=3)
    asyncio.run(run_engine(settings))
    reply = why_recorded(record_of(settings), last=600)
    assert reply.bars
    last = reply.bars[-1].ts
    assert why_recorded(record_of(settings), at=last + 1).bars[-1].ts == last


def test_a_record_without_its_beginning_is_refused(tmp_path, monkeypatch):
    settings = tape_settings(tmp_path)
    asyncio.run(run_engine(settings))
    monkeypatch.setattr(RecordReader, "first_sequence", property(lambda _self: 5))
    with pytest.raises(StorageError, match="pruned"):
        why_recorded(record_of(settings))
