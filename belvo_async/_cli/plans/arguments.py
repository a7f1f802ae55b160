"""What can be typed after `belvo-async extract` and its like."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..options import add_command, add_config, add_format, add_store, read_tag, run_command
from ..values import AMOUNT, DAY, SPAN
from . import texts

if TYPE_CHECKING:
    from ...planning import Freshness
    from ..options import Commands, Parser

_CERTIFICATE: Final = "in the end, write what is proven; {plan} stands for the plan's name"
_TELL_ON: Final = "ended; what was not printed is told next time"
_GO_ON: Final = "ended in order; jobs that were sent go on at the vendor: give the same command again"


def add_plans(commands: Commands) -> None:
    """Add the commands that carry out plans, look at them, or list of whom they can be."""
    extract = add_command(commands, "extract", "get what plans want, and pay for no day twice", texts.EXTRACT)
    _addrun_command(extract, is_live=False)
    extract.add_argument("--dry-run", action="store_true", help="only say what it needs, as `estimate` does")
    add_format(extract, "of --dry-run")
    sync = add_command(commands, "sync", "extract what is new or may still change", texts.SYNC)
    _addrun_command(sync, is_live=True)
    _add_live(sync)
    _add_mirror(commands)
    estimate = add_command(commands, "estimate", "what plans need, before anything is sent", texts.ESTIMATE)
    _add_plan(estimate)
    _add_price(estimate)
    add_format(estimate)
    coverage = add_command(commands, "coverage", "what is known of each day that plans want", texts.COVERAGE)
    _add_plan(coverage)
    coverage.add_argument("--all", action="store_true", help="every gap, not only the first twenty")
    add_format(coverage)
    _add_changes(commands)
    verify = add_command(commands, "verify", "hold exported files against their certificate", texts.VERIFY)
    verify.add_argument("certificate", type=Path, metavar="CERTIFICATE", help="as `extract --certificate` wrote it")
    verify.add_argument("data", type=Path, nargs="+", metavar="DATA", help="directories of parts, or merged files")
    estimate.set_defaults(run=_run_estimate)
    coverage.set_defaults(run=_run_coverage)
    verify.set_defaults(run=_run_verify)
    _add_subjects(commands)


def _add_mirror(commands: Commands) -> None:
    mirror = add_command(commands, "mirror", "keep a copy of what vendors hold in a database", texts.MIRROR)
    mirror.add_argument("destination", metavar="DESTINATION", help="duckdb:FILE or postgresql://HOST/DATABASE")
    _add_plan(mirror)
    _add_price(mirror)
    lists = mirror.add_argument_group("lists", texts.LISTS).add_mutually_exclusive_group()
    lists.add_argument("--lists", nargs="+", metavar="NAME", help="only these: tax_returns, VENDOR.invoices, ...")
    lists.add_argument("--no-lists", dest="lists", action="store_const", const=(), help="none")
    beside = mirror.add_argument_group("what is written beside")
    beside.add_argument("--certificate", metavar="FILE", help=_CERTIFICATE)
    _add_pace(mirror)
    mirror.add_argument("--dry-run", action="store_true", help="only say what the plans need, as `estimate` does")
    add_format(mirror, "of --dry-run")
    mirror.add_argument(
        "--sync", dest="is_live", action="store_true", help="as `sync`: also ask again for what may still change"
    )
    _add_live(mirror)
    mirror.set_defaults(run=_run_mirror, freshness=_live_if_asked)


def _add_changes(commands: Commands) -> None:
    changes = add_command(commands, "changes", "what changed of the records of plans since it was told", texts.CHANGES)
    _add_plan(changes)
    changes.add_argument(
        "--since", type=Path, required=True, metavar="FILE", help="where it is kept how far it was told; made at first"
    )
    changes.add_argument("--baseline", action="store_true", help="learn what there is, and tell nothing of it")
    add_format(changes)
    changes.set_defaults(run=_run_changes, is_live=True)


def _add_subjects(commands: Commands) -> None:
    links = add_command(commands, "links", "the links of a Belvo account", texts.LINKS)
    entities = add_command(commands, "entities", "the entities of a Syntage account", texts.ENTITIES)
    entities.add_argument("--taxpayers", action="store_true", help="with their RFCs and names: taxpayer data")
    for command, run in ((links, _run_links), (entities, _run_entities)):
        command.add_argument("--status", metavar="WORD", help="only those whose access has this status: valid, invalid")
        command.add_argument("--account", metavar="NAME", help="one of the file's; needed where it has several")
        command.add_argument(
            "--format", choices=("table", "json", "ids"), default="table", help="json: one object a line; ids: one id"
        )
        add_config(command)
        command.set_defaults(run=run)


def _add_plan(command: Parser) -> None:
    """Which plans: those of the file, or one of arguments."""
    add_config(command)
    plan = command.add_argument_group("which plan", texts.WHICH)
    plan.add_argument("--plan", action="append", default=[], metavar="NAME", help="a plan of the file; may be repeated")
    plan.add_argument("--vendor", metavar="NAME", help="belvo or syntage")
    plan.add_argument("--resource", metavar="WORD", help="invoices, tax_status, ...: the vendor's word, in any letters")
    plan.add_argument(
        "--subject", action="append", default=[], metavar="ID", help="a link or an entity; may be repeated"
    )
    plan.add_argument(
        "--subjects",
        action="append",
        default=[],
        metavar="FILE|-|all",
        help="a file with one a line (# comments), standard input, or all that are valid",
    )
    plan.add_argument("--from", dest="first", type=DAY, metavar="DAY", help="its first day: 2021, 2021-03, 2021-03-15")
    plan.add_argument(
        "--to", dest="last", type=DAY, metavar="DAY", help="its last day, counted: as --from, or yesterday, today"
    )
    plan.add_argument(
        "--direction",
        action="append",
        default=[],
        choices=("issued", "received"),
        help="only one of both; may be repeated",
    )
    plan.add_argument(
        "--option", action="append", default=[], metavar="WORD", help="more in each record: xml, pdf; may be repeated"
    )
    plan.add_argument(
        "--max-age", type=SPAN, metavar="SPAN", help="answers older than this (30d, 12h) are asked for again"
    )
    add_store(command)
    command.set_defaults(is_live=False, freshness=_any_age)


def _addrun_command(command: Parser, *, is_live: bool) -> None:
    _add_plan(command)
    _add_price(command)
    into = command.add_argument_group("where to")
    into.add_argument(
        "--into", metavar="SINK", help="ndjson:DIR, csv:DIR, parquet:DIR, excel:DIR, or one of the file's"
    )
    into.add_argument(
        "--single",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="in the end, merge the parts of each resource into one file beside them",
    )
    into.add_argument(
        "--files",
        type=_forms,
        metavar="xml,pdf",
        help="save the documents of the records beside the rows, whole or not at all; those that are there stay",
    )
    into.add_argument("--certificate", metavar="FILE", help=_CERTIFICATE)
    _add_pace(command)
    command.set_defaults(run=_run_extract, is_live=is_live, dry_run=False)


def _add_pace(command: Parser) -> None:
    how = command.add_argument_group("how long, how much at a time")
    wait = how.add_mutually_exclusive_group()
    wait.add_argument(
        "--wait",
        type=SPAN,
        metavar="SPAN",
        help="how long to wait for what may be asked only later (as long as it takes)",
    )
    wait.add_argument(
        "--no-wait", dest="wait", action="store_const", const=timedelta(0), help="end instead; exit code 3"
    )
    how.add_argument("--concurrency", type=_many, metavar="N", help="how many jobs may be open at a time (500)")
    how.add_argument("--deadline", type=SPAN, metavar="SPAN", help="how long each job is waited for (6h)")
    how.add_argument(
        "--tag",
        type=read_tag,
        action="append",
        default=[],
        metavar="KEY=WORD",
        help="kept with the jobs; may be repeated",
    )


def _add_price(command: Parser) -> None:
    price = command.add_argument_group("money")
    price.add_argument("--prices", type=Path, metavar="FILE", help="your price list, in TOML")
    price.add_argument(
        "--max-cost", type=AMOUNT, metavar="SUM", help="send no request by which the plan would cost more than this"
    )
    price.add_argument("--retry", action="store_true", help="ask again for what the vendor refused for good")


def _add_live(command: Parser) -> None:
    live = command.add_argument_group("what may still change", texts.LIVE)
    live.add_argument("--live-days", type=_some, default=4, metavar="N", help="the last days, in which more comes (4)")
    live.add_argument(
        "--live-age", type=SPAN, default=timedelta(days=1), metavar="SPAN", help="how old their answers may be (1d)"
    )
    live.add_argument(
        "--open-months", type=_some, default=2, metavar="N", help="the months that late cancellations are likely in (2)"
    )
    live.add_argument(
        "--open-age", type=SPAN, default=timedelta(days=7), metavar="SPAN", help="how old their answers may be (7d)"
    )
    command.set_defaults(freshness=_live)


def _live_if_asked(options: argparse.Namespace) -> Freshness:
    return _live(options) if options.is_live else _any_age(options)


def _any_age(_: argparse.Namespace) -> Freshness:
    from ...planning import Freshness

    return Freshness()


def _live(options: argparse.Namespace) -> Freshness:
    from ...planning import Freshness

    return Freshness(
        live_days=options.live_days,
        live_age=options.live_age,
        open_months=options.open_months,
        open_age=options.open_age,
    )


def _forms(text: str) -> tuple[str, ...]:
    forms = tuple(each.strip().lower() for each in text.split(","))
    if not all(forms):
        raise argparse.ArgumentTypeError("must be words with commas between them, like xml,pdf")
    return forms


def _many(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


def _some(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 366):
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 366")
    return int(text)


# Loaded only for the command that needs it: `--help` answers at once.


def _run_extract(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _run_estimate(options)
    from .display.screen import open_screen
    from .extract import extract

    return run_command(extract, options, open_screen(), farewell=_GO_ON)


def _run_mirror(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _run_estimate(options)
    from .display.screen import open_screen
    from .mirror import mirror

    return run_command(mirror, options, open_screen(), farewell=_GO_ON)


def _run_estimate(options: argparse.Namespace) -> int:
    from .estimate import estimate

    return run_command(estimate, options)


def _run_coverage(options: argparse.Namespace) -> int:
    from .coverage import coverage

    return run_command(coverage, options)


def _run_changes(options: argparse.Namespace) -> int:
    from .changes import changes

    return run_command(changes, options, farewell=_TELL_ON)


def _run_verify(options: argparse.Namespace) -> int:
    from .verify import verify

    return verify(options.certificate, options.data)


def _run_links(options: argparse.Namespace) -> int:
    from .subjects import links

    return run_command(links, options)


def _run_entities(options: argparse.Namespace) -> int:
    from .subjects import entities

    return run_command(entities, options)
