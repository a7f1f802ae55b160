"""One file, whole or absent: written under a temporary name, flushed, renamed."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Buffer

try:
    import fcntl
except ImportError:  # Windows: there, a file that is open cannot be removed, which says the same, nor be renamed
    fcntl = None  # type: ignore[assignment]


# What the disk may still have to take when a part ends. It takes the rest meanwhile, in a thread of its own: to wait
# for all of it at the end took a tenth of the time of an export, and more.
_UNFLUSHED_BYTES: Final = 8 * 1024 * 1024

_flush = getattr(os, "fdatasync", os.fsync)


class Written(NamedTuple):
    """What a file is that was committed."""

    size_bytes: int
    digest: str


class PartFile:
    """A file on its way to its place. Blocking: called from threads. Raises OSError as writing does.

    The temporary name is this object's alone. While it is open it is locked, by which others know that it lives.
    """

    def __init__(self, place: Path, root: Path) -> None:
        self.place = place
        new = _make_folders(place.parent, root)
        self._hash = hashlib.sha256()
        self._size = 0
        self._flushed_to = 0
        self._has_place = False
        self._flusher = ThreadPoolExecutor(1, "belvo-async-flush")
        self._fd, self.temporary = _open(place)
        # Waited for before anything is said to be durable; meanwhile, rows are encoded.
        self._flushing: Future[None] | None = self._flusher.submit(_sync_folders, new) if new else None

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""
        return self._size

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of some bytes."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self._size += len(data)
        if self._size - self._flushed_to >= _UNFLUSHED_BYTES and (self._flushing is None or self._flushing.done()):
            self._settle()
            self._flushed_to = self._size
            self._flushing = self._flusher.submit(_flush, self._fd)
        # While the disk takes it.
        self._hash.update(data)
        return len(data)

    def _settle(self) -> None:
        """Wait for the disk. What it could not take is raised here: the system does not tell it again."""
        if self._flushing is not None:
            self._flushing.result()

    def rename(self) -> Written:
        """Make the bytes durable, then their name."""
        self._settle()
        os.fsync(self._fd)
        if fcntl is None:
            self._close()
        os.replace(self.temporary, self.place)
        self._has_place = True
        _sync_folder(self.place.parent)
        self._close()
        return Written(self._size, self._hash.hexdigest())

    def drop(self) -> None:
        """Remove what was written. Nothing happens to a file that has its place."""
        if fcntl is None:
            self._close()
        if not self._has_place:
            with suppress(OSError):
                os.unlink(self.temporary)
        self._close()

    def _close(self) -> None:
        self._flusher.shutdown()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)


class PartStream(io.RawIOBase):
    """The file as libraries want it that write by themselves: a stream that only goes on."""

    def __init__(self, file: PartFile) -> None:
        self._file = file

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write all of some bytes."""
        return self._file.write(memoryview(data).cast("B"))

    def tell(self) -> int:
        """How much was written."""
        return self._file.size_bytes


def _open(place: Path) -> tuple[int, Path]:
    while True:
        temporary = place.with_name(f".{place.name}.{os.getpid():x}-{secrets.token_hex(4)}.tmp")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            if _lock(fd) and os.fstat(fd).st_nlink:
                return fd, temporary
        except BaseException:
            os.close(fd)
            raise
        # Another process took it for one that was left behind, in the moment before it was locked.
        os.close(fd)


def _lock(fd: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nothing is removed there either
        return True
    return True


def left_behind(root: Path) -> Iterator[Path]:
    """The temporary files below a folder whose writers have died, and the folders of those that are gone."""
    for path in list(root.rglob(".*.tmp")):
        if fcntl is None:
            yield path
            continue
        with suppress(OSError):
            fd = os.open(path, os.O_WRONLY)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path
            finally:
                os.close(fd)
    # Beside a file that lives, its folder does.
    for path in list(root.rglob(".*.tmpd")):
        if not path.with_suffix(".tmp").exists():
            yield path


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Make the folders of a part; which folders have new ones in them."""
    if folder.is_dir():
        return []
    above = [] if folder == root else _make_folders(folder.parent, root)
    folder.mkdir(parents=folder == root, exist_ok=True)
    return [*above, folder.parent]


def _sync_folders(folders: list[Path]) -> None:
    """Make their folders durable as well: a name in a folder that is lost is no name."""
    for each in folders:
        _sync_folder(each)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
