"""What a rule may refer to besides the language's own words: names of its file, and legs."""

from collections.abc import Mapping

import msgspec

from engine.strategy.syntax import Node, canonical
from engine.strategy.tokens import tokenize


class Named(msgspec.Struct, frozen=True):
    """What a $name stands for, and how many tokens it takes to write that."""

    node: Node
    size: int = 1

    @classmethod
    def of(cls, node: Node) -> "Named":
        """Measure a node. Raises ConfigError where it is too large to stand in a rule."""
        return cls(node, len(tokenize(canonical(node))))


class Scope(msgspec.Struct, frozen=True):
    """The surroundings of a rule.

    `legs` names the play's instruments, the one that is traded first; empty where there is one. `step_ns` is
    the length of the play's bars, 0 where the data decides. `model`: the play asks a model.
    """

    legs: tuple[str, ...] = ()
    names: Mapping[str, Named] = {}
    step_ns: int = 0
    model: bool = False


NOTHING = Scope()
