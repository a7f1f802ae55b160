"""The documents of records (the XML and PDF of an invoice), saved beside the rows."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...abc import Download, PartKey, PlanRules, Sink
from ...errors import ConfigurationError, NotFoundError, TaskError

if TYPE_CHECKING:
    from ...sinks.documents import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Which documents of a plan's records are saved, where, and how they are had."""

    forms: tuple[str, ...]
    folder: Path
    rules: PlanRules
    download: Callable[[Download], AsyncIterable[bytes]]

    async def save(self, rows: Sequence[Any], key: PartKey) -> int:
        """Save the documents of some rows; how many could not be. What is there already is not asked for again."""
        from ...sinks import save_files

        forms = cast("Sequence[Form]", self.forms)
        saved = await save_files(rows, self._open, self.folder, key, files=forms)
        return sum(each.fault is not None for each in saved)

    def _open(self, record: Any, form: str) -> AsyncIterable[bytes]:
        found = self.rules.file_of(record, form)
        if found is None:
            raise NotFoundError("the record has no such document", status_code=404, code="not_found")
        return _whole(found) if isinstance(found, bytes) else self.download(found)


async def _whole(document: bytes) -> AsyncIterator[bytes]:
    yield document


def choose_documents(
    forms: Sequence[str], rules: PlanRules, sink: Sink, download: Callable[[Download], AsyncIterable[bytes]]
) -> Documents | None:
    """What is saved beside the rows; None for nothing. Raises TaskError and ConfigurationError for what cannot be."""
    if not forms:
        return None
    if isinstance(forms, str) or any(each not in rules.files for each in forms):
        known = ", ".join(rules.files) or "none: its records have no documents"
        raise TaskError(f"files must be some of {known}", field="files")
    root = getattr(sink, "root", None)
    if not isinstance(root, Path):
        raise ConfigurationError("documents are saved beside the rows: that takes a sink that writes into a folder")
    return Documents(forms=tuple(dict.fromkeys(forms)), folder=root, rules=rules, download=download)
