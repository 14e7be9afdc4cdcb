"""All pairs of shipped plays and files of a folder, three ways each: what `trader-tui bench parity` runs."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.config.packaged import data_path, play_path
from engine.runtime.parity.pairs import Case, facts_of, find_files, head, pair_up
from engine.runtime.parity.report import Outcome, ParityReport, ParityWish, Verdict
from engine.runtime.parity.ways import Ways


def shipped_plays() -> list[Path]:
    """Return the plays that ship, by name."""
    return sorted(data_path("configs/plays").glob("*.yaml"))


def run_parity(wish: ParityWish, program: Sequence[str], tell: Callable[[Outcome], None]) -> ParityReport:
    """Try every pair; `tell` hears of each when it is done. Raises ConfigError for what the user can mend.

    `program` is the command that starts trader-tui.
    """
    files = find_files(wish.folder, wish.files)
    plays = [play_path(name, Path.cwd()) for name in wish.plays] or shipped_plays()
    with tempfile.TemporaryDirectory(prefix="parity-", ignore_cleanup_errors=True) as scratch:
        work = Path(scratch)
        cut = files if wish.rows is None else [head(path, work / "data", wish.rows) for path in files]
        facts = {path: facts_of(path) for path in cut}
        cases = pair_up(plays, [each for each in facts.values() if each is not None])
        outcomes = _run(cases, work, Ways(program), wish.jobs, tell)
    skipped = tuple(path.name for path, each in facts.items() if each is None)
    return ParityReport(outcomes=tuple(outcomes), skipped=skipped, idle=_idle(wish, outcomes))


def _run(
    cases: Sequence[Case],
    work: Path,
    ways: Ways,
    jobs: int,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Run cases, several at a time, and tell of them in their order."""

    def one(number: int) -> Outcome:
        with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as folder:
            return ways.compare(cases[number], Path(folder))

    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for outcome in pool.map(one, range(len(cases))):
                outcomes.append(outcome)
                tell(outcome)
        except BaseException:
            ways.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes


def _idle(wish: ParityWish, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the plays and files that took part in no pair that trades.

    Where only some plays were asked for, a file may stay without one, and the other way round; where nothing
    traded at all, everything is idle.
    """
    traded = [outcome for outcome in outcomes if outcome.verdict is not Verdict.UNFIT]
    plays = {outcome.play for outcome in outcomes} - {outcome.play for outcome in traded}
    files = {_traded_file(outcome) for outcome in outcomes} - {_traded_file(outcome) for outcome in traded}
    if traded and wish.files:
        plays.clear()
    if traded and wish.plays:
        files.clear()
    return (*sorted(plays), *sorted(files))


def _traded_file(outcome: Outcome) -> str:
    return outcome.data.partition(" + ")[0]
