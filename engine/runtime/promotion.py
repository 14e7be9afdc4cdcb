"""`trader-tui promote`: weighs what is on record of a version, and records who accepted it for live."""

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from engine import __version__
from engine.config.packaged import state_root
from engine.config.plays import load_play
from engine.config.settings import Settings
from engine.domain.errors import NotPromotedError
from engine.domain.money import canonical
from engine.domain.shadow import Stage
from engine.risk.promotion import WATCHED_IN, Backtested, Evidence, weigh
from engine.runtime.binding import PlayFile
from engine.runtime.study.study import Study
from engine.storage.database import open_reader
from engine.storage.elsewhere import instance_folders
from engine.storage.promotions import Approval, approvals, approve, keep_backtest, kept_backtests
from engine.storage.shadows import ShadowRepository

DATABASE = "engine.sqlite"


def evidence_root(settings: Settings) -> Path:
    """Return the folder whose instances' stages count, and where approvals are kept."""
    return (settings.state_dir or state_root()).absolute()


def evidence_of(settings: Settings, path: Path) -> Evidence:
    """Return what is on record of the version that a file holds. Raises ConfigError and StorageError."""
    spec, root = load_play(path), evidence_root(settings)
    stages = asyncio.run(stages_in(root))
    return weigh(spec.hash, path.name, settings.promotion.to_policy(), kept_backtests(root), stages)


def approve_play(settings: Settings, path: Path, *, actor: str, reason: str) -> Approval:
    """Accept the version that a file holds for live.

    Raises NotPromotedError that names all that is missing, ConfigError and StorageError.
    """
    spec, evidence = load_play(path), evidence_of(settings, path)
    missing = [*evidence.missing]
    if not reason.strip():
        missing.append("your reason: --reason TEXT")
    if missing:
        listed = "\n".join(f"  {number}. {text}" for number, text in enumerate(missing, 1))
        raise NotPromotedError(f"{spec.name} ({spec.hash[:12]}) is not promoted; missing:\n{listed}")
    approval = Approval(
        at=time.time_ns(),
        actor=actor,
        reason=reason.strip(),
        play=spec.name,
        hash=spec.hash,
        spec=spec,
        evidence=evidence,
        chain="",
    )
    return approve(evidence_root(settings), approval)


async def stages_in(root: Path) -> list[Stage]:
    """Return the stages that all instances of a folder have stored on markets as they happened."""
    found: list[Stage] = []
    for folder in await asyncio.to_thread(instance_folders, root):
        for mode in sorted(WATCHED_IN):
            path = folder / mode / DATABASE
            if await asyncio.to_thread(path.is_file):
                async with open_reader(path) as reader:
                    found += await ShadowRepository(reader).stages()
    return found


def approved_hashes(settings: Settings) -> tuple[str, ...]:
    """Return the hashes that were promoted, oldest first. Raises StorageError where the record is damaged."""
    return tuple(dict.fromkeys(approval.hash for approval in approvals(evidence_root(settings))))


def with_approved(plays: Sequence[PlayFile], settings: Settings) -> tuple[PlayFile, ...]:
    """Put the version promoted last in the place of one that was not; the file's is watched beside it.

    Raises StorageError where the record is damaged.
    """
    known = approvals(evidence_root(settings))
    hashes = {approval.hash for approval in known}
    newest = {approval.play: approval.spec for approval in known}
    return tuple(
        file
        if file.spec.hash in hashes or file.spec.name not in newest
        else PlayFile(file.path, newest[file.spec.name])
        for file in plays
    )


def keep_evidence(settings: Settings, study: Study) -> None:
    """Put a backtest on record, for each of its plays. Raises StorageError."""
    data = tuple((one.file, one.sha256) for one in study.origin.data)
    net = Decimal(study.run.final_equity) - Decimal(study.run.start_equity)
    for play in study.origin.plays:
        backtest = Backtested(
            at=time.time_ns(),
            hash=play.hash,
            play=play.name,
            data=data,
            bars=study.run.bars,
            trades=sum(trip.play == play.name for trip in study.trades),
            net=canonical(net),
            max_drawdown=study.run.max_drawdown,
            trade_hash=study.run.trade_hash,
            version=__version__,
        )
        keep_backtest(evidence_root(settings), backtest)
