"""One run as a file: its rows, and where, when and on what they were measured. Charts and pages are made from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from table import Middle, Row

HERE = Path(__file__).parent
COMMITTED = HERE / "results.json"


@dataclass(frozen=True, kw_only=True)
class Results:
    """A run. `machine` in words; `is_busy`: some of it was measured while somebody else was at work."""

    measured_on: str
    commit: str
    python: str
    machine: str
    cores: int
    size: str
    is_busy: bool
    rows: tuple[Row, ...]


def of_run(rows: Sequence[Row], size: str) -> Results:
    """What has been measured now, here."""
    return Results(
        measured_on=datetime.now(UTC).date().isoformat(),
        commit=commit(),
        python=sys.version.split()[0],
        machine=f"{platform.system()} {platform.machine()}",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        size=size,
        is_busy=any(row.is_rough for row in rows),
        rows=tuple(rows),
    )


def commit() -> str:
    """What was measured; a sign behind it where files differ from it. Nothing outside a repository."""
    told = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")]
    return f"{told[0]}+" if told[1] else told[0]


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def write_results(path: Path, results: Results) -> None:
    document = {field.name: getattr(results, field.name) for field in dataclasses.fields(results)}
    document["rows"] = [document_of(row) for row in results.rows]
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_results(path: Path = COMMITTED) -> Results:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Results(**document | {"rows": tuple(map(row_of, document["rows"]))})


def document_of(row: Row) -> dict[str, Any]:
    """A row without what it does not have; the rounds of its ratio beside it."""
    found = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    given = {field.name: field.default for field in dataclasses.fields(row)}
    rounds = {"rounds": [round(each, 6) for each in row.ratio.rounds]} if isinstance(row.ratio, Middle) else {}
    return {name: each for name, each in found.items() if each != given[name]} | rounds


def row_of(document: dict[str, Any]) -> Row:
    rounds = document.pop("rounds", None)
    return Row(**document | ({"ratio": Middle(rounds)} if rounds else {}))


def digest(path: Path = COMMITTED) -> str:
    """By which a picture tells what it was drawn from."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
