"""Folds what is printed to a terminal between words: terminals break ids and commands in the middle."""

import re
import shutil
import textwrap
from typing import TextIO

COLUMNS_MIN = 40  # narrower ones are left to the terminal
JOINT = "\0"  # a blank inside of a command, which stays on one line where it can


def folded(text: str, stream: TextIO) -> str:
    """Return a text as it is to be written to a stream; what no terminal reads is left as it is."""
    if not stream.isatty():
        return text
    columns = shutil.get_terminal_size().columns
    return text if columns < COLUMNS_MIN else "\n".join(_line(line, columns) for line in text.split("\n"))


def _line(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    whole = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", JOINT), line)
    parts = textwrap.wrap(
        whole,
        columns,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return "\n".join(parts).replace(JOINT, " ")
