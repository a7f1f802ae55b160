"""The command `belvo-async`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final, cast

from ..errors import BelvoAsyncError
from .arguments import make_parser
from .output import flush, silence, stand_in, use_utf8

__all__ = ["main"]

FAILED: Final = 1
INTERRUPTED: Final = 130
# What a shell says of a program that a closed pipe ended: 128 and the number of SIGPIPE.
UNREAD: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code. Wrong arguments leave by SystemExit(2), as argparse does."""
    stand_in()
    if sys.platform == "win32":
        use_utf8()
    try:
        try:
            return _run(argv)
        finally:
            # Here, not as Python ends: then nobody could say it quietly.
            flush()
    except (OSError, ExceptionGroup) as error:
        if _is_unread(error):
            silence()
            return UNREAD
        if not isinstance(error, OSError):
            raise
        # What was printed could not be handed over: the disk that it goes to is full, say.
        silence()
        print(f"belvo-async: {_sentence(error)}", file=sys.stderr)
        return FAILED


def _run(argv: Sequence[str] | None) -> int:
    options = make_parser().parse_args(argv)
    try:
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BelvoAsyncError, OSError, ExceptionGroup) as error:
        expected = _expected(error)
        if expected is None or _is_unread(error):
            raise
        print(f"belvo-async: {_sentence(expected)}", file=sys.stderr)
        return FAILED


def _is_unread(error: Exception) -> bool:
    """Whether what was printed is read no longer, as by `head`. Connections raise other errors than this one."""
    if isinstance(error, ExceptionGroup):
        return any(map(_is_unread, cast("ExceptionGroup[Exception]", error).exceptions))
    return isinstance(error, BrokenPipeError)


def _expected(error: Exception) -> BelvoAsyncError | OSError | None:
    """The first error that a user can do something about; None when there is another one, which is a bug."""
    if isinstance(error, ExceptionGroup):
        found = [_expected(each) for each in cast("ExceptionGroup[Exception]", error).exceptions]
        return found[0] if all(found) else None
    return error if isinstance(error, BelvoAsyncError | OSError) else None


def _sentence(error: BelvoAsyncError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
