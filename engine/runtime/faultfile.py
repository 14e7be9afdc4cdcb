"""Reads a file of faults for the local exchange; every mistake in it is named with its place."""

from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.config.yamlfile import FieldPath, Positions, field_name, read_yaml
from engine.domain.errors import ConfigError
from engine.venues.bybit_server.faultrules import FaultFile, FaultRule


def read_faults(path: Path) -> FaultFile:
    """Read and check a file of faults. Raises ConfigError naming the place and field of the first mistake."""
    data, positions = read_yaml(path)
    try:
        return FaultFile.model_validate({} if data is None else data)
    except ValidationError as error:
        raise _explained(error.errors()[0], positions, str(path)) from None


def _explained(item: ErrorDetails, positions: Positions, file: str) -> ConfigError:
    place: FieldPath = item["loc"]
    line, column = next(
        positions[place[:length]] for length in range(len(place), -1, -1) if place[:length] in positions
    )
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if item["type"] == "extra_forbidden":
        known = sorted((FaultRule if len(place) > 1 else FaultFile).model_fields)
        close = get_close_matches(str(place[-1]), known, n=1)
        message = "there is no such field; " + (f"did you mean {close[0]}?" if close else f"known: {known}")
    elif item["type"] == "missing":
        message = "this field must be given"
    return ConfigError(message, file=file, line=line, column=column, field=field_name(place))
