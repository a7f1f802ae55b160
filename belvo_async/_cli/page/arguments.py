"""What can be typed after `belvo-async report` and `belvo-async ui`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from .source import PageRequest

    # argparse gives this type no public name.
    _Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]

_REPORT: Final = """\
Writes the morning page: one HTML file without anything from elsewhere. Who is whole, what waits for a person and what
to type, each taxpayer by month, what came since yesterday, durations, failures, webhooks. Reads the store; needs no
credentials and asks no vendor. Without plans it shows what was ever asked for. RFCs are masked.
"""
_UI: Final = """\
Serves the morning page on loopback; it changes by itself when the store does. Nobody is asked who they are: other
addresses need --allow-remote, and a proxy that asks. Needs no credentials and asks no vendor.
"""


def add_page(
    commands: _Commands,
    *,
    add_store: Callable[[argparse.ArgumentParser], None],
    port: Callable[[str], int],
    exit_codes: str,
) -> None:
    """Add the commands that show the page."""
    report = commands.add_parser("report", help="write the morning page", description=_REPORT, epilog=exit_codes)
    report.add_argument(
        "--out", type=Path, metavar="FILE", help="where to, replaced if it exists; - for stdout (report.html)"
    )
    report.add_argument(
        "--format", choices=("html", "json"), default="html", help="json: the same facts for programs (html)"
    )
    report.set_defaults(run=_run_report)
    ui = commands.add_parser("ui", help="serve the morning page", description=_UI, epilog=exit_codes)
    ui.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    ui.add_argument("--port", type=port, default=8090, metavar="N", help="the port to listen on, 0 for any (8090)")
    ui.add_argument("--allow-remote", action="store_true", help="listen on an address that others reach")
    ui.set_defaults(run=_run_ui)
    for each in (report, ui):
        _add_source(each)
        add_store(each)


def _add_source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the file with plans and prices (belvo-async.toml, where it is)",
    )
    command.add_argument(
        "--plan",
        action="append",
        default=[],
        metavar="NAME",
        help="a plan of that file; may be given again (all)",
    )
    command.add_argument("--prices", type=Path, metavar="FILE", help="a price list in TOML (that of the file)")
    command.add_argument("--budget", type=_amount, metavar="SUM", help="what a month may cost, in the list's currency")
    command.add_argument("--show-taxpayers", action="store_true", help="do not mask RFCs")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError("must be a sum above zero")
    return amount


# Loaded only for the command that needs it.


def _run_report(options: argparse.Namespace) -> int:
    from .report import report

    return report(_source(options), out=options.out, form=options.format)


def _run_ui(options: argparse.Namespace) -> int:
    from .ui import ui

    return ui(_source(options), host=options.host, port=options.port, allow_remote=options.allow_remote)


def _source(options: argparse.Namespace) -> PageRequest:
    from .source import PageRequest

    return PageRequest(
        store=options.store,
        config=options.config,
        plans=tuple(options.plan),
        prices=options.prices,
        budget=options.budget,
        show_taxpayers=options.show_taxpayers,
    )
