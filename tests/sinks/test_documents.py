"""The XML and the PDF of invoices: whole or not at all, and what they claim to be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async.errors import NotFoundError, RateLimitError, SinkError, TransportError
from belvo_async.sinks import Saved, save_files
from tests.sinks.kit import ENTITY, Bill, files, key
from tests.virtual_time import EPOCH, VirtualClock

UUID = "512eebce-b11e-4edb-8260-e0ca1ba7de33"
BILL = Bill(id="b1", uuid=UUID.upper())
FOLDER = f"vendor=syntage/resource=invoice/subject={ENTITY}/files"
STAMP = f'<t:TimbreFiscalDigital xmlns:t="http://www.sat.gob.mx/TimbreFiscalDigital" UUID="{UUID.upper()}"/>'
XML = f'<?xml version="1.0"?><c:Comprobante xmlns:c="http://www.sat.gob.mx/cfd/4">{STAMP}</c:Comprobante>'.encode()
PDF = b"%PDF-1.7\n" + b"x" * 5000 + b"\n%%EOF\n"


class Source:
    """Gives what was scripted, one answer a call; the last one again and again. Exceptions come in the middle."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def __call__(self, record: Any, form: str) -> AsyncIterator[bytes]:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            yield b"%PDF-"
            raise answer
        for start in range(0, len(answer), 7):
            yield answer[start : start + 7]


async def save(room: Path, source: Source, form: Any = "xml") -> Saved:
    (saved,) = await save_files([BILL], source.__call__, room, key(), files=(form,))
    return saved


@pytest.mark.parametrize(("form", "content"), [("xml", XML), ("pdf", PDF)])
async def test_a_file_is_saved_beside_its_row(tmp_path: Path, form: str, content: bytes) -> None:
    """Under its fiscal folio; what is there already is not asked for again."""
    source = Source(content)

    saved = [await save(tmp_path, source, form), await save(tmp_path, source, form)]

    path = f"{FOLDER}/{UUID}.{form}"
    assert [Saved(uuid=UUID, form=form, path=f"{tmp_path}/{path}")] * 2 == saved  # type: ignore[arg-type]
    assert (content, 1, [path]) == ((tmp_path / path).read_bytes(), source.calls, files(tmp_path))


@pytest.mark.parametrize(
    ("form", "content", "fault"),
    [
        pytest.param("xml", b"<html>Too many requests</html>", "no CFDI", id="page"),
        pytest.param("xml", b'{"error": "x"}', "no well-formed XML", id="json"),
        pytest.param("xml", XML[:-5], "no well-formed XML", id="cut"),
        pytest.param("xml", b"", "no well-formed XML", id="empty"),
        pytest.param("xml", XML.replace(b"512EEBCE", b"612EEBCE"), "another fiscal folio", id="another"),
        pytest.param("xml", XML.replace(STAMP.encode(), b""), "another fiscal folio, or none", id="no stamp"),
        pytest.param("xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "declares a document type", id="entities"),
        pytest.param("pdf", PDF[:-8], "no whole PDF", id="pdf cut"),
        pytest.param("pdf", XML, "no whole PDF", id="xml as pdf"),
    ],
)
async def test_what_is_something_else_is_not_kept(
    tmp_path: Path, clock: VirtualClock, form: str, content: bytes, fault: str
) -> None:
    """It is asked for again, a few times, and then told."""
    source = Source(content)

    saved = await save(tmp_path, source, form)

    assert (None, 4, []) == (saved.path, source.calls, files(tmp_path))
    assert fault in str(saved.fault)
    assert timedelta(seconds=7) == clock.now() - EPOCH


async def test_what_breaks_off_is_asked_for_again(tmp_path: Path, clock: VirtualClock) -> None:
    """After the time the vendor says, where it says one."""
    wait = RateLimitError("too many", status_code=429, retry_after=timedelta(seconds=30))
    source = Source(TransportError("reset", maybe_sent=True), wait, PDF)

    saved = await save(tmp_path, source, "pdf")

    assert (None, 3) == (saved.fault, source.calls)
    assert [f"{FOLDER}/{UUID}.pdf"] == files(tmp_path)
    assert timedelta(seconds=31) == clock.now() - EPOCH


async def test_what_the_vendor_does_not_have_is_asked_for_once(tmp_path: Path) -> None:
    """A failure is told, and stops no other file."""
    source = Source(NotFoundError("no file", status_code=404), XML)
    bills = [Bill(), BILL, Bill(uuid="../../etc/passwd")]

    saved = await save_files(bills, source.__call__, tmp_path, key(), files=("pdf", "xml"), at_once=1)

    assert [None, None, None, f"{tmp_path}/{FOLDER}/{UUID}.xml", None, None] == [each.path for each in saved]
    assert "the record has no fiscal folio" == saved[0].fault
    assert "a later extraction may bring it" in str(saved[2].fault)
    assert 2 == source.calls


async def test_a_disk_that_refuses_is_an_error(tmp_path: Path) -> None:
    """It is nothing that a later attempt mends."""
    (tmp_path / "vendor=syntage").write_text("in the way")

    with pytest.raises(SinkError, match="cannot write"):
        await save(tmp_path, Source(XML))
