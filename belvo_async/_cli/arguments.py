"""What can be typed after `belvo-async`."""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from .. import __version__
from .page.arguments import add_page
from .plans.arguments import add_completion, add_following, add_plans, formatter
from .plans.texts import EXAMPLES

if TYPE_CHECKING:
    # argparse gives this type no public name.
    _Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]

_EXIT_CODES: Final = (
    "exit codes: 0 done; 1 failed, and why is on stderr; 2 wrong arguments; 130 interrupted by Ctrl-C; "
    "141 nobody reads on (`| head`)"
)
_DEMO_EXIT_CODES: Final = (
    "exit codes: 0 everything received equals what the vendors hold, and the failed, stopped and uncertain jobs showed "
    "as intended; 1 not so, and why is said; 2 wrong arguments; 130 interrupted by Ctrl-C; 141 nobody reads on"
)
_DEMO: Final = """\
Runs a local Belvo and a local Syntage on loopback, with webhooks and with faults: lost, late, doubled and forged
deliveries, lost answers, refused and broken requests. Fires 14 Belvo requests and 6 Syntage extractions at them, writes
the records to a file, and compares them with what the two vendors hold. Takes ten to fifteen seconds; no account is
needed, nothing leaves this machine, and nothing stays on it but the files you ask for.
"""
_SIMULATE: Final = """\
Runs a local Belvo and a local Syntage until Ctrl-C and prints how to reach them, for any client in any language. The
data is invented, the keys it prints open nothing else. In a container: --host 0.0.0.0 and the three ports published
under their own numbers (say --files-port 8803); links to further pages and to files name the host the client asked for.
"""
_SERVE: Final = """\
Receives webhooks into a store, so that receiver, workers and command line are separate processes: whoever awaits a job,
in any process on the same store, wakes. Serves POST PREFIX/belvo and PREFIX/syntage, for the vendors whose variables
are set (BELVO_SECRET_ID, BELVO_SECRET_PASSWORD, BELVO_WEBHOOK_AUTH; SYNTAGE_API_KEY, SYNTAGE_WEBHOOK_SECRET), and
GET /health: 200 while the store answers, else 503. Put a proxy that speaks TLS in front of it.
"""
_SERVE_EXIT_CODES: Final = (
    "exit codes: 0 stopped by SIGTERM; 1 could not serve (store, port or settings), and why is on stderr; "
    "2 wrong arguments; 130 interrupted by Ctrl-C; 141 nobody reads on"
)
_STORES: Final = "`sqlite:PATH`, `postgresql://...` or `redis://...` (default: the variable BELVO_ASYNC_STORE)"
_PRUNE: Final = """\
Forgets the jobs that ended before an instant, with their timelines; asks nothing. Open jobs stay, whatever their age,
and so do those that were fired `once`, and what the others proved of their days. Nothing changes at the vendors.
"""
_STUCK: Final = """\
Lists the open jobs that are older than an age: for alerts. `jobs explain` says what happened to one.
"""
_STUCK_EXIT_CODES: Final = _EXIT_CODES.replace("0 done;", "0 there are none; 4 there are some;")
_ABANDON: Final = """\
Gives an open job up: it is followed no longer, its waiters are told, the next job of its subject is sent, and an equal
task is started anew. Nothing changes at the vendor: the job may run and be billed there, and the end that a late
webhook tells still counts. One that was not sent yet is withdrawn.
"""
_ASIDE: Final = """\
Lists the deliveries that were proven but could not be read: when each came, for which account, how large it is. They
are kept for thirty days, for whoever finds out why. Without --show nothing of their content is printed.
"""
_SHOW: Final = (
    "write delivery N of the list on stdout as it came, byte for byte. It holds taxpayer data: keep it out of logs, "
    "tickets and chats"
)
_ACCOUNTS: Final = """\
Lists the accounts whose jobs the store holds, how many, how many deliveries are parked for them, and whether a session
that is open now serves them.
"""
_MOVE: Final = """\
Gives all jobs of an account, and the deliveries parked for it, to another account: after its key was changed, or its
name. Safe while sessions are open; give it again if it was broken off. Nothing changes at the vendors.
"""
_RESTORED: Final = """\
Says that the store was put back from a backup, for where it cannot notice that itself (see the README, Stores): jobs
that were queued then may have been sent since. They are looked for at the vendors, and not sent.
"""
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EXPLAIN: Final = """\
Shows a job and what was said of it, in order: when, by which way (answer, webhook, poll, inference, or user: what was
decided here), what.
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser; each command sets `run`, which takes the parsed options and gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="belvo-async",
        description="Await asynchronous Mexican fiscal jobs of Belvo and Syntage.",
        epilog=EXAMPLES,
        formatter_class=formatter,
    )
    parser.add_argument("--version", action="version", version=f"belvo-async {__version__}")
    add_completion(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="belvo-async")
    add_plans(commands)
    _add_demo(commands)
    _add_simulate(commands)
    _add_serve(commands)
    _add_jobs(commands)
    add_page(commands, add_store=_add_store, port=_port, exit_codes=_EXIT_CODES)
    return parser


def _add_demo(commands: _Commands) -> None:
    demo = commands.add_parser(
        "demo", help="the whole story against simulated vendors", description=_DEMO, epilog=_DEMO_EXIT_CODES
    )
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
    demo.set_defaults(run=_run_demo)


def _add_simulate(commands: _Commands) -> None:
    simulate = commands.add_parser(
        "simulate", help="run a local Belvo and a local Syntage", description=_SIMULATE, epilog=_EXIT_CODES
    )
    for vendor, port in (("belvo", 8801), ("syntage", 8802)):
        name = vendor.capitalize()
        simulate.add_argument(
            f"--{vendor}-port", type=_port, default=port, metavar="N", help=f"{name}'s port, 0 for any ({port})"
        )
        simulate.add_argument(
            f"--{vendor}-webhook", type=_webhook, metavar="URL", help=f"where {name}'s webhooks go (nowhere)"
        )
    simulate.add_argument(
        "--files-port", type=_port, default=0, metavar="N", help="the port Syntage's files come from, 0 for any (0)"
    )
    simulate.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on, 0.0.0.0 for every one (127.0.0.1)"
    )
    for word, vendor in (("links", "Belvo"), ("entities", "Syntage")):
        simulate.add_argument(
            f"--{word}", type=_count, default=3, metavar="N", help=f"how many {word} {vendor} has (3)"
        )
    simulate.add_argument(
        "--limits",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse what exceeds the vendors' rate limits; their windows follow --speed (on)",
    )
    simulate.add_argument("--seed", type=int, default=1, help="what data, which keys and which faults (default 1)")
    simulate.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="how many times faster than real (1)")
    simulate.add_argument("--faults", choices=("none", "light", "heavy"), default="none", help="what goes wrong (none)")
    simulate.set_defaults(run=_run_simulate)


def _add_serve(commands: _Commands) -> None:
    serve = commands.add_parser(
        "serve", help="receive webhooks into a store", description=_SERVE, epilog=_SERVE_EXIT_CODES
    )
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=8080, metavar="N", help="the port to listen on, 0 for any (8080)")
    serve.add_argument("--prefix", type=_prefix, default="/webhooks", metavar="PATH", help="before /VENDOR (/webhooks)")
    serve.add_argument(
        "--no-poll", dest="poll", action="store_false", help="leave polling open jobs to other processes"
    )
    _add_store(serve)
    serve.set_defaults(run=_run_serve)


def _add_jobs(commands: _Commands) -> None:
    description = "Looks into a store and tidies it; needs no credentials."
    jobs = commands.add_parser("jobs", help="look into a store", description=description, epilog=_EXIT_CODES)
    actions = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="belvo-async jobs")
    listing = actions.add_parser(
        "list", help="the open jobs of a store", description="Lists the open jobs, oldest first.", epilog=_EXIT_CODES
    )
    listing.add_argument("--all", action="store_true", help="ended jobs too")
    stuck = actions.add_parser("stuck", help="open jobs that are too old", description=_STUCK, epilog=_STUCK_EXIT_CODES)
    stuck.add_argument("--older", type=_instant, required=True, metavar="AGE", help="30m, 12h, 2d; or since a date")
    for action in (listing, stuck):
        action.add_argument(
            "--tag", type=_tag, action="append", default=[], metavar="NAME=VALUE", help="only with this tag; repeatable"
        )
        action.add_argument("--format", choices=("table", "json"), default="table", help="json: one object per line")
    explain = actions.add_parser("explain", help="what happened to a job", description=_EXPLAIN, epilog=_EXIT_CODES)
    explain.add_argument("id", metavar="ID", help="the job's id, as `jobs list` shows it, or its first characters (4)")
    explain.add_argument(
        "--format", choices=("table", "json"), default="table", help="json: one object, its timeline in it"
    )
    abandon = actions.add_parser("abandon", help="give a job up", description=_ABANDON, epilog=_EXIT_CODES)
    abandon.add_argument("id", metavar="ID", help="as for explain")
    prune = actions.add_parser("prune", help="forget ended jobs", description=_PRUNE, epilog=_EXIT_CODES)
    prune.add_argument(
        "--before", type=_instant, required=True, metavar="DATE|AGE", help="2026-01-31 (in UTC), or 90m, 12h, 30d, 8w"
    )
    prune.add_argument("--dry-run", action="store_true", help="only say how many")
    add_following(actions)
    _add_aside(actions)
    _add_accounts(actions)
    _add_restored(actions)
    runs = (
        (listing, _run_list),
        (stuck, _run_stuck),
        (explain, _run_explain),
        (abandon, _run_abandon),
        (prune, _run_prune),
    )
    for action, run in runs:
        _add_store(action)
        action.set_defaults(run=run)


def _add_aside(actions: _Commands) -> None:
    aside = actions.add_parser(
        "aside", help="deliveries that could not be read", description=_ASIDE, epilog=_EXIT_CODES
    )
    aside.add_argument("--format", choices=("table", "json"), default="table", help="json: one object per line")
    aside.add_argument("--show", type=_count, metavar="N", help=_SHOW)
    _add_store(aside)
    aside.set_defaults(run=_run_aside)


def _add_accounts(actions: _Commands) -> None:
    accounts = actions.add_parser(
        "accounts", help="whose jobs a store holds", description=_ACCOUNTS, epilog=_EXIT_CODES
    )
    accounts.add_argument("--format", choices=("table", "json"), default="table", help="json: one object per line")
    move = actions.add_parser("move", help="give jobs to another account", description=_MOVE, epilog=_EXIT_CODES)
    move.add_argument("--from", dest="source", required=True, metavar="ACCOUNT", help="as `jobs accounts` shows it")
    move.add_argument(
        "--to", dest="target", required=True, metavar="ACCOUNT", help="another one, or only its name (`acme`)"
    )
    move.add_argument("--dry-run", action="store_true", help="only say how many")
    for action, run in ((accounts, _run_accounts), (move, _run_move)):
        _add_store(action)
        action.set_defaults(run=run)


def _add_restored(actions: _Commands) -> None:
    restored = actions.add_parser(
        "restored", help="say that a backup was put back", description=_RESTORED, epilog=_EXIT_CODES
    )
    _add_store(restored)
    restored.set_defaults(run=_run_restored)


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", default=os.environ.get("BELVO_ASYNC_STORE"), metavar="URL", help=_STORES)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 10_000:
        raise argparse.ArgumentTypeError("must be a number above 0, at most 10000")
    return speed


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 1000")
    return int(text)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port < 65536:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return port


def _webhook(text: str) -> str:
    # What follows the scheme may hold a password: it is not repeated.
    if not re.fullmatch(r"(?i:https?)://(\[[0-9A-Fa-f:.]+\]|[^\s/:?#\[\]]+)(:[0-9]{1,5})?([/?#]\S*)?", text):
        raise argparse.ArgumentTypeError("must be an address like http://localhost:8000/webhooks/belvo")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text):
        raise argparse.ArgumentTypeError("must be a path like /webhooks")
    return text.rstrip("/")


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError("must be a tag like tenant=acme")
    return name, value


def _instant(text: str) -> datetime:
    """A date or an instant, in UTC unless it says otherwise, or an age."""
    age = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    try:
        if age is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("must be a date like 2026-01-31 or an age like 30d") from None


# Loaded only for the command that needs it: `--help` and `--version` answer at once.


def _run_demo(options: argparse.Namespace) -> int:
    from .demo.run import demo

    return demo(seed=options.seed, speed=options.speed, out=options.out, store=options.store, log=options.log)


def _run_simulate(options: argparse.Namespace) -> int:
    from .simulate import simulate

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


def _run_list(options: argparse.Namespace) -> int:
    from .listing import list_jobs

    return list_jobs(options.store, form=options.format, with_ended=options.all, tags=options.tag)


def _run_stuck(options: argparse.Namespace) -> int:
    from .listing import list_stuck

    return list_stuck(options.store, form=options.format, before=options.older, tags=options.tag)


def _run_explain(options: argparse.Namespace) -> int:
    from .jobs import explain_job

    return explain_job(options.store, options.id, form=options.format)


def _run_abandon(options: argparse.Namespace) -> int:
    from .jobs import abandon_job

    return abandon_job(options.store, options.id)


def _run_prune(options: argparse.Namespace) -> int:
    from .jobs import prune_jobs

    return prune_jobs(options.store, before=options.before, dry_run=options.dry_run)


def _run_aside(options: argparse.Namespace) -> int:
    from .aside import list_aside, show_aside

    if options.show is not None:
        return show_aside(options.store, number=options.show)
    return list_aside(options.store, form=options.format)


def _run_accounts(options: argparse.Namespace) -> int:
    from .accounts import list_accounts

    return list_accounts(options.store, form=options.format)


def _run_move(options: argparse.Namespace) -> int:
    from .accounts import move_jobs

    return move_jobs(options.store, source=options.source, target=options.target, dry_run=options.dry_run)


def _run_restored(options: argparse.Namespace) -> int:
    from .restored import note_restore

    return note_restore(options.store)


def _run_serve(options: argparse.Namespace) -> int:
    from .serve import serve

    return serve(options.store, host=options.host, port=options.port, prefix=options.prefix, poll=options.poll)
