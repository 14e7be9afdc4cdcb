"""What an engine watches beside its plays, and which versions may trade: told to the core at the start."""

from collections.abc import Iterator

from engine.core.setup import PlayBinding
from engine.core.twin import Twin
from engine.core.twinned import TwinnedMachine
from engine.domain.errors import StorageError
from engine.domain.events import Event, Remark
from engine.domain.versions import PlaysApproved, TwinChanged
from engine.runtime.context import EngineContext
from engine.runtime.factory import watches_itself
from engine.runtime.promotion import approved_hashes


def first_events(context: EngineContext, now: int) -> Iterator[Event]:
    """Yield what the core must know of versions before its first market event."""
    machine = context.loop.machine
    if not isinstance(machine, TwinnedMachine):
        return
    approved = machine.trading.entering.approved
    if machine.setup.needs_approval:
        try:
            approved = approved_hashes(context.settings)
        except StorageError as error:
            approved = ()
            yield Remark(now, "promotion", str(error))
        yield PlaysApproved(now, approved)
    for file in context.source.plays:
        if file.flaw:
            text = f"{file.spec.name} runs in its last good version ({file.spec.hash[:12]}): {file.flaw}"
            yield Remark(now, "reload", text)
    twins = machine.twins.by_label
    wanted = dict(_labelled(machine))
    for label in twins.keys() - wanted.keys():
        if twins[label].facts.of != label:  # one that a changed file or a promotion left is kept
            yield TwinChanged(now, label, twins[label].facts.of, why="it is not among the shadows any more")
    for label, binding in wanted.items():
        if label not in twins or _is_other(twins[label], binding):
            yield _begun(machine, label, binding, now)
    for runner in machine.trading.runners:
        spec, name = runner.binding.spec, runner.binding.spec.name
        unapproved = machine.setup.needs_approval and spec.hash not in approved
        if name not in twins and (unapproved or watches_itself(context.settings)):
            why = "it was not promoted to live" if unapproved else "no order is sent in this mode"
            yield TwinChanged(now, name, name, spec, runner.generation, why=why)


def _labelled(machine: TwinnedMachine) -> Iterator[tuple[str, PlayBinding]]:
    """Yield the shadows of the settings, each with a label that no running play has."""
    taken = {runner.binding.spec.name for runner in machine.trading.runners}
    for binding in machine.setup.shadows:
        label = binding.spec.name
        while label in taken:
            label += "~"
        taken.add(label)
        yield label, binding


def _is_other(twin: Twin, binding: PlayBinding) -> bool:
    facts = twin.facts.binding
    return twin.hash != binding.spec.hash or facts.symbols != binding.symbols


def _begun(machine: TwinnedMachine, label: str, binding: PlayBinding, now: int) -> TwinChanged:
    """Return the beginning of a shadow, beside the play that trades its symbol."""
    runners = machine.trading.runners
    same = next((r for r in runners if r.binding.symbol == binding.symbol), None)
    return TwinChanged(
        now,
        label,
        same.binding.spec.name if same is not None else "",
        binding.spec,
        1,
        binding.symbol,
        binding.step_ns,
        binding.others,
        why="the settings name it",
    )
