"""Builds the answer to why: rules with their numbers, then every stage and gate. Reading only."""

import msgspec

from engine.core.entering import Weighed
from engine.core.machine import Machine
from engine.core.runner import Runner, evaluator_for
from engine.core.setup import PlayBinding
from engine.core.snapshot import SignalRow
from engine.core.why import ChainLink, LinkStatus, Why
from engine.domain.market import Bar
from engine.domain.money import canonical
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal, SignalKind, cycle_id
from engine.risk.gates import GATES, GateResult, Verdict, ask_all
from engine.risk.sizing import Refusal
from engine.strategy.evaluator import Evaluator
from engine.strategy.model import Models
from engine.strategy.reading import miss_of, read_rules

BARS_MAX = 600  # asked about at once


class Inquiry(msgspec.Struct, frozen=True):
    """What is needed to look at a play's bars off the engine's loop: nothing in it changes any more."""

    binding: PlayBinding
    models: Models
    generation: int
    window: tuple[Bar, ...]
    position: int
    signals: dict[str, SignalRow]
    asked: dict[str, tuple[Signal, Weighed | Refusal]]
    newest: Why | None


# What comes before the gates, in order, and the reasons that each gives.
_STAGES: tuple[tuple[str, frozenset[Reason]], ...] = (
    ("no entry works", frozenset({Reason.ENTRY_WORKING})),
    (
        "protections",
        frozenset(
            {
                Reason.PLAY_COOLDOWN,
                Reason.TRADES_PER_DAY_MAX,
                Reason.STOP_LOSS_GUARD,
                Reason.LOW_PROFIT,
                Reason.DRAWDOWN_STOP,
                Reason.MODEL_DEMOTED,
            }
        ),
    ),
    ("price", frozenset({Reason.PRICE_UNKNOWN, Reason.TRIGGER_PASSED, Reason.STOP_WRONG_SIDE})),
)
_SIZE = "size"
_STATUS = {
    Verdict.PASS: LinkStatus.PASS,
    Verdict.VETO: LinkStatus.VETO,
    Verdict.NOT_BUILT: LinkStatus.NOT_ASKED,
}


def inquire(machine: Machine, play: str, now: int) -> Inquiry | None:
    """Gather what is known of a play's bars; the first play for "", None where there is no such play."""
    runners = machine.trading.runners
    runner = next((r for r in runners if play in ("", r.binding.spec.name)), None)
    if runner is None:
        return None
    name, symbol = runner.binding.spec.name, runner.binding.symbol
    key = (name, symbol)
    signals = {row.cycle_id: row for row in machine.board.signals if (row.play, row.symbol) == key}
    entries = machine.trading.entering.asked
    asked = {s.cycle_id: (s, weighed) for s, weighed in entries if (s.play, s.symbol) == key}
    inquiry = Inquiry(
        binding=runner.binding,
        models=machine.trading.models,
        generation=runner.generation,
        window=machine.trading.window(runner),
        position=runner.side,
        signals=signals,
        asked=asked,
        newest=None,
    )
    bar = _last(inquiry.window, symbol)
    if bar is None:
        return inquiry
    newest = _why(inquiry, runner.evaluator, bar)
    if newest.signal is None:
        newest = _supposed(newest, machine, runner, bar, now)
    return msgspec.structs.replace(inquiry, newest=newest)


def explain_bars(inquiry: Inquiry, *, last: int = 1, at: int = 0) -> tuple[Why, ...]:
    """Explain the last bars, oldest first, or the one that was the newest at a time (ns UTC)."""
    if inquiry.newest is None:
        return ()
    own = [bar.ts for bar in inquiry.window if bar.symbol == inquiry.binding.symbol]
    wanted = [ts for ts in own if ts <= at][-1:] if at else own[-min(last, BARS_MAX) :]
    older = frozenset(ts for ts in wanted if ts != inquiry.newest.ts)
    found = _recomputed(inquiry, older) if older else []
    return (*found, inquiry.newest) if inquiry.newest.ts in wanted else tuple(found)


def _recomputed(inquiry: Inquiry, wanted: frozenset[int]) -> list[Why]:
    """Evaluate a play anew on the bars that are kept, and look at it on some of them."""
    evaluator = evaluator_for(inquiry.binding, inquiry.models)
    found: list[Why] = []
    for count, bar in enumerate(inquiry.window, start=1):
        evaluator.update(bar, 0)
        if bar.symbol == inquiry.binding.symbol and bar.ts in wanted:
            found.append(_why(inquiry, evaluator, bar, recomputed_bars=count))
    return found


def _why(inquiry: Inquiry, evaluator: Evaluator, bar: Bar, recomputed_bars: int = 0) -> Why:
    spec = inquiry.binding.spec
    cycle = cycle_id(spec.name, bar.ts)
    rules = read_rules(evaluator)
    signal = inquiry.signals.get(cycle)
    asked = inquiry.asked.get(cycle)
    misses = [miss for rule in rules if rule.name.endswith("_entry") and (miss := miss_of(rule))]
    return Why(
        ts=bar.ts,
        play=spec.name,
        symbol=bar.symbol,
        cycle_id=cycle,
        generation=inquiry.generation,
        close=bar.close,
        bars=evaluator.bars,
        warmup_bars=evaluator.warmup_bars,
        recomputed_bars=recomputed_bars,
        position=inquiry.position,
        rules=rules,
        signal=signal,
        asked=f"{asked[0].side.value} {asked[0].kind.value}" if asked else "",
        as_of_now=False,
        chain=chain_of(asked[1]) if asked else _told(signal),
        outcome=_outcome(signal, evaluator),
        misses=tuple(sorted(misses, key=lambda miss: miss.rank)),
    )


def _outcome(signal: SignalRow | None, evaluator: Evaluator) -> str:
    if signal is not None:
        return f"{signal.kind.value} {signal.side.value}: {signal.text}"
    if not evaluator.is_warm:
        return f"no signal: {evaluator.bars} of the {evaluator.warmup_bars} bars that its first one takes"
    return "no signal: no rule that was asked was true"


def _supposed(why: Why, machine: Machine, runner: Runner, bar: Bar, now: int) -> Why:
    """Add how an entry would fare that the play did not ask for: of the side whose rule is nearest."""
    nearest = why.misses[0].rule if why.misses else "long_entry"
    side = Side.SELL if nearest.startswith("short") else Side.BUY
    signal = runner.evaluator.would_enter(bar, side)
    if signal is None:
        return why
    weighed = machine.trading.entering.weigh(signal, runner, now)
    return msgspec.structs.replace(
        why, asked=f"{side.value} {SignalKind.ENTRY.value}", as_of_now=True, chain=chain_of(weighed)
    )


def chain_of(weighed: Weighed | Refusal) -> tuple[ChainLink, ...]:
    """Return what an entry went through: what let it pass, what did not, and what was not asked any more."""
    if isinstance(weighed, Refusal):
        return _refused(weighed.reason, " ".join(f"{key}={value}" for key, value in weighed.values.items()))
    terms, facts = weighed.terms, weighed.facts
    price = f"{terms.order.kind.value} {canonical(terms.price)}"
    size = f"{canonical(weighed.qty)} = {facts.order_notional:.2f}"
    links = [ChainLink(name, LinkStatus.PASS) for name, _ in _STAGES[:-1]]
    links += [ChainLink("price", LinkStatus.PASS, price), ChainLink(_SIZE, LinkStatus.PASS, size)]
    gates = (_gate(result) for result in ask_all(facts, weighed.limits))
    return (*links, *gates)


def _gate(result: GateResult) -> ChainLink:
    """Return what a gate says, also one behind the first that vetoed: that is the next to know of."""
    status = _STATUS[result.verdict]
    return ChainLink(
        result.name, status, result.value, result.limit, result.reason.value if result.reason else ""
    )


def _refused(reason: Reason, values: str) -> tuple[ChainLink, ...]:
    """Return the chain of an entry that did not get to the gates."""
    names = [*(name for name, _ in _STAGES), _SIZE]
    at = next((index for index, (_, reasons) in enumerate(_STAGES) if reason in reasons), len(_STAGES))
    links = [ChainLink(name, LinkStatus.PASS) for name in names[:at]]
    links.append(ChainLink(names[at], LinkStatus.VETO, values, "", reason.value))
    later = [*names[at + 1 :], *(gate.name for gate in GATES)]
    return (*links, *(ChainLink(name, LinkStatus.NOT_ASKED) for name in later))


def _told(signal: SignalRow | None) -> tuple[ChainLink, ...]:
    """Return what is still known of a signal whose way through the gates is not remembered."""
    if signal is None:
        return ()
    status = LinkStatus.VETO if signal.reason else LinkStatus.PASS
    return (ChainLink("verdict", status, signal.text, "", signal.reason),)


def _last(window: tuple[Bar, ...], symbol: str) -> Bar | None:
    return next((bar for bar in reversed(window) if bar.symbol == symbol), None)
