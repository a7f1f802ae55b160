"""What can be typed after `belvo-async jobs`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..options import add_command, add_config, add_format, add_store, read_count, read_tag, run_command
from ..values import SPAN, read_span
from . import texts

if TYPE_CHECKING:
    from ..options import Commands


def add_jobs(commands: Commands) -> None:
    """Add the commands that look into a store."""
    jobs = add_command(commands, "jobs", "look into a store", texts.JOBS)
    actions = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="belvo-async jobs")
    _add_lists(actions)
    explain = add_command(actions, "explain", "what happened to a job, and what to do", texts.EXPLAIN)
    explain.add_argument("id", metavar="ID", help="the job's id, as `jobs list` shows it, or its first characters (4)")
    explain.add_argument(
        "--online",
        action="store_true",
        help="also ask its vendor, with the keys of its account, what it recorded of its deliveries",
    )
    add_config(explain)
    add_format(explain, json="one object, its timeline in it")
    abandon = add_command(actions, "abandon", "give a job up", texts.ABANDON)
    abandon.add_argument("id", metavar="ID", help="as for explain")
    prune = add_command(actions, "prune", "forget ended jobs", texts.PRUNE)
    prune.add_argument(
        "--before", type=_instant, required=True, metavar="DATE|AGE", help="2026-01-31 (in UTC), or 90m, 12h, 30d, 8w"
    )
    prune.add_argument("--dry-run", action="store_true", help="only say how many")
    for action, run in ((explain, _run_explain), (abandon, _run_abandon), (prune, _run_prune)):
        add_store(action)
        action.set_defaults(run=run)
    _add_following(actions)
    _add_aside(actions)
    _add_consumers(actions)
    _add_accounts(actions)
    restored = add_command(actions, "restored", "say that a backup was put back", texts.RESTORED)
    add_store(restored)
    restored.set_defaults(run=_run_restored)


def _add_lists(actions: Commands) -> None:
    listing = add_command(actions, "list", "the open jobs of a store", texts.LIST)
    listing.add_argument("--all", action="store_true", help="ended jobs too")
    stuck = add_command(actions, "stuck", "open jobs that are too old", texts.STUCK)
    stuck.add_argument("--older", type=_instant, required=True, metavar="AGE", help="30m, 12h, 2d; or since a date")
    for action, run in ((listing, _run_list), (stuck, _run_stuck)):
        action.add_argument(
            "--tag",
            type=read_tag,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="only with this tag; repeatable",
        )
        add_format(action)
        add_store(action)
        action.set_defaults(run=run)


def _add_aside(actions: Commands) -> None:
    aside = add_command(actions, "aside", "deliveries that could not be read", texts.ASIDE)
    add_format(aside)
    aside.add_argument("--show", type=read_count, metavar="N", help=texts.SHOW)
    add_store(aside)
    aside.set_defaults(run=_run_aside)


def _add_consumers(actions: Commands) -> None:
    consumers = add_command(actions, "consumers", "who is told of ended jobs", texts.CONSUMERS)
    add_format(consumers)
    consumers.add_argument("--forget", metavar="NAME", help="forget one that asks no more: it keeps jobs from pruning")
    add_store(consumers)
    consumers.set_defaults(run=_run_consumers)


def _add_accounts(actions: Commands) -> None:
    accounts = add_command(actions, "accounts", "whose jobs a store holds", texts.ACCOUNTS)
    add_format(accounts)
    move = add_command(actions, "move", "give jobs to another account", texts.MOVE)
    move.add_argument("--from", dest="source", required=True, metavar="ACCOUNT", help="as `jobs accounts` shows it")
    move.add_argument(
        "--to", dest="target", required=True, metavar="ACCOUNT", help="another one, or only its name (`acme`)"
    )
    move.add_argument("--dry-run", action="store_true", help="only say how many")
    for action, run in ((accounts, _run_accounts), (move, _run_move)):
        add_store(action)
        action.set_defaults(run=run)


def _add_following(actions: Commands) -> None:
    resume = add_command(actions, "resume", "follow a job to its end", texts.RESUME)
    stop = add_command(actions, "stop", "ask the vendor to end a job", texts.STOP)
    for action, run in ((resume, _run_resume), (stop, _run_stop)):
        action.add_argument("id", metavar="ID", help="the job's id, or its first characters (4)")
        add_store(action)
        add_config(action)
        action.set_defaults(run=run, wait=None)
    resume.add_argument("--wait", type=SPAN, metavar="SPAN", help="how long, like 90m or 12h (6h)")


def _instant(text: str) -> datetime:
    """A date or an instant, in UTC unless it says otherwise, or an age."""
    try:
        return datetime.now(UTC) - read_span(text)
    except (ValueError, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("must be a date like 2026-01-31 or an age like 30d") from None


# Loaded only for the command that needs it: `--help` answers at once.


def _run_list(options: argparse.Namespace) -> int:
    from .listing import list_jobs

    return list_jobs(options.store, form=options.format, with_ended=options.all, tags=options.tag)


def _run_stuck(options: argparse.Namespace) -> int:
    from .listing import list_stuck

    return list_stuck(options.store, form=options.format, before=options.older, tags=options.tag)


def _run_explain(options: argparse.Namespace) -> int:
    from .explain import explain

    return run_command(explain, options)


def _run_abandon(options: argparse.Namespace) -> int:
    from .abandon import abandon_job

    return abandon_job(options.store, options.id)


def _run_consumers(options: argparse.Namespace) -> int:
    from .consumers import forget_consumer, list_consumers

    if options.forget is not None:
        return forget_consumer(options.store, name=options.forget)
    return list_consumers(options.store, form=options.format)


def _run_prune(options: argparse.Namespace) -> int:
    from .prune import prune_jobs

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


def _run_resume(options: argparse.Namespace) -> int:
    from ..jobs.following import resume

    return run_command(resume, options, farewell="ended; the job goes on at the vendor")


def _run_stop(options: argparse.Namespace) -> int:
    from ..jobs.following import stop

    return run_command(stop, options)
