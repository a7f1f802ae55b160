"""What all sinks share that keep parts as files of one folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import ClassVar

from ..abc import OpenPart, PartKey, Receipt
from ..discreet import discreet
from ..errors import ConfigurationError
from .columns import columns_of
from .layout import part_path
from .part import PartWriter, StreamedPart, cannot_write
from .part_file import left_behind


class FolderSink(ABC):
    """Parts as files below a directory, laid out as `layout` says. Keeps the contract `Sink`."""

    kind: ClassVar[str]
    suffix: ClassVar[str]

    def __init__(self, directory: str | os.PathLike[str], options: Mapping[str, str] | None = None) -> None:
        if not os.fspath(directory):
            raise ConfigurationError(f"name the directory that parts are written to, like `{self.kind}:out`")
        self.root = Path(directory).expanduser().absolute()
        self._root_name = os.path.realpath(self.root)
        self._options = "&".join(f"{key}={value}" for key, value in sorted((options or {}).items()))

    @property
    def name(self) -> str:
        """See `Sink.name`."""
        return f"{self.kind}:{self._root_name}{'?' if self._options else ''}{self._options}"

    @abstractmethod
    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the files of a part; called in a thread."""

    def check_installed(self) -> None:
        """Raise ConfigurationError when what writes the format is not installed."""
        return

    @discreet
    async def begin(self) -> None:
        """See `Sink.begin`."""
        self.check_installed()
        await asyncio.to_thread(_prepare, self.root, self.kind)

    async def end(self) -> None:
        """See `Sink.end`: between parts, nothing is open."""
        return

    def part(self, key: PartKey) -> AbstractAsyncContextManager[OpenPart]:
        """See `Sink.part`."""
        columns_of(key.record)
        return self._part(key)

    @asynccontextmanager
    async def _part(self, key: PartKey) -> AsyncGenerator[OpenPart]:
        relative = part_path(key, self.suffix)
        # Not cut short by a cancellation: a file that nobody knows of would stay open.
        opening = asyncio.ensure_future(asyncio.to_thread(self._open, key, relative))
        try:
            writer = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_drop_opened)
            raise
        part = StreamedPart(key, self.name, relative, writer)
        try:
            yield part
        finally:
            await part.leave()

    def _open(self, key: PartKey, relative: str) -> PartWriter:
        self.check_installed()
        try:
            return self.make_writer(key, relative)
        except OSError as error:
            raise cannot_write(error, str(self.root / relative)) from error

    @discreet
    async def holds(self, receipt: Receipt) -> bool:
        """See `Sink.holds`."""
        return receipt.sink == self.name and await asyncio.to_thread(_is_there, self.root, receipt)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def take_choice(options: dict[str, str], name: str, usual: str, other: str) -> str:
    """Take an option that has two values; the usual one where it is not given."""
    value = options.pop(name, usual)
    if value not in (usual, other):
        raise ConfigurationError(f"`{name}` is {usual} or {other}")
    return value


def _drop_opened(opening: asyncio.Future[PartWriter]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().drop()


def _is_there(root: Path, receipt: Receipt) -> bool:
    files = [(receipt.part, receipt.size_bytes), *((each.part, each.size_bytes) for each in receipt.beside)]
    try:
        return all((root / part).stat().st_size == size for part, size in files)
    except OSError:
        return False


def _prepare(root: Path, kind: str) -> None:
    """Make the directory, try to write to it, and clear away what dead runs left."""
    try:
        if root.exists() and not root.is_dir():
            raise ConfigurationError(f"`{kind}:` writes to a directory, and {root} is a file: name another place")
        root.mkdir(parents=True, exist_ok=True)
        _probe(root / f".{secrets.token_hex(4)}.probe")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        text = f"cannot write to {root}: {reason}; nothing was fired. Mend that, or name another place"
        raise ConfigurationError(text) from error
    for path in left_behind(root):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _probe(path: Path) -> None:
    """Write a little, durably, and remove it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        os.write(fd, b"\0" * 4096)
        os.fsync(fd)
    finally:
        os.close(fd)
        os.unlink(path)
