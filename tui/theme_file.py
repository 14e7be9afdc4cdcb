"""User themes: YAML checked by a model, with file, line and key in the message."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tui.theme import ThemeColors
from tui.yaml_file import UserFile

HexColor = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class ThemeFile(BaseModel):
    """A theme as users write it; every role must be given, nothing else may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=32)]
    kind: Literal["dark", "light"]
    background: HexColor
    panel: HexColor
    cursor: HexColor
    border: HexColor
    focus: HexColor
    text: HexColor
    muted: HexColor
    accent: HexColor
    ok: HexColor
    warn: HexColor
    danger: HexColor
    armed: HexColor
    stale: HexColor
    buy: HexColor
    sell: HexColor
    sixteen: Literal["traffic", "blue-orange", "amber", "mono"] = "traffic"


def _wording(key: str, kind: str, fallback: str) -> str:
    words = {
        "extra_forbidden": f"unknown key; known keys: {', '.join(ThemeFile.model_fields)}",
        "missing": "this key is missing",
        "string_pattern_mismatch": 'expected a colour like "#6cb6ff" (quoted)',
        "string_type": 'expected a colour like "#6cb6ff" (quoted)',
        "literal_error": "expected traffic, blue-orange, amber or mono"
        if key == "sixteen"
        else "expected dark or light",
    }
    return words.get(kind, fallback)


def read_theme(file: Path) -> ThemeColors:
    """Read and check a theme file. Raises ConfigError for the first thing that is wrong with it."""
    own = UserFile(file)
    try:
        theme = ThemeFile.model_validate(own.values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        raise own.error(_wording(key, first["type"], first["msg"]), *([key] if key else [])) from error
    if theme.name != file.stem:
        raise own.error(f"the name must be the file's: {file.stem}", "name")
    return msgspec.convert(theme.model_dump(), ThemeColors)
