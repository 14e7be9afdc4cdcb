"""API keys that never show, and the redactor that keeps secrets out of the logs."""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from engine.config.yamlfile import load_yaml
from engine.domain.errors import ConfigError

HIDDEN = "[redacted]"
_SUBSTITUTE = rf"\g<keep>{HIDDEN}"
_KNOWN_LENGTH_MIN = 4  # replacing shorter ones would tear innocent text apart
_FILE_MAX_KB = 16

_SECRET_KEY = re.compile(
    r"api_?-?key|secret|passw(or)?d|passphrase|token|authorization|cookie|credential|signature|private_?-?key",
    re.IGNORECASE,
)
# (a mark without which the pattern cannot match, the pattern): most lines hold no mark and cost no search
_SECRET_TEXT = (
    # name=value and "name": "value", in query strings, headers and JSON
    (
        re.compile(r"[=:]"),
        re.compile(
            r"(?P<keep>(?:api_?-?key|secret|passw(?:or)?d|passphrase|token|signature|authorization)"
            r"[\"']?\s*[=:]\s*[\"']?(?:bearer\s+|basic\s+)?)[^\s\"'&,;}\]]+",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(r"earer |asic ", re.IGNORECASE),
        re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE),
    ),
    (re.compile(r"://"), re.compile(r"(?P<keep>://[^\s/:@]*:)[^\s/@]+(?=@)")),
    (
        re.compile(r"-----BEGIN"),
        re.compile(
            r"(?P<keep>)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    # a long run of mixed case and digits is a key; hashes and our ids are of one case
    (
        re.compile(r"[\w+-]{32}"),
        re.compile(r"(?P<keep>)(?<![\w+])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])(?=[\w+-]*\d)[\w+-]{32,}={0,2}"),
    ),
)


class Secret:
    """A text that shows itself to `reveal` only: not when printed, logged, compared for order or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that signs with it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class Credentials(NamedTuple):
    """What a venue knows us by."""

    api_key: Secret
    api_secret: Secret
    passphrase: Secret = Secret("")


def load_credentials(venue: str, file: Path, env: Mapping[str, str] | None = None) -> Credentials:
    """Return the keys of a venue: from the environment, else from a file only its owner can read.

    Variables: BYBIT_API_KEY, BYBIT_API_SECRET, BYBIT_API_PASSPHRASE. File: YAML with one section a venue,
    each with api_key, api_secret and, where the venue has one, passphrase. Raises ConfigError that names what
    is missing, never what was found.
    """
    variables = os.environ if env is None else env
    prefix = re.sub(r"\W", "_", venue).upper()
    names = {"api_key": "API_KEY", "api_secret": "API_SECRET", "passphrase": "API_PASSPHRASE"}
    found = {field: variables.get(f"{prefix}_{name}", "") for field, name in names.items()}
    if not (found["api_key"] or found["api_secret"]):
        found = _from_file(venue, file)
    if not (found.get("api_key") and found.get("api_secret")):
        raise ConfigError(
            f"the keys of {venue} are not complete: set {prefix}_API_KEY and {prefix}_API_SECRET, "
            f"or write api_key and api_secret under {venue} in {file} (chmod 600)"
        )
    return Credentials(**{field: Secret(text) for field, text in found.items()})


def _from_file(venue: str, file: Path) -> dict[str, str]:
    try:
        raw = _read_private(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"the key file cannot be read: {error.strerror}", file=str(file)) from None
    try:
        data, _ = load_yaml(raw.decode(), str(file))
    except (ConfigError, UnicodeDecodeError) as error:
        line = error.line if isinstance(error, ConfigError) else 0
        raise ConfigError("the key file is not YAML", file=str(file), line=line) from None
    section = data.get(venue) if isinstance(data, dict) else None
    if section is None:
        return {}
    fields = Credentials._fields
    if not isinstance(section, dict) or not all(
        key in fields and isinstance(value, str) for key, value in section.items()
    ):
        message = f"takes {', '.join(fields)} as quoted texts and nothing else"
        raise ConfigError(message, file=str(file), field=venue)
    return section


def _read_private(file: Path) -> bytes:
    """Read a file that is ours and closed to everybody else; a link is followed, what it leads to counts."""
    with file.open("rb") as stream:
        facts = os.fstat(stream.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
            raise ConfigError(f"others can read the keys; run: chmod 600 {file}", file=str(file))
        return stream.read(_FILE_MAX_KB * 1024)


class Redactor:
    """Replaces secrets at any depth: under telling names, of telling shape, and known ones anywhere."""

    def __init__(self, known: Iterable[Secret] = ()) -> None:
        texts = {secret.reveal() for secret in known}
        longest_first = sorted(
            (text for text in texts if len(text) >= _KNOWN_LENGTH_MIN), key=len, reverse=True
        )
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for mark, pattern in _SECRET_TEXT:
            if mark.search(text):
                text = pattern.sub(_SUBSTITUTE, text)
        return text

    def value(self, value: Any) -> Any:
        """Return dicts, lists and scalars without secrets; any other object is taken as its text."""
        match value:
            case str():
                return self.text(value)
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self.text(str(key)): self._entry(str(key), inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(inner) for inner in value]
            case _:
                return self.text(str(value))

    def _entry(self, key: str, value: Any) -> Any:
        return (
            HIDDEN if _SECRET_KEY.search(key) and value not in (None, "", True, False) else self.value(value)
        )
