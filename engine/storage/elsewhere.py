"""Where instances lie that are not in the usual place, so that `flatten --all` reaches them, too."""

import hashlib
import os
from pathlib import Path

from engine.storage.failures import os_failure

FOLDER = ".elsewhere"  # no instance's name begins with a point
_CODE_DIGITS = 16


def note_elsewhere(root: Path, directory: Path) -> None:
    """Leave a link to an instance's folder in the usual place, unless it lies there. Raises StorageError.

    The link stays when the engine ends: whether one runs there is said by its lock.
    """
    if directory.parent == root:
        return
    code = hashlib.sha256(os.fsencode(directory)).hexdigest()[:_CODE_DIGITS]
    link = root / FOLDER / code
    try:
        link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        link.unlink(missing_ok=True)
        link.symlink_to(directory)
    except FileExistsError:
        return  # another engine that starts there has just left the same one
    except OSError as error:
        raise os_failure(link, "note where the instance lies", error) from error


def instance_folders(root: Path) -> tuple[Path, ...]:
    """Return the folders of all instances known to the usual place; links that lead nowhere are removed."""
    found = set()
    for path in _entries(root):
        if path.name == FOLDER:
            links = [entry for entry in _entries(path) if entry.is_symlink()]
            found |= {link.readlink() for link in links if _leads_somewhere(link)}
        elif path.is_dir() and not path.name.startswith("."):
            found.add(path)
    return tuple(sorted(found))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise os_failure(folder, "look for instances", error) from error


def _leads_somewhere(link: Path) -> bool:
    if link.is_dir():
        return True
    link.unlink(missing_ok=True)
    return False
