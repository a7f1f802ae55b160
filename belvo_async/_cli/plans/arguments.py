"""What can be typed after `belvo-async extract` and its like, and after `jobs resume` and `jobs stop`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import texts
from .values import AMOUNT, SPAN

if TYPE_CHECKING:
    from ...planning import Freshness

    # argparse gives this type no public name.
    _Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]

_Parser: TypeAlias = argparse.ArgumentParser


def add_plans(commands: _Commands) -> None:
    """Add the commands that carry out plans, look at them, or list of whom they can be."""
    extract = _add(commands, "extract", "get what plans want, and pay for no day twice", texts.EXTRACT)
    _add_run(extract, is_live=False)
    extract.add_argument("--dry-run", action="store_true", help="only say what it needs, as `estimate` does")
    _add_format(extract, "of --dry-run")
    sync = _add(commands, "sync", "extract what is new or may still change", texts.SYNC)
    _add_run(sync, is_live=True)
    _add_live(sync)
    estimate = _add(commands, "estimate", "what plans need, before anything is sent", texts.ESTIMATE)
    _add_plan(estimate)
    _add_price(estimate)
    _add_format(estimate)
    coverage = _add(commands, "coverage", "what is known of each day that plans want", texts.COVERAGE)
    _add_plan(coverage)
    coverage.add_argument("--all", action="store_true", help="every gap, not only the first twenty")
    _add_format(coverage)
    verify = _add(commands, "verify", "hold exported files against their certificate", texts.VERIFY)
    verify.add_argument("certificate", type=Path, metavar="CERTIFICATE", help="as `extract --certificate` wrote it")
    verify.add_argument("data", type=Path, nargs="+", metavar="DATA", help="directories of parts, or merged files")
    estimate.set_defaults(run=_run_estimate)
    coverage.set_defaults(run=_run_coverage)
    verify.set_defaults(run=_run_verify)
    _add_subjects(commands)


def _add_subjects(commands: _Commands) -> None:
    links = _add(commands, "links", "the links of a Belvo account", texts.LINKS)
    entities = _add(commands, "entities", "the entities of a Syntage account", texts.ENTITIES)
    entities.add_argument("--taxpayers", action="store_true", help="with their RFCs and names: taxpayer data")
    for command, run in ((links, _run_links), (entities, _run_entities)):
        command.add_argument("--status", metavar="WORD", help="only those whose access has this status: valid, invalid")
        command.add_argument("--account", metavar="NAME", help="one of the file's; needed where it has several")
        command.add_argument(
            "--format", choices=("table", "json", "ids"), default="table", help="json: one object a line; ids: one id"
        )
        _add_config(command)
        command.set_defaults(run=run)


def add_following(actions: _Commands) -> None:
    """Add what talks to a vendor about one job."""
    resume = _add(actions, "resume", "follow a job to its end", texts.RESUME)
    stop = _add(actions, "stop", "ask the vendor to end a job", texts.STOP)
    for action, run in ((resume, _run_resume), (stop, _run_stop)):
        action.add_argument("id", metavar="ID", help="the job's id, or its first characters (4)")
        _add_store(action)
        _add_config(action)
        action.set_defaults(run=run, wait=None)
    resume.add_argument("--wait", type=SPAN, metavar="SPAN", help="how long, like 90m or 12h (6h)")


def add_completion(parser: _Parser) -> None:
    """Add the option that prints what a shell completes by."""
    parser.add_argument(
        "--print-completion",
        choices=("bash", "zsh", "fish"),
        action=_Completion,
        help="print what completes commands and options in a shell (needs the extra `cli`)",
    )


class _Completion(argparse.Action):
    def __call__(self, parser: _Parser, _: argparse.Namespace, values: Any, __: str | None = None) -> None:
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


def _add(commands: _Commands, name: str, line: str, text: texts.Text) -> _Parser:
    return commands.add_parser(name, help=line, description=text.says, epilog=text.examples, formatter_class=formatter)


def _add_plan(command: _Parser) -> None:
    """Which plans: those of the file, or one of arguments."""
    _add_config(command)
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
    plan.add_argument("--from", dest="first", metavar="DAY", help="its first day: 2021, 2021-03, 2021-03-15")
    plan.add_argument("--to", dest="last", metavar="DAY", help="its last day, counted: as --from, or yesterday, today")
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
    _add_store(command)
    command.set_defaults(is_live=False, freshness=_any_age)


def _add_run(command: _Parser, *, is_live: bool) -> None:
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
        "--certificate", metavar="FILE", help="in the end, write what is proven; {plan} stands for the plan's name"
    )
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
        "--tag", type=_tag, action="append", default=[], metavar="KEY=WORD", help="kept with the jobs; may be repeated"
    )
    command.set_defaults(run=_run_extract, is_live=is_live, dry_run=False)


def _add_price(command: _Parser) -> None:
    price = command.add_argument_group("money")
    price.add_argument("--prices", type=Path, metavar="FILE", help="your price list, in TOML")
    price.add_argument(
        "--max-cost", type=AMOUNT, metavar="SUM", help="send no request by which the plan would cost more than this"
    )
    price.add_argument("--retry", action="store_true", help="ask again for what the vendor refused for good")


def _add_live(command: _Parser) -> None:
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


def _add_config(command: _Parser) -> None:
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="the file of plans (belvo-async.toml, if it is there)"
    )


def _add_store(command: _Parser) -> None:
    command.add_argument(
        "--store",
        default=os.environ.get("BELVO_ASYNC_STORE"),
        metavar="URL",
        help="where jobs are kept: sqlite:PATH, postgresql://..., redis://... (BELVO_ASYNC_STORE)",
    )


def _add_format(command: _Parser, of: str = "") -> None:
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help=f"json: one object a line {of}".rstrip()
    )


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


def _many(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


def _some(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 366):
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 366")
    return int(text)


def _tag(text: str) -> tuple[str, str]:
    key, sign, word = text.partition("=")
    if not (key and sign and word):
        raise argparse.ArgumentTypeError("must be like tenant=acme")
    return key, word


# Loaded only for the command that needs it: `--help` answers at once.

_Command: TypeAlias = Callable[..., Coroutine[Any, Any, int]]
_GO_ON: Final = "ended in order; jobs that were sent go on at the vendor: give the same command again"
_NOTHING: Final = "ended; nothing was changed"


def _run(command: _Command, options: argparse.Namespace, *more: object, farewell: str = _NOTHING) -> int:
    from ..._session.clock import SystemClock
    from .lasting import run_until_ended

    return run_until_ended(command(options, lambda: os.environ, SystemClock(), *more), farewell=farewell)


def _run_extract(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _run_estimate(options)
    from .display.screen import open_screen
    from .extract import extract

    return _run(extract, options, open_screen(), farewell=_GO_ON)


def _run_estimate(options: argparse.Namespace) -> int:
    from .estimate import estimate

    return _run(estimate, options)


def _run_coverage(options: argparse.Namespace) -> int:
    from .coverage import coverage

    return _run(coverage, options)


def _run_verify(options: argparse.Namespace) -> int:
    from .verify import verify

    return verify(options.certificate, options.data)


def _run_links(options: argparse.Namespace) -> int:
    from .subjects import links

    return _run(links, options)


def _run_entities(options: argparse.Namespace) -> int:
    from .subjects import entities

    return _run(entities, options)


def _run_resume(options: argparse.Namespace) -> int:
    from ..following import resume

    return _run(resume, options, farewell="ended; the job goes on at the vendor")


def _run_stop(options: argparse.Namespace) -> int:
    from ..following import stop

    return _run(stop, options)
