"""Both vendors stand on one plan, and what one of them has is named once."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from belvo_async import Belvo, Syntage, belvo, syntage
from belvo_async.abc import Call, Download, Query, answer_of

EVERY_PACKAGE = [pytest.param(each, id=each.__name__.rpartition(".")[2]) for each in (belvo, syntage)]
DIALECTS = {belvo: Belvo("an-id", "a-password"), syntage: Syntage("key-of-nobody")}
# What queries, calls and files are made of, and nobody asks for by itself.
BASES = {"ListQuery", "OfLink", "Retrieval", "OfEntity", "OfObject", "Get", "Delete", "OneRequest", "OneFile"}
BASES |= {"Insight", "PeriodInsight", "SeriesInsight", "InsightList", "InsightFile"}


# The plan: after what `Vendor` asks, and what a dialect is made of. A third vendor has these files, and maybe more.
PLAN = {
    *("__init__", "dialect", "settings", "errors"),
    *("start", "poll", "find", "webhooks"),
    *("results", "lists", "pages", "calls"),
}


def schema_of(package: ModuleType) -> list[ModuleType]:
    schema = importlib.import_module(f"{package.__name__}.schema")
    return [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(schema.__path__, f"{schema.__name__}.")
    ]


@pytest.mark.parametrize("package", EVERY_PACKAGE)
def test_every_vendor_stands_on_the_plan(package: ModuleType) -> None:
    """Who knows one vendor finds the same subject under the same name in another."""
    folder = Path(package.__path__[0])

    assert set() == PLAN - {each.stem for each in folder.glob("*.py")}
    assert (folder / "schema").is_dir()


@pytest.mark.parametrize("package", EVERY_PACKAGE)
def test_the_catalogue_is_what_is_public(package: ModuleType) -> None:
    """Each query, call and file that is written is one line of the package's list, and so in the dialect."""
    written = {
        each
        for module in schema_of(package)
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, Query | Call | Download) and each.__module__ == module.__name__
        if not name.startswith("_") and name not in BASES
    }

    vendor: Any = DIALECTS[package]

    assert written == {*vendor.queries, *vendor.calls, *vendor.downloads}
    assert all(answer_of(each) is not None for each in (*vendor.queries, *vendor.calls))


@pytest.mark.parametrize("package", EVERY_PACKAGE)
def test_names_stand_in_one_list(package: ModuleType) -> None:
    """The rooms import from where a name is defined; nothing passes names on but the package itself."""
    for path in (Path(package.__path__[0]) / "schema").rglob("__init__.py"):
        assert 1 == len(ast.parse(path.read_text(encoding="utf-8")).body), path
