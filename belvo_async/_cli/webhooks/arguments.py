"""What can be typed after `belvo-async webhooks`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..options import add_command, add_config, add_format, read_count, run_command
from . import texts

if TYPE_CHECKING:
    from ..options import Commands, Parser

_GO_ON: Final = "ended in order: give the same command again"
_URL: Final = "the receiver's public address (SYNTAGE_WEBHOOK_URL)"


def add_webhooks(commands: Commands) -> None:
    """Add the commands about webhooks."""
    webhooks = add_command(commands, "webhooks", "where webhooks go, and what became of them", texts.WEBHOOKS)
    actions = webhooks.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="belvo-async webhooks")
    listing = add_command(actions, "list", "the endpoints of an account", texts.LIST)
    listing.add_argument("--url", metavar="URL", help="only those of this address")
    add_format(listing)
    create = add_command(actions, "create", "make an endpoint", texts.CREATE)
    create.add_argument("--url", metavar="URL", help=_URL)
    _add_events(create, "what is delivered (all that a session lives by)")
    create.add_argument("--disabled", action="store_true", help="deliver nothing to it yet")
    _add_outlet(create)
    _add_one(actions)
    requests = add_command(actions, "requests", "attempts to deliver, failures first", texts.REQUESTS)
    requests.add_argument("--url", metavar="URL", help="only those to this address")
    requests.add_argument("--event", metavar="NAME", help="only those of such events: extraction.updated")
    requests.add_argument("--status", type=_read_status, metavar="N", help="only those answered so; 0: by nobody")
    requests.add_argument("--failed", action="store_true", help="only those that were not taken")
    requests.add_argument("--limit", type=read_count, default=100, metavar="N", help="how many are looked at (100)")
    add_format(requests)
    for command, run in ((listing, _run_list), (create, _run_create), (requests, _run_requests)):
        _add_account(command, run)


def _add_one(actions: Commands) -> None:
    """Add the commands about one endpoint."""
    change = add_command(actions, "change", "enable or disable an endpoint, or its events", texts.CHANGE)
    state = change.add_mutually_exclusive_group()
    state.add_argument("--enable", dest="enable", action="store_true", default=None, help="deliver to it")
    state.add_argument("--disable", dest="enable", action="store_false", help="deliver nothing to it")
    _add_events(change, "what is delivered, in place of what was")
    rotate = add_command(actions, "rotate", "change the signing secret, step by step", texts.ROTATE)
    _add_outlet(rotate)
    rotate.add_argument(
        "--unprobed", action="store_true", help="send no event of ours: the address cannot be reached from here"
    )
    test = add_command(actions, "test", "send a signed event of our own to an endpoint", texts.TEST)
    delete = add_command(actions, "delete", "delete an endpoint", texts.DELETE)
    delete.add_argument("--foreign", action="store_true", help="also one whose secret is none of ours")
    for command, run in ((change, _run_change), (rotate, _run_rotate), (test, _run_test), (delete, _run_delete)):
        command.add_argument(
            "id", nargs="?", metavar="ID", help="the endpoint's id or its beginning (the only one of the address)"
        )
        command.add_argument("--url", metavar="URL", help=_URL)
        _add_account(command, run)


def _add_account(command: Parser, run: object) -> None:
    command.add_argument("--vendor", default="syntage", metavar="NAME", help="whose webhooks (syntage)")
    command.add_argument("--account", metavar="NAME", help="one of the file's; needed where it has several")
    add_config(command)
    command.set_defaults(run=run)


def _add_events(command: Parser, text: str) -> None:
    command.add_argument(
        "--event", action="append", default=[], metavar="NAME", help=f"{text}; extraction.updated, ...; repeatable"
    )


def _add_outlet(command: Parser) -> None:
    outlet = command.add_mutually_exclusive_group(required=True)
    outlet.add_argument(
        "--secret-file", type=Path, metavar="FILE", help="a new file for its secret, which only its owner reads"
    )
    outlet.add_argument("--show-secret", action="store_true", help="print its secret, instead: mind who sees it")


def _read_status(text: str) -> int:
    if not (text.isdecimal() and int(text) < 600):
        raise argparse.ArgumentTypeError("must be an HTTP status, or 0")
    return int(text)


# Loaded only for the command that needs it: `--help` answers at once.


def _run_list(options: argparse.Namespace) -> int:
    from .listing import endpoints

    return run_command(endpoints, options)


def _run_requests(options: argparse.Namespace) -> int:
    from .listing import attempts

    return run_command(attempts, options)


def _run_create(options: argparse.Namespace) -> int:
    from .endpoints import create

    return run_command(create, options, farewell=_GO_ON)


def _run_change(options: argparse.Namespace) -> int:
    from .endpoints import change

    return run_command(change, options, farewell=_GO_ON)


def _run_rotate(options: argparse.Namespace) -> int:
    from .rotation import rotate

    return run_command(rotate, options, farewell=_GO_ON)


def _run_test(options: argparse.Namespace) -> int:
    from .endpoints import try_out

    return run_command(try_out, options)


def _run_delete(options: argparse.Namespace) -> int:
    from .endpoints import delete

    return run_command(delete, options, farewell=_GO_ON)
