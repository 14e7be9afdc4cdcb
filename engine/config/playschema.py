"""The JSON Schema of a play file, for editors that complete and check while one writes."""

import json
import re
from collections.abc import Iterator
from typing import Any

from engine.config.playfields import NAME, NAMES_MAX, NUMBER, PRICE, RULE
from engine.config.playmodel import ParameterFields, PlayModel
from engine.strategy.tokens import LENGTH_MAX
from engine.strategy.vocabulary import FUNCTIONS, OPERATORS, SERIES, SESSIONS, SPECIAL

TITLE = "A play of trader-tui"
_PARAMETER = {"$ref": "#/$defs/reference"}
_RULE = {"$ref": "#/$defs/rule"}
_LANGUAGE = (RULE, PRICE, NUMBER)


def play_schema() -> dict[str, Any]:
    """Return the schema, made of the fields' own types and the words of the rule language."""
    schema = PlayModel.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = TITLE
    parameters = ParameterFields.model_json_schema()
    definitions = schema["$defs"]
    for section in (schema, *definitions.values()):
        for field in section["properties"].values():
            _open(field)
    definitions["reference"] = {
        "type": "string",
        "pattern": rf"^\${NAME}$",
        "description": "the value of a parameter of this file, as in $fast",
    }
    definitions["rule"] = {
        "type": "string",
        "minLength": 1,
        "maxLength": LENGTH_MAX,
        "description": _language(),
        "examples": ["ema(12) crosses_above ema(26) and rsi(14) < 70", "close > highest(20)[1]"],
    }
    definitions["parameter"] = {key: value for key, value in parameters.items() if key != "title"}
    for field in definitions["parameter"]["properties"].values():
        _plain(field)
    definitions["price"] = {
        "type": "string",
        "minLength": 1,
        "maxLength": LENGTH_MAX,
        "description": "A price in the rule language: a number instead of a condition.",
        "examples": ["highest(20)", "swing_low(3, 3)", "ema(20) - atr(14)"],
    }
    definitions["number"] = {
        "type": "string",
        "minLength": 1,
        "maxLength": LENGTH_MAX,
        "description": "A number in the rule language, as a model's features are.",
        "examples": ["rsi(14)", "roc(close, 10)", "(close - ema(50)) / atr(14)"],
    }
    schema["properties"]["params"] = _names({"anyOf": [{"type": "number"}, {"$ref": "#/$defs/parameter"}]})
    schema["properties"]["define"] = _names(_RULE)
    return schema


def schema_text() -> str:
    """Return the schema as it is kept in a file."""
    return json.dumps(play_schema(), indent=2, sort_keys=True)


def _names(of: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME}$"},
        "maxProperties": NAMES_MAX,
        "additionalProperties": of,
    }


def _choices(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a field may be, but for an absent value and the texts that pydantic reads as numbers."""
    choices = field.get("anyOf") or field.get("oneOf") or [field]
    kinds = {choice.get("type") for choice in choices}
    for choice in choices:
        numeric_text = choice.get("type") == "string" and "number" in kinds
        if choice.get("format") in _LANGUAGE:
            yield {"$ref": f"#/$defs/{choice['format']}"}
        elif choice.get("items", {}).get("format") in _LANGUAGE:
            yield {**choice, "items": {"$ref": f"#/$defs/{choice['items']['format']}"}}
        elif "oneOf" in choice:
            yield from _choices(choice)
        elif choice.get("type") != "null" and not numeric_text:
            yield {key: value for key, value in choice.items() if key not in {"title", "default"}}


def _plain(field: dict[str, Any]) -> None:
    """Leave of a field only what one may write."""
    choices = list(_choices(field))
    field.clear()
    field.update(choices[0] if len(choices) == 1 else {"anyOf": choices})


def _open(field: dict[str, Any]) -> None:
    """Let a parameter stand where a number may."""
    _plain(field)
    if field.get("type") in {"number", "integer"}:
        number = dict(field)
        field.clear()
        field["anyOf"] = [number, _PARAMETER]


def _language() -> str:
    """Return the words that a rule may be made of."""
    functions = ", ".join(function.signature for function in FUNCTIONS.values())
    own = ", ".join(re.sub(r" or .*", "", special.example) for special in SPECIAL.values())
    return (
        f"A condition. Series: {', '.join(SERIES)}. Functions: {functions}. Also {own}; x[n] for n bars "
        "before, x@1h for a coarser timeframe, $name for a parameter or definition. Operators: "
        f"{', '.join(OPERATORS)}, < <= > >= == !=, + - * /. Sessions: {', '.join(SESSIONS)}."
    )
