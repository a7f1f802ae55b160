"""What can be typed after `belvo-async report` and `belvo-async ui`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..options import add_command, add_config, add_store, read_port
from ..texts import REPORT, UI
from ..values import AMOUNT

if TYPE_CHECKING:
    from ..options import Commands
    from .source import PageRequest


def add_page(commands: Commands) -> None:
    """Add the commands that show the page."""
    report = add_command(commands, "report", "write the morning page", REPORT)
    report.add_argument(
        "--out", type=Path, metavar="FILE", help="where to, replaced if it exists; - for stdout (report.html)"
    )
    report.add_argument(
        "--format", choices=("html", "json"), default="html", help="json: the same facts for programs (html)"
    )
    report.add_argument(
        "--online", action="store_true", help="also ask vendors what they recorded of their webhooks; needs their keys"
    )
    report.set_defaults(run=_run_report)
    ui = add_command(commands, "ui", "serve the morning page", UI)
    ui.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    ui.add_argument("--port", type=read_port, default=8090, metavar="N", help="the port to listen on, 0 for any (8090)")
    ui.add_argument("--allow-remote", action="store_true", help="listen on an address that others reach")
    ui.set_defaults(run=_run_ui, online=False)
    for each in (report, ui):
        _add_source(each)
        add_store(each)


def _add_source(command: argparse.ArgumentParser) -> None:
    add_config(command)
    command.add_argument(
        "--plan",
        action="append",
        default=[],
        metavar="NAME",
        help="a plan of that file; may be given again (all)",
    )
    command.add_argument("--prices", type=Path, metavar="FILE", help="a price list in TOML (that of the file)")
    command.add_argument("--budget", type=AMOUNT, metavar="SUM", help="what a month may cost, in the list's currency")
    command.add_argument("--show-taxpayers", action="store_true", help="do not mask RFCs")


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
        online=options.online,
    )
