"""What is wrong with a play file, in sentences of ours, each with its place in the file."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from engine.config.packaged import did_you_mean
from engine.config.playfields import MISPLACED, RULE_ERROR, SENTENCE
from engine.config.playmodel import PlayModel
from engine.config.yamlfile import FieldPath, Positions, field_name
from engine.domain.errors import ConfigError


class Report:
    """Turns problems into errors that name file, line, column and field."""

    def __init__(self, text: str, file: str, positions: Positions) -> None:
        self._lines = text.split("\n")
        self.file, self._positions = file, positions

    def found(self, item: ErrorDetails, path: FieldPath, section: type[BaseModel] = PlayModel) -> ConfigError:
        """Return one problem that pydantic found in a section; `path` leads to the section."""
        found = tuple(item["loc"])
        inner = tuple(part for part in found if not _is_tag(part))
        context = item.get("ctx", {})
        if item["type"] == RULE_ERROR:
            place = context["line"], context["column"]
            return self.in_rule(path + inner, str(item["input"]), str(context["message"]), place)
        if item["type"] == MISPLACED:
            inner += tuple(context["path"])
        sentence = _SENTENCES.get(item["type"])
        message = sentence(item, found, section) if sentence else _as_pydantic_says(item)
        return self.at(path + inner, message)

    def at(self, path: FieldPath, message: str) -> ConfigError:
        """Return an error at a field."""
        line, column = self._place(path)
        return ConfigError(message, file=self.file, line=line, column=column, field=field_name(path))

    def in_rule(self, path: FieldPath, rule: str, message: str, place: tuple[int, int]) -> ConfigError:
        """Return an error in the text of a rule, given where in that text it is (line, column from 1)."""
        lines = rule.split("\n")
        at = sum(len(line) + 1 for line in lines[: place[0] - 1]) + place[1] - 1
        found = self._located(self._place(path), rule, at)
        if found is None:
            where = f"line {place[0]}, column {place[1]}" if place[0] > 1 else f"column {place[1]}"
            return self.at(path, f"{message} ({where} of the rule)")
        line, column = found
        return ConfigError(message, file=self.file, line=line, column=column, field=field_name(path))

    def _place(self, path: FieldPath) -> tuple[int, int]:
        """Return where the field, or else the nearest section around it, was written."""
        return next(
            self._positions[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self._positions
        )

    def _located(self, start: tuple[int, int], rule: str, at: int) -> tuple[int, int] | None:
        """Return the place in the file of an offset into a text, None where it was written with escapes.

        YAML folds lines and takes indentation away, but leaves alone what is not space: the place is that of
        the same word character, counted from the begin.
        """
        line, column = start[0] - 1, start[1] - 1
        if self._lines[line][column : column + 1] in {"|", ">"}:
            line, column = line + 1, 0
        elif self._lines[line][column : column + 1] in {"'", '"'}:
            column += 1
        ended = line, column
        for number, wanted in enumerate(rule):
            if wanted.isspace():
                continue
            found = self._next_word(line, column)
            if found is None or self._lines[found[0]][found[1]] != wanted:
                return None
            if number >= at:
                return found[0] + 1, found[1] + 1
            line, column = ended = found[0], found[1] + 1
        return ended[0] + 1, ended[1] + 1

    def _next_word(self, line: int, column: int) -> tuple[int, int] | None:
        """Return the place of the next character that is not space."""
        while line < len(self._lines):
            rest = self._lines[line][column:]
            if rest.strip():
                return line, column + len(rest) - len(rest.lstrip())
            line, column = line + 1, 0
        return None


def together(problems: Sequence[ConfigError]) -> ConfigError:
    """Return one error that lists all problems in the order of the file, one a line."""
    first, *others = sorted(problems, key=lambda problem: (problem.line, problem.column))
    message = "\n".join([first.message, *(str(problem) for problem in others)])
    return ConfigError(message, file=first.file, line=first.line, column=first.column, field=first.field)


Sentence = Callable[[ErrorDetails, FieldPath, type[BaseModel]], str]


def _is_tag(part: str | int) -> bool:
    """Tell whether a part of a place only says which of several things was read there."""
    return isinstance(part, str) and part.startswith("<")


def _as_pydantic_says(item: ErrorDetails) -> str:
    return item["msg"].removeprefix("Value error, ").replace("Input should", "must")


def _unknown(_item: ErrorDetails, path: FieldPath, section: type[BaseModel]) -> str:
    known, name = list(_section_at(section, path[:-1]).model_fields), str(path[-1])
    if not name.isidentifier():
        return "there is no such field; within { } a rule with a comma is written in quotes"
    return f"there is no such field{did_you_mean(name, known)}"


def _no_section(item: ErrorDetails, path: FieldPath, section: type[BaseModel]) -> str:
    fields = ", ".join(_section_at(section, path).model_fields)
    return f"must hold fields ({fields}), and is {item['input']!r:.60}"


def _must(what: str) -> Sentence:
    """Return a sentence that names the bound, where there is one, and what was found."""

    def sentence(item: ErrorDetails, _path: FieldPath, _section: type[BaseModel]) -> str:
        found = item["input"]
        shown = repr(found) if isinstance(found, str | int | float) else str(found)
        return f"must be {what.format(**item.get('ctx', {}))}, and is {shown:.60}"

    return sentence


_SENTENCES: dict[str, Sentence] = {
    SENTENCE: lambda item, _path, _section: str(item["ctx"]["message"]),
    MISPLACED: lambda item, _path, _section: str(item["ctx"]["message"]),
    "extra_forbidden": _unknown,
    "missing": lambda _item, _path, _section: "must be given",
    "model_type": _no_section,
    "string_type": _must("a text"),
    "tuple_type": _must("a list, as in [BTCUSDT]"),
    "too_long": _must("a list of at most {max_length}"),
    "too_short": _must("a list of at least {min_length}"),
    "literal_error": _must("{expected}"),
    "bool_type": _must("true or false"),
    "decimal_type": _must("a number"),
    "decimal_parsing": _must("a number"),
    "finite_number": _must("a number"),
    "int_type": _must("a whole number"),
    "greater_than": _must("more than {gt}"),
    "greater_than_equal": _must("at least {ge}"),
    "less_than_equal": _must("at most {le}"),
}


def _section_at(section: type[BaseModel], path: FieldPath) -> type[BaseModel]:
    """Return the model that describes a section."""
    annotation: Any = section
    for part in path:
        if _is_tag(part):
            named = str(part).strip("<>")
            section = next((kind for kind in _models(annotation) if kind.__name__ == named), section)
        elif isinstance(part, int):
            section = list(_models(annotation))[-1]
        else:
            annotation = section.model_fields[part].annotation
            section = next(_models(annotation), section)
    return section


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation, those of lists last."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
