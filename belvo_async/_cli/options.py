"""What several commands take, and how help is laid out."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .texts import Text

if TYPE_CHECKING:
    # argparse gives this type no public name.
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]

Parser: TypeAlias = argparse.ArgumentParser
Command: TypeAlias = Callable[..., Coroutine[Any, Any, int]]


def add_command(commands: Commands, name: str, line: str, text: Text) -> Parser:
    """Add a command: `line` in the list of all, `text` in its own help."""
    return commands.add_parser(name, help=line, description=text.says, epilog=text.examples, formatter_class=formatter)


def add_completion(parser: Parser) -> None:
    """Add the option that prints what a shell completes by."""
    parser.add_argument(
        "--print-completion",
        choices=("bash", "zsh", "fish"),
        action=_Completion,
        help="print what completes commands and options in a shell (needs the extra `cli`)",
    )


class _Completion(argparse.Action):
    def __call__(self, parser: Parser, _: argparse.Namespace, values: Any, __: str | None = None) -> None:
        try:
            import shtab
        except ImportError:
            parser.error("completion needs shtab: pip install 'belvo-async[cli]'")
        print(shtab.complete(parser, str(values)))
        parser.exit()


def formatter(prog: str) -> argparse.HelpFormatter:
    """Lay help out for at most 100 columns; in colours on a terminal, where rich-argparse is installed."""
    import shutil
    import sys

    kind: type[argparse.HelpFormatter] = argparse.RawDescriptionHelpFormatter
    if sys.stdout.isatty():
        try:
            from rich_argparse import RawDescriptionRichHelpFormatter
        except ImportError:
            pass
        else:
            kind = RawDescriptionRichHelpFormatter
    return kind(prog, width=min(100, shutil.get_terminal_size().columns) - 2, max_help_position=30)


def add_config(command: Parser) -> None:
    """Add the file of plans."""
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="the file of plans (belvo-async.toml, if it is there)"
    )


def add_store(command: Parser) -> None:
    """Add the store."""
    command.add_argument(
        "--store",
        default=os.environ.get("BELVO_ASYNC_STORE"),
        metavar="URL",
        help="where jobs are kept: sqlite:PATH, postgresql://..., redis://... (BELVO_ASYNC_STORE, or that of the file)",
    )


def add_format(command: Parser, of: str = "", *, json: str = "one object a line") -> None:
    """Add how it is printed."""
    command.add_argument("--format", choices=("table", "json"), default="table", help=f"json: {json} {of}".rstrip())


def read_port(text: str) -> int:
    """Read a port."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return number


def read_count(text: str) -> int:
    """Read how many."""
    if not (text.isdecimal() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 1000")
    return int(text)


def read_tag(text: str) -> tuple[str, str]:
    """Read a word that is kept with jobs: `tenant=acme`."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError("must be a tag like tenant=acme")
    return name, value


NOTHING_CHANGED: Final = "ended; nothing was changed"


def run_command(command: Command, options: argparse.Namespace, *more: object, farewell: str = NOTHING_CHANGED) -> int:
    """Run what talks to a vendor or a store, until it is done or a signal comes; its exit code."""
    from .._session.clock import SystemClock
    from .lasting import run_until_ended

    return run_until_ended(command(options, lambda: os.environ, SystemClock(), *more), farewell=farewell)
