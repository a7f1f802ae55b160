"""A part is whole or absent, whatever happens while it is written."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async.errors import ConfigurationError, SinkError
from belvo_async.sinks import CsvSink, ExcelSink, NdjsonSink, ParquetSink, PartKey, Receipt, recount
from belvo_async.sinks.folder import FolderSink
from tests.sinks.kit import BILLS, ENTITY, NOW, Bill, Line, files, key, write

ROOT = Path(__file__).parents[2]
KINDS = (NdjsonSink, CsvSink, ParquetSink, ExcelSink)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
PART = f"vendor=syntage/resource=invoice/subject={ENTITY}/2025-01-01_2025-12-31_issued_job"


@contextmanager
def writing(kind: str, room: Path, job: str = "a", rows: int = 5000, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun a part, and waits."""
    command = [sys.executable, "-m", "tests.sinks.writer", kind, str(room), job, str(rows), *more]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return said(process)


@EVERY_KIND
async def test_a_part_is_there_when_it_is_committed(kind: type[FolderSink], tmp_path: Path) -> None:
    """Under its own name and no other; the receipt says what it is, and goes to JSON and back."""
    sink = kind(tmp_path)

    receipt = await write(sink, BILLS, key("job"))

    assert [f"{PART}{kind.suffix}"] == files(tmp_path) == [receipt.part]
    assert (3, "job", sink.name) == (receipt.rows, receipt.job, receipt.sink)
    assert (tmp_path / receipt.part).stat().st_size == receipt.size_bytes
    assert receipt == msgspec.json.decode(msgspec.json.encode(receipt), type=Receipt)
    assert await sink.holds(receipt)
    assert not await kind(tmp_path / "other").holds(receipt)


@EVERY_KIND
async def test_a_part_without_rows_is_there_too(kind: type[FolderSink], tmp_path: Path) -> None:
    """That a job brought nothing is worth knowing."""
    receipt = await write(kind(tmp_path), ())

    assert (0, "0" * 32) == (receipt.rows, receipt.ids)
    assert [receipt.part] == files(tmp_path)


@EVERY_KIND
async def test_a_part_that_is_left_is_absent(kind: type[FolderSink], tmp_path: Path) -> None:
    """By an error as without one; what was committed before stays."""
    before = await write(kind(tmp_path), BILLS)

    async with kind(tmp_path).part(key()) as part:
        await part.write([Bill(id=str(number)) for number in range(3000)])
    with suppress(ZeroDivisionError):
        async with kind(tmp_path).part(key()) as part:
            await part.write(BILLS)
            raise ZeroDivisionError

    assert [before.part] == files(tmp_path)
    assert await kind(tmp_path).holds(before)


@EVERY_KIND
async def test_a_repeated_job_replaces_its_part(kind: type[FolderSink], tmp_path: Path) -> None:
    """The folder holds each job once; a receipt of what was there before is told from the new one."""
    sink = kind(tmp_path)
    before = await write(sink, BILLS)

    after = await write(sink, [Bill(id=str(number), note="x" * number) for number in range(50)])

    assert before.part == after.part
    assert [after.part] == files(tmp_path)
    assert (False, True) == (await sink.holds(before), await sink.holds(after))


async def test_a_part_that_is_cancelled_is_absent(tmp_path: Path) -> None:
    """Also while it hands a piece to the disk."""

    async def endless() -> None:
        async with NdjsonSink(tmp_path).part(key()) as part:
            begun.set()
            while True:
                await part.write([Bill(note="x" * 10_000)] * 500)

    begun = asyncio.Event()
    task = asyncio.create_task(endless())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert [] == files(tmp_path)


@pytest.mark.proof
@EVERY_KIND
async def test_a_killed_process_leaves_no_part(kind: type[FolderSink], tmp_path: Path) -> None:
    """What it leaves under a temporary name goes with the next `begin`; what a living one writes does not."""
    with writing(kind.kind, tmp_path) as process:
        assert "written" == said(process)
        await kind(tmp_path).begin()
        living = files(tmp_path)
        process.kill()
        process.wait()
    left = files(tmp_path)

    await kind(tmp_path).begin()

    assert living
    assert all(Path(each).name.startswith(".") or "/." in each for each in living)
    assert left
    assert [] == files(tmp_path)


@pytest.mark.proof
@EVERY_KIND
async def test_a_full_disk_leaves_no_part(kind: type[FolderSink], tmp_path: Path) -> None:
    """The error names the file and what to do, and the same part is written when there is room."""
    limit = str(300_000)
    with writing(kind.kind, tmp_path, "a", 5000, "--file-bytes", limit) as process:
        first = said(process)
        told = go_on(process) if first == "written" else first

    assert told.startswith(f"SinkError: cannot write {tmp_path}/{PART}{kind.suffix}: File too large; mend that")
    assert [] == files(tmp_path)
    receipt = await write(kind(tmp_path), BILLS, key("a"))
    assert [receipt.part] == files(tmp_path)


async def test_a_disk_that_fails_meanwhile_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are brought to the disk while more are written: what it could not take then is not passed over."""

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("belvo_async.sinks.part_file._flush", fail)

    with pytest.raises(SinkError, match="Input/output error; mend that"):
        await write(NdjsonSink(tmp_path), [Bill(note="x" * 100_000)] * 400)

    assert [] == files(tmp_path)


async def test_folders_that_are_not_durable_leave_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are flushed while rows are encoded; what that cannot do is raised by `commit`, for a name could be lost."""

    def fail(folders: list[Path]) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("belvo_async.sinks.part_file._sync_folders", fail)

    with pytest.raises(SinkError, match="Input/output error"):
        await write(NdjsonSink(tmp_path), BILLS)

    assert [] == files(tmp_path)


@pytest.mark.proof
async def test_a_part_of_many_pieces_is_whole(tmp_path: Path) -> None:
    """One piece is filled while another is written; pieces differ in size, and a row may be larger than a piece."""
    notes = [str(number) * size for number, size in enumerate([1_000, 9_000_000, 10, 3_000_000, 70_000] * 4)]

    async with NdjsonSink(tmp_path).part(key()) as part:
        for note in notes:
            await part.write([Bill(note=note)])
        receipt = await part.commit(now=NOW)

    lines = (tmp_path / receipt.part).read_bytes().splitlines()
    assert notes == [msgspec.json.decode(line)["note"] for line in lines]
    assert None is recount([receipt], [tmp_path]).fault


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write here")
def test_a_directory_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    """Before anything is paid for."""
    with writing("ndjson", tmp_path / "out", "a", 1, "--as-nobody") as process:
        told = said(process)

    assert f"ConfigurationError: cannot write to {tmp_path}/out: Permission denied; nothing was fired" in told


async def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """Nor is one made below a file."""
    (tmp_path / "out").write_text("mine")

    with pytest.raises(ConfigurationError, match="out is a file"):
        await NdjsonSink(tmp_path / "out").begin()
    with pytest.raises(ConfigurationError, match="Not a directory"):
        await NdjsonSink(tmp_path / "out" / "below").begin()

    assert "mine" == (tmp_path / "out").read_text()


def test_two_processes_may_write_the_same_part(tmp_path: Path) -> None:
    """Each under a name of its own: the last commit stands, whole."""
    with writing("ndjson", tmp_path, "a") as one, writing("ndjson", tmp_path, "b") as other:
        assert ["written"] * 2 == [said(one), said(other)]
        receipts = [msgspec.json.decode(go_on(each), type=Receipt) for each in (one, other)]

    assert [receipts[1].part] == files(tmp_path)
    assert receipts[0].digest != receipts[1].digest
    ids = [msgspec.json.decode(line)["id"] for line in (tmp_path / receipts[1].part).read_bytes().splitlines()]
    assert [f"b-{number}" for number in range(5000)] == ids


@EVERY_KIND
@pytest.mark.parametrize("ends_whole", [True, False], ids=["committed", "given up"])
async def test_a_part_is_closed_before_it_moves_where_open_files_stay(
    kind: type[FolderSink], ends_whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: no open file is renamed or removed there, and there is no `fcntl`."""
    opened: dict[int, str] = {}
    genuine = {name: getattr(os, name) for name in ("open", "close", "replace", "unlink")}

    def open_file(path: str | Path, *rest: Any, **options: Any) -> int:
        fd: int = genuine["open"](path, *rest, **options)
        opened[fd] = str(path)
        return fd

    def close(fd: int) -> None:
        opened.pop(fd, None)
        genuine["close"](fd)

    def move(name: str) -> Callable[..., None]:
        def moved(path: str | Path, *rest: Any, **options: Any) -> None:
            if str(path) in opened.values():
                raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
            genuine[name](path, *rest, **options)

        return moved

    monkeypatch.setattr("belvo_async.sinks.part_file.fcntl", None)
    for name, stub in {"open": open_file, "close": close, "replace": move("replace"), "unlink": move("unlink")}.items():
        monkeypatch.setattr(f"belvo_async.sinks.part_file.os.{name}", stub)

    async with kind(tmp_path).part(key("job")) as part:
        await part.write(BILLS)
        if ends_whole:
            await part.commit(now=NOW)

    assert ([f"{PART}{kind.suffix}"] if ends_whole else []) == files(tmp_path)


async def test_rows_of_another_type_are_refused(tmp_path: Path) -> None:
    """A part has one type: its columns were written before the rows came."""
    with pytest.raises(SinkError, match="the part is of Bill, and the rows are of Line"):
        await write(NdjsonSink(tmp_path), [Line()])


async def test_a_closed_part_takes_no_rows(tmp_path: Path) -> None:
    """Nor is it committed twice."""
    async with NdjsonSink(tmp_path).part(key()) as part:
        await part.commit(now=NOW)

        with pytest.raises(SinkError, match="closed"):
            await part.write(BILLS)
        with pytest.raises(SinkError, match="closed"):
            await part.commit(now=NOW)


@EVERY_KIND
async def test_a_part_without_a_row_is_not_committed(kind: type[FolderSink], tmp_path: Path) -> None:
    """One that could not be written, or added up, is missing: no receipt tells of those around it."""
    async with kind(tmp_path).part(key()) as part:
        await part.write(BILLS)
        with pytest.raises(SinkError, match="a row cannot be written"):
            await part.write([Bill(total_amount=Decimal("1E+99999"))])

        with pytest.raises(SinkError, match="closed"):
            await part.write(BILLS)
        with pytest.raises(SinkError, match="closed"):
            await part.commit(now=NOW)

    assert [] == files(tmp_path)


async def test_a_part_whose_writing_was_cut_short_is_not_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited for the disk when it was cancelled is missing: what would follow has a gap."""
    genuine, goes_on = os.write, threading.Event()

    def write_later(fd: int, some: memoryview) -> int:
        goes_on.wait(20)
        return genuine(fd, some)

    monkeypatch.setattr("belvo_async.sinks.part_file.os.write", write_later)
    async with NdjsonSink(tmp_path).part(key()) as part:
        await part.write([Bill(note="x" * 9_000_000)])
        cut_short = asyncio.create_task(part.write([Bill(note="y" * 9_000_000)]))
        await asyncio.sleep(0)
        cut_short.cancel()
        await asyncio.wait([cut_short])
        goes_on.set()

        assert cut_short.cancelled()
        with pytest.raises(SinkError, match="closed"):
            await part.write(BILLS)
        with pytest.raises(SinkError, match="closed"):
            await part.commit(now=NOW)

    assert [] == files(tmp_path)


def test_a_record_that_is_no_struct_is_refused(tmp_path: Path) -> None:
    """Its columns would not be known before its rows."""
    with pytest.raises(ConfigurationError, match="dict is none"):
        NdjsonSink(tmp_path).part(key(record=dict))


@pytest.mark.parametrize(
    ("subject", "folder"),
    [
        ("/entities/0B8E9B2E-6A3A-4B5A-9A53-6F3C0D0F6A11", ENTITY),
        (ENTITY, ENTITY),
        ("/taxpayers/PEIC211118IS0", None),
        ("PEIC211118IS0", None),
        ("../../etc/passwd", None),
        ("link-1", "link-1"),
    ],
)
async def test_a_subject_is_named_by_its_uuid(tmp_path: Path, subject: str, folder: str | None) -> None:
    """No RFC stands in a path, nor anything that leads elsewhere: a digest does."""
    receipt = await write(NdjsonSink(tmp_path), (), key(subject=subject))

    word = receipt.part.split("/")[2].removeprefix("subject=")
    assert (folder or word) == word
    assert folder is not None or (17 == len(word) and word.startswith("x"))
    assert "PEIC211118IS0" not in repr(key(subject=subject))


async def test_a_part_of_no_period_has_a_name(tmp_path: Path) -> None:
    """Whatever is not asked for is left out of it."""
    part = PartKey(vendor="belvo", resource="TAX_STATUS", subject="l", job="j", record=Bill)

    assert "vendor=belvo/resource=TAX_STATUS/subject=l/j.ndjson" == (await write(NdjsonSink(tmp_path), (), part)).part
