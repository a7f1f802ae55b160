"""The pages as a site: built without a network and without a complaint, with every page and every public name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import belvo_async
from tests.test_docs import PAGES, ROOT

LACKING = [name for name in ("sphinx", "furo", "myst_parser") if find_spec(name) is None]
# Nothing answers there: whatever would go out fails.
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def entries() -> set[Path]:
    """The files that the contents lead to, by whatever way."""
    found: set[Path] = set()
    for page in (ROOT / "docs").glob("*.rst"):
        for block in re.findall(r"^\.\. toctree::\n(.*?)(?=^\S|\Z)", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            names = re.findall(r"^   ([\w./-]+)$", block, re.MULTILINE)
            files = [(page.parent / f"{name}{end}").resolve() for name in names for end in (".md", ".rst")]
            found |= {each for each in files if each.exists()}
    return found


def test_every_page_is_in_the_contents() -> None:
    """Also those that the README leads to by itself."""
    assert set(PAGES) == {each for each in entries() if each.suffix == ".md"}


@pytest.mark.proof
@pytest.mark.skipif(bool(LACKING), reason=f"without {', '.join(LACKING)}: pip install 'belvo-async[docs]'")
def test_the_site_is_built_without_a_network(tmp_path: Path) -> None:
    """A warning fails it; what it shows comes from nowhere else; each public name is in its index."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-E", "-c", "docs", ".", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, env=os.environ | OFFLINE, capture_output=True, text=True)

    assert (0, "") == (built.returncode, built.stderr)
    pages = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    foreign = r'<(?:script|img|iframe)[^>]+src="https?:|<link[^>]+href="https?:|@import[^;]+https?:'
    assert [] == [path.name for path, text in pages.items() if re.search(foreign, text)]
    api = pages[tmp_path / "docs/api.html"]
    public = {name for name in belvo_async.__all__ if isinstance(getattr(belvo_async, name), type)}
    assert {"Session", "JobHandle", "Belvo"} < public
    assert [] == [name for name in sorted(public) if f'id="belvo_async.{name}"' not in api]
    assert (tmp_path / "docs/es/inicio-rapido.html").exists()
    assert "docs/index.html" in (tmp_path / "index.html").read_text(encoding="utf-8")
