"""The XML and the PDF of invoices, as files beside their rows: whole or not at all, and what they claim to be."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias
from xml.parsers import expat

import msgspec

from ..abc import PartKey
from ..discreet import discreet
from ..errors import (
    IncompleteResultError,
    NotFoundError,
    PayloadError,
    RateLimitError,
    SinkError,
    TransportError,
    VendorError,
)
from .layout import folder_of
from .part import cannot_write
from .part_file import PartFile
from .small_letters import is_uuid

Form: TypeAlias = Literal["xml", "pdf"]

# `session.download` has its own retries; these are for what came and is no invoice, and for what is not ready yet.
_ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file. `path` is where it is; None with the `fault` in one sentence, and the file is absent."""

    uuid: str
    form: Form
    path: str | None = None
    fault: str | None = None


class Opener(Protocol):
    """Gives the bytes of a record's file, anew on every call, as `session.download(...)` does."""

    def __call__(self, record: Any, form: Form) -> AsyncIterable[bytes]: ...


@discreet
async def save_files(
    records: Sequence[Any],
    opener: Opener,
    directory: str | os.PathLike[str],
    key: PartKey,
    *,
    files: Sequence[Form] = ("xml", "pdf"),
    at_once: int = 4,
) -> tuple[Saved, ...]:
    """Save the files of some invoices as `<uuid>.xml` and `<uuid>.pdf`, in `files/` of their subject's folder.

    `opener(record, form)` gives the bytes: `lambda invoice, form: session.download(syntage.Cfdi(invoice.id, form))`.
    What is there already is not fetched again. Each file is checked before it gets its name: the XML is a CFDI whose
    fiscal folio is the record's, the PDF begins and ends as one. What breaks off or is something else, or is refused as
    too often, is asked for four times; what the vendor does not have, once. A failure is told in its `Saved` and stops
    no other file; SinkError is raised when files cannot be written. Give it a batch at a time: `results.batches()`.
    """
    folder = Path(directory) / folder_of(key) / "files"
    lanes = asyncio.Semaphore(at_once)
    wanted: list[tuple[Any, Form]] = [(each, form) for each in records for form in files]

    async def save(record: Any, form: Form) -> Saved:
        async with lanes:
            return await _save(record, form, opener, folder, Path(directory))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(save(record, form)) for record, form in wanted]
    except* SinkError as several:
        raise next(each for each in several.exceptions if isinstance(each, SinkError)) from None
    return tuple(each.result() for each in tasks)


def _folio(record: Any) -> str | None:
    """The fiscal folio, by either vendor's name of it."""
    found = getattr(record, "uuid", None) or getattr(record, "invoice_identification", None)
    # It becomes a file's name: nothing but a UUID is let in.
    return found.lower() if isinstance(found, str) and is_uuid(found) else None


async def _save(record: Any, form: Form, opener: Opener, folder: Path, root: Path) -> Saved:
    uuid = _folio(record)
    if uuid is None:
        return Saved(uuid="", form=form, fault="the record has no fiscal folio")
    place = folder / f"{uuid}.{form}"
    if await asyncio.to_thread(place.is_file):
        return Saved(uuid=uuid, form=form, path=str(place))
    fault = ""
    pause = _FIRST_PAUSE_SECONDS
    for attempt in range(_ATTEMPTS):
        try:
            await _fetch(opener(record, form), place, root, _CHECKS[form](uuid))
            return Saved(uuid=uuid, form=form, path=str(place))
        except NotFoundError:
            return Saved(uuid=uuid, form=form, fault="the vendor does not have it; a later extraction may bring it")
        except (_NoInvoiceError, TransportError, IncompleteResultError, PayloadError, RateLimitError) as error:
            fault = str(error)
            told = getattr(error, "retry_after", None)
            wait = pause if told is None else told.total_seconds()
        except VendorError as error:
            return Saved(uuid=uuid, form=form, fault=str(error))
        if attempt < _ATTEMPTS - 1:
            await asyncio.sleep(min(wait, _LONGEST_PAUSE_SECONDS))
            pause *= 2
    return Saved(uuid=uuid, form=form, fault=fault)


async def _fetch(chunks: AsyncIterable[bytes], place: Path, root: Path, check: _Check) -> None:
    try:
        file = await asyncio.to_thread(PartFile, place, root)
        try:
            async for chunk in chunks:
                check.take(chunk)
                await asyncio.to_thread(file.write, chunk)
            check.end()
            await asyncio.to_thread(file.rename)
        finally:
            file.drop()
    except OSError as error:
        raise cannot_write(error, str(place)) from error


class _NoInvoiceError(Exception):
    """What came is not what was asked for. The message holds nothing of it."""


class _Check(Protocol):
    def take(self, chunk: bytes) -> None: ...
    def end(self) -> None: ...


class _Xml:
    """A CFDI: its root is a Comprobante, and its stamp bears the folio."""

    def __init__(self, uuid: str) -> None:
        self._uuid = uuid
        self._depth = 0
        self._found: str | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse

    def take(self, chunk: bytes) -> None:
        self._parse(chunk, is_last=False)

    def end(self) -> None:
        self._parse(b"", is_last=True)
        if (self._found or "").lower() != self._uuid:
            raise _NoInvoiceError("the XML that came bears another fiscal folio, or none")

    def _parse(self, chunk: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError:
            raise _NoInvoiceError("what came is no well-formed XML") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        space, _, word = name.rpartition(" ")
        if self._depth == 1 and (word != "Comprobante" or not space.startswith("http://www.sat.gob.mx/cfd/")):
            raise _NoInvoiceError("the XML that came is no CFDI")
        if word == "TimbreFiscalDigital":
            self._found = attributes.get("UUID")

    def _refuse(self, *declared: object) -> None:
        raise _NoInvoiceError("the XML that came declares a document type, which no CFDI does")


# Writers put no more than blanks, or a few signatures' worth of padding, behind the mark of the end.
_TAIL_BYTES: Final = 1024


class _Pdf:
    """Begins with `%PDF-` and ends with `%%EOF`: whole, as far as a look tells."""

    def __init__(self, uuid: str) -> None:
        self._head = b""
        self._tail = b""

    def take(self, chunk: bytes) -> None:
        self._head = (self._head + chunk)[:5] if len(self._head) < 5 else self._head
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:]

    def end(self) -> None:
        if self._head != b"%PDF-" or b"%%EOF" not in self._tail:
            raise _NoInvoiceError("what came is no whole PDF")


_CHECKS: Final[Mapping[Form, Callable[[str], _Check]]] = {"xml": _Xml, "pdf": _Pdf}
