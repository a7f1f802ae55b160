"""The pages as a site: `sphinx-build -W -c docs . docs/_build`, which needs the extra `docs` and no network.

The source is the whole repository, so that the pages link to each other, and to programs, by the paths they have.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import belvo_async  # noqa: E402

# What is loaded when it is first used is loaded now: autodoc shows what is there.
vars(belvo_async).update({name: getattr(belvo_async, name) for name in belvo_async.__all__})

project = "belvo_async"
author = copyright = "the belvo_async authors"
release = version = belvo_async.__version__

root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/*.rst", "docs/es/*.md"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]

myst_heading_anchors = 4
html_theme = "furo"
html_title = f"belvo_async {release}"
html_copy_source = False

# Docstrings are written for `help()`: what stands in backticks is code.
default_role = "code"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 88


def setup(app: Sphinx) -> None:
    """Read docstrings as they are written."""
    app.connect("autodoc-process-docstring", show_programs)
    app.connect("build-finished", open_at_the_root)


def open_at_the_root(app: Sphinx, _: Exception | None) -> None:
    """Lead from the top of the site to the first page, which lies where the pages lie."""
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>{project}</title>\n'
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def show_programs(_: Sphinx, what: str, __: str, ___: object, ____: object, lines: list[str]) -> None:
    """Mark what is indented in the docstring of a module as a program, with the lines around it: no sign says so."""
    if what == "module":
        lines[:] = [line for paragraph in paragraphs(lines) for line in shown(paragraph)]


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Part lines by the empty ones between them."""
    for is_text, paragraph in groupby(lines, key=lambda line: bool(line.strip())):
        if is_text:
            yield list(paragraph)


def shown(paragraph: list[str]) -> list[str]:
    """A paragraph as reStructuredText."""
    is_program = any(line.startswith(" ") for line in paragraph) and not paragraph[0].startswith(("-", "*"))
    return ["::", "", *(f"   {line}" for line in paragraph), ""] if is_program else [*paragraph, ""]
