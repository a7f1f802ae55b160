"""What an SQLite store finds after a loss of power: files rebuilt without what was not flushed.

    python -m tests.proof.power_loss [--images 2000] [--seed 1] [--settings delete-extra wal-full wal-normal ...]

The store works on a recording file system. At random moments of the record, images are built in which each write since
the last flush of its file is dropped, kept, or torn between sectors; then the library's own SQLite opens the image and
everything acknowledged up to that moment must be there. `delete-extra` and `wal-full` are what the store uses; the
others show that the examination notices losses.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from belvo_async.stores.sqlite.store import SqliteStore
from tests.proof.ledger import Ledger, examine
from tests.proof.recording import Entry, RecordingVFS, recorder
from tests.proof.workload import Fact, work

SECTOR = 512
# SQLite moves the log into the database every so many pages; the usual 1,000 would not be reached here.
CHECKPOINT_PAGES = 40
SETTINGS = {
    "delete-extra": ("delete", "EXTRA"),
    "wal-full": ("wal", "FULL"),
    "delete-off": ("delete", "OFF"),
    "wal-off": ("wal", "OFF"),
    "wal-normal": ("wal", "NORMAL"),
}
SAFE = ("delete-extra", "wal-full")
# What is flushed is counted, not measured: the files need no disk.
RAM = Path("/dev/shm")
# How what was not flushed fares: nothing of it arrives, all, each write by chance, or each sector by chance.
FATES = ("dropped", "kept", "some", "torn")


class Recorder:
    """A witness that notes facts among the writes."""

    def __init__(self, log: list[Entry]) -> None:
        self._log = log

    def tries(self, fact: Fact) -> None:
        self._log.append(Entry("tries", fact=fact))

    def done(self, fact: Fact) -> None:
        self._log.append(Entry("done", fact=fact))


async def record(path: Path, settings: str, *, jobs: int) -> list[Entry]:
    """Let a store work on a recording file system."""
    log: list[Entry] = []
    vfs = RecordingVFS(f"recording-{path}", path, log)
    pragmas = [f"wal_autocheckpoint={CHECKPOINT_PAGES}"]
    if settings.startswith("wal"):
        # The recording file system has no shared memory.
        pragmas.append("locking_mode=EXCLUSIVE")
    with patch("belvo_async.stores.sqlite.file.journal_settings", lambda _library: SETTINGS[settings]):
        async with SqliteStore(path, connect=recorder(f"recording-{path}", pragmas)) as store:
            for first in range(0, jobs, 8):
                await work(store, Recorder(log), first=first, workers=4, jobs=2)
    vfs.unregister()
    return log


@dataclass
class Disk:
    """One file: what has been flushed, and what happened to it since. `flushed` is None while there is no file."""

    flushed: bytes | None = None
    since: list[Entry] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether its directory entry has not been flushed."""
        return any(entry.what == "create" for entry in self.since)

    def flush(self) -> None:
        self.flushed, self.since = self.content_if(self.since), []

    def flush_entry(self) -> None:
        """Flush that the file is there, or is gone, but not its content."""
        deleted = [index for index, entry in enumerate(self.since) if entry.what == "delete"]
        if deleted:
            self.flushed, self.since = None, self.since[deleted[-1] + 1 :]
        if self.is_new:
            self.flushed = self.flushed or b""
            self.since = [entry for entry in self.since if entry.what != "create"]

    def content_if(self, happened: list[Entry]) -> bytes | None:
        """The content if only this had happened since the flush."""
        content = None if self.flushed is None else bytearray(self.flushed)
        for entry in happened:
            if entry.what == "delete":
                content = None
            elif entry.what == "create":
                content = bytearray() if content is None else content
            elif content is not None:
                _change(content, entry)
        return None if content is None else bytes(content)

    def image(self, fate: str, chance: random.Random) -> bytes | None:
        """The content after a loss of power."""
        if fate == "dropped":
            return self.flushed
        if fate == "kept":
            return self.content_if(self.since)
        odds = chance.random()
        left = [entry for entry in self.since if chance.random() < odds]
        if fate == "torn":
            left = [part for entry in self.since for part in _tear(entry, chance)]
        # Without its directory entry nothing of a file is found; with it, any part may be.
        return self.content_if(left)


def _change(content: bytearray, entry: Entry) -> None:
    if entry.what == "truncate":
        del content[entry.at :]
        return
    if len(content) < entry.at:
        content.extend(bytes(entry.at - len(content)))
    content[entry.at : entry.at + len(entry.content)] = entry.content


def _tear(entry: Entry, chance: random.Random) -> Iterator[Entry]:
    """The sectors of a write that arrived."""
    if entry.what != "write":
        if chance.random() < 0.5:
            yield entry
        return
    start, end = entry.at, entry.at + len(entry.content)
    while start < end:
        stop = min((start // SECTOR + 1) * SECTOR, end)
        if chance.random() < 0.5:
            yield entry._replace(at=start, content=entry.content[start - entry.at : stop - entry.at])
        start = stop


@dataclass
class Losses:
    """What the images of one configuration showed."""

    settings: str
    images: int = 0
    acknowledged: int = 0
    lossy: int = 0
    broken: int = 0
    seconds: float = 0.0
    words: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.settings}: {self.images} images in {self.seconds:.0f} s ({self.images / self.seconds:.0f}/s), "
            f"{self.acknowledged} acknowledgements checked, with losses={self.lossy} broken={self.broken}"
        )


def run(settings: str, images: int, seed: int) -> Losses:
    """Record once, then build and examine so many images."""
    losses, chance = Losses(settings), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as name:
        directory = Path(name)
        log = asyncio.run(record(directory / "recorded.db", settings, jobs=24))
        began = time.perf_counter()
        moments = sorted(chance.randrange(1, len(log) + 1) for _ in range(images))
        disks, ledger, done = {"": Disk(flushed=b"")}, Ledger(), 0
        for moment in moments:
            for entry in log[done:moment]:
                note(entry, disks, ledger)
            done = moment
            fate = FATES[losses.images % len(FATES)]
            make_image(directory, disks, fate, chance)
            # Every tenth is opened by the store itself first: it recovers as well.
            examine_image(directory / "image.db", ledger, losses, f"moment {moment}, {fate}", whole=moment % 10 == 0)
        losses.seconds = time.perf_counter() - began
    return losses


def note(entry: Entry, disks: dict[str, Disk], ledger: Ledger) -> None:
    if entry.what == "tries":
        ledger.tries(entry.fact)
    elif entry.what == "done":
        ledger.done(entry.fact)
    else:
        apply(entry, disks)


def apply(entry: Entry, disks: dict[str, Disk]) -> None:
    """Let something happen to a file. Flushing a new journal flushes the directory (os_unix.c, UNIXFILE_DIRSYNC)."""
    disk = disks.setdefault(entry.file, Disk())
    flushes_directory = disk.is_new if entry.what == "sync" else entry.what == "delete" and bool(entry.at)
    if entry.what == "sync":
        disk.flush()
    else:
        disk.since.append(entry)
    if flushes_directory:
        for each in disks.values():
            each.flush_entry()


def make_image(directory: Path, disks: dict[str, Disk], fate: str, chance: random.Random) -> None:
    for each in directory.glob("image.db*"):
        each.unlink()
    for suffix, disk in disks.items():
        content = disk.image(fate, chance)
        if content is not None:
            (directory / f"image.db{suffix}").write_bytes(content)


def examine_image(path: Path, ledger: Ledger, losses: Losses, words: str, *, whole: bool) -> None:
    losses.images += 1
    losses.acknowledged += ledger.acknowledgements
    if whole:
        try:
            asyncio.run(open_and_close(path))
        except Exception as error:
            losses.broken += 1
            losses.words.append(f"{words}: does not open: {error}")
            return
    wrongs = examine(path, ledger)
    losses.lossy += bool(wrongs.lost)
    losses.broken += bool(wrongs.broken)
    losses.words += [f"{words}: {each}" for each in (*wrongs.lost, *wrongs.broken)]


async def open_and_close(path: Path) -> None:
    async with SqliteStore(path) as store:
        await store.get("job-0000")


def main() -> int:
    parser = argparse.ArgumentParser(description="Lose power under an SQLite store and look at what is left.")
    parser.add_argument("--images", type=int, default=2000, help="of all settings together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=SAFE)
    options = parser.parse_args()
    failed = False
    for settings in options.settings:
        losses = run(settings, -(-options.images // len(options.settings)), options.seed)
        for each in losses.words[:5]:
            print(each)
        print(losses)
        failed = failed or (settings in SAFE and losses.lossy + losses.broken > 0)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
