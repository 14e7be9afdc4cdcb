"""Asking again: later and later, only where the fault may pass, never for ever."""

import pytest

from engine.domain.errors import RateLimitedError, RefusedError, TransientError
from engine.runtime.retry import Retry, at_start


class Answers:
    """Raises what it was given, then answers."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.pauses: list[float] = []
        self.told: list[str] = []

    async def ask(self) -> str:
        if self._faults:
            raise self._faults.pop(0)
        return "yes"

    async def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)

    def retry(self, chance: float = 0.5) -> Retry:
        return Retry(sleep=self.sleep, chance=lambda: chance, tell=self.told.append)


async def test_an_answer_at_once_is_not_waited_for():
    answers = Answers()
    assert await answers.retry()(answers.ask) == "yes"
    assert (answers.pauses, answers.told) == ([], [])


@pytest.mark.parametrize(("is_local", "pauses"), [(True, [0.25, 0.5]), (False, [1, 2, 4])])
async def test_a_start_asks_again_for_as_long_as_a_person_waits(is_local, pauses):
    answers = Answers(*[TransientError("down")] * 6)
    patient = at_start(is_local=is_local)
    patient._sleep, patient._chance = answers.sleep, lambda: 0.5
    with pytest.raises(TransientError):
        await patient(answers.ask)
    assert answers.pauses == pauses


async def test_pauses_double_and_the_fault_after_the_last_goes_to_the_caller():
    answers = Answers(*[TransientError(f"down {number}") for number in range(6)])
    with pytest.raises(TransientError, match="down 5"):
        await answers.retry()(answers.ask)
    assert answers.pauses == [1, 2, 4, 8, 16]
    assert answers.told[:2] == ["down 0; asking again in 1.0 s", "down 1; asking again in 2.0 s"]


@pytest.mark.parametrize(("chance", "pause_s"), [(0.0, 0.75), (0.5, 1.0), (0.999, 1.2495)])
async def test_chance_moves_a_pause_by_a_quarter(chance: float, pause_s: float):
    answers = Answers(TransientError("down"))
    assert await answers.retry(chance)(answers.ask) == "yes"
    assert answers.pauses == [pytest.approx(pause_s)]


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0.0, 1.0), (30.0, 30.0), (86_400.0, 120.0)])
async def test_a_venue_may_ask_for_a_longer_pause_within_bounds(asked_s: float, waited_s: float):
    answers = Answers(RateLimitedError("slower", asked_s))
    assert await answers.retry()(answers.ask) == "yes"
    assert answers.pauses == [waited_s]


async def test_a_refusal_is_final():
    answers = Answers(RefusedError("no"))
    with pytest.raises(RefusedError):
        await answers.retry()(answers.ask)
    assert answers.pauses == []
