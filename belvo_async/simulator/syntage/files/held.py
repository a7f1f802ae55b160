"""Files Syntage holds: metadata, content made when it is asked for, and small writers of PDF and ZIP."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from ...wire import JsonObject
from ..rows.invoices import Entity, dashed, stamp
from ..webhooks import SyntageEvents

MIME_TYPES: Mapping[str, str] = {
    "xml": "text/xml",
    "html": "text/html",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "cer": "application/pkix-cert",
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "bin": "application/octet-stream",
}
CHUNK_BYTES: Final = 64 * 1024
_VERSION_8: Final = 8 << 76 | 2 << 62  # the UUID version for ids made from a hash of one's own
_FREE_BITS: Final = ~(0xF << 76 | 0x3 << 62)


@dataclass(kw_only=True)
class HeldFile:
    """One file. Its bytes are made on demand; `padding` instead repeats one block up to that many bytes."""

    id: str
    type: str
    resource: str
    extension: str
    filename: str = field(repr=False)  # some of the SAT carry the RFC
    created_at: datetime
    make: Callable[[], bytes] = field(repr=False)
    padding: int | None = None
    _size: int | None = field(default=None, repr=False)

    @property
    def iri(self) -> str:
        """The path that names the file."""
        return f"/files/{self.id}"

    @property
    def mime_type(self) -> str:
        """What the content is."""
        return MIME_TYPES[self.extension]

    @property
    def size(self) -> int:
        """How many bytes a download gives."""
        if self._size is None:
            self._size = len(self.make()) if self.padding is None else self.padding
        return self._size

    def chunks(self) -> Iterator[bytes]:
        """Give the content piece by piece: exactly `size` bytes."""
        if self.padding is None:
            content = self.make()
            yield from (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))
            return
        block = (self.make() * (CHUNK_BYTES // max(1, len(self.make())) + 1))[:CHUNK_BYTES]
        for start in range(0, self.padding, CHUNK_BYTES):
            yield block[: min(CHUNK_BYTES, self.padding - start)]

    def row(self) -> JsonObject:
        """Give the metadata as Syntage shows it."""
        return {
            "@id": self.iri,
            "@type": "File",
            "id": self.id,
            "type": self.type,
            "resource": self.resource,
            "mimeType": self.mime_type,
            "extension": self.extension,
            "size": self.size,
            "filename": self.filename,
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.created_at),
        }


class Files:
    """Every file held, by id and by the resource it belongs to; each new one is announced as `file.created`."""

    def __init__(self, events: SyntageEvents, now: Callable[[], datetime]) -> None:
        self._events = events
        self._now = now
        self._files: dict[str, HeldFile] = {}
        self._of: dict[str, list[HeldFile]] = {}
        self._of_entity: dict[str, list[HeldFile]] = {}

    def hold(
        self,
        type: str,
        resource: str,
        make: Callable[[], bytes],
        *,
        extension: str,
        name: str | None = None,
        owner: Entity | None = None,
        source: str | None = None,
        padding: int | None = None,
    ) -> HeldFile:
        """Keep a file of a resource; one held already (same resource, type and name) is given as it is."""
        digest = sha256(f"{resource}:{type}:{name}".encode()).digest()
        number = dashed(int.from_bytes(digest[:16], "big") & _FREE_BITS | _VERSION_8)
        known = self._files.get(number)
        if known is not None:
            return known
        file = HeldFile(
            id=number,
            type=type,
            resource=resource,
            extension=extension,
            filename=name or f"{resource.rpartition('/')[2]}.{extension}",
            created_at=self._now(),
            make=make,
            padding=padding,
        )
        self._files[number] = file
        self._of.setdefault(resource, []).append(file)
        if owner is not None:
            self._of_entity.setdefault(owner.id, []).append(file)
        self._events.emit("file.created", owner, file.iri, file.row, source=source)
        return file

    def find(self, number: str) -> HeldFile | None:
        """Give a file by its id."""
        return self._files.get(number)

    def drop(self, entity: str) -> None:
        """Forget all files of an entity."""
        for file in self._of_entity.pop(entity, ()):
            del self._files[file.id]
            self._of.pop(file.resource, None)

    def of(self, resource: str, types: Sequence[str]) -> list[HeldFile]:
        """Give the files of a resource that are of one of these types."""
        return [file for file in self._of.get(resource, ()) if file.type in types]


def pdf_of(lines: Sequence[str]) -> bytes:
    """Give one page with these lines as a small PDF that readers open."""
    shown = b"".join(b"(" + _escaped(line) + b") Tj T* " for line in lines)
    stream = b"BT /F1 10 Tf 14 TL 50 790 Td " + shown + b"ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body = b"%PDF-1.4\n"
    table = b"0000000000 65535 f \n"
    for number, one in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n" % (len(objects) + 1) + table + trailer


def _escaped(line: str) -> bytes:
    text = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return text.encode("cp1252", "replace")


def zip_of(entries: Mapping[str, bytes]) -> bytes:
    """Give an archive; always the same bytes for the same entries."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
