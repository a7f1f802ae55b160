"""Standard output and error when nobody reads them to the end, or they cannot be written."""

from __future__ import annotations

import io
import os
import sys


def use_utf8() -> None:
    """Print in UTF-8 whatever reads it, as Python does everywhere but in a pipe or a file of Windows (before 3.15)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")


def stand_in() -> None:
    """Print into nothing where standard output or error was closed (`>&-`): Python has none then."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Open until the end, so that no file or connection takes its number.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def flush() -> None:
    """Hand over what was printed. Raises OSError, of which BrokenPipeError says that its reader has left."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # pyright: ignore[reportUnnecessaryComparison] - None where it was closed: `>&-`
            stream.flush()


def silence() -> None:
    """Drop what nobody reads, else Python complains of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # pyright: ignore[reportUnnecessaryComparison]
            continue
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
