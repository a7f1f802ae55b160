"""What can be typed after `belvo-async`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from . import texts
from .jobs.arguments import add_jobs
from .options import add_command, add_completion, add_store, formatter, read_count, read_port
from .page.arguments import add_page
from .plans.arguments import add_plans
from .webhooks.arguments import add_webhooks

if TYPE_CHECKING:
    from .options import Commands


def make_parser() -> argparse.ArgumentParser:
    """Make the parser; each command sets `run`, which takes the parsed options and gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="belvo-async",
        description="Await asynchronous Mexican fiscal jobs of Belvo and Syntage.",
        epilog=texts.EXAMPLES,
        formatter_class=formatter,
    )
    parser.add_argument("--version", action="version", version=f"belvo-async {__version__}")
    add_completion(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="belvo-async")
    add_plans(commands)
    _add_demo(commands)
    _add_simulate(commands)
    _add_serve(commands)
    add_jobs(commands)
    add_webhooks(commands)
    add_page(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = add_command(commands, "demo", "the whole story against simulated vendors", texts.DEMO)
    demo.add_argument("--seed", type=int, default=1, help="what data and which faults (default 1)")
    demo.add_argument(
        "--speed",
        type=_speed,
        default=100.0,
        metavar="N",
        help="how many times faster than real the vendors work (100)",
    )
    demo.add_argument(
        "--out", type=Path, metavar="FILE", help="keep the records in this NDJSON file; replaced if it exists"
    )
    demo.add_argument("--store", type=Path, metavar="FILE", help="keep the jobs in this SQLite file; a new one")
    demo.add_argument("--log", type=Path, metavar="FILE", help="keep the library's log in this file; replaced likewise")
    demo.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the plan's export, certificate and page in this new directory"
    )
    demo.set_defaults(run=_run_demo)


def _add_simulate(commands: Commands) -> None:
    simulate = add_command(commands, "simulate", "run a local Belvo and a local Syntage", texts.SIMULATE)
    for vendor, port in (("belvo", 8801), ("syntage", 8802)):
        name = vendor.capitalize()
        simulate.add_argument(
            f"--{vendor}-port", type=read_port, default=port, metavar="N", help=f"{name}'s port, 0 for any ({port})"
        )
        simulate.add_argument(
            f"--{vendor}-webhook", type=_webhook, metavar="URL", help=f"where {name}'s webhooks go (nowhere)"
        )
    simulate.add_argument(
        "--files-port", type=read_port, default=0, metavar="N", help="the port Syntage's files come from, 0 for any (0)"
    )
    simulate.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on, 0.0.0.0 for every one (127.0.0.1)"
    )
    for word, vendor in (("links", "Belvo"), ("entities", "Syntage")):
        simulate.add_argument(
            f"--{word}", type=read_count, default=3, metavar="N", help=f"how many {word} {vendor} has (3)"
        )
    simulate.add_argument(
        "--limits",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse what exceeds the vendors' rate limits; their windows follow --speed (on)",
    )
    simulate.add_argument("--seed", type=int, default=1, help="what data, which keys and which faults (default 1)")
    simulate.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="how many times faster than real (1)")
    simulate.add_argument(
        "--openapi", choices=("belvo", "syntage"), help="print what that one answers, as OpenAPI 3.1, and serve nothing"
    )
    simulate.add_argument("--faults", choices=("none", "light", "heavy"), default="none", help="what goes wrong (none)")
    simulate.set_defaults(run=_run_simulate)


def _add_serve(commands: Commands) -> None:
    serve = add_command(commands, "serve", "receive webhooks into a store", texts.SERVE)
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    serve.add_argument(
        "--port", type=read_port, default=8080, metavar="N", help="the port to listen on, 0 for any (8080)"
    )
    serve.add_argument("--prefix", type=_prefix, default="/webhooks", metavar="PATH", help="before /VENDOR (/webhooks)")
    serve.add_argument(
        "--no-poll", dest="poll", action="store_false", help="leave polling open jobs to other processes"
    )
    serve.add_argument(
        "--check-webhooks",
        choices=("warn", "refuse"),
        help="before it receives, ask vendors whether their endpoints are as they should be; "
        "what is wrong is a warning, or it does not start (nobody is asked)",
    )
    add_store(serve)
    serve.set_defaults(run=_run_serve)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 10_000:
        raise argparse.ArgumentTypeError("must be a number above 0, at most 10000")
    return speed


def _webhook(text: str) -> str:
    # What follows the scheme may hold a password: it is not repeated.
    if not re.fullmatch(r"(?i:https?)://(\[[0-9A-Fa-f:.]+\]|[^\s/:?#\[\]]+)(:[0-9]{1,5})?([/?#]\S*)?", text):
        raise argparse.ArgumentTypeError("must be an address like http://localhost:8000/webhooks/belvo")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text):
        raise argparse.ArgumentTypeError("must be a path like /webhooks")
    return text.rstrip("/")


# Loaded only for the command that needs it: `--help` and `--version` answer at once.


def _run_demo(options: argparse.Namespace) -> int:
    from .demo.run import demo

    return demo(
        seed=options.seed, speed=options.speed, out=options.out, store=options.store, log=options.log, keep=options.keep
    )


def _run_simulate(options: argparse.Namespace) -> int:
    from .simulate import print_openapi, simulate

    if options.openapi:
        return print_openapi(options.openapi, host=options.host, ports=(options.belvo_port, options.syntage_port))
    return simulate(
        host=options.host,
        ports=(options.belvo_port, options.syntage_port, options.files_port),
        webhooks=(options.belvo_webhook, options.syntage_webhook),
        subjects=(options.links, options.entities),
        seed=options.seed,
        speed=options.speed,
        faults=options.faults,
        limits=options.limits,
    )


def _run_serve(options: argparse.Namespace) -> int:
    from .serve import serve

    return serve(
        options.store,
        host=options.host,
        port=options.port,
        prefix=options.prefix,
        poll=options.poll,
        check_webhooks=options.check_webhooks,
    )
