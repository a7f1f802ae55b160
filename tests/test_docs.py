"""README, CONTRIBUTING and the pages of `docs/`: links lead somewhere, code reads, the map is the house."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import belvo_async
from belvo_async import JobHandle, Results, Session
from belvo_async._cli.arguments import make_parser
from belvo_async.jobs import STATES, Status, Verdict, Way
from tests.test_house import ARROWS, CORE, ROOT as PACKAGE, room_of

ROOT = PACKAGE.parent
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
BELOW = sorted(path for folder in ("docs", "docs/es") for path in (ROOT / folder).glob("*.md"))
PAGES = [*(ROOT / name for name in TOP), *BELOW]
EVERY_PAGE = [pytest.param(each, id=str(each.relative_to(ROOT))) for each in PAGES]
# What programs on the pages call these names.
OBJECTS: Mapping[str, type[object]] = {"session": Session, "job": JobHandle, "results": Results}


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """Where a page leads, but for addresses."""
    targets = re.findall(r"\]\(([^()\s]+)\)", prose(page))
    return [each for each in targets if not re.match(r"https?:", each)]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings in links: small letters, blanks as hyphens, no other signs."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def programs(page: Path) -> Iterator[ast.Module]:
    """The page's Python, as it would stand in a coroutine."""
    for block in blocks(page, "python"):
        yield ast.parse("async def shown():\n" + textwrap.indent(block, "    "), str(page))


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each is relative, and leads to a file of the project and to a heading that it has."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert not path.startswith("/"), link
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    """A page nobody finds is none."""
    index = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}

    assert [] == [page.name for page in PAGES if page not in index and page.name != "README.md"]


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_program_can_be_read(page: Path) -> None:
    """Its Python is Python, also where it is only a part of a program."""
    assert len(blocks(page, "python")) == len(list(programs(page)))


@pytest.mark.parametrize("page", [each for each in EVERY_PAGE if each.id != "CONTRIBUTING.md"])
def test_what_is_asked_of_a_session_and_a_job_is_there(page: Path) -> None:
    """`session.`, `job.` and `results.` are followed by what these have, in programs and in sentences."""
    code = [*blocks(page, "python"), *re.findall(r"`[^`\n]+`", prose(page))]

    asked = {each for text in code for each in re.findall(r"(?<![\w.])(session|job|results)\.([a-z]\w*)", text)}

    assert set() == {(name, what) for name, what in asked if not hasattr(OBJECTS[name], what)}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_public_name_exists(page: Path) -> None:
    """Names in tables and programs can be imported; what is given to them by keyword is a field of theirs."""
    modules = {"belvo": belvo_async.belvo, "syntage": belvo_async.syntage}

    names: set[tuple[str, str]] = set(re.findall(r"\b(belvo|syntage)\.([A-Z]\w+)", page.read_text(encoding="utf-8")))

    assert set() == {(module, name) for module, name in names if not hasattr(modules[module], name)}
    for tree in programs(page):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            kind = public(call.func, modules)
            fields = set(getattr(kind, "__struct_fields__", ()))
            given = {each.arg for each in call.keywords if each.arg}
            assert not fields or given <= fields, ast.unparse(call)


def public(called: ast.expr, modules: Mapping[str, Any]) -> object:
    """What `belvo.Name` or `syntage.Name` stands for."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in modules:
        return getattr(modules[called.value.id], called.attr)
    return None


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_command_can_be_typed(page: Path) -> None:
    """Each `belvo-async ...` in a block for the shell is one that the command line takes."""
    parser = make_parser()
    for line in "".join(blocks(page, "sh")).splitlines():
        command = re.split(r"\s+(?:#|\||&&?|>)(?:\s|$)", line.split("&& ")[-1])[0].removeprefix(".venv/bin/")
        if command.startswith("belvo-async"):
            parser.parse_args(shlex.split(command)[1:])


def rooms() -> dict[str, tuple[str, str]]:
    """The table of rooms: of each, as the house test calls it, its floor and the cell of its arrows."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("<!-- rooms -->")[1].split("<!-- /rooms -->")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| .+ \| (.+) \|$", table, re.MULTILINE)
    assert [] == [
        name for name, _, _ in rows if not (PACKAGE / name).exists() or (PACKAGE / name).is_dir() != (name[-1] == "/")
    ]
    return {room_of(PACKAGE / name): (floor, arrows) for name, floor, arrows in rows}


def test_the_map_shows_every_room_and_no_other() -> None:
    """The rooms of the architecture are those that are there."""
    assert {room_of(path) for path in PACKAGE.rglob("*.py")} == set(rooms())


def test_the_map_shows_the_arrows_of_the_house() -> None:
    """Who may import whom stands the same on the map and in the house test."""
    drawn = {
        room: {room_of(PACKAGE / each) for each in re.findall(r"`([^`]+)`", arrows)}
        | (CORE if "core" in arrows else set())
        for room, (_, arrows) in rooms().items()
    }

    assert ARROWS == drawn
    assert CORE == {room for room, (floor, _) in rooms().items() if floor == "core"}


def test_the_words_of_the_core_are_on_the_map() -> None:
    """Each status, state, way and verdict stands in the table of words."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`(\w+)`", text.split("## The words")[1].split("## The rooms")[0]))

    assert {*Status, *STATES, *Way, *Verdict} <= words
