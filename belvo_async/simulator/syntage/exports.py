"""Exports: the other kind of job. pending, running, then a file or a failure; no stop and no list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from ..faults import Dice
from ..origin import Timers
from ..wire import Json, JsonObject
from .files.held import Files, HeldFile, pdf_of, zip_of
from .files.tables import WRITERS
from .options import Problem
from .rows.invoices import Entity, OrderedIds, stamp
from .webhooks import Deliveries, SyntageEvents

ExportOutcome = Literal["finished", "failed", "stuck"]
FORMATS: Final = (*WRITERS, "pdf")
FILE_TYPES: Final = ("invoice.cfdi.xml", "invoice.cfdi.pdf", "tax_return.transcript", "tax_return.ack_receipt",
              "tax_return.payment_receipt")  # fmt: skip
# How long exports take is not documented.
QUEUE_SECONDS, RUN_SECONDS = (1.0, 3.0), (5.0, 30.0)
_CHOICE, _BLANK = "The value you selected is not a valid choice.", "This value should not be blank."


@dataclass(frozen=True, kw_only=True)
class ExportScript:
    """What a coming export is to do; `size_bytes` makes its file at least that long."""

    outcome: ExportOutcome = "finished"
    duration: timedelta | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """What an export's `uri` names: whose it is, and its rows. A report has no rows."""

    owner: Entity | None
    rows: Callable[[], list[JsonObject]] | None


@dataclass(kw_only=True)
class Export:
    """One export."""

    id: str
    format: str
    file_types: list[str]
    uri: str
    source: Source
    script: ExportScript
    duration: timedelta
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    file: HeldFile | None = None

    @property
    def iri(self) -> str:
        """The path that names the export."""
        return f"/exports/{self.id}"

    def row(self) -> JsonObject:
        """Give the export as Syntage shows it."""
        types: list[Json] = [*self.file_types]
        return {
            "@id": self.iri,
            "@type": "Export",
            "id": self.id,
            "file": self.file.row() if self.file else None,
            "format": self.format,
            **({"fileTypes": types} if types else {}),
            "status": self.status,
            "uri": self.uri,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.updated_at),
        }


@dataclass(kw_only=True)
class Exports:
    """All exports; `resolve` says what a uri names (None: nothing that can be exported)."""

    timers: Timers
    events: SyntageEvents
    files: Files
    dice: Dice
    now: Callable[[], datetime]
    resolve: Callable[[str], Source | None]
    scripts: list[ExportScript] = field(default_factory=list[ExportScript])
    all: dict[str, Export] = field(default_factory=dict[str, Export])

    def __post_init__(self) -> None:
        self._ids = OrderedIds(self.dice.stream("export_ids"), self.now)

    def submit(self, body: JsonObject) -> Export | list[Problem]:
        """Take an export in, still pending. Gives what is wrong with the body instead."""
        uri, kind = str(body.get("uri") or ""), str(body.get("format") or "")
        source = self.resolve(uri)
        problems = _check(body, kind, uri, source)
        if problems or source is None:
            return problems
        now, script = self.now(), self.scripts.pop(0) if self.scripts else ExportScript()
        drawn = timedelta(seconds=self.dice.stream("export_durations").uniform(*RUN_SECONDS))
        types = body.get("fileTypes")
        export = Export(
            id=self._ids(),
            format=kind,
            file_types=[str(one) for one in types] if isinstance(types, list) else [],
            uri=uri,
            source=source,
            script=script,
            duration=drawn if script.duration is None else script.duration,
            created_at=now,
            updated_at=now,
        )
        self.all[export.id] = export
        return export

    def begin(self, export: Export) -> Deliveries:
        """Announce and queue it; the rest happens by itself."""
        started = self._tell("export.created", export, {})
        self.timers.after(self.dice.stream("export_queueing").uniform(*QUEUE_SECONDS), lambda: self._run(export))
        return started

    def rush(self, export: Export) -> Deliveries:
        """Bring it to its end at once, with all its events."""
        return [*self._run(export), *self._end(export)]

    def drop(self, entity: Entity) -> None:
        """Forget the exports of an entity: what still runs ends unannounced."""
        for export in [one for one in self.all.values() if one.source.owner is entity]:
            del self.all[export.id]
            export.status = "dropped"

    def _run(self, export: Export) -> Deliveries:
        if export.status != "pending":
            return []
        started = self._change(export, "running")
        if export.script.outcome != "stuck":
            self.timers.after(export.duration.total_seconds(), lambda: self._end(export))
        return started

    def _end(self, export: Export) -> Deliveries:
        if export.status != "running":
            return []
        if export.script.outcome == "failed":
            return self._change(export, "failed")
        export.file = self._write(export)
        return self._change(export, "finished")

    def _write(self, export: Export) -> HeldFile:
        rows = export.source.rows() if export.source.rows else []
        content = WRITERS[export.format](rows) if export.source.rows else pdf_of(("Report", export.uri))
        extension = export.format
        if export.file_types:
            content = zip_of({f"{export.id}.{extension}": content, **self._attached(rows, export.file_types)})
            extension = "zip"
        size = export.script.size_bytes
        return self.files.hold(
            "Export",
            export.iri,
            lambda: content,
            extension=extension,
            name=f"{export.id}.{extension}",
            owner=export.source.owner,
            padding=size if size is not None and size > len(content) else None,
        )

    def _attached(self, rows: Sequence[JsonObject], types: Sequence[str]) -> dict[str, bytes]:
        files = [file for row in rows for file in self.files.of(str(row["@id"]), types)]
        return {f"{file.type}/{file.filename}": b"".join(file.chunks()) for file in files}

    def _change(self, export: Export, status: str) -> Deliveries:
        old, export.status, export.updated_at = export.status, status, self.now()
        return self._tell("export.updated", export, {"status": {"old": old, "new": status}})

    def _tell(self, kind: str, export: Export, changes: JsonObject) -> Deliveries:
        row = export.row()
        # Updates come without `taxpayer` (observed on some): receivers must not insist on one.
        owner = export.source.owner if kind == "export.created" else None
        return self.events.emit(kind, owner, export.iri, lambda: row, changes=changes)


def _check(body: JsonObject, kind: str, uri: str, source: Source | None) -> list[Problem]:
    problems: list[Problem] = []
    if kind not in FORMATS:
        problems.append(("format", _CHOICE if kind else _BLANK))
    types = body.get("fileTypes")
    if types is not None and (not isinstance(types, list) or not types or any(one not in FILE_TYPES for one in types)):
        problems.append(("fileTypes", "One or more of the given values is invalid."))
    if source is None:
        problems.append(("uri", "This value is not a supported collection." if uri else _BLANK))
    elif (source.rows is None) != (kind == "pdf") and kind in FORMATS:
        problems.append(("format", "Use pdf for reports, and only for reports."))
    return problems
