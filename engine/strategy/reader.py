"""Reading the tokens of a rule one by one, and saying where something is wrong."""

from engine.domain.errors import ConfigError
from engine.strategy.scope import Scope
from engine.strategy.syntax import Condition, Node, Numeric, canonical, is_time
from engine.strategy.tokens import TOKENS_MAX, Token, TokenKind, fault, tokenize
from engine.strategy.vocabulary import OPERATORS, WORDS, suggestion


class Reader:
    """The tokens of a text, the place reached in them, and the types of what was read."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self._tokens = tokenize(text)
        self._next = 0
        self._size = len(self._tokens)

    def peek(self) -> Token:
        """Return the next token."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Return the next token and go on; END comes again and again."""
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def take_if(self, text: str) -> bool:
        """Take the next token where it is this one, and tell whether it was."""
        if self.peek().text != text:
            return False
        self.take()
        return True

    def expect(self, mark: str) -> None:
        """Take a mark that must come."""
        token = self.take()
        if token.text != mark:
            raise self.fault(
                token, f"{mark!r} is missing before {token.text!r}" if token.text else f"{mark!r} is missing"
            )

    def number(self, node: Node, start: Token, rule: str) -> Numeric:
        """Return a node that must be a number; `rule` begins the sentence where it is none."""
        if isinstance(node, Condition) or is_time(node):
            raise self.fault(start, f"{rule}, and {canonical(node)!r} is a {kind_of(node)}")
        return node

    def condition(self, node: Node, start: Token, rule: str) -> Condition:
        """Return a node that must be a condition."""
        if not isinstance(node, Condition):
            raise self.fault(
                start, f"{rule}, and {canonical(node)!r} is a {kind_of(node)}; compare it with another"
            )
        return node

    def named(self, token: Token) -> Node:
        """Return what a $name stands for."""
        found = self.scope.names.get(token.text[1:])
        if found is None:
            known = [f"${name}" for name in self.scope.names]
            hint = suggestion(token.text, known) or "; name it under params: or define:"
            raise self.fault(token, f"there is no {token.text}{hint}")
        self._size += found.size - 1
        if self._size > TOKENS_MAX:
            text = f"with what {token.text} stands for, the rule has more than {TOKENS_MAX} words"
            raise self.fault(token, f"{text}, numbers and marks")
        return found.node

    def unexpected(self, token: Token) -> ConfigError:
        """Return the error for a token that cannot stand where it does."""
        if token.kind is TokenKind.END:
            return self.fault(token, "the rule ends where a value should follow")
        known = token.kind is not TokenKind.WORD or token.text in WORDS
        hint = "" if known else suggestion(token.text, OPERATORS)
        return self.fault(token, f"{token.text!r} cannot stand here{hint}")

    def fault(self, token: Token, message: str) -> ConfigError:
        """Return an error at a token."""
        return fault(self.text, token.at, message)


def kind_of(node: Node) -> str:
    """Name the type of a node."""
    if is_time(node):
        return "time of day"
    return "condition" if isinstance(node, Condition) else "number"
