"""What an engine broke of, in one line."""


def described(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}".rstrip(": ")


def cause_of(error: BaseException) -> BaseException:
    """Return the first single error inside nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
