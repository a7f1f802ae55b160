"""The house rules of the design, read from the source: who may import whom, what stays out of which room."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import belvo_async
from belvo_async import errors
from belvo_async._cli.arguments import make_parser

ROOT = Path(belvo_async.__file__).parent

# Each room and the rooms it may import. What is missing here may import nothing.
CORE = {"jobs", "errors", "discreet", "payload", "abc", "origins", "rate_limits", "descriptors", "accounts", "tolerant"}
ARROWS: dict[str, set[str]] = {
    "jobs": set(),
    "errors": {"jobs"},
    "payload": {"jobs", "errors", "discreet"},
    "tolerant": {"jobs", "errors", "payload"},
    "abc": {"jobs", "errors", "payload", "discreet"},
    "origins": {"errors"},
    "rate_limits": {"abc"},
    "discreet": {"errors"},
    "descriptors": set(),
    "accounts": {"abc", "errors"},
    "vendors": CORE,
    "stores": CORE,
    "_http": CORE,
    "_decode": CORE,
    "_tracker": CORE,
    "_session": CORE | {"vendors", "stores", "_http", "_decode", "_tracker"},
    "web": CORE | {"_session"},
    "simulator": set(),
    "pytest_plugin": CORE | {"", "_session", "vendors", "web", "simulator"},
    "_cli": CORE | {"", "_session", "vendors", "web", "simulator", "stores"},
    "__main__": {"_cli"},
    "": CORE | {"_session", "vendors"},
}
# Modules that bring I/O, time or chance. `asyncio` alone would already be an event loop in the core.
IMPURE = {"asyncio", "aiohttp", "socket", "time", "random", "secrets", "threading", "sqlite3", "subprocess", "logging"}
NO_ROOM = {"utils", "helpers", "common", "base", "constants", "types", "manager", "misc"}
FILE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 10


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    """The room is the first part of the path below the package; "" is the package's own `__init__`."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(path: Path, tree: ast.Module, *, at_run_time_only: bool = False) -> Iterator[str]:
    """Every imported module, absolute."""
    skipped: set[ast.AST] = set()
    if at_run_time_only:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                skipped.update(ast.walk(node))
    package = ["belvo_async", *path.relative_to(ROOT).with_suffix("").parts]
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: -node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            # `from . import x` may name a module: both readings are checked.
            yield from {module, *(f"{module}.{alias.name}" for alias in node.names)}


def rooms_imported(path: Path, tree: ast.Module) -> set[str]:
    names = {name.split(".")[1] for name in imported(path, tree) if name.startswith("belvo_async.")}
    known = {room_of(each) for each in ROOT.rglob("*.py")}
    bare = {""} if any(name == "belvo_async" for name in imported(path, tree)) else set()
    return (names & known) | (bare if not names & known else set())


EVERY_SOURCE = [pytest.param(path, tree, id=str(path.relative_to(ROOT))) for path, tree in sources()]


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_imports_follow_the_arrows(path: Path, tree: ast.Module) -> None:
    """A room imports only the rooms the design lets it know."""
    room = room_of(path)

    strangers = rooms_imported(path, tree) - ARROWS[room] - {room}

    assert set() == strangers


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_the_simulator_shares_nothing_with_the_library(path: Path, tree: ast.Module) -> None:
    """The simulator imports nothing of ours, else both sides would share one mistake."""
    if room_of(path) != "simulator":
        return

    ours = {name for name in imported(path, tree) if name.startswith("belvo_async")}

    assert all(name.startswith("belvo_async.simulator") for name in ours), ours


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_core_and_dialects_are_pure(path: Path, tree: ast.Module) -> None:
    """No event loop, no clock, no randomness and no I/O in the core and the vendors."""
    if room_of(path) not in CORE | {"vendors"}:
        return

    impure = {name.split(".")[0] for name in imported(path, tree)} & IMPURE
    awaits = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)]
    clocks = re.findall(r"(?:datetime\.now|date\.today|datetime\.utcnow)", path.read_text(encoding="utf-8"))

    assert set() == impure
    # A door awaits the coroutine it stands before.
    assert [] == awaits or room_of(path) == "discreet"
    # The one SystemClock that sessions use by default.
    assert (["datetime.now"] if path.name == "exchange.py" else []) == clocks


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_vendors_do_not_know_each_other(path: Path, tree: ast.Module) -> None:
    """A third vendor is a new folder: no vendor imports another."""
    parts = path.relative_to(ROOT).parts
    if parts[0] != "vendors" or len(parts) < 3:
        return

    stranger = re.compile(rf"belvo_async\.vendors\.(?!{parts[1]}\b)\w")
    others = {name for name in imported(path, tree) if stranger.match(name)}

    assert set() == others


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_vendor_names_stand_only_in_their_rooms(path: Path, tree: ast.Module) -> None:
    """The literals "belvo" and "syntage" stand in their vendor, the simulator, the plugin and the command line only."""
    if room_of(path) in {"vendors", "simulator", "pytest_plugin", "_cli", ""}:
        return

    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    assert [] == [text for text in literals if text.lower() in {"belvo", "syntage"}]


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_only_the_edge_speaks_http_and_retries(path: Path, tree: ast.Module) -> None:
    """One aiohttp client and one tenacity: in `_http`. Servers: `web`, the simulator, the plugin, the CLI."""
    room = room_of(path)

    foreign = {name.split(".")[0] for name in imported(path, tree)} & {"aiohttp", "tenacity"}

    serves = {"aiohttp"} if room in {"web", "simulator", "pytest_plugin", "_cli"} else set[str]()
    assert foreign <= ({"aiohttp", "tenacity"} if room == "_http" else serves)


@pytest.mark.parametrize(("path", "tree"), EVERY_SOURCE)
def test_files_are_read_in_one_sitting(path: Path, tree: ast.Module) -> None:
    """Files stay under 400 lines (schema catalogues exempt), functions under 60."""
    lines = path.read_text(encoding="utf-8").count("\n")
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert lines < FILE_LINES or path.name == "schema.py"
    assert [] == [each.name for each in functions if length(each) > FUNCTION_LINES]


def test_the_usual_function_is_short() -> None:
    """The median function has fewer than ten lines."""
    lengths = sorted(
        length(node)
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )

    assert lengths[len(lengths) // 2] < MEDIAN_FUNCTION_LINES


def test_no_room_is_a_drawer() -> None:
    """No module is named after nothing."""
    names = {part.removesuffix(".py") for path in ROOT.rglob("*.py") for part in path.relative_to(ROOT).parts}

    assert set() == names & NO_ROOM


def test_exports_exist_and_are_documented() -> None:
    """Everything in `__all__` can be imported, and everything public says what it is."""
    exported = {name: getattr(belvo_async, name) for name in belvo_async.__all__}

    assert sorted(belvo_async.__all__) == list(belvo_async.__all__)
    assert [] == [name for name, value in exported.items() if not (value.__doc__ or "").strip()]


def test_the_printed_error_tree_is_the_real_one() -> None:
    """The tree at the top of errors.py names every error, under its parent, and no other."""
    printed: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([ │├└─]*)(\w+Error)\b", line)
        if found:
            depth = (len(found.group(1)) - 4) // 4
            parents[depth:] = [found.group(2)]
            printed[found.group(2)] = parents[depth - 1] if depth > 0 else "Exception"

    real = {
        name: next(base.__name__ for base in getattr(errors, name).__mro__[1:] if issubclass(base, Exception))
        for name in every_error()
    }

    assert real == printed
    assert set(real) <= set(belvo_async.__all__)


def every_error() -> set[str]:
    return {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}


def test_third_party_imports_stay_in_their_extras() -> None:
    """The run-time core needs aiohttp, msgspec and tenacity; whatever else is imported belongs to an extra."""
    extras = {"rich": {"_cli"}, "pytest": {"pytest_plugin"}, "pytest_asyncio": {"pytest_plugin"}}
    extras |= {"redis": {"stores"}, "psycopg": {"stores"}}
    for path, tree in sources():
        for name in {each.split(".")[0] for each in imported(path, tree)} & set(extras):
            assert room_of(path) in extras[name], f"{path} imports {name}"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_every_command_is_documented() -> None:
    """Each command and each of its options says what it does, and the README or a page shows the command."""
    pages = [ROOT.parent / "README.md", *(ROOT.parent / "docs").glob("*.md")]
    shown = "\n".join(each.read_text(encoding="utf-8") for each in pages)

    found = dict(commands(make_parser(), "belvo-async"))

    assert {"belvo-async demo", "belvo-async simulate"} <= set(found)
    for name, parser in found.items():
        assert parser.description, name
        options = [each for each in parser._actions if not isinstance(each, argparse._SubParsersAction)]
        assert [] == [each.dest for each in options if not each.help], name
        assert name in shown or parser._subparsers is not None, name


def commands(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from commands(below, f"{name} {word}")
