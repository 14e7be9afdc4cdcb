"""Where files are: what ships with the program, what the user keeps, and an instance's state."""

import hashlib
import os
import shlex
import stat
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_state_path

from engine.config.settings import Settings
from engine.domain.errors import ConfigError

APP = "trader-tui"
SOCKET_NAME = "engine.sock"
SHORT_DIR = Path("/tmp")  # noqa: S108 - what is made there is 0700 and checked to be ours
SOCKET_PATH_MAX = 107  # bytes of sun_path on Linux, without its closing zero
_CODE_DIGITS = 16


def data_root() -> Path:
    """Return the folder that holds themes/ and configs/: inside the wheel, or the top of a checkout."""
    package = Path(str(files("engine")))
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent


def data_path(name: str) -> Path:
    """Return a shipped file or folder by its name in the repository, such as `configs/plays/canary.yaml`.

    Raises ConfigError for one that does not ship.
    """
    path = data_root() / name
    if Path(name).parts[:1] not in (("themes",), ("configs",)) or ".." in path.parts or not path.exists():
        raise ConfigError("this file does not ship with trader-tui", file=name)
    return path


def user_config_dir() -> Path:
    """Return the folder of the user's own config.yaml, profiles/, plays/ and themes/."""
    return user_config_path(APP, appauthor=False)


def named_files(shipped: str, own: str) -> dict[str, Path]:
    """Return the YAML files of a shipped folder and of the user's, by name; the user's win."""
    places = (data_root() / shipped, user_config_dir() / own)
    return {path.stem: path for place in places for path in sorted(place.glob("*.yaml"))}


def named_file(shipped: str, own: str, name: str, what: str) -> Path:
    """Return one file of `named_files`. Raises ConfigError that lists what there is."""
    known = named_files(shipped, own)
    if name in known:
        return known[name]
    raise ConfigError(f"there is no {what} named {name!r}{did_you_mean(name, known)}")


def did_you_mean(name: str, known: dict[str, Path] | list[str]) -> str:
    """Return the end of a sentence about an unknown name: the nearest known one, or all of them."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(sorted(known))}" if known else ""


def play_path(written: str, base: Path) -> Path:
    """Return the absolute path of a play: a file (relative to `base`), or the name of a shipped or user play.

    Raises ConfigError where there is neither.
    """
    path = absolute(written, base)
    if path.is_file():
        return path
    if Path(written).suffix in {".yaml", ".yml"} or len(Path(written).parts) > 1:
        raise ConfigError(f"there is no file {path}")
    return named_file("configs/plays", "plays", written, "play").absolute()


def file_path(written: str, base: Path) -> Path:
    """Return the absolute path of a file that must exist. Raises ConfigError."""
    path = absolute(written, base)
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError(f"{path} is a directory, not a file")
    raise ConfigError(f"{path} is no regular file" if path.exists() else f"there is no file {path}")


def absolute(written: str, base: Path) -> Path:
    """Return a written path (`~` is the home directory) made absolute against `base`."""
    return Path(os.path.normpath(base.absolute() / Path(written).expanduser()))


def instance_dir(settings: Settings) -> Path:
    """Return the folder of an instance's lock, latch, socket, logs and modes; it may not exist yet."""
    return ((settings.state_dir or state_root()) / settings.instance).absolute()


def mode_dir(settings: Settings) -> Path:
    """Return the folder of what one mode of an instance keeps: a replay must not disturb a paper account."""
    return instance_dir(settings) / settings.mode.value


def find_again(directory: Path) -> str:
    """Return the options by which a command in any folder finds the instance of a state folder."""
    root = directory.parent
    where = "" if root == state_root() else f" --state-dir {shlex.quote(str(root))}"
    return f"--instance {shlex.quote(directory.name)}{where}"


def state_root() -> Path:
    """Return the usual place of instances' state folders."""
    return user_state_path(APP, appauthor=False).absolute()


def keys_path(settings: Settings) -> Path:
    """Return the file of the venues' keys; it need not exist."""
    return settings.keys_file or user_config_dir() / "keys.yaml"


def budget_dir() -> Path:
    """Return the private folder in which all our engines on this machine count requests to venues.

    No login and no environment changes it. Raises ConfigError where it is not ours alone.
    """
    return _private(SHORT_DIR / f"{APP}-{os.getuid()}")


def columns_dir() -> Path:
    """Return the folder of the columns of data files that were read; it may not exist, or vanish."""
    return user_cache_path(APP, appauthor=False) / "columns"


def socket_path(state_dir: Path) -> Path:
    """Return an instance's control socket: in the instance's folder, where every shell and login finds it.

    A socket's address holds 107 bytes; for a longer folder it is a hash of the folder's name in a private
    directory under /tmp, which no login and no environment changes. Raises ConfigError where that directory
    is not ours alone.
    """
    path = state_dir.absolute() / SOCKET_NAME
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
        return path
    code = hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:_CODE_DIGITS]
    return _private(SHORT_DIR / f"{APP}-{os.getuid()}") / f"{code}.sock"


def _private(folder: Path) -> Path:
    """Create a 0700 folder; refuse one that somebody else made or can enter."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise ConfigError(
            f"the runtime directory cannot be made: {error.strerror}", file=str(folder)
        ) from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise ConfigError("the runtime directory is not ours alone; remove it", file=str(folder))
    return folder
