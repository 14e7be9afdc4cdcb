"""What a play is made of: its rules as trees, the data they need, and how much before the first signal."""

import math

import msgspec

from engine.domain.play import DistanceKind, PlaySpec
from engine.strategy.evaluator import Evaluator
from engine.strategy.expression import parse_feature, parse_rule
from engine.strategy.legs import evaluator_of
from engine.strategy.lookback import Stream, streams
from engine.strategy.model import NO_MODELS, Models
from engine.strategy.parts import PartFacts, parts_of
from engine.strategy.plan import nodes_of, price_nodes
from engine.strategy.scope import Scope
from engine.strategy.syntax import (
    Arithmetic,
    BarsSince,
    Call,
    Coarse,
    CoarseTest,
    Comparison,
    Extent,
    Known,
    Logic,
    Negative,
    Node,
    Not,
    Previous,
    Series,
    Streak,
    WithinLast,
    canonical,
    children,
)
from engine.strategy.timeframes import step_of
from engine.strategy.vocabulary import FIELDS, MEANS

_RULES = ("long_entry", "long_exit", "short_entry", "short_exit")
_OF_VOLUME = ("mfi", "obv", "vwap", "vwma")


class Tree(msgspec.Struct, frozen=True):
    """A node of a rule with what is below it."""

    label: str
    parts: tuple["Tree", ...] = ()


class RuleFacts(msgspec.Struct, frozen=True):
    """A rule in canonical text, and as a tree."""

    name: str
    text: str
    tree: Tree


class StreamFacts(msgspec.Struct, frozen=True):
    """The bars of one leg and length that a play reads; empty names mean the traded leg and its own length.

    `lookback` is how many of them a present value depends on, None for all since the first.
    """

    leg: str
    timeframe: str
    warmup: int
    lookback: int | None


class PlayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a play is made of. `warmup_bars` counts bars of its own length before its first signal.

    `rules` are its rules and prices, `parts` what else it says, in words.
    """

    name: str
    hash: str
    timeframe: str
    legs: tuple[str, ...]
    symbols: tuple[str, ...]
    warmup_bars: int
    fields: tuple[str, ...]
    indicators: tuple[str, ...]
    streams: tuple[StreamFacts, ...]
    rules: tuple[RuleFacts, ...]
    parts: tuple[PartFacts, ...]


def explain(spec: PlaySpec, step_ns: int = 0, models: Models = NO_MODELS) -> PlayFacts:
    """Take a play apart. `step_ns` is the length of its bars where the play leaves it to the data.

    Raises ConfigError where the two do not go together.
    """
    scope = Scope(legs=spec.legs, model=spec.model is not None)
    rules = {name: rule for name in _RULES if (rule := getattr(spec, name)) is not None}
    if spec.scale_in is not None and spec.scale_in.when is not None:
        rules["scale_in_when"] = spec.scale_in.when
    trees: dict[str, Node] = {name: parse_rule(rule.text, scope) for name, rule in rules.items()}
    trees |= {f"{name}_at": node for name, node in price_nodes(spec, scope).items()}
    features = spec.model.features if spec.model else ()
    trees |= {f"feature_{number}": parse_feature(text, scope) for number, text in enumerate(features, 1)}
    evaluator = evaluator_of(spec, *(spec.symbols or spec.legs or ("",)), step_ns=step_ns, models=models)
    nodes = [*trees.values(), *_distances(spec), *nodes_of(spec, scope)]
    return PlayFacts(
        name=spec.name,
        hash=spec.hash,
        timeframe=spec.timeframe,
        legs=spec.legs,
        symbols=spec.symbols,
        warmup_bars=evaluator.warmup_bars,
        fields=_fields(nodes),
        indicators=tuple(name for name, _ in evaluator.values()),
        streams=_streams(evaluator, nodes),
        rules=tuple(RuleFacts(name, canonical(node), tree_of(node)) for name, node in trees.items()),
        parts=parts_of(spec),
    )


def tree_of(node: Node) -> Tree:
    """Return a node as labels; what is plain stays in one."""
    label = _label(node)
    parts = _joined(node, node.operator) if isinstance(node, Logic) else children(node)
    return Tree(label or canonical(node), tuple(map(tree_of, parts)) if label else ())


def _joined(node: Node, operator: str) -> tuple[Node, ...]:
    """Return all that one and, or or, joins."""
    if isinstance(node, Logic) and node.operator == operator:
        return (*_joined(node.left, operator), *_joined(node.right, operator))
    return (node,)


def _label(node: Node) -> str:
    """Name a node that has parts of its own, empty for one that is best read as it is written."""
    match node:
        case Logic() | Comparison() | Arithmetic():
            return node.operator
        case Not():
            return "not"
        case Negative(operand=operand) if children(operand):
            return "-"
        case Known():
            return "known"
        case Streak():
            return f"{node.function} for {node.bars} bars"
        case WithinLast():
            return f"within the last {node.bars} bars"
        case BarsSince():
            return "bars since"
        case Coarse() | CoarseTest():
            return f"as of the last closed {node.timeframe}"
        case Previous():
            ago = "1 bar before" if node.bars == 1 else f"{node.bars} bars before"
            return ago if children(node.operand) else ""
        case Extent():
            return node.function
        case Call(source=source) if source is not None and not isinstance(source, Series):
            written = canonical(msgspec.structs.replace(node, source=Series("close")))
            return written.replace("(close, ", "(") + " of"
        case _:
            return ""


def _distances(spec: PlaySpec) -> list[Node]:
    found = (spec.stop_loss, spec.take_profit)
    return [Call("atr", None, (d.period,)) for d in found if d is not None and d.kind is DistanceKind.ATR]


def _streams(evaluator: Evaluator, nodes: list[Node]) -> tuple[StreamFacts, ...]:
    looks: dict[Stream, float] = {}
    for node in nodes:
        for stream, bars in streams(node):
            looks[stream] = max(looks.get(stream, 0), bars)
    warmups = evaluator.warmups()
    return tuple(
        StreamFacts(leg, timeframe, warmups[leg, timeframe], _finite(looks.get((leg, timeframe), 1)))
        for leg, timeframe in sorted(warmups, key=_by_length)
    )


def _by_length(stream: Stream) -> tuple[str, int]:
    leg, timeframe = stream
    return leg, step_of(timeframe) if timeframe else 0


def _finite(bars: float) -> int | None:
    return None if math.isinf(bars) else int(bars)


def _fields(nodes: list[Node]) -> tuple[str, ...]:
    """Return the fields of bars that are read; the close always is."""
    found = {"close"}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        waiting += children(node)
        if isinstance(node, Series):
            found.update(MEANS.get(node.name, (node.name,)))
        elif isinstance(node, Call) and node.source is None:
            found.update(("open", "high", "low", *(("volume",) if node.function in _OF_VOLUME else ())))
    return tuple(field for field in FIELDS if field in found)
