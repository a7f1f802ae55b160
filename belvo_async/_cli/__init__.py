"""The command `belvo-async`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

from ..errors import BelvoAsyncError
from .arguments import make_parser

__all__ = ["main"]

FAILED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code. Wrong arguments leave by SystemExit(2), as argparse does."""
    options = make_parser().parse_args(argv)
    try:
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BelvoAsyncError, OSError, ExceptionGroup) as error:
        expected = _expected(error)
        if expected is None:
            raise
        print(f"belvo-async: {_sentence(expected)}", file=sys.stderr)
        return FAILED


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
