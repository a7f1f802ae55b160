"""The house rules of the design, read from the source: who may import whom, what stays out of which room."""

from __future__ import annotations

import argparse
import ast
import gc
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import belvo_async
from belvo_async import errors
from belvo_async._cli.arguments import make_parser

ROOT = Path(belvo_async.__file__).parent

# Each room and the rooms it may import. What is missing here may import nothing.
CORE = {
    "jobs",
    "errors",
    "discreet",
    "payload",
    "abc",
    "origins",
    "rate_limits",
    "descriptors",
    "accounts",
    "tolerant",
    "settings",
    "proxies",
    "messages",
    "planning",
    "telemetry",
    "changes",
}
ARROWS: dict[str, set[str]] = {
    "jobs": set(),
    "errors": {"jobs"},
    "payload": {"jobs", "errors"},
    "tolerant": {"jobs", "errors", "payload"},
    "abc": {"jobs", "errors", "payload", "discreet"},
    "origins": {"errors", "discreet"},
    "rate_limits": {"abc"},
    "discreet": {"errors"},
    "descriptors": set(),
    "telemetry": {"jobs"},
    "accounts": {"abc", "errors"},
    "proxies": {"abc", "jobs", "payload"},
    "messages": {"discreet", "errors", "jobs"},
    "settings": {"abc", "accounts", "errors", "origins"},
    "planning": {"abc", "jobs", "errors", "payload", "discreet"},
    "changes": {"abc", "jobs"},
    "vendors": CORE,
    "stores": CORE,
    "sinks": CORE,
    "within": set(),
    "_http": CORE | {"within"},
    "_decode": CORE,
    "_tracker": CORE | {"within"},
    "_session": CORE | {"vendors", "stores", "sinks", "within", "_http", "_decode", "_tracker"},
    "web": CORE | {"within", "_session"},
    "engines": CORE | {"_session", "stores"},
    "_page": CORE | {"_session"},
    "integrations": CORE | {"_session", "sinks"},
    "simulator": set(),
    "pytest_plugin": CORE | {"", "_session", "vendors", "web", "simulator"},
    "_cli": CORE | {"", "_session", "_page", "vendors", "web", "simulator", "stores", "sinks", "integrations"},
    "__main__": {"_cli"},
    "": CORE | {"_session", "vendors"},
}
# Modules that bring I/O, time or chance. `asyncio` alone would already be an event loop in the core.
IMPURE = {"asyncio", "aiohttp", "socket", "time", "random", "secrets", "threading", "sqlite3", "subprocess", "logging"}
NO_ROOM = {"utils", "helpers", "common", "base", "constants", "types", "manager", "misc"}
FILE_LINES = 400
FUNCTION_LINES = 60
FOLDER_FILES = 16
MEDIAN_FUNCTION_LINES = 10


Sources = dict[Path, ast.Module]


@pytest.fixture(scope="module")
def sources() -> Sources:
    """Every file of the package, parsed once; let go again, since some hundred thousand nodes slow every collection."""
    # While they are made, they are searched again and again: three quarters of the time.
    gc.disable()
    try:
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
    finally:
        gc.enable()


@cache
def rooms() -> set[str]:
    return {room_of(path) for path in ROOT.rglob("*.py")}


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


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
    imports = set(imported(path, tree))
    names = {name.split(".")[1] for name in imports if name.startswith("belvo_async.")} & rooms()
    return names or ({""} if "belvo_async" in imports else set())


def test_imports_follow_the_arrows(sources: Sources) -> None:
    """A room imports only the rooms the design lets it know."""
    strangers = {
        where(path): rooms_imported(path, tree) - ARROWS[room_of(path)] - {room_of(path)}
        for path, tree in sources.items()
    }

    assert {} == {file: found for file, found in strangers.items() if found}


def test_the_simulator_shares_nothing_with_the_library(sources: Sources) -> None:
    """The simulator imports nothing of ours, else both sides would share one mistake."""
    ours = {
        (where(path), name)
        for path, tree in sources.items()
        if room_of(path) == "simulator"
        for name in imported(path, tree)
        if name.startswith("belvo_async") and not name.startswith("belvo_async.simulator")
    }

    assert set() == ours


def test_core_and_dialects_are_pure(sources: Sources) -> None:
    """No event loop, no clock, no randomness and no I/O in the core and the vendors."""
    impure: list[tuple[str, str]] = []
    for path, tree in sources.items():
        if room_of(path) not in CORE | {"vendors"}:
            continue
        found = {name.split(".")[0] for name in imported(path, tree)} & IMPURE
        # A door awaits the coroutine it stands before.
        if room_of(path) != "discreet":
            waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
            found |= {f"await in line {node.lineno}" for node in ast.walk(tree) if isinstance(node, waits)}
        clocks = re.findall(r"(?:datetime\.now|date\.today|datetime\.utcnow)", path.read_text(encoding="utf-8"))
        impure += [(where(path), each) for each in (*found, *clocks)]

    assert [] == impure


def test_imports_of_ours_are_relative(sources: Sources) -> None:
    """One way to write them: a room can be moved, and who is at home here is seen at once."""
    absolute = {
        (where(path), node.lineno)
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("belvo_async")
    }

    assert set() == absolute


def test_only_folders_list_what_they_offer(sources: Sources) -> None:
    """`__all__` stands in `__init__` files: a module offers what has no underscore."""
    lists = {
        where(path)
        for path, tree in sources.items()
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "__all__" for each in node.targets)
    }

    assert set() == {each for each in lists if not each.endswith("__init__.py")}


def test_no_file_repeats_its_folder() -> None:
    """A room that is outgrown becomes a folder, and a folder of more than about fifteen files becomes several."""
    folders = {path.parent for path in ROOT.rglob("*.py")}
    files = {folder: [path.stem for path in folder.glob("*.py") if path.stem != "__init__"] for folder in folders}

    assert set() == {
        where(folder / name) for folder, names in files.items() for name in names if name.startswith(f"{folder.name}_")
    }
    assert {} == {where(folder): len(names) for folder, names in files.items() if len(names) > FOLDER_FILES}


def test_a_class_name_stands_in_one_room(sources: Sources) -> None:
    """One meaning a word. The vendors' own names, of records and orders, are also the simulator's."""
    rooms_of: dict[str, set[str]] = {}
    for path, tree in sources.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                rooms_of.setdefault(node.name.lstrip("_"), set()).add(room_of(path))

    assert {} == {
        name: found for name, found in rooms_of.items() if len(found) > 1 and found != {"vendors", "simulator"}
    }


def test_modules_do_not_import_in_circles(sources: Sources) -> None:
    """Within a room as between rooms: of two modules, one is read first."""
    names = {path: ".".join(["belvo_async", *path.relative_to(ROOT).with_suffix("").parts]) for path in sources}
    modules = {name.removesuffix(".__init__"): path for path, name in names.items()}
    arrows: dict[str, set[str]] = {}
    for name, path in modules.items():
        found = set(imported(path, sources[path], at_run_time_only=True)) & set(modules) - {name}
        # `from . import x` imports the module, not what its folder offers.
        arrows[name] = {each for each in found if not any(other.startswith(f"{each}.") for other in found)}

    left = dict(arrows)
    while leaves := {name for name, found in left.items() if not found & set(left)}:
        left = {name: found for name, found in left.items() if name not in leaves}

    assert {} == {name: found & set(left) for name, found in left.items()}


def test_vendors_do_not_know_each_other(sources: Sources) -> None:
    """A third vendor is a new folder: no vendor imports another."""
    others: set[tuple[str, str]] = set()
    for path, tree in sources.items():
        parts = path.relative_to(ROOT).parts
        if parts[0] == "vendors" and len(parts) > 2:
            stranger = re.compile(rf"belvo_async\.vendors\.(?!{parts[1]}\b)\w")
            others |= {(where(path), name) for name in imported(path, tree) if stranger.match(name)}

    assert set() == others


def test_vendor_names_stand_only_in_their_rooms(sources: Sources) -> None:
    """The literals "belvo" and "syntage" stand in their vendor, the simulator, the plugin and the command line only."""
    literals = [
        f"{where(path)}:{node.lineno}"
        for path, tree in sources.items()
        if room_of(path) not in {"vendors", "simulator", "pytest_plugin", "_cli", ""}
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in {"belvo", "syntage"}
    ]

    assert [] == literals


def test_only_the_edge_speaks_http_and_retries(sources: Sources) -> None:
    """One aiohttp client and one tenacity: in `_http`. Servers: `web`, the simulator, the plugin, the CLI."""
    servers = ("web", "simulator", "pytest_plugin", "_cli")
    allowed = {"_http": {"aiohttp", "tenacity"}} | {room: {"aiohttp"} for room in servers}

    foreign = {
        (where(path), name)
        for path, tree in sources.items()
        for name in {each.split(".")[0] for each in imported(path, tree)} & {"aiohttp", "tenacity"}
        if name not in allowed.get(room_of(path), set())
    }

    assert set() == foreign


def test_files_are_read_in_one_sitting(sources: Sources) -> None:
    """Files stay under 400 lines, functions under 60. A vendor's list of names is looked up, not read."""
    lines = {where(path): path.read_text(encoding="utf-8").count("\n") for path in sources}
    lists = {where(each) for each in (ROOT / "vendors").glob("*/__init__.py")}

    assert [] == [file for file, count in lines.items() if count >= FILE_LINES and file not in lists]
    assert [] == [
        f"{where(path)}: {each.name}"
        for path, tree in sources.items()
        for each in functions(tree)
        if length(each) > FUNCTION_LINES
    ]


def test_the_usual_function_is_short(sources: Sources) -> None:
    """The median function has fewer than ten lines."""
    lengths = sorted(length(each) for tree in sources.values() for each in functions(tree))

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


def test_third_party_imports_stay_in_their_extras(sources: Sources) -> None:
    """The core needs aiohttp, msgspec and tenacity; whatever else is imported at run time belongs to an extra."""
    extras = {"rich": {"_cli"}, "pytest": {"pytest_plugin"}, "pytest_asyncio": {"pytest_plugin"}}
    extras |= {"redis": {"stores"}, "psycopg": {"stores"}, "pyarrow": {"sinks"}, "xlsxwriter": {"sinks"}}
    extras |= {"rich_argparse": {"_cli"}, "shtab": {"_cli"}, "uvloop": {"_cli"}, "opentelemetry": {"integrations"}}
    extras |= {"dlt": {"integrations"}, "duckdb": {"integrations"}, "psycopg2": {"integrations"}}
    extras |= {"procrastinate": {"engines"}, "taskiq": {"engines"}}
    for path, tree in sources.items():
        for name in {each.split(".")[0] for each in imported(path, tree, at_run_time_only=True)} & set(extras):
            assert room_of(path) in extras[name], f"{path} imports {name}"


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


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
